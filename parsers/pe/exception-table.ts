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
const MOST_CHAINED = 8;

/** One entry. RVAs; `end` is the first byte behind it. */
export interface FunctionEntry {
  readonly start: number;
  readonly end: number;
}

/** The entries of one image, in order. */
export class ExceptionTable {
  private constructor(
    private readonly memory: VirtualMemory,
    private readonly base: VirtualAddress,
    private readonly isArm64: boolean,
    private readonly starts: Uint32Array,
    private readonly ends: Uint32Array,
    /** x64: RVA of the unwind information. ARM64: the second word of the entry. */
    private readonly unwind: Uint32Array,
  ) {}

  /** Reads the table; entries whose page is missing, or that cannot be true, are left out. */
  static read(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders, isArm64: boolean): ExceptionTable {
    const directory = headers.directories[DIRECTORY.exception] ?? { rva: 0, size: 0 };
    const width = isArm64 ? ARM64_ENTRY : X64_ENTRY;
    const room = Math.max(0, headers.sizeOfImage - directory.rva);
    const most = directory.rva === 0 ? 0 : Math.min(MOST_ENTRIES, Math.floor(Math.min(directory.size, room) / width));
    const bytes = new Uint8Array(most * width);
    for (const chunk of memory.chunks(plus(base, directory.rva), bytes.length)) {
      if (!failed(chunk.bytes)) bytes.set(chunk.bytes, chunk.offset);
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
    return new ExceptionTable(memory, base, isArm64, cut(starts), cut(ends), cut(unwind));
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

  /** The bytes without an entry around an RVA: from the end of the entry before it to the next one. */
  gapAt(rva: number): FunctionEntry {
    const i = this.before(rva);
    return { start: i < 0 ? 0 : (this.endOf(i) ?? this.starts[i] ?? 0), end: this.starts[i + 1] ?? 0xffffffff };
  }

  /** Where the function begins that an entry is a part of: parts that compilers moved away point to the first. */
  primaryOf(entry: FunctionEntry): FunctionEntry {
    if (this.isArm64) return entry;
    let current = entry;
    for (let steps = 0; steps < MOST_CHAINED; steps++) {
      const next = this.chained(current.start);
      if (next === null || next.start === current.start) return current;
      current = next;
    }
    return entry;
  }

  private chained(start: number): FunctionEntry | null {
    const i = this.before(start);
    const info = this.unwind[i];
    if (info === undefined || this.starts[i] !== start) return null;
    let at = info & ~1;
    if ((info & 1) === 0) {
      const head = this.memory.read(plus(this.base, info), 4);
      if (failed(head) || (head[0] ?? 0) >>> 3 !== CHAINED) return null;
      at = info + 4 + (((head[2] ?? 0) + 1) & ~1) * 2;
    }
    const entry = this.memory.read(plus(this.base, at), X64_ENTRY);
    return failed(entry) ? null : this.entryAt(u32(entry, 0));
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
