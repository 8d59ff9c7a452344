/**
 * Which places of an image's code refer to given addresses: one pass over the bytes, without decoding. On x86 and x64
 * four bytes that make the address are found at every offset, so some are no operands; who follows the code sees that.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { ImageHeaders } from '../../../parsers/pe/image.js';
import type { CodeModule } from './code-module.js';

/** Bytes looked through at once, and kept of the piece before. */
const PIECE = 1 << 20;
const OVERLAP = 4;
/** Places kept: more are not followed. */
const MOST_REFERENCES = 200_000;
const MOST_DATA_REFERENCES = 2_000_000;

/** An image, as far as it is looked through. */
interface SearchedImage {
  readonly machine: { readonly name: string };
  /** The low half of its base. */
  readonly base: number;
  readonly headers: ImageHeaders;
  readonly module: CodeModule;
}

/** What is looked for. */
interface Addresses {
  readonly first: number;
  readonly last: number;
  has(rva: number): boolean;
}

/** Takes a place and the address that it refers to; returns how many it has. */
type Found = (place: number, target: number) => number;

/** RVAs that are wanted, as one bit each between the first and the last of them. */
export class WantedAddresses implements Addresses {
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
export function referencesTo(code: SearchedImage, wanted: WantedAddresses): References {
  const places: number[] = [];
  const { complete } = look(code, wanted, MOST_REFERENCES, (place) => places.push(place));
  return { places: inOrder(places), complete };
}

/** ARM64: by target, the first instruction of the image that branches to it, on a condition or without. */
export function branchesTo(code: SearchedImage, wanted: WantedAddresses): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const { rva, bytes } of pieces(code)) {
    for (let at = (4 - (rva & 3)) & 3; at + 4 <= bytes.length; at += 4) {
      const target = branchTarget(u32(bytes, at), rva + at);
      if (target !== null && wanted.has(target) && !found.has(target)) found.set(target, rva + at);
    }
  }
  return found;
}

/** Where B, B.cond, CBZ, CBNZ, TBZ and TBNZ lead; null for other instructions. */
function branchTarget(word: number, at: number): number | null {
  const top = word >>> 24;
  if ((top & 0xfc) === 0x14) return at + ((word << 6) >> 4);
  if (top === 0x54 || (top & 0x7e) === 0x34) return at + ((word << 8) >> 13) * 4;
  return (top & 0x7e) === 0x36 ? at + ((word << 13) >> 18) * 4 : null;
}

/** All references of an image's code to its data, by the address that is referred to: found in one pass, once. */
export class DataReferences {
  private readonly targets: Uint32Array;
  private readonly places: Uint32Array;
  /** False where pages of code were missing or there were too many places. */
  readonly complete: boolean;
  /** The same but for code that kernels drop once a driver has begun. */
  readonly lasting: boolean;

  constructor(code: SearchedImage) {
    const found: number[] = [];
    const looked = look(code, new DataAddresses(code), MOST_DATA_REFERENCES, (place, target) => {
      return found.push(target, place) / 2;
    });
    this.complete = looked.complete;
    this.lasting = looked.lasting;
    const order = Uint32Array.from({ length: found.length / 2 }, (_, i) => 2 * i);
    const at = (i: number): number => found[i] ?? 0;
    order.sort((a, b) => at(a) - at(b) || at(a + 1) - at(b + 1));
    this.targets = order.map((i) => at(i));
    this.places = order.map((i) => at(i + 1));
  }

  /** RVAs in instructions that refer to an address from `first` to `last`: those to the highest address come last. */
  between(first: number, last: number): Uint32Array {
    return this.places.subarray(this.from(first), this.from(last + 1));
  }

  /** Index of the first reference to `rva` or to what is behind it. */
  private from(rva: number): number {
    let [low, high] = [0, this.targets.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.targets[middle] ?? 0) < rva) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The addresses of sections that hold no code. */
class DataAddresses implements Addresses {
  private readonly sections: readonly { readonly start: number; readonly end: number }[];
  readonly first: number;
  readonly last: number;

  constructor({ headers }: SearchedImage) {
    const data = headers.sections.filter(({ executable, size }) => !executable && size > 0);
    this.sections = data.map(({ rva, size }) => ({ start: rva, end: rva + size }));
    this.first = this.sections.reduce((low, { start }) => Math.min(low, start), 0x7fffffff);
    this.last = this.sections.reduce((high, { end }) => Math.max(high, end - 1), -1);
  }

  has(rva: number): boolean {
    return this.sections.some(({ start, end }) => rva >= start && rva < end);
  }
}

/** Calls `found` for every place that refers to a wanted address; it tells how many there are. As of `DataReferences`. */
function look(
  code: SearchedImage,
  wanted: Addresses,
  most: number,
  found: Found,
): { complete: boolean; lasting: boolean } {
  if (wanted.last < wanted.first) return { complete: true, lasting: true };
  let count = 0;
  const add: Found = (place, target) => (count = found(place, target));
  const find = code.machine.name === 'arm64' ? new Arm64References(wanted, add) : null;
  let [complete, lasting] = [true, true];
  for (const { rva, bytes, isWhole, discardable } of pieces(code)) {
    complete &&= isWhole;
    lasting &&= isWhole || discardable;
    if (find !== null) find.look(bytes, rva);
    else if (code.machine.name === 'x64') relative(bytes, rva, wanted, add);
    else absoluteAndRelative(bytes, rva, code.base, wanted, add);
    if (count >= most) return { complete: false, lasting: false };
  }
  return { complete, lasting };
}

const inOrder = (places: number[]): number[] => [...new Set(places)].sort((a, b) => a - b);

interface Piece {
  readonly rva: number;
  readonly bytes: Uint8Array;
  readonly isWhole: boolean;
  /** Of a section that kernels drop. */
  readonly discardable: boolean;
}

/** Stretches of code that can be read, up to a megabyte each, which overlap by four bytes; `isWhole` false for a gap. */
function* pieces(code: SearchedImage): Iterable<Piece> {
  const { memory, base, sizeOfImage } = code.module;
  if (memory === null) return;
  const none = new Uint8Array(0);
  for (const section of code.headers.sections) {
    if (!section.executable) continue;
    const { discardable } = section;
    const size = Math.min(section.size, sizeOfImage - section.rva);
    if (size <= 0) continue;
    const window = Buffer.alloc(Math.min(size, PIECE + OVERLAP));
    let [start, length] = [section.rva, 0];
    for (const chunk of memory.chunks(plus(base, section.rva), size)) {
      if (failed(chunk.bytes)) {
        if (length > OVERLAP) yield { rva: start, bytes: window.subarray(0, length), isWhole: true, discardable };
        yield { rva: section.rva + chunk.offset, bytes: none, isWhole: false, discardable };
        [start, length] = [section.rva + chunk.offset + chunk.length, 0];
        continue;
      }
      if (length + chunk.length > window.length) {
        yield { rva: start, bytes: window.subarray(0, length), isWhole: true, discardable };
        const keep = Math.min(length, OVERLAP);
        window.copyWithin(0, length - keep, length);
        [start, length] = [start + length - keep, keep];
      }
      window.set(chunk.bytes, length);
      length += chunk.length;
    }
    if (length >= OVERLAP) yield { rva: start, bytes: window.subarray(0, length), isWhole: true, discardable };
  }
}

/** x64: four bytes that are the distance from behind them, as in calls and RIP-relative operands. */
function relative(bytes: Uint8Array, rva: number, wanted: Addresses, add: Found): void {
  const { first, last } = wanted;
  let word = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 24);
  for (let at = 3; at < bytes.length; at++) {
    word = (word >>> 8) | ((bytes[at] ?? 0) << 24);
    const target = (word + rva + at + 1) | 0;
    if (target >= first && target <= last && wanted.has(target)) add(rva + at - 3, target);
  }
}

/** x86: the same for calls, and four bytes that are the address. */
function absoluteAndRelative(bytes: Uint8Array, rva: number, base: number, wanted: Addresses, add: Found): void {
  const { first, last } = wanted;
  let word = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 24);
  for (let at = 3; at < bytes.length; at++) {
    word = (word >>> 8) | ((bytes[at] ?? 0) << 24);
    const target = (word - base) | 0;
    const distant = (word + rva + at + 1) | 0;
    if (target >= first && target <= last && wanted.has(target)) add(rva + at - 3, target);
    else if (distant >= first && distant <= last && wanted.has(distant)) add(rva + at - 3, distant);
  }
}

/** The stack pointer of ARM64 as the base of a memory operand. */
const SP = 31;

/** ARM64: branches, literals, and ADRP with the ADD or LDR that follows it on the same register, also by way of the stack. */
class Arm64References {
  /** By register: the page, or the place in it. */
  private readonly pages = new Float64Array(32).fill(-1);
  /** By place on the stack, in pointers: the address that was put there. */
  private readonly kept = new Float64Array(0x1000).fill(-1);

  constructor(
    private readonly wanted: Addresses,
    private readonly add: Found,
  ) {}

  look(bytes: Uint8Array, rva: number): void {
    for (let at = (4 - (rva & 3)) & 3; at + 4 <= bytes.length; at += 4) {
      const word = u32(bytes, at);
      const target = this.target(word, rva + at);
      if (target >= 0 && this.wanted.has(target)) this.add(rva + at, target);
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
    const amount = (word >>> 10) & 0xfff;
    const form = (word & 0xffc00000) >>> 0;
    const base = (word >>> 5) & 31;
    if (base === SP) {
      // STR and LDR of 64 bits.
      if (form === 0xf9000000) this.kept[amount] = this.pages[word & 31] ?? -1;
      else if (form === 0xf9400000) this.pages[word & 31] = this.kept[amount] ?? -1;
      else if (form === 0x91000000) this.pages[word & 31] = -1;
      return -1;
    }
    const page = this.pages[base] ?? -1;
    if (page < 0) return -1;
    if (form === 0xf9400000) return page + amount * 8;
    if (form === 0xb9400000) return page + amount * 4;
    // Vectors of 16, 8 and 4 bytes.
    if (form === 0x3dc00000) return page + amount * 16;
    if (form === 0xfd400000) return page + amount * 8;
    if (form === 0xbd400000) return page + amount * 4;
    if (form !== 0x91000000) return -1;
    this.pages[word & 31] = page + amount;
    return page + amount;
  }
}
