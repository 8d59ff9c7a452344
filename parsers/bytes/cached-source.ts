/** A bounded cache of blocks in front of a slow source: small reads near each other cost one read of the file. */

import { fileOffset, type FileOffset } from '../addresses.js';
import type { ByteSource } from './source.js';

/** Bytes of one cached block: a page, because what is read next is rarely on the page that follows in the file. */
const BLOCK = 4096;
/** Blocks kept: 8 MB in all. */
const BLOCKS = 2048;

/** Serves reads of less than a block from memory; longer ones go straight to the source below. */
export class CachedSource implements ByteSource {
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(private readonly inner: ByteSource) {}

  get name(): string {
    return this.inner.name;
  }

  get byteLength(): number {
    return this.inner.byteLength;
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (target.length >= BLOCK) return this.inner.read(position, target);
    if (position < 0) return 0;
    let done = 0;
    while (done < target.length) {
      const at = position + done;
      const number = Math.floor(at / BLOCK);
      const block = this.block(number);
      const start = at - number * BLOCK;
      const count = Math.min(target.length - done, block.length - start);
      if (count <= 0) break;
      target.set(block.subarray(start, start + count), done);
      done += count;
    }
    return done;
  }

  close(): void {
    this.blocks.clear();
    this.inner.close();
  }

  private block(number: number): Uint8Array {
    const known = this.blocks.get(number);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(BLOCK);
    const count = this.inner.read(fileOffset(number * BLOCK), bytes);
    const block = count === BLOCK ? bytes : bytes.slice(0, count);
    if (this.blocks.size >= BLOCKS) {
      const oldest = this.blocks.keys().next();
      if (!oldest.done) this.blocks.delete(oldest.value);
    }
    this.blocks.set(number, block);
    return block;
  }
}
