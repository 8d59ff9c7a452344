/** Reading fields of kernel structures by layout: the one reader for every kernel. */

import { plus, virtual, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { u16, u32, u64, utf16 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { scalarSize, type StructLayout } from './layout.js';

/** Longest UNICODE_STRING that can be, in bytes. */
const LONGEST_STRING = 0xfffe;

/**
 * A scalar field from the bytes of its structure; null where the layout has no such field or the bytes end before it.
 * `pointerSize` is the target's: a pointer is as wide.
 */
export function field(bytes: Uint8Array, layout: StructLayout, name: string, pointerSize: 4 | 8 = 8): bigint | null {
  const known = layout.fields[name];
  if (known === undefined) return null;
  return scalar(bytes, known.offset, known.type, pointerSize);
}

/** A scalar of the given type (bit fields included) at `offset`; null where it does not fit or is no scalar. */
export function scalar(bytes: Uint8Array, offset: number, type: string, pointerSize: 4 | 8 = 8): bigint | null {
  const size = scalarSize(type, pointerSize);
  if (size === null || offset + size > bytes.length) return null;
  const whole =
    size === 8
      ? u64(bytes, offset)
      : BigInt(size === 4 ? u32(bytes, offset) : size === 2 ? u16(bytes, offset) : (bytes[offset] ?? 0));
  const [, position, length] = type.split(':');
  if (position === undefined || length === undefined) return whole;
  return (whole >> BigInt(position)) & ((1n << BigInt(length)) - 1n);
}

/** A scalar in memory. */
export function readScalar(memory: VirtualMemory, address: VirtualAddress, type: string): bigint | Failure {
  const size = scalarSize(type, memory.pointerSize);
  if (size === null) return new Failure('corrupt', `a field of type ${type} is not one number`);
  const bytes = memory.read(address, size);
  if (failed(bytes)) return bytes;
  return scalar(bytes, 0, type, memory.pointerSize) ?? new Failure('corrupt', `a field of type ${type} cannot be read`);
}

/**
 * The text of a UNICODE_STRING whose 16 (64-bit) or 8 (32-bit) bytes are given: Length u16, MaximumLength u16, Buffer.
 * The text may hold anything, also lone surrogates and NULs.
 */
export function readUnicodeString(memory: VirtualMemory, bytes: Uint8Array, offset: number): string | Failure {
  const wide = memory.pointerSize === 8;
  if (offset + (wide ? 16 : 8) > bytes.length) return new Failure('corrupt', 'a UNICODE_STRING is cut off');
  const length = u16(bytes, offset);
  const maximum = u16(bytes, offset + 2);
  const buffer = wide ? virtual(u64(bytes, offset + 8)) : virtual(BigInt(u32(bytes, offset + 4)));
  if (length === 0) return '';
  if (length > LONGEST_STRING || length % 2 !== 0 || length > maximum || buffer === 0n) {
    return new Failure('corrupt', `a UNICODE_STRING of ${length} bytes (of ${maximum}) at ${hex(buffer)} cannot be`);
  }
  const text = memory.read(buffer, length);
  return failed(text) ? text : utf16(text, 0, length);
}

/** How a walk along a LIST_ENTRY ring ended. */
export interface ListWalk {
  /** The addresses of the entries, in order, without the head. */
  readonly entries: VirtualAddress[];
  /** Null when the ring closed properly. */
  readonly broken: Failure | null;
}

/**
 * Follows Flink from `head` until it comes back, or another pointer `link` bytes into each entry (Blink stands after
 * Flink). Stops at a revisit, at an unreadable link, and after `most` entries.
 */
export function walkList(memory: VirtualMemory, head: VirtualAddress, most: number, link = 0): ListWalk {
  const entries: VirtualAddress[] = [];
  const seen = new Set<bigint>([head]);
  let at = memory.readPointer(plus(head, link));
  while (!failed(at)) {
    if (at === head) return { entries, broken: null };
    if (seen.has(at)) {
      return { entries, broken: new Failure('corrupt', `the list loops: ${hex(at)} comes up twice`) };
    }
    if (entries.length >= most) {
      return { entries, broken: new Failure('corrupt', `the list does not end after ${most} entries`) };
    }
    seen.add(at);
    entries.push(at);
    at = memory.readPointer(plus(at, link));
  }
  return { entries, broken: at };
}
