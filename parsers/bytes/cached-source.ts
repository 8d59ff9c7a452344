/** A bounded cache of blocks in front of a slow source: small reads near each other cost one read of the file. */

import { fileOffset, type FileOffset } from '../addresses.js';
import { ReadPace } from './read-pace.js';
import type { ByteSource } from './source.js';

/** Bytes of one cached block: a page, because what is read next is rarely on the page that follows in the file. */
const BLOCK = 4096;
/** Blocks kept: 8 MB in all. */
const BLOCKS = 2048;
/** Blocks that one `fetch` brings at most: half of them, so that none is gone before it was asked for. */
export const MOST_FETCHED = BLOCKS / 2;

/** Serves reads from blocks that it has; longer ones than a block, of which any is missing, go straight to the source below. */
export class CachedSource implements ByteSource {
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(
    private readonly inner: ByteSource,
    readonly pace = new ReadPace(),
  ) {}

  get name(): string {
    return this.inner.name;
  }

  get byteLength(): number {
    return this.inner.byteLength;
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0 || (target.length >= BLOCK && !this.hasAll(position, target.length)))
      return this.timed(position, target);
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
      // Whole pages are kept by who reads them, or read once: their room is better used.
      if (count === BLOCK) this.blocks.delete(number);
    }
    return done;
  }

  fetch(positions: Float64Array): void {
    const wanted = new Set<number>();
    for (const position of positions) {
      const number = Math.floor(position / BLOCK);
      if (number >= 0 && !this.blocks.has(number)) wanted.add(number);
      if (wanted.size >= MOST_FETCHED) break;
    }
    const numbers = Float64Array.from(wanted).sort();
    const { gap, longest } = this.pace;
    let buffer: Uint8Array | null = null;
    for (let from = 0; from < numbers.length;) {
      const first = numbers[from] ?? 0;
      let to = from + 1;
      for (; to < numbers.length; to++) {
        const number = numbers[to] ?? 0;
        if ((number - (numbers[to - 1] ?? 0)) * BLOCK > gap || (number - first + 1) * BLOCK > longest) break;
      }
      const length = ((numbers[to - 1] ?? 0) - first + 1) * BLOCK;
      if (buffer === null || buffer.length < length) buffer = new Uint8Array(to - from === 1 ? BLOCK : longest);
      const count = this.tryRead(first * BLOCK, buffer.subarray(0, length));
      for (; from < to; from++) {
        const number = numbers[from] ?? 0;
        const start = (number - first) * BLOCK;
        if (count >= start + BLOCK) this.keep(number, buffer.slice(start, start + BLOCK));
      }
    }
  }

  close(): void {
    this.blocks.clear();
    this.inner.close();
  }

  private block(number: number): Uint8Array {
    const known = this.blocks.get(number);
    if (known !== undefined) return known;
    if (this.pace.ahead > BLOCK) this.readAhead(number, this.pace.ahead / BLOCK);
    return this.blocks.get(number) ?? this.readBlock(number);
  }

  private readBlock(number: number): Uint8Array {
    const bytes = new Uint8Array(BLOCK);
    const count = this.timed(fileOffset(number * BLOCK), bytes);
    const block = count === BLOCK ? bytes : bytes.slice(0, count);
    this.keep(number, block);
    return block;
  }

  /** Reads a block with its neighbours, as far as they are whole. */
  private readAhead(number: number, count: number): void {
    const first = number - (number % count);
    const bytes = new Uint8Array(count * BLOCK);
    const read = this.tryRead(first * BLOCK, bytes);
    for (let i = 0; (i + 1) * BLOCK <= read; i++) {
      if (!this.blocks.has(first + i)) this.keep(first + i, bytes.slice(i * BLOCK, (i + 1) * BLOCK));
    }
  }

  private hasAll(position: number, length: number): boolean {
    const last = Math.floor((position + length - 1) / BLOCK);
    for (let number = Math.floor(position / BLOCK); number <= last; number++) {
      if (!this.blocks.has(number)) return false;
    }
    return true;
  }

  /** Bytes that were read; 0 where the medium fails: who asks for those bytes themselves hears of it. */
  private tryRead(position: number, target: Uint8Array): number {
    try {
      return this.timed(fileOffset(position), target);
    } catch {
      return 0;
    }
  }

  private timed(position: FileOffset, target: Uint8Array): number {
    const start = this.pace.now();
    const count = this.inner.read(position, target);
    this.pace.took(start, target.length);
    return count;
  }

  private keep(number: number, block: Uint8Array): void {
    if (this.blocks.size >= BLOCKS) {
      const oldest = this.blocks.keys().next();
      if (!oldest.done) this.blocks.delete(oldest.value);
    }
    this.blocks.set(number, block);
  }
}
