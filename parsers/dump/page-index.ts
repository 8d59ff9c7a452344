/** Where a physical page stands in a dump file: one question, answered by run extents or by a bitmap. */

import type { FileOffset, Pfn } from '../addresses.js';

/** What PageIndex.offsetOf gives for a page that the dump does not hold. */
export const ABSENT = -1;

/** Maps page frame numbers to file offsets without an object or a map entry a page. */
export interface PageIndex {
  /** Pages that the dump says it holds. */
  readonly pagesPresent: number;
  /** One more than the highest page frame number that can be present. */
  readonly end: number;
  /** The file offset of the page's 4096 bytes, or ABSENT. */
  offsetOf(page: Pfn): FileOffset | typeof ABSENT;
  /** The first present page from `page` on, or ABSENT; a bitmap may give up after 8 TB without any. */
  nextPresent(page: Pfn): Pfn | typeof ABSENT;
}

/** What is odd about a dump. */
export type SoftErrorCode =
  | 'truncated'
  | 'insufficient-dump-file'
  | 'bitmap-count'
  | 'run-count'
  | 'runs-overlap'
  | 'rdmp-record'
  | 'rdmp-count'
  | 'triage-part'
  | 'triage-incomplete';

/** A fact about a dump that is odd but does not stop the analysis. */
export interface SoftError {
  readonly code: SoftErrorCode;
  readonly message: string;
}
