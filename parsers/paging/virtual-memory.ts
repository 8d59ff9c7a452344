/** Reading the dumped system's virtual memory, whatever the processor. */

import type { PhysicalAddress, VirtualAddress } from '../addresses.js';
import type { ReadFailure } from '../bytes/failure.js';

/** The outcome for one page of a range, in order of address. */
export interface PageRead {
  /** The first byte of this piece. */
  readonly address: VirtualAddress;
  /** Bytes of the range that fall into this page. */
  readonly length: number;
  /** The bytes, or why they are missing. The array is reused: copy what must outlive the next piece. */
  readonly bytes: Uint8Array | ReadFailure;
}

/** One virtual address space: a directory table over the dump's physical pages. */
export interface VirtualMemory {
  /** Bytes of a pointer: 8 or 4. */
  readonly pointerSize: 4 | 8;
  /** The physical address behind `address`, or why there is none. */
  translate(address: VirtualAddress): PhysicalAddress | ReadFailure;
  /** Exactly `length` bytes, or the failure of the first page that is missing. Refuses more than 64 MB. */
  read(address: VirtualAddress, length: number): Uint8Array | ReadFailure;
  /** Every page of the range in turn, each with its bytes or its failure: for scans and large tables. */
  pages(address: VirtualAddress, length: number): Iterable<PageRead>;
  readU8(address: VirtualAddress): number | ReadFailure;
  readU16(address: VirtualAddress): number | ReadFailure;
  readU32(address: VirtualAddress): number | ReadFailure;
  readU64(address: VirtualAddress): bigint | ReadFailure;
  /** A pointer of the target's width as a canonical virtual address. */
  readPointer(address: VirtualAddress): VirtualAddress | ReadFailure;
}
