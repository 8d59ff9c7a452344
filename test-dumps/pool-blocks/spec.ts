/** Real pool blocks behind the rows of the tag tables: what a scenario says of them, and what is true of them then. */

import type { Va } from '../bytes.js';
import type { TrueBlock } from './image.js';

/** What stands in blocks of one tag, at offsets of their data. */
export interface BlockContentSpec {
  readonly tag: string;
  /** Pointers into modules; in all blocks, or in a share of them. */
  readonly pointers?: readonly {
    readonly offset: number;
    readonly module: string;
    readonly rva: number;
    readonly share?: number;
  }[];
  /** UTF-16 text. */
  readonly text?: { readonly offset: number; readonly text: string };
  /** A `_LIST_ENTRY` that links the blocks with each other in the order in which they stand. */
  readonly list?: number;
  /** A structure in all blocks that have room for it. */
  readonly thing?: ThingSpec;
  /** An `_IRP` without more than its type and size, in blocks that have room for it. */
  readonly irp?: boolean;
}

/** A structure, and what it leads to. */
export interface ThingSpec {
  readonly is:
    | 'irp' | 'mdl' | 'file' | 'token' | 'logon-session' | 'filter-context' | 'work-item' | 'wdf-object'
    | 'net-buffer-list'; // prettier-ignore
  /** The driver of its device, its routine, its filter. */
  readonly module: string;
  /** Of the routine in it. */
  readonly rva?: number;
  /** Of a token or a session: `CONTOSO\\svc`. */
  readonly account?: string;
  /** It only looks like one. */
  readonly decoy?: boolean;
}

export interface PoolBlocksSpec {
  /** Default: segment heaps from 17763 on, where the kernel has `ExPoolState`. */
  readonly form?: 'classic' | 'segment-heap';
  /** Classic nonpaged pages stand at so many places, one after another; only the first count. Default 1. */
  readonly mirrors?: number;
  /** Tags that blocks have at random; a tag that stands twice is twice as frequent. */
  readonly tags?: readonly string[];
  /** Bytes with the header that blocks of a tag have at least. */
  readonly least?: Readonly<Record<string, number>>;
  /** Pages of classic nonpaged pool (paged pool has a quarter of it), or small segments of a heap. Default 1024, 3. */
  readonly pages?: number;
  readonly segments?: number;
  /** Allocations in the big-page table, besides those of heaps. Default 60. */
  readonly big?: number;
  /** Rows of the big-page table. Default 2048. */
  readonly bigRows?: number;
  readonly contents?: readonly BlockContentSpec[];
  /** Pool pages that the dump lacks, as a share. Default 0. */
  readonly absent?: number;
  /** Processes are charged for blocks. Default true. */
  readonly quota?: boolean;
  /** Freed blocks wait on lookaside lists of the pool node (segment heaps). Default true. */
  readonly lookaside?: boolean;
}

/** Of the blocks of a built machine. */
export interface PoolBlocksTruth {
  readonly form: 'classic' | 'segment-heap';
  readonly blocks: readonly TrueBlock[];
  /** Addresses of the data of blocks that a thing was written into, decoys left out. */
  readonly things: ReadonlySet<Va>;
  /** Addresses of pages that the dump lacks. */
  readonly absentPages: number;
}
