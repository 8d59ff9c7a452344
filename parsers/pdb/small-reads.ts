/** Many small reads near each other, served from a few blocks that are kept: for the records of types that refer to one another. */

import { fileOffset } from '../addresses.js';
import type { ByteSource } from '../bytes/source.js';

const BLOCK = 4096;
/** Blocks kept: 512 KB in all. A block has one place where it can be kept. */
const PLACES = 128;

/** Copies small runs of bytes out of a source. */
export class SmallReads {
  private readonly kept = Buffer.allocUnsafeSlow(BLOCK * PLACES);
  /** Per place: the block that is kept there, or -1. */
  private readonly numbers = new Int32Array(PLACES).fill(-1);
  private readonly lengths = new Int32Array(PLACES);

  constructor(private readonly source: ByteSource) {}

  /** The bytes of `[position, position + length)`, or `null` where the source ends before. */
  bytes(position: number, length: number): Buffer | null {
    if (position < 0 || length < 0 || position + length > this.source.byteLength) return null;
    const out = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const number = Math.floor((position + done) / BLOCK);
      const start = position + done - number * BLOCK;
      const place = number % PLACES;
      if (this.numbers[place] !== number) this.load(number, place);
      const count = Math.min(length - done, (this.lengths[place] ?? 0) - start);
      if (count <= 0) return null;
      const at = place * BLOCK + start;
      this.kept.copy(out, done, at, at + count);
      done += count;
    }
    return out;
  }

  private load(number: number, place: number): void {
    const target = this.kept.subarray(place * BLOCK, (place + 1) * BLOCK);
    this.lengths[place] = this.source.read(fileOffset(number * BLOCK), target);
    this.numbers[place] = number;
  }
}
