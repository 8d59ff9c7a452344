/**
 * _POOL_TRACKER_TABLE rows summed over tables. One processor's table is meaningless alone: memory is freed on other
 * processors, so its counters wrap below zero. Sums are kept modulo 2^64 (2^32 for 32-bit counters), in words, with no
 * object and no BigInt a row.
 */

import { scalarSize, type StructLayout } from './layout.js';
import { isProtectedTag, plainTag } from './tag.js';

/** The counters of a row, in the order in which sums hold them. */
export const COUNTERS = [
  'NonPagedAllocs',
  'NonPagedFrees',
  'NonPagedBytes',
  'PagedAllocs',
  'PagedFrees',
  'PagedBytes',
] as const;

/** `Ovfl`: what older systems show for the last slot, which takes the tags that found no slot. */
export const OVERFLOW_KEY = 0x6c66764f;
/** More different tags than any real table can hold. */
const MOST_ROWS = 1 << 22;

/** Positions of the counters in a row. */
export const COUNTER_INDEX = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Record<
  (typeof COUNTERS)[number],
  number
>;

interface CounterField {
  readonly offset: number;
  readonly wide: boolean;
}

/** A layout of the record, checked and ready for the inner loop. */
export interface TrackerRecord {
  /** Bytes a record. */
  readonly size: number;
  readonly key: number;
  readonly counters: readonly CounterField[];
}

/** Takes the record's offsets out of a layout; null when a field is missing or has an impossible type. */
export function trackerRecord(layout: StructLayout): TrackerRecord | null {
  const key = layout.fields['Key'];
  if (key === undefined || key.offset % 4 !== 0) return null;
  if (layout.size < 0x1c || layout.size > 0x400 || layout.size % 4 !== 0) return null;
  const counters: CounterField[] = [];
  for (const name of COUNTERS) {
    const field = layout.fields[name];
    const size = field === undefined ? null : scalarSize(field.type);
    if (field === undefined || (size !== 4 && size !== 8) || field.offset + size > layout.size) return null;
    if (field.offset % 4 !== 0) return null;
    counters.push({ offset: field.offset, wide: size === 8 });
  }
  return { size: layout.size, key: key.offset, counters };
}

/** Sums of tracker rows by tag. */
export class TrackerSums {
  /** Different tags so far. */
  rows = 0;
  private capacity = 1024;
  private keys = new Int32Array(this.capacity);
  private protectedRows = new Uint8Array(this.capacity);
  /** Twelve words a row: low and high word of each counter. */
  private words = new Int32Array(this.capacity * 12);
  private readonly rowOfKey = new Map<number, number>();
  /** The row that a slot belonged to in the table before: the same slot holds the same tag in every table. */
  private readonly rowOfSlot: Int32Array;
  /** Of the record, in words of 4 bytes: the key and the counters, and which of these take two words. */
  private readonly key: number;
  private readonly counters: Uint32Array;
  private readonly wide: Uint8Array;

  constructor(
    private readonly record: TrackerRecord,
    /** Slots of a hashed table; the last is the overflow slot. */
    private readonly slots: number,
  ) {
    this.rowOfSlot = new Int32Array(slots).fill(-1);
    this.key = record.key / 4;
    this.counters = Uint32Array.from(record.counters, (c) => c.offset / 4);
    this.wide = Uint8Array.from(record.counters, (c) => (c.wide ? 1 : 0));
  }

  /**
   * Adds the records in `bytes`, the first of which is record `first` of its table. `hashed` is false for the
   * expansion table, whose slots mean nothing.
   */
  add(bytes: Uint8Array, first: number, hashed: boolean): void {
    const count = Math.floor(bytes.length / this.record.size);
    const words = wordsOf(bytes, count * this.record.size);
    const step = this.record.size / 4;
    const { key, slots, rowOfSlot } = this;
    let slot = hashed ? first : -1;
    for (let at = 0, end = count * step; at < end; at += step, slot += hashed ? 1 : 0) {
      const stored = words[at + key] ?? 0;
      // Most slots are empty, and the others hold what they held in the table before.
      if (stored === 0 && this.isEmpty(words, at)) continue;
      const seen = slot >= 0 && slot < slots ? (rowOfSlot[slot] ?? -1) : -1;
      const row = stored !== 0 && seen >= 0 && this.keys[seen] === stored ? seen : this.rowFor(stored, slot, seen);
      if (row >= 0) this.accumulate(row * 12, words, at);
    }
  }

  /** The tag of a row as a little-endian number, without the protected bit. */
  keyOf(row: number): number {
    return (this.keys[row] ?? 0) >>> 0;
  }

  /** The row of a tag; null where the tables have none. */
  rowOf(key: number): number | null {
    return this.rowOfKey.get(key) ?? null;
  }

  isProtected(row: number): boolean {
    return this.protectedRows[row] === 1;
  }

  /** A sum: modulo 2^64, or modulo 2^32 where the counter has 32 bits. */
  sum(row: number, counter: number): bigint {
    const at = row * 12 + counter * 2;
    return (BigInt((this.words[at + 1] ?? 0) >>> 0) << 32n) | BigInt((this.words[at] ?? 0) >>> 0);
  }

  /** Bits of a counter: 32 or 64. */
  width(counter: number): 32 | 64 {
    return this.record.counters[counter]?.wide === true ? 64 : 32;
  }

  /** Adds the counters of the record at word `at` to those at word `to` of the sums. */
  private accumulate(to: number, words: Int32Array, at: number): void {
    const { counters, wide, words: sums } = this;
    for (let c = 0; c < 6; c++, to += 2) {
      const place = at + (counters[c] ?? 0);
      const low = words[place] ?? 0;
      const high = wide[c] === 1 ? (words[place + 1] ?? 0) : 0;
      if ((low | high) === 0) continue;
      const sum = ((sums[to] ?? 0) + low) | 0;
      sums[to] = sum;
      if (wide[c] === 1) sums[to + 1] = (sums[to + 1] ?? 0) + high + (sum >>> 0 < low >>> 0 ? 1 : 0);
    }
  }

  /** The row of a record with counts; `seen` is that of its slot in the table before, -1 where there was none. */
  private rowFor(word: number, slot: number, seen: number): number {
    if (word === 0) {
      if (seen >= 0) return seen;
      return slot === this.slots - 1 ? this.findRow(OVERFLOW_KEY, false) : -1;
    }
    const stored = word >>> 0;
    const key = plainTag(stored);
    const isProtected = isProtectedTag(stored);
    if (seen >= 0 && this.keyOf(seen) === key) {
      if (isProtected) this.protectedRows[seen] = 1;
      return seen;
    }
    const row = this.findRow(key, isProtected);
    if (slot >= 0 && slot < this.slots) this.rowOfSlot[slot] = row;
    return row;
  }

  private isEmpty(words: Int32Array, at: number): boolean {
    const { counters, wide } = this;
    for (let c = 0; c < 6; c++) {
      const place = at + (counters[c] ?? 0);
      if (words[place] !== 0 || (wide[c] === 1 && words[place + 1] !== 0)) return false;
    }
    return true;
  }

  private findRow(key: number, isProtected: boolean): number {
    let row = this.rowOfKey.get(key);
    if (row === undefined) {
      if (this.rows >= MOST_ROWS) return -1;
      row = this.rows++;
      if (row === this.capacity) this.grow();
      this.keys[row] = key;
      this.rowOfKey.set(key, row);
    }
    if (isProtected) this.protectedRows[row] = 1;
    return row;
  }

  private grow(): void {
    this.capacity *= 2;
    const keys = new Int32Array(this.capacity);
    keys.set(this.keys);
    this.keys = keys;
    const flags = new Uint8Array(this.capacity);
    flags.set(this.protectedRows);
    this.protectedRows = flags;
    const words = new Int32Array(this.capacity * 12);
    words.set(this.words);
    this.words = words;
  }
}

/** The bytes as little-endian words: a view where they are aligned, else a copy. */
function wordsOf(bytes: Uint8Array, length: number): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(0, length);
  return new Int32Array(aligned.buffer, aligned.byteOffset, length / 4);
}
