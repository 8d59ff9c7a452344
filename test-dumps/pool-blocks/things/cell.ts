/** A block under construction: fields at offsets of its data, all on one page. */

import { latin1, putU16, putU32, putU64, putVa, type Va } from '../../bytes.js';

export class Cell {
  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
    /** Address of the data. */
    readonly va: Va,
    /** Bytes of data that were asked for. */
    readonly room: number,
    /** The same with what was not asked for. */
    readonly whole: number,
    readonly width: 4 | 8,
  ) {}

  /** `wide` of a 64-bit system, else `narrow`. */
  pick(wide: number, narrow: number): number {
    return this.width === 8 ? wide : narrow;
  }

  u8(offset: number, value: number): void {
    this.bytes[this.at + offset] = value;
  }

  u16(offset: number, value: number): void {
    putU16(this.bytes, this.at + offset, value);
  }

  u32(offset: number, value: number): void {
    putU32(this.bytes, this.at + offset, value);
  }

  u64(offset: number, value: number | bigint): void {
    putU64(this.bytes, this.at + offset, value);
  }

  pointer(offset: number, va: Va): void {
    if (this.width === 8) putVa(this.bytes, this.at + offset, va);
    else putU32(this.bytes, this.at + offset, va);
  }

  ascii(offset: number, text: string): void {
    this.bytes.set(latin1(text), this.at + offset);
  }

  zero(bytes: number): void {
    this.bytes.fill(0, this.at, this.at + bytes);
  }
}
