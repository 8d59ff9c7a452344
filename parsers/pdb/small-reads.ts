/** Many small reads near each other, served from a few blocks that are kept: for the records of types that refer to one another. */

import { fileOffset } from '../addresses.js';
import type { ByteSource } from '../bytes/source.js';

const BLOCK = 16 * 1024;
/** Blocks kept: 1 MB in all. A block has one place where it can be kept. */
const PLACES = 64;

/** Gives small runs of bytes of a source, which stay as they are. */
export class SmallReads {
  /** Per place: the block that is kept there, or -1. Whoever has a piece of a block keeps it for himself. */
  private readonly numbers = new Int32Array(PLACES).fill(-1);
  private readonly blocks: Buffer[] = Array.from({ length: PLACES }, () => NONE);

  constructor(private readonly source: ByteSource) {}

  /** The bytes of `[position, position + length)`, or `null` where the source ends before. */
  bytes(position: number, length: number): Buffer | null {
    if (position < 0 || length < 0 || position + length > this.source.byteLength) return null;
    const first = this.block(Math.floor(position / BLOCK));
    const start = position % BLOCK;
    if (start + length <= first.length) return first.subarray(start, start + length);
    const out = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const block = this.block(Math.floor((position + done) / BLOCK));
      const from = (position + done) % BLOCK;
      const count = Math.min(length - done, block.length - from);
      if (count <= 0) return null;
      block.copy(out, done, from, from + count);
      done += count;
    }
    return out;
  }

  private block(number: number): Buffer {
    const place = number % PLACES;
    const known = this.blocks[place] ?? NONE;
    if (this.numbers[place] === number) return known;
    const bytes = Buffer.allocUnsafeSlow(BLOCK);
    const block = bytes.subarray(0, this.source.read(fileOffset(number * BLOCK), bytes));
    this.blocks[place] = block;
    this.numbers[place] = number;
    return block;
  }
}

const NONE = Buffer.alloc(0);
