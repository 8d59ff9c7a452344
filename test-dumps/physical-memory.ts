/**
 * The machine's RAM: runs of page frames with holes, and the contents of the frames that have any.
 * Frames are numbers (they stay exact past 2^32); a frame without contents reads as zeros.
 */

import type { Prng } from './prng.js';

export const PAGE = 0x1000;
/** Bytes of memory taken at once. */
const SLAB = 64 * PAGE;
export const ZERO_PAGE: Uint8Array = new Uint8Array(PAGE);

export interface MemoryRun {
  /** First page frame number. */
  readonly basePage: number;
  readonly pageCount: number;
}

export class PhysicalMemory {
  readonly runs: readonly MemoryRun[];
  /** Frames in all runs. */
  readonly pageCount: number;
  /** Contents by frame. Arrays may be shared between frames: write through `writable` only. */
  readonly pages = new Map<number, Uint8Array>();
  private readonly owned = new Set<number>();
  private readonly taken = new Set<number>();
  private slab = new Uint8Array(0);
  private slabUsed = 0;
  private readonly reserved: { first: number; count: number }[] = [];

  constructor(
    runs: readonly MemoryRun[],
    private readonly random: Prng,
  ) {
    this.runs = [...runs].sort((a, b) => a.basePage - b.basePage);
    this.pageCount = runs.reduce((sum, run) => sum + run.pageCount, 0);
    let end = 0;
    for (const run of this.runs) {
      if (run.basePage < end || run.pageCount <= 0)
        throw new Error(`memory run at ${run.basePage} overlaps or is empty`);
      end = run.basePage + run.pageCount;
    }
  }

  /** The frame lies in a run. */
  has(pfn: number): boolean {
    return this.runs.some((run) => pfn >= run.basePage && pfn < run.basePage + run.pageCount);
  }

  /** A free frame anywhere in RAM, away from the last one. */
  allocate(): number {
    for (let attempt = 0; attempt < 200; attempt++) {
      let index = Math.floor(this.random.float() * this.pageCount);
      for (const run of this.runs) {
        if (index < run.pageCount) {
          const pfn = run.basePage + index;
          if (this.isFree(pfn)) {
            this.taken.add(pfn);
            return pfn;
          }
          break;
        }
        index -= run.pageCount;
      }
    }
    for (const run of this.runs) {
      for (let pfn = run.basePage; pfn < run.basePage + run.pageCount; pfn++) {
        if (this.isFree(pfn)) {
          this.taken.add(pfn);
          return pfn;
        }
      }
    }
    throw new Error(`all ${this.pageCount} pages of RAM are in use: the scenario needs more memory`);
  }

  /** A free frame anywhere in RAM and as many of those behind it as are free, `most` in all: the first, and how many. */
  allocateRun(most: number): { first: number; count: number } {
    const first = this.allocate();
    let count = 1;
    for (; count < most && this.has(first + count) && this.isFree(first + count); count++)
      this.taken.add(first + count);
    return { first, count };
  }

  /** `count` neighbouring frames, the first a multiple of `alignment`: for 2 MB and 1 GB pages. */
  allocateBlock(count: number, alignment: number): number {
    for (const run of [...this.runs].reverse()) {
      const end = run.basePage + run.pageCount;
      for (let pfn = Math.ceil(run.basePage / alignment) * alignment; pfn + count <= end; pfn += alignment) {
        if (!this.blockIsFree(pfn, count)) continue;
        this.reserved.push({ first: pfn, count });
        return pfn;
      }
    }
    throw new Error(`no ${count} free neighbouring pages: the scenario needs more memory`);
  }

  /** Gives a frame contents that other frames may share. */
  setShared(pfn: number, contents: Uint8Array): void {
    this.pages.set(pfn, contents);
  }

  /** Gives a frame contents of its own. */
  setOwned(pfn: number, contents: Uint8Array): void {
    this.pages.set(pfn, contents);
    this.owned.add(pfn);
  }

  /** The frame's bytes for writing; shared contents are copied first, missing ones begin as zeros. */
  writable(pfn: number): Uint8Array {
    const present = this.pages.get(pfn);
    if (present && this.owned.has(pfn)) return present;
    const bytes = this.blank();
    if (present) bytes.set(present);
    this.setOwned(pfn, bytes);
    return bytes;
  }

  /** A page of zeros, cut from a larger piece: a hundred thousand arrays of their own would cost more than they hold. */
  private blank(): Uint8Array {
    if (this.slabUsed === this.slab.length) {
      this.slab = new Uint8Array(SLAB);
      this.slabUsed = 0;
    }
    this.slabUsed += PAGE;
    return this.slab.subarray(this.slabUsed - PAGE, this.slabUsed);
  }

  private isFree(pfn: number): boolean {
    return pfn !== 0 && !this.taken.has(pfn) && !this.reserved.some((r) => pfn >= r.first && pfn < r.first + r.count);
  }

  private blockIsFree(first: number, count: number): boolean {
    if (this.reserved.some((r) => first < r.first + r.count && r.first < first + count)) return false;
    for (const pfn of this.taken) if (pfn >= first && pfn < first + count) return false;
    return true;
  }
}

/** Runs as firmware leaves them: low memory, a gap below 1 MB, small holes, the rest above 4 GB. */
export function typicalRuns(pages: number): MemoryRun[] {
  const runs: MemoryRun[] = [];
  let left = pages;
  const add = (basePage: number, room: number): void => {
    const pageCount = Math.min(left, room);
    if (pageCount > 0) runs.push({ basePage, pageCount });
    left -= pageCount;
  };
  add(0x1, 0x9d);
  add(0x100, 0x7f00);
  add(0x8020, 0x17fe0);
  add(0x20007, 0x9f2f9);
  add(0x100000, Infinity);
  return runs;
}
