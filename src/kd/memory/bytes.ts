/** Bytes of memory of which some may be missing. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { Session } from '../session.js';

/** Bytes and which of them were read. */
export interface PartialBytes {
  readonly bytes: Uint8Array;
  /** 1 for each byte that was read. */
  readonly present: Uint8Array;
}

/** Where rows of memory come from: a virtual address space, or physical memory. */
export interface ByteReader {
  read(address: bigint, length: number): PartialBytes;
}

/** Of a virtual address space; an address that leaves it at the top goes on at the bottom. */
export function virtualReader(memory: VirtualMemory): ByteReader {
  return {
    read(address, length) {
      const bytes = new Uint8Array(length);
      const present = new Uint8Array(length);
      for (const chunk of memory.chunks(virtual(address), length)) {
        if (failed(chunk.bytes)) continue;
        bytes.set(chunk.bytes, chunk.offset);
        present.fill(1, chunk.offset, chunk.offset + chunk.length);
      }
      return { bytes, present };
    },
  };
}

/** Of physical memory. */
export function physicalReader(session: Session): ByteReader {
  return {
    read(address, length) {
      const bytes = new Uint8Array(length);
      const present = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const at = address + BigInt(done);
        const part = Math.min(length - done, 4096 - Number(at & 0xfffn));
        const found = session.readPhysical(at, part);
        if (found !== null) {
          bytes.set(found, done);
          present.fill(1, done, done + part);
        }
        done += part;
      }
      return { bytes, present };
    },
  };
}

/** A little-endian number of up to 8 bytes at `at`; null where one of its bytes was not read. */
export function numberAt({ bytes, present }: PartialBytes, at: number, size: number): bigint | null {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) {
    if (present[at + i] !== 1) return null;
    value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  }
  return value;
}

/** `address + bytes` in the target's address space. */
export const behind = (session: Session, address: VirtualAddress, bytes: number): VirtualAddress =>
  session.address(plus(address, bytes));
