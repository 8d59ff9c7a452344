/** Reading the dumped system's virtual memory, whatever the processor. */

import { small, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import type { Failure } from '../bytes/failure.js';
import type { MappedRegion } from './mapped-regions.js';

/** A piece of a range: bytes that could be read, or one page that could not. Pieces come in order and leave no gap. */
export interface Chunk {
  /** Bytes from the start of the range. */
  readonly offset: number;
  /** Bytes of this piece: up to 64 KB that can be read, or what the range takes up of one missing page. */
  readonly length: number;
  /** The bytes, or why they are missing. The array is reused: copy what must outlive the next piece. */
  readonly bytes: Uint8Array | Failure;
}

/** Called with the place of a page among those asked for, and its 4096 bytes: reused, and null where they are missing. */
export type PageVisitor = (place: number, bytes: Uint8Array | null) => void;

/** A stretch of the file: page `places[i]` of those asked for begins at byte `starts[i]`, in ascending order of bytes. */
export interface Stretch {
  /** Valid until the next stretch. Between pages that were asked for may stand others. */
  readonly bytes: Uint8Array;
  readonly places: Uint32Array;
  readonly starts: Uint32Array;
}

/** One virtual address space: a directory table over the dump's physical pages. */
export interface VirtualMemory {
  /** Bytes of a pointer: 8 or 4. */
  readonly pointerSize: 4 | 8;
  /** The physical address behind `address`, or why there is none. */
  translate(address: VirtualAddress): PhysicalAddress | Failure;
  /** Pages of a range that can be read. Cheaper than reading them, and says nothing of why the others cannot. */
  countPages(address: VirtualAddress, length: number): number;
  /** Exactly `length` bytes, or the failure of the first page that is missing. Refuses more than 64 MB. */
  read(address: VirtualAddress, length: number): Uint8Array | Failure;
  /** The whole range piece by piece: for scans and large tables. */
  chunks(address: VirtualAddress, length: number): Iterable<Chunk>;
  /**
   * Many whole pages (their addresses as `small` numbers), in the order in which they are read fastest: that of the file,
   * many at once where they stand near each other there. Every page is visited once.
   */
  eachPage(pages: Float64Array, visit: PageVisitor): void;
  /** Where whole pages stand in the file, as offsets; below 0 for those that are missing. Left out where there is no file. */
  fileOffsets?(pages: Float64Array): Float64Array;
  /** Reads pages by these offsets, in their order, many at once; all address spaces of a dump read the same file. */
  eachStretch?(offsets: Float64Array, visit: (stretch: Stretch) => void): void;
  /**
   * Brings many pages near that are read next (their addresses as `small` numbers; 4 MB of them at most), with the page tables
   * on the way: in the order of the file, many at once. Says nothing of what is missing. Left out where there is no file.
   */
  fetch?(pages: Float64Array): void;
  /** What the page tables of the kernel's half map; left out where there are no page tables. */
  mappedRegions?(): Iterable<MappedRegion>;
  readU8(address: VirtualAddress): number | Failure;
  readU16(address: VirtualAddress): number | Failure;
  readU32(address: VirtualAddress): number | Failure;
  readU64(address: VirtualAddress): bigint | Failure;
  /** A pointer of the target's width as a canonical virtual address. */
  readPointer(address: VirtualAddress): VirtualAddress | Failure;
}

/** `fetch` of the pages that hold these addresses, where the memory has it. */
export function fetchPages(memory: VirtualMemory, addresses: readonly VirtualAddress[]): void {
  if (memory.fetch === undefined || addresses.length < 2) return;
  memory.fetch(Float64Array.from(new Set(addresses.map((address) => small(virtual(address & ~0xfffn))))));
}
