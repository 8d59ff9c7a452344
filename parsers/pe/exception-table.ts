/**
 * Where functions begin and end, by the exception table (.pdata) of x64 and ARM64 images. Functions that call nothing
 * need no entry. Layouts are those of the public x64 and ARM64 exception handling documents.
 */

import { plus, type VirtualAddress } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import { u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const MOST_ENTRIES = 1 << 20;
const X64_ENTRY = 12;
const ARM64_ENTRY = 8;
/** UNW_FLAG_CHAININFO: the entry is a part of another function. */
const CHAINED = 4;
/** Entries from a part to the first one, at most. */
const MOST_CHAINED = 64;
/** ARM64 unwind code: the end of a prologue that stands in another entry. */
const END_C = 0xe5;

/** One entry. RVAs; `end` is the first byte behind it. */
export interface FunctionEntry {
  readonly start: number;
  readonly end: number;
}

/** The entries of one image, in order. */
export class ExceptionTable {
  /** By index of an entry: that of the first entry of its function; -1 where it was not asked for. */
  private firsts: Int32Array | null = null;
  private parts: Map<number, number[]> | null = null;

  private constructor(
    private readonly memory: VirtualMemory,
    private readonly base: VirtualAddress,
    private readonly isArm64: boolean,
    private readonly starts: Uint32Array,
    private readonly ends: Uint32Array,
    /** x64: RVA of the unwind information. ARM64: the second word of the entry. */
    private readonly unwind: Uint32Array,
    /** No page of the table is missing: an address without an entry has none. */
    readonly isWhole: boolean,
  ) {}

  /** Reads the table; entries whose page is missing, or that cannot be true, are left out. */
  static read(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders, isArm64: boolean): ExceptionTable {
    const directory = headers.directories[DIRECTORY.exception] ?? { rva: 0, size: 0 };
    const width = isArm64 ? ARM64_ENTRY : X64_ENTRY;
    const room = Math.max(0, headers.sizeOfImage - directory.rva);
    const most = directory.rva === 0 ? 0 : Math.min(MOST_ENTRIES, Math.floor(Math.min(directory.size, room) / width));
    const bytes = new Uint8Array(most * width);
    let isWhole = true;
    for (const chunk of memory.chunks(plus(base, directory.rva), bytes.length)) {
      if (failed(chunk.bytes)) isWhole = false;
      else bytes.set(chunk.bytes, chunk.offset);
    }
    const [starts, ends, unwind] = [new Uint32Array(most), new Uint32Array(most), new Uint32Array(most)];
    let count = 0;
    let last = 0;
    for (let at = 0; at < bytes.length; at += width) {
      const start = u32(bytes, at);
      const second = u32(bytes, at + 4);
      if (start < last || start === 0 || start >= headers.sizeOfImage) continue;
      if (!isArm64 && (second <= start || second > headers.sizeOfImage)) continue;
      starts[count] = start;
      ends[count] = second;
      unwind[count++] = isArm64 ? second : u32(bytes, at + 8);
      last = start + 1;
    }
    const cut = (list: Uint32Array): Uint32Array => list.subarray(0, count);
    return new ExceptionTable(memory, base, isArm64, cut(starts), cut(ends), cut(unwind), isWhole);
  }

  get count(): number {
    return this.starts.length;
  }

  /** The entry that holds an RVA, or null. */
  entryAt(rva: number): FunctionEntry | null {
    const i = this.before(rva);
    const start = this.starts[i];
    if (i < 0 || start === undefined) return null;
    const end = this.endOf(i);
    return end !== null && rva < end ? { start, end } : null;
  }

  /** The entry of x64 that holds an RVA, with the RVA of its unwind information; null where none does. */
  unwindAt(rva: number): (FunctionEntry & { readonly unwind: number }) | null {
    const entry = this.entryAt(rva);
    return entry === null ? null : { ...entry, unwind: this.unwind[this.before(rva)] ?? 0 };
  }

  /** The bytes without an entry around an RVA: from the end of the entry before it to the next one. */
  gapAt(rva: number): FunctionEntry {
    const i = this.before(rva);
    return { start: i < 0 ? 0 : (this.endOf(i) ?? this.starts[i] ?? 0), end: this.starts[i + 1] ?? 0xffffffff };
  }

  /** The first entry of the function that an entry is a part of: parts that compilers split off belong to another. */
  primaryOf(entry: FunctionEntry): FunctionEntry {
    const i = this.before(entry.start);
    const first = this.starts[i] === entry.start ? this.firstOf(i) : i;
    const start = this.starts[first];
    const end = first === i ? entry.end : this.endOf(first);
    return start === undefined || end === null ? entry : { start, end };
  }

  /** All entries of the function whose first entry begins at `start`, that one first, and without it an empty list. */
  partsOf(start: number): readonly FunctionEntry[] {
    this.parts ??= this.allParts();
    const first = this.before(start);
    if (this.starts[first] !== start) return [];
    return [first, ...(this.parts.get(first) ?? [])].flatMap((i) => {
      const end = this.endOf(i);
      return end === null ? [] : [{ start: this.starts[i] ?? 0, end }];
    });
  }

  /**
   * ARM64: true for an entry that describes no prologue, as parts of functions do whose first one cannot be told: code
   * that branches to it says so.
   */
  isLoosePart(entry: FunctionEntry): boolean {
    const i = this.before(entry.start);
    return this.isArm64 && this.starts[i] === entry.start && this.isFragment(i) && this.firstOf(i) === i;
  }

  /** ARM64: where the entries of `isLoosePart` begin. */
  looseParts(): number[] {
    if (!this.isArm64) return [];
    return [...this.starts.keys()]
      .filter((i) => this.isFragment(i) && this.firstOf(i) === i)
      .map((i) => this.starts[i] ?? 0);
  }

  /** By index of a first entry: those of its other parts. */
  private allParts(): Map<number, number[]> {
    const parts = new Map<number, number[]>();
    for (let i = 0; i < this.starts.length; i++) {
      const first = this.firstOf(i);
      if (first === i) continue;
      const list = parts.get(first);
      if (list === undefined) parts.set(first, [i]);
      else list.push(i);
    }
    return parts;
  }

  /** Index of the first entry of the function that entry `i` is a part of. */
  private firstOf(i: number): number {
    this.firsts ??= new Int32Array(this.starts.length).fill(-1);
    const known = this.firsts[i] ?? -1;
    if (known >= 0) return known;
    let current = i;
    for (let steps = 0; steps < MOST_CHAINED; steps++) {
      const next = this.isArm64 ? this.continued(current) : this.chained(current);
      if (next === null || next === current) {
        this.firsts[i] = current;
        return current;
      }
      const further = this.firsts[next] ?? -1;
      if (further >= 0) {
        this.firsts[i] = further;
        return further;
      }
      current = next;
    }
    this.firsts[i] = i;
    return i;
  }

  /** x64: the entry that the unwind information of another one is chained to. */
  private chained(i: number): number | null {
    const info = this.unwind[i];
    if (info === undefined) return null;
    let at = info & ~1;
    if ((info & 1) === 0) {
      const head = this.memory.read(plus(this.base, info), 4);
      if (failed(head) || (head[0] ?? 0) >>> 3 !== CHAINED) return null;
      at = info + 4 + (((head[2] ?? 0) + 1) & ~1) * 2;
    }
    const entry = this.memory.read(plus(this.base, at), X64_ENTRY);
    if (failed(entry)) return null;
    const start = u32(entry, 0);
    const next = this.before(start);
    return this.starts[next] === start ? next : null;
  }

  /** ARM64: the entry before one without a prologue, where control goes on from the one into the other. */
  private continued(i: number): number | null {
    if (i === 0 || !this.isFragment(i)) return null;
    const end = this.endOf(i - 1);
    if (end !== this.starts[i]) return null;
    const last = this.memory.read(plus(this.base, end - 4), 4);
    return failed(last) || endsPath(u32(last, 0)) ? null : i - 1;
  }

  /** ARM64: the entry describes no prologue. Packed: flag 2; else the first unwind code is `end_c`. */
  private isFragment(i: number): boolean {
    const data = this.unwind[i] ?? 0;
    if ((data & 3) !== 0) return (data & 3) === 2;
    const head = this.memory.read(plus(this.base, data), 8);
    if (failed(head)) return false;
    const word = u32(head, 0);
    const [epilogs, codes] = [(word >>> 22) & 31, word >>> 27];
    // Extended counts, or several epilogues: a scope of four bytes each before the codes.
    if (epilogs === 0 && codes === 0) return false;
    const isSingle = (word & 0x200000) !== 0;
    const first = this.memory.read(plus(this.base, data + 4 + (isSingle ? 0 : epilogs * 4)), 1);
    return !failed(first) && first[0] === END_C;
  }

  private endOf(i: number): number | null {
    if (!this.isArm64) return this.ends[i] ?? null;
    const start = this.starts[i] ?? 0;
    const data = this.unwind[i] ?? 0;
    if ((data & 3) !== 0) return start + ((data >>> 2) & 0x7ff) * 4;
    const head = this.memory.read(plus(this.base, data), 4);
    return failed(head) ? null : start + (u32(head, 0) & 0x3ffff) * 4;
  }

  /** The last entry that begins at or before an RVA; -1 where none does. */
  private before(rva: number): number {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** ARM64: true for instructions that control does not go on behind: B, BR, RET, BRK. */
function endsPath(word: number): boolean {
  return (
    (word & 0xfc000000) >>> 0 === 0x14000000 ||
    ((word & 0xfe000000) >>> 0 === 0xd6000000 && ((word >>> 21) & 15) !== 1 && ((word >>> 21) & 15) !== 9) ||
    ((word & 0xff000000) >>> 0 === 0xd4000000 && ((word >>> 21) & 7) !== 0)
  );
}
