/** Pages stored as runs (type 1 and the run-based bodies): a sorted table of extents and a binary search. */

import { fileOffset, PAGE_SIZE, type FileOffset, type Pfn } from '../addresses.js';
import { ABSENT, type PageIndex, type SoftError } from './page-index.js';

/** An extent of pages and where its first page stands in the file. */
export interface Extent {
  readonly basePage: number;
  readonly pageCount: number;
  /** A file offset. */
  readonly offset: number;
}

/** Extents that follow each other in the file from `firstPage` (a file offset) on, in the order given. */
export function consecutive(runs: readonly { basePage: number; pageCount: number }[], firstPage: number): Extent[] {
  let offset = firstPage;
  return runs.map((run) => {
    const extent = { ...run, offset };
    offset += run.pageCount * PAGE_SIZE;
    return extent;
  });
}

/** Looks pages up in extents; where two overlap, the one that stands first in the file wins. */
export class RunIndex implements PageIndex {
  readonly pagesPresent: number;
  readonly end: number;
  readonly softErrors: readonly SoftError[];
  private readonly bases: Float64Array;
  private readonly ends: Float64Array;
  private readonly offsets: Float64Array;
  private last = 0;

  constructor(extents: readonly Extent[]) {
    const { pieces, overlaps } = disjoint(extents);
    this.bases = Float64Array.from(pieces, (p) => p.basePage);
    this.ends = Float64Array.from(pieces, (p) => p.basePage + p.pageCount);
    this.offsets = Float64Array.from(pieces, (p) => p.offset);
    this.end = pieces.length === 0 ? 0 : (this.ends[pieces.length - 1] ?? 0);
    this.pagesPresent = pieces.reduce((sum, p) => sum + p.pageCount, 0);
    this.softErrors =
      overlaps === 0
        ? []
        : [
            {
              code: 'runs-overlap',
              message: `${overlaps} physical memory runs overlap an earlier one; the earlier run is used`,
            },
          ];
  }

  offsetOf(page: Pfn): FileOffset | typeof ABSENT {
    let at = this.last;
    if (page < (this.bases[at] ?? Infinity) || page >= (this.ends[at] ?? 0)) {
      at = this.search(page);
      if (at < 0) return ABSENT;
      this.last = at;
    }
    return fileOffset((this.offsets[at] ?? 0) + (page - (this.bases[at] ?? 0)) * PAGE_SIZE);
  }

  private search(page: number): number {
    let low = 0;
    let high = this.bases.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (page < (this.bases[middle] ?? 0)) high = middle - 1;
      else if (page >= (this.ends[middle] ?? 0)) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}

/** Sorts by page and cuts what an extent earlier in the file already covers. */
function disjoint(extents: readonly Extent[]): { pieces: Extent[]; overlaps: number } {
  const sorted = extents.filter((e) => e.pageCount > 0).toSorted((a, b) => a.basePage - b.basePage);
  const clean = sorted.every((e, i) => {
    const next = sorted[i + 1];
    return next === undefined || e.basePage + e.pageCount <= next.basePage;
  });
  if (clean) return { pieces: sorted, overlaps: 0 };
  let pieces: Extent[] = [];
  let overlaps = 0;
  for (const extent of extents) {
    const free = pieces.reduce<Extent[]>((left, taken) => left.flatMap((part) => subtract(part, taken)), [extent]);
    if (free.length !== 1 || free[0]?.pageCount !== extent.pageCount) overlaps++;
    pieces = pieces.concat(free.filter((e) => e.pageCount > 0));
  }
  return { pieces: pieces.toSorted((a, b) => a.basePage - b.basePage), overlaps };
}

/** What is left of `part` outside of `taken`. */
function subtract(part: Extent, taken: Extent): Extent[] {
  const end = part.basePage + part.pageCount;
  const takenEnd = taken.basePage + taken.pageCount;
  if (takenEnd <= part.basePage || taken.basePage >= end) return [part];
  const left: Extent[] = [];
  if (part.basePage < taken.basePage) left.push({ ...part, pageCount: taken.basePage - part.basePage });
  if (takenEnd < end) {
    const skipped = takenEnd - part.basePage;
    left.push({ basePage: takenEnd, pageCount: end - takenEnd, offset: part.offset + skipped * PAGE_SIZE });
  }
  return left;
}
