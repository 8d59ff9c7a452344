/** Code that is decoded as far as it is looked at: most of what is looked for stands near where looking begins. */

import type { Operations } from '../../../parsers/code/operations.js';
import type { Machine } from './machine.js';
import type { CodeWork } from './work.js';

/** Bytes that are decoded at once. */
const PIECE = 0x60;

/** What decoding needs of an image. */
export interface StretchedCode {
  readonly machine: Machine;
  /** The image's base modulo 2^32. */
  readonly base: number;
  readonly work: CodeWork;
  /** Up to `length` bytes at an RVA, ending at the first missing page. */
  bytes(rva: number, length: number): Uint8Array;
}

/** The operations from one RVA up to another; the same as if all were decoded at once. */
export class Stretch {
  private next: number;

  /**
   * @param end First RVA that does not belong to it; an instruction that goes further is none.
   * @param most Operations, at most.
   */
  constructor(
    private readonly code: StretchedCode,
    readonly ops: Operations,
    first: number,
    private readonly end: number,
    private readonly most: number,
  ) {
    ops.clear();
    this.next = first;
  }

  /** True where there is an operation of this number: decodes up to it. */
  has(i: number): boolean {
    while (i >= this.ops.count) if (!this.more()) return false;
    return true;
  }

  private more(): boolean {
    const { code, ops, most } = this;
    const size = Math.min(PIECE, this.end - this.next);
    if (size <= 0 || ops.count >= most) return false;
    const before = ops.count;
    code.machine.decoder.decode(code.bytes(this.next, size), this.next, code.base, ops, most);
    code.work.steps += ops.count - before;
    if (ops.count === before) return false;
    this.next = (ops.at[ops.count - 1] ?? 0) + (ops.length[ops.count - 1] ?? 0);
    return true;
  }
}
