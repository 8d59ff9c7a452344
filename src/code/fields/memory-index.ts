/**
 * Which instructions of an image touch memory behind a pointer, by the offset: one pass over all code, made once and only
 * where a tag is seen in a structure. Bytes among code that are no instructions may hide the one behind them.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { OP, Operations } from '../../../parsers/code/operations.js';
import type { Machine } from '../flow/machine.js';
import type { CodeWork } from '../flow/work.js';
import type { ImageBytes } from '../image/image-bytes.js';

/** Bytes decoded at once. */
const PIECE = 0x4000;
/** Bytes of the widest write whose size is known. */
export const WIDEST_WRITE = 64;
/** Instructions from a constant to where it is added to a pointer, at most. */
const FURTHEST_CONSTANT = 8;
/** Sizes stand below the RVA in one number. */
const SIZES = 128;

/** An image whose code is looked through. */
type IndexedImage = ImageBytes & { readonly machine: Machine; readonly work: CodeWork };

/** Used again for every image. */
const decoded = new Operations();

/** RVAs of instructions. */
export class MemoryIndex {
  private readonly loads = new Map<number, number[]>();
  private readonly stores = new Map<number, number[]>();
  private readonly addresses = new Map<number, number[]>();
  private readonly calls = new Map<number, number[]>();
  /** Instructions that write an element of an array, from an offset on, and those that write so often as a register says. */
  private readonly indexed: { readonly at: number; readonly offset: number }[] = [];
  private readonly fills: number[] = [];
  /** False where pages of code were missing that the kernel keeps, or the work was cut off. */
  complete = true;

  constructor(private readonly code: IndexedImage) {
    const ops = decoded;
    for (const { executable, discardable, rva, size } of code.headers.sections) {
      if (!executable) continue;
      const end = Math.min(rva + size, code.module.sizeOfImage);
      let at = rva;
      while (at < end) {
        const bytes = code.bytes(at, Math.min(PIECE, end - at));
        if (code.work.isSpent()) {
          this.complete = false;
          return;
        }
        at = bytes.length === 0 ? this.skip(at, end, discardable) : this.piece(bytes, at, ops);
      }
    }
  }

  /** The next page that is there. */
  private skip(at: number, end: number, discardable: boolean): number {
    if (!discardable) this.complete = false;
    let next = (at & ~0xfff) + 0x1000;
    while (next < end && failed(this.code.memory.read(plus(this.code.module.base, next), 1))) next += 0x1000;
    return next;
  }

  /** Notes the instructions of a piece; returns where the next one begins. */
  private piece(bytes: Uint8Array, rva: number, ops: Operations): number {
    const { machine, base, work } = this.code;
    ops.clear();
    machine.decoder.decode(bytes, rva, base, ops, Infinity);
    work.steps += ops.count;
    for (let i = 0; i < ops.count; i++) this.note(ops, i);
    const last = ops.count - 1;
    // The rest is the beginning of an instruction that goes on in the next piece, or in a page that is not there.
    return last < 0 ? rva + bytes.length : (ops.at[last] ?? rva) + (ops.length[last] ?? 1);
  }

  private note(ops: Operations, i: number): void {
    const at = ops.at[i] ?? 0;
    const offset = ops.immediate[i] ?? 0;
    const source = ops.source[i] ?? -1;
    const target = ops.target[i] ?? -1;
    const { stackPointer } = this.code.machine;
    const isIndexed = (ops.index[i] ?? -1) >= 0;
    switch (ops.kind[i]) {
      case OP.load:
      case OP.pushMemory:
        // Tags are four bytes.
        if (source >= 0 && source !== stackPointer && !isIndexed && ops.size[i] !== 8) put(this.loads, offset, at);
        break;
      case OP.store:
        if (target < 0 || target === stackPointer) break;
        if (isIndexed) this.indexed.push({ at, offset });
        else put(this.stores, offset, at * SIZES + Math.min(ops.size[i] ?? 0, SIZES - 1));
        break;
      case OP.add:
        if (source !== stackPointer) put(this.addresses, offset, at);
        break;
      case OP.sum:
      case OP.sumMemory:
        this.sum(ops, i);
        break;
      case OP.fill:
        this.fills.push(at);
        break;
      case OP.call:
      case OP.jump:
        put(this.calls, offset, at);
        break;
      default:
    }
  }

  /** A constant that was put into a register, and then something added. */
  private sum(ops: Operations, i: number): void {
    for (let before = i - 1; before >= Math.max(0, i - FURTHEST_CONSTANT); before--) {
      const target = ops.target[before] ?? -1;
      const isMeant = target === ops.target[i] || target === ops.source[i] || target === ops.index[i];
      if (ops.kind[before] === OP.constant && isMeant) put(this.addresses, ops.immediate[before] ?? 0, ops.at[i] ?? 0);
    }
  }

  /** That read behind a pointer at this offset. */
  loadsAt(offset: number): readonly number[] {
    return this.loads.get(offset) ?? [];
  }

  /** That may write any of `size` bytes behind a pointer from this offset on, or make a pointer to it. */
  writesAt(offset: number, size: number): number[] {
    const found = [...(this.addresses.get(offset) ?? []), ...this.fills];
    for (const { at, offset: first } of this.indexed) if (first < offset + size) found.push(at);
    for (let from = offset - WIDEST_WRITE + 1; from < offset + size; from++) {
      for (const packed of this.stores.get(from) ?? [])
        if (from + (packed % SIZES) > offset) found.push(Math.floor(packed / SIZES));
    }
    return found;
  }

  /** That call the function at an RVA, or jump there. */
  callsOf(rva: number): readonly number[] {
    return this.calls.get(rva) ?? [];
  }
}

function put(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
