/**
 * Which places of an image's code refer to given addresses: one pass over the bytes, without decoding. On x86 and x64
 * four bytes that make the address are found at every offset, so some are no operands; who follows the code sees that.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { ImageCode } from './image-code.js';

/** Bytes looked through at once, and kept of the piece before. */
const PIECE = 1 << 20;
const OVERLAP = 4;
/** Places kept: more are not followed. */
const MOST_REFERENCES = 200_000;

/** RVAs that are wanted, as one bit each between the first and the last of them. */
export class WantedAddresses {
  private readonly bits: Uint8Array;
  readonly first: number;
  readonly last: number;

  constructor(rvas: Iterable<number>) {
    const list = [...rvas];
    this.first = list.reduce((low, rva) => Math.min(low, rva), 0x7fffffff);
    this.last = list.reduce((high, rva) => Math.max(high, rva), -1);
    this.bits = new Uint8Array(this.last < this.first ? 0 : ((this.last - this.first) >>> 3) + 1);
    for (const rva of list) {
      const at = rva - this.first;
      this.bits[at >>> 3] = (this.bits[at >>> 3] ?? 0) | (1 << (at & 7));
    }
  }

  has(rva: number): boolean {
    const at = rva - this.first;
    return rva >= this.first && rva <= this.last && ((this.bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }
}

/** What one pass found. */
export interface References {
  /** RVAs in instructions that refer to a wanted address, ascending. */
  readonly places: readonly number[];
  /** False where pages of code were missing or there were too many places. */
  readonly complete: boolean;
}

/** Looks through all executable sections. */
export function referencesTo(code: ImageCode, wanted: WantedAddresses): References {
  const places: number[] = [];
  if (wanted.last < wanted.first) return { places, complete: true };
  const find = code.machine.name === 'arm64' ? new Arm64References(wanted, places) : null;
  let complete = true;
  for (const { rva, bytes, isWhole } of pieces(code)) {
    if (!isWhole) complete = false;
    if (find !== null) find.look(bytes, rva);
    else if (code.machine.name === 'x64') relative(bytes, rva, wanted, places);
    else absoluteAndRelative(bytes, rva, code.base, wanted, places);
    if (places.length >= MOST_REFERENCES) return { places: inOrder(places), complete: false };
  }
  return { places: inOrder(places), complete };
}

const inOrder = (places: number[]): number[] => [...new Set(places)].sort((a, b) => a - b);

/** Stretches of code that can be read, up to a megabyte each, which overlap by four bytes; `isWhole` false for a gap. */
function* pieces(code: ImageCode): Iterable<{ rva: number; bytes: Uint8Array; isWhole: boolean }> {
  const { memory, base, sizeOfImage } = code.module;
  if (memory === null) return;
  const none = new Uint8Array(0);
  for (const section of code.headers.sections) {
    if (!section.executable) continue;
    const size = Math.min(section.size, sizeOfImage - section.rva);
    if (size <= 0) continue;
    const window = Buffer.alloc(Math.min(size, PIECE + OVERLAP));
    let [start, length] = [section.rva, 0];
    for (const chunk of memory.chunks(plus(base, section.rva), size)) {
      if (failed(chunk.bytes)) {
        if (length > OVERLAP) yield { rva: start, bytes: window.subarray(0, length), isWhole: true };
        yield { rva: section.rva + chunk.offset, bytes: none, isWhole: false };
        [start, length] = [section.rva + chunk.offset + chunk.length, 0];
        continue;
      }
      if (length + chunk.length > window.length) {
        yield { rva: start, bytes: window.subarray(0, length), isWhole: true };
        const keep = Math.min(length, OVERLAP);
        window.copyWithin(0, length - keep, length);
        [start, length] = [start + length - keep, keep];
      }
      window.set(chunk.bytes, length);
      length += chunk.length;
    }
    if (length >= OVERLAP) yield { rva: start, bytes: window.subarray(0, length), isWhole: true };
  }
}

/** x64: four bytes that are the distance from behind them, as in calls and RIP-relative operands. */
function relative(bytes: Uint8Array, rva: number, wanted: WantedAddresses, places: number[]): void {
  const { first, last } = wanted;
  let word = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 24);
  for (let at = 3; at < bytes.length; at++) {
    word = (word >>> 8) | ((bytes[at] ?? 0) << 24);
    const target = (word + rva + at + 1) | 0;
    if (target >= first && target <= last && wanted.has(target)) places.push(rva + at - 3);
  }
}

/** x86: the same for calls, and four bytes that are the address. */
function absoluteAndRelative(
  bytes: Uint8Array,
  rva: number,
  base: number,
  wanted: WantedAddresses,
  places: number[],
): void {
  const { first, last } = wanted;
  let word = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 24);
  for (let at = 3; at < bytes.length; at++) {
    word = (word >>> 8) | ((bytes[at] ?? 0) << 24);
    const target = (word - base) | 0;
    const distant = (word + rva + at + 1) | 0;
    if (target >= first && target <= last && wanted.has(target)) places.push(rva + at - 3);
    else if (distant >= first && distant <= last && wanted.has(distant)) places.push(rva + at - 3);
  }
}

/** ARM64: branches, literals, and ADRP with the ADD or LDR that follows it on the same register. */
class Arm64References {
  private readonly pages = new Float64Array(32).fill(-1);

  constructor(
    private readonly wanted: WantedAddresses,
    private readonly places: number[],
  ) {}

  look(bytes: Uint8Array, rva: number): void {
    for (let at = (4 - (rva & 3)) & 3; at + 4 <= bytes.length; at += 4) {
      const word = u32(bytes, at);
      const target = this.target(word, rva + at);
      if (target >= 0 && this.wanted.has(target)) this.places.push(rva + at);
    }
  }

  /** The address that an instruction refers to; -1 where it is none. */
  private target(word: number, at: number): number {
    const top = word >>> 24;
    if ((top & 0x7c) === 0x14) return at + ((word << 6) >> 4);
    if ((top & 0x9f) === 0x90) {
      const distance = (((word >> 5) << 13) >> 11) | ((word >>> 29) & 3);
      this.pages[word & 31] = ((at & ~0xfff) + distance * 0x1000) | 0;
      return -1;
    }
    if (top === 0x18 || top === 0x58) return at + ((word << 8) >> 13) * 4;
    const page = this.pages[(word >>> 5) & 31] ?? -1;
    if (page < 0) return -1;
    const amount = (word >>> 10) & 0xfff;
    const form = (word & 0xffc00000) >>> 0;
    if (form === 0xf9400000) return page + amount * 8;
    if (form === 0xb9400000) return page + amount * 4;
    return form === 0x91000000 ? page + amount : -1;
  }
}
