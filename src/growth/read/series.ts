/**
 * Series in columns: every value of every snapshot once, in typed arrays, and no object for a sample. 4,000 tags over
 * 200 snapshots are 800,000 values, so rows are appended as they are read and sorted by series at the end.
 */

import type { PoolKind } from '../../result/result.js';
import { tagText } from '../../result/tag.js';
import type { Unit } from '../judge/judge.js';

export type SeriesKind = 'pool-tag' | 'pool-total' | 'process' | 'counter';

/** What a series is about. */
export interface SeriesName {
  kind: SeriesKind;
  /** Of a pool tag: four characters, unprintable ones as `.`; null else. */
  tag: string | null;
  pool: PoolKind | null;
  /** For people: `Leak`, `nonpaged pool`, `svchost#3 handles`, `Memory\Committed Bytes`. Safe to print. */
  label: string;
  unit: Unit;
  /** Of a process counter: `svchost#3`. */
  process: string | null;
}

/** One series in order of time. */
export interface Series {
  name: SeriesName;
  /** Places of its points in the order of all samples, rising. */
  ranks: Int32Array;
  values: Float64Array;
  /** Lifetime counters of a tag, NaN where unknown; null for series that have none. */
  allocs: Float64Array | null;
  frees: Float64Array | null;
}

/** Values that are kept at most: 4,000 tags over 4,000 snapshots. 36 bytes each. */
export const MOST_ROWS = 16_000_000;
/** Series at most. */
export const MOST_SERIES = 200_000;

/** Collects rows as files are read. */
export class SeriesStore {
  /** Rows so far. */
  rows = 0;
  /** There were more series than are kept. */
  refused = false;
  private capacity = 1 << 14;
  private series = new Int32Array(this.capacity);
  private samples = new Int32Array(this.capacity);
  private values = new Float64Array(this.capacity);
  private allocs = new Float64Array(this.capacity);
  private frees = new Float64Array(this.capacity);
  private readonly names: SeriesName[] = [];
  private readonly counts: number[] = [];
  private readonly byKey = new Map<string, number>();
  private readonly tagSeries = [new Map<number, number>(), new Map<number, number>()] as const;
  private tagKeys = new Float64Array(1024).fill(-1);
  /** The series that came after a series the last time: logs list their tags in one order. */
  private next = new Int32Array(1024).fill(-1);
  private last = 0;

  /** True when no more rows are taken. */
  get full(): boolean {
    return this.rows >= MOST_ROWS;
  }

  /**
   * The number of a tag's series; -1 when there are too many. The tag is little-endian without the protected bit,
   * the pool 0 (nonpaged) or 1 (paged).
   */
  tag(tag: number, pool: number): number {
    const key = tag * 2 + pool;
    const guess = this.next[this.last] ?? -1;
    if (guess >= 0 && this.tagKeys[guess] === key) {
      this.last = guess;
      return guess;
    }
    const known = this.tagSeries[pool === 1 ? 1 : 0];
    let found = known.get(tag);
    if (found === undefined) {
      const text = tagText(tag);
      found = this.append({
        kind: 'pool-tag',
        tag: text,
        pool: pool === 1 ? 'paged' : 'nonpaged',
        label: text,
        unit: 'bytes',
        process: null,
      });
      if (found < 0) return -1;
      known.set(tag, found);
      if (found >= this.next.length) this.growTags();
      this.tagKeys[found] = key;
    }
    if (this.last < this.next.length) this.next[this.last] = found;
    this.last = found;
    return found;
  }

  /** The number of any other series, by a key of its own; -1 when there are too many. */
  named(key: string, name: () => SeriesName): number {
    let found = this.byKey.get(key);
    if (found === undefined) {
      found = this.append(name());
      if (found >= 0) this.byKey.set(key, found);
    }
    return found;
  }

  add(series: number, sample: number, value: number, allocs: number, frees: number): void {
    const at = this.rows;
    if (series < 0 || at >= MOST_ROWS) return;
    if (at === this.capacity) this.grow();
    this.series[at] = series;
    this.samples[at] = sample;
    this.values[at] = value;
    this.allocs[at] = allocs;
    this.frees[at] = frees;
    this.counts[series] = (this.counts[series] ?? 0) + 1;
    this.rows = at + 1;
  }

  /**
   * All series in the order of time, with one point a sample: where a sample has two rows for a series (a tag that
   * stands twice in a log), they are added up. `rankOf` maps a sample to its place in the order, -1 for one that is
   * left out.
   */
  finish(rankOf: Int32Array): Series[] {
    const { rows, names } = this;
    const starts = new Int32Array(names.length + 1);
    for (let s = 0; s < names.length; s++) starts[s + 1] = (starts[s] ?? 0) + (this.counts[s] ?? 0);
    const order = this.byRank(rankOf);
    const ends = starts.slice(0, names.length);
    const ranks = new Int32Array(rows);
    const values = new Float64Array(rows);
    const allocs = new Float64Array(rows);
    const frees = new Float64Array(rows);
    const count = order?.length ?? rows;
    for (let k = 0; k < count; k++) {
      const row = order === null ? k : (order[k] ?? 0);
      const s = this.series[row] ?? 0;
      const rank = rankOf[this.samples[row] ?? 0] ?? -1;
      if (rank < 0) continue;
      let at = ends[s] ?? 0;
      if (at > (starts[s] ?? 0) && ranks[at - 1] === rank) {
        at--;
        values[at] = (values[at] ?? 0) + (this.values[row] ?? 0);
        allocs[at] = (allocs[at] ?? 0) + (this.allocs[row] ?? 0);
        frees[at] = (frees[at] ?? 0) + (this.frees[row] ?? 0);
        continue;
      }
      ranks[at] = rank;
      values[at] = this.values[row] ?? 0;
      allocs[at] = this.allocs[row] ?? 0;
      frees[at] = this.frees[row] ?? 0;
      ends[s] = at + 1;
    }
    return names.map((name, s) => {
      const [from, to] = [starts[s], ends[s]];
      const counted = name.kind === 'pool-tag';
      return {
        name,
        ranks: ranks.subarray(from, to),
        values: values.subarray(from, to),
        allocs: counted ? allocs.subarray(from, to) : null,
        frees: counted ? frees.subarray(from, to) : null,
      };
    });
  }

  /** Row numbers in the order of their samples. Rows of one sample were appended together. Null: as they stand. */
  private byRank(rankOf: Int32Array): Int32Array | null {
    let before = 0;
    let row = 0;
    while (row < this.rows) {
      const rank = rankOf[this.samples[row] ?? 0] ?? -1;
      if (rank < before) break;
      before = rank;
      row++;
    }
    if (row === this.rows) return null;
    return this.sortedRows(rankOf);
  }

  private sortedRows(rankOf: Int32Array): Int32Array {
    const order = new Int32Array(this.rows);
    const starts = new Int32Array(rankOf.length + 1);
    for (let row = 0; row < this.rows; row++) {
      const rank = rankOf[this.samples[row] ?? 0] ?? -1;
      if (rank >= 0) starts[rank + 1] = (starts[rank + 1] ?? 0) + 1;
    }
    for (let r = 0; r < rankOf.length; r++) starts[r + 1] = (starts[r + 1] ?? 0) + (starts[r] ?? 0);
    const used = starts[rankOf.length] ?? 0;
    for (let row = 0; row < this.rows; row++) {
      const rank = rankOf[this.samples[row] ?? 0] ?? -1;
      if (rank < 0) continue;
      const at = starts[rank] ?? 0;
      order[at] = row;
      starts[rank] = at + 1;
    }
    return order.subarray(0, used);
  }

  private append(name: SeriesName): number {
    if (this.names.length >= MOST_SERIES) {
      this.refused = true;
      return -1;
    }
    this.counts.push(0);
    return this.names.push(name) - 1;
  }

  /** Makes room for so many rows in all, at most for MOST_ROWS. */
  reserve(rows: number): void {
    if (rows > this.capacity) this.grow(Math.min(rows, MOST_ROWS));
  }

  private grow(capacity = this.capacity * 2): void {
    this.capacity = capacity;
    const wider = <T extends Int32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.series = wider(new Int32Array(this.capacity), this.series);
    this.samples = wider(new Int32Array(this.capacity), this.samples);
    this.values = wider(new Float64Array(this.capacity), this.values);
    this.allocs = wider(new Float64Array(this.capacity), this.allocs);
    this.frees = wider(new Float64Array(this.capacity), this.frees);
  }

  private growTags(): void {
    const size = this.names.length * 2;
    const next = new Int32Array(size).fill(-1);
    next.set(this.next);
    this.next = next;
    const keys = new Float64Array(size).fill(-1);
    keys.set(this.tagKeys);
    this.tagKeys = keys;
  }
}
