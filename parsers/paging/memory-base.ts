/** The scalar reads of a virtual memory, built on its read of bytes. */

import { large, PAGE_SIZE, plus, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, type Failure } from '../bytes/failure.js';
import { u16, u32, u64 } from '../bytes/fields.js';
import type { Chunk, PageVisitor, VirtualMemory } from './virtual-memory.js';

/** Longest read in one piece, in bytes. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** What every VirtualMemory has in common. */
export abstract class MemoryBase implements VirtualMemory {
  abstract readonly pointerSize: 4 | 8;
  abstract translate(address: VirtualAddress): PhysicalAddress | Failure;
  abstract read(address: VirtualAddress, length: number): Uint8Array | Failure;

  countPages(address: VirtualAddress, length: number): number {
    let present = 0;
    for (const chunk of this.chunks(address, length)) {
      if (!failed(chunk.bytes)) present += Math.ceil(chunk.length / PAGE_SIZE);
    }
    return present;
  }

  *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    let offset = 0;
    while (offset < length) {
      const at = plus(address, offset);
      const count = Math.min(length - offset, PAGE_SIZE - Number(at & 0xfffn));
      yield { offset, length: count, bytes: this.read(at, count) };
      offset += count;
    }
  }

  eachPage(pages: Float64Array, visit: PageVisitor): void {
    for (const [i, page] of pages.entries()) {
      const bytes = this.read(large(page), PAGE_SIZE);
      visit(i, failed(bytes) ? null : bytes);
    }
  }

  readU8(address: VirtualAddress): number | Failure {
    const bytes = this.read(address, 1);
    return failed(bytes) ? bytes : (bytes[0] ?? 0);
  }

  readU16(address: VirtualAddress): number | Failure {
    const bytes = this.read(address, 2);
    return failed(bytes) ? bytes : u16(bytes, 0);
  }

  readU32(address: VirtualAddress): number | Failure {
    const bytes = this.read(address, 4);
    return failed(bytes) ? bytes : u32(bytes, 0);
  }

  readU64(address: VirtualAddress): bigint | Failure {
    const bytes = this.read(address, 8);
    return failed(bytes) ? bytes : u64(bytes, 0);
  }

  readPointer(address: VirtualAddress): VirtualAddress | Failure {
    if (this.pointerSize === 4) {
      const value = this.readU32(address);
      return failed(value) ? value : virtual(BigInt(value));
    }
    const value = this.readU64(address);
    return failed(value) ? value : virtual(value);
  }
}
