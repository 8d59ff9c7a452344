/**
 * The memory that heaps are walked in. Addresses here are numbers: a 64-bit address as the signed value that its bits
 * spell (kernel addresses are negative), a 32-bit one unsigned. Heap addresses are multiples of 8, so both are exact, also
 * with five levels of paging. bigint stays at the surface: `heapAddress` and `toVirtual` go between the two.
 */

import { PAGE_SIZE, virtual, type VirtualAddress } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';

const TWO_32 = 0x1_0000_0000;

/** A virtual address in the form that walks use (see above). */
export type HeapAddress = number;

/** Memory a walk reads, whatever it comes from: a dump's address space, or saved regions. */
export interface HeapMemory {
  /** Bytes of a pointer: 8 or 4. */
  readonly pointerSize: 4 | 8;
  /**
   * Fills `into` with `pages` whole pages from the page-aligned `address`. Sets `present[i]` to 1 for each page that is
   * there and to 0 for each that is not, whose bytes are left undefined. Returns how many pages are there.
   */
  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number;
}

/** The low 32 bits of an address. */
export const lowWord = (address: HeapAddress): number => address >>> 0;
/** The high 32 bits of an address; 0 or all ones where it is a 32-bit one or canonical. */
export const highWord = (address: HeapAddress): number => Math.floor(address / TWO_32) >>> 0;
/** An address of two words, as a 64-bit system stores it. */
export const joinWords = (low: number, high: number): HeapAddress => (high | 0) * TWO_32 + (low >>> 0);

/** An address as walks use it. `pointerSize` says whether it is one of a 32-bit system. */
export const heapAddress = (address: bigint, pointerSize: 4 | 8): HeapAddress =>
  pointerSize === 4 ? Number(BigInt.asUintN(32, address)) : Number(BigInt.asIntN(64, address));

/** The address as the rest of the program and every output spells it: unsigned 64-bit. */
export const toVirtual = (address: HeapAddress): VirtualAddress => virtual(BigInt(address));

/** A dump's address space as a walk reads it. */
export function heapMemory(space: VirtualMemory): HeapMemory {
  return {
    pointerSize: space.pointerSize,
    readPages(address, pages, into, present) {
      let found = 0;
      present.fill(0, 0, pages);
      for (const chunk of space.chunks(toVirtual(address), pages * PAGE_SIZE)) {
        if (failed(chunk.bytes)) continue;
        into.set(chunk.bytes.subarray(0, chunk.length), chunk.offset);
        const first = chunk.offset / PAGE_SIZE;
        const count = Math.floor(chunk.length / PAGE_SIZE);
        present.fill(1, first, first + count);
        found += count;
      }
      return found;
    },
  };
}

/**
 * A run of pages in one buffer that is used again for the next run: bytes, the same as 16 and 32-bit words, and which
 * pages are there. Hot loops index its arrays by offset from `address`.
 */
export class PageWindow {
  /** Where the run begins. */
  address: HeapAddress = 0;
  /** Bytes of the run. */
  length = 0;
  /** Pages of the run that are there. */
  found = 0;
  bytes = new Uint8Array(0);
  halves = new Uint16Array(0);
  words = new Uint32Array(0);
  present = new Uint8Array(0);

  constructor(private readonly memory: HeapMemory) {}

  /** Reads `length` bytes (rounded up to pages) from the page-aligned `address`. True when any page is there. */
  load(address: HeapAddress, length: number): boolean {
    const pages = Math.ceil(length / PAGE_SIZE);
    if (pages > this.present.length) {
      this.bytes = new Uint8Array(pages * PAGE_SIZE);
      this.halves = new Uint16Array(this.bytes.buffer);
      this.words = new Uint32Array(this.bytes.buffer);
      this.present = new Uint8Array(pages);
    }
    this.address = address;
    this.length = pages * PAGE_SIZE;
    this.found = pages === 0 ? 0 : this.memory.readPages(address, pages, this.bytes, this.present);
    return this.found > 0;
  }

  /** True when every byte from `offset` on for `length` bytes is there. */
  has(offset: number, length: number): boolean {
    if (offset < 0 || offset + length > this.length) return false;
    if (this.found * PAGE_SIZE === this.length) return true;
    const last = (offset + length - 1) >>> 12;
    for (let page = offset >>> 12; page <= last; page++) if (this.present[page] === 0) return false;
    return true;
  }

  /** Bytes from `offset` on that are there without a gap, up to `length`. */
  run(offset: number, length: number): number {
    if (this.has(offset, length)) return length;
    let page = offset >>> 12;
    while (page * PAGE_SIZE < offset + length && this.present[page] === 1) page++;
    return Math.max(0, Math.min(length, page * PAGE_SIZE - offset));
  }
}

/** Slots of the page cache of a PointerReader. */
const CACHE = 16;

/** Single fields anywhere in memory, for what is read rarely: list links, tree nodes, contexts. Keeps a few pages. */
export class PointerReader {
  readonly pointerSize: 4 | 8;
  /** Pages asked for so far, whether there or not. */
  reads = 0;
  private readonly pages = Array.from({ length: CACHE }, () => new Uint8Array(PAGE_SIZE));
  private readonly bases = new Float64Array(CACHE).fill(NaN);
  private readonly there = new Uint8Array(CACHE);
  private readonly flag = new Uint8Array(1);

  constructor(private readonly memory: HeapMemory) {
    this.pointerSize = memory.pointerSize;
  }

  u8(address: HeapAddress): number | null {
    const at = lowWord(address) & 0xfff;
    const page = this.page(address - at);
    return page === null ? null : (page[at] ?? 0);
  }

  u16(address: HeapAddress): number | null {
    const low = this.u8(address);
    const high = this.u8(address + 1);
    return low === null || high === null ? null : low | (high << 8);
  }

  u32(address: HeapAddress): number | null {
    const low = this.u16(address);
    const high = this.u16(address + 2);
    return low === null || high === null ? null : (low | (high << 16)) >>> 0;
  }

  /** A pointer of this memory's width. */
  pointer(address: HeapAddress): HeapAddress | null {
    const low = this.u32(address);
    if (low === null || this.pointerSize === 4) return low;
    const high = this.u32(address + 4);
    return high === null ? null : joinWords(low, high);
  }

  /** A count of the width of a pointer. */
  count(address: HeapAddress): number | null {
    const value = this.pointer(address);
    return value !== null && value < 0 ? value + TWO_32 * TWO_32 : value;
  }

  private page(base: HeapAddress): Uint8Array | null {
    const slot = (lowWord(base) >>> 12) % CACHE;
    const page = this.pages[slot];
    if (page === undefined) return null;
    if (this.bases[slot] !== base) {
      this.reads++;
      this.bases[slot] = base;
      this.there[slot] = this.memory.readPages(base, 1, page, this.flag) > 0 ? 1 : 0;
    }
    return this.there[slot] === 1 ? page : null;
  }
}
