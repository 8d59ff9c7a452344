/** Pages stored as runs (type 1 and RDMP): a sorted table of extents and a binary search. */

import { fileOffset, PAGE_SIZE, pfn, type FileOffset, type Pfn } from '../addresses.js';
import { ABSENT, type PageIndex, type SoftError } from './page-index.js';

/** An extent of pages and where its first page stands in the file. */
export interface Extent {
  readonly basePage: number;
  readonly pageCount: number;
  /** A file offset. */
  readonly offset: number;
}

/** Extents in file order, a column each: for bodies with very many of them. All three have the same length. */
export interface ExtentColumns {
  readonly bases: Float64Array;
  readonly counts: Float64Array;
  /** File offsets. */
  readonly offsets: Float64Array;
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

  constructor(extents: readonly Extent[] | ExtentColumns) {
    const { bases, ends, offsets, overlaps } = disjoint('bases' in extents ? extents : columns(extents));
    this.bases = bases;
    this.ends = ends;
    this.offsets = offsets;
    this.end = ends.at(-1) ?? 0;
    this.pagesPresent = bases.reduce((sum, base, i) => sum + (ends[i] ?? 0) - base, 0);
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

  nextPresent(page: Pfn): Pfn | typeof ABSENT {
    const at = this.search(page);
    if (at >= 0) return page;
    const following = this.bases[-1 - at];
    return following === undefined ? ABSENT : pfn(following);
  }

  /** The extent that holds a page, or -1 - i where extent i is the first after it. */
  private search(page: number): number {
    let low = 0;
    let high = this.bases.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (page < (this.bases[middle] ?? 0)) high = middle - 1;
      else if (page >= (this.ends[middle] ?? 0)) low = middle + 1;
      else return middle;
    }
    return -1 - low;
  }
}

function columns(extents: readonly Extent[]): ExtentColumns {
  const kept = extents.filter((e) => e.pageCount > 0);
  return {
    bases: Float64Array.from(kept, (e) => e.basePage),
    counts: Float64Array.from(kept, (e) => e.pageCount),
    offsets: Float64Array.from(kept, (e) => e.offset),
  };
}

interface Pieces {
  bases: Float64Array;
  ends: Float64Array;
  offsets: Float64Array;
  /** Extents of which an earlier one holds a part. */
  overlaps: number;
}

/** True when extents come in order of pages and none covers another, as Windows writes them. */
export function isOrdered({ bases, counts }: Omit<ExtentColumns, 'offsets'>): boolean {
  for (let i = 1; i < bases.length; i++) {
    if ((bases[i - 1] ?? 0) + (counts[i - 1] ?? 0) > (bases[i] ?? 0)) return false;
  }
  return true;
}

/** Sorts by page and cuts what an extent earlier in the file already covers: in n log n, whatever overlaps. */
function disjoint(table: ExtentColumns): Pieces {
  const { bases, counts, offsets } = table;
  if (isOrdered(table)) {
    return { bases, ends: bases.map((base, i) => base + (counts[i] ?? 0)), offsets, overlaps: 0 };
  }
  const order = Uint32Array.from(bases, (_, i) => i).sort((a, b) => (bases[a] ?? 0) - (bases[b] ?? 0));
  const endOf = (i: number): number => (bases[i] ?? 0) + (counts[i] ?? 0);
  /** Extents that reach over `at`, the earliest in the file on top. */
  const active = new Heap();
  const starts: number[] = [];
  const ends: number[] = [];
  const owners: number[] = [];
  const owned = new Float64Array(bases.length);
  let next = 0;
  let at = 0;
  const baseAt = (i: number): number => (i < order.length ? (bases[order[i] ?? 0] ?? 0) : Infinity);
  while (next < order.length || active.top !== null) {
    if (active.top === null) at = baseAt(next);
    for (; baseAt(next) <= at; next++) active.push(order[next] ?? 0);
    while (active.top !== null && endOf(active.top) <= at) active.pop();
    const owner = active.top;
    if (owner === null) continue;
    const until = Math.min(endOf(owner), baseAt(next));
    if (owners.at(-1) === owner && ends.at(-1) === at) ends[ends.length - 1] = until;
    else {
      starts.push(at);
      ends.push(until);
      owners.push(owner);
    }
    owned[owner] = (owned[owner] ?? 0) + until - at;
    at = until;
  }
  return {
    bases: Float64Array.from(starts),
    ends: Float64Array.from(ends),
    offsets: Float64Array.from(starts, (start, i) => {
      const owner = owners[i] ?? 0;
      return (offsets[owner] ?? 0) + (start - (bases[owner] ?? 0)) * PAGE_SIZE;
    }),
    overlaps: owned.reduce((sum, pages, i) => sum + (pages < (counts[i] ?? 0) ? 1 : 0), 0),
  };
}

/** A binary heap of numbers, the smallest on top. */
class Heap {
  private readonly items: number[] = [];

  get top(): number | null {
    return this.items[0] ?? null;
  }

  push(value: number): void {
    const { items } = this;
    let at = items.push(value) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((items[parent] ?? 0) <= value) break;
      items[at] = items[parent] ?? 0;
      at = parent;
    }
    items[at] = value;
  }

  pop(): void {
    const { items } = this;
    const value = items.pop();
    if (value === undefined || items.length === 0) return;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if ((items[child + 1] ?? Infinity) < (items[child] ?? 0)) child++;
      if ((items[child] ?? 0) >= value) break;
      items[at] = items[child] ?? 0;
      at = child;
    }
    items[at] = value;
  }
}
