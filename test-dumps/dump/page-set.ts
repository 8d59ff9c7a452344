/** The frames that a file stores, in file order, with rank (frame to position) and select (position to frame). */

import type { MemoryRun } from '../physical-memory.js';

export class PageSet {
  /** Frames stored. */
  readonly count: number;
  private readonly starts: Float64Array;
  private readonly before: Float64Array;

  /** Runs of frames, ascending and apart. */
  constructor(readonly runs: readonly MemoryRun[]) {
    this.starts = new Float64Array(runs.length);
    this.before = new Float64Array(runs.length + 1);
    let total = 0;
    runs.forEach((run, i) => {
      this.starts[i] = run.basePage;
      this.before[i] = total;
      total += run.pageCount;
    });
    this.before[runs.length] = total;
    this.count = total;
  }

  /** Single frames in any order. */
  static of(frames: Iterable<number>): PageSet {
    const sorted = Float64Array.from(new Set(frames)).sort();
    const runs: { basePage: number; pageCount: number }[] = [];
    let last: { basePage: number; pageCount: number } | undefined;
    for (const frame of sorted) {
      if (last && frame === last.basePage + last.pageCount) last.pageCount++;
      else runs.push((last = { basePage: frame, pageCount: 1 }));
    }
    return new PageSet(runs);
  }

  /** The frames of `runs` but those in `absent`. */
  static without(runs: readonly MemoryRun[], absent: ReadonlySet<number>): PageSet {
    const gone = Float64Array.from(absent).sort();
    const left: MemoryRun[] = [];
    let g = 0;
    for (const run of runs) {
      const end = run.basePage + run.pageCount;
      let start = run.basePage;
      while (g < gone.length && (gone[g] ?? 0) < start) g++;
      while (g < gone.length && (gone[g] ?? 0) < end) {
        const frame = gone[g++] ?? 0;
        if (frame > start) left.push({ basePage: start, pageCount: frame - start });
        start = frame + 1;
      }
      if (end > start) left.push({ basePage: start, pageCount: end - start });
    }
    return new PageSet(left);
  }

  has(frame: number): boolean {
    return this.rank(frame) >= 0;
  }

  /** Position of a frame in file order, or -1. */
  rank(frame: number): number {
    const i = last(this.starts, this.runs.length, frame);
    const run = this.runs[i];
    return run && frame < run.basePage + run.pageCount ? (this.before[i] ?? 0) + frame - run.basePage : -1;
  }

  /** The frame at a position below `count`. */
  select(position: number): number {
    const i = last(this.before, this.runs.length, position);
    return (this.starts[i] ?? 0) + position - (this.before[i] ?? 0);
  }

  /** One past the highest frame. */
  get end(): number {
    const run = this.runs.at(-1);
    return run ? run.basePage + run.pageCount : 0;
  }

  /**
   * Bytes `firstByte` and on of the bitmap in which bit n stands for frame n, least significant bit first. Returns false
   * where all of them are zero.
   */
  bitmap(firstByte: number, target: Uint8Array): boolean {
    target.fill(0);
    const first = firstByte * 8;
    const end = first + target.length * 8;
    let any = false;
    for (let i = Math.max(0, last(this.starts, this.runs.length, first)); i < this.runs.length; i++) {
      const run = this.runs[i];
      if (!run || run.basePage >= end) break;
      const from = Math.max(run.basePage, first) - first;
      const to = Math.min(run.basePage + run.pageCount, end) - first;
      if (to > from) {
        setBits(target, from, to);
        any = true;
      }
    }
    return any;
  }
}

/** Sets bits `from` to `to`, the last one excluded. */
function setBits(target: Uint8Array, from: number, to: number): void {
  let bit = from;
  while (bit < to && bit % 8 !== 0) set(target, bit++);
  const whole = Math.floor((to - bit) / 8);
  if (whole > 0) {
    target.fill(0xff, bit / 8, bit / 8 + whole);
    bit += whole * 8;
  }
  while (bit < to) set(target, bit++);
}

function set(bitmap: Uint8Array, frame: number): void {
  const at = Math.floor(frame / 8);
  bitmap[at] = (bitmap[at] ?? 0) | (1 << (frame % 8));
}

/** Index of the last of the first `count` values that is not above `wanted`, or -1. */
function last(values: Float64Array, count: number, wanted: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? Infinity) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
