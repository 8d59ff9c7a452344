/** A finished dump: read at any position, in memory or to a file, without ever holding the whole of it. */

import { closeSync, createWriteStream, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { PageSet } from './page-set.js';
import { PAGE, ZERO_PAGE } from './physical-memory.js';
import type { Truth } from './truth.js';

const LARGEST_ARRAY = 512 * 1024 * 1024;

export class BuiltDump {
  readonly byteLength: number;

  /**
   * @param head the bytes before the first page
   * @param pages the frames that follow, in order
   * @param contents of the frames that are not all zeros
   * @param readVirtual bytes at a virtual address as a correct reader of this file finds them, else null
   */
  constructor(
    readonly truth: Truth,
    private readonly head: Uint8Array,
    private readonly pages: PageSet,
    private readonly contents: ReadonlyMap<number, Uint8Array>,
    truncateTo: number | undefined,
    readonly readVirtual: (address: bigint, length: number) => Uint8Array | null,
  ) {
    this.byteLength = Math.min(head.length + pages.count * PAGE, truncateTo ?? Infinity);
  }

  /** Copies bytes from `position` on into `target`; returns how many there were. */
  read(position: number, target: Uint8Array): number {
    const end = Math.min(position + target.length, this.byteLength);
    let at = position;
    while (at < end) {
      const to = at - position;
      if (at < this.head.length) {
        const stop = Math.min(end, this.head.length);
        target.set(this.head.subarray(at, stop), to);
        at = stop;
        continue;
      }
      const inPage = (at - this.head.length) % PAGE;
      const page = this.contents.get(this.pages.select((at - this.head.length - inPage) / PAGE));
      const length = Math.min(PAGE - inPage, end - at);
      if (page) target.set(page.subarray(inPage, inPage + length), to);
      else target.fill(0, to, to + length);
      at += length;
    }
    return Math.max(0, end - position);
  }

  /** Every part of the file that is not zeros, in order of offset. */
  *pieces(): Generator<{ offset: number; bytes: Uint8Array }> {
    if (this.head.length > 0) yield { offset: 0, bytes: this.head.subarray(0, this.byteLength) };
    const stored: { offset: number; bytes: Uint8Array }[] = [];
    for (const [frame, bytes] of this.contents) {
      const rank = bytes === ZERO_PAGE ? -1 : this.pages.rank(frame);
      if (rank >= 0) stored.push({ offset: this.head.length + rank * PAGE, bytes });
    }
    stored.sort((a, b) => a.offset - b.offset);
    for (const { offset, bytes } of stored) {
      if (offset < this.byteLength) yield { offset, bytes: bytes.subarray(0, this.byteLength - offset) };
    }
  }

  /** The whole file. Throws above 512 MB. */
  toBytes(): Uint8Array {
    if (this.byteLength > LARGEST_ARRAY)
      throw new Error(`${this.byteLength} bytes are too many for memory: use read or writeTo`);
    const out = new Uint8Array(this.byteLength);
    for (const { offset, bytes } of this.pieces()) out.set(bytes, offset);
    return out;
  }

  /** Writes a sparse file: holes where the dump holds zeros. */
  writeTo(path: string): void {
    const file = openSync(path, 'w');
    try {
      ftruncateSync(file, this.byteLength);
      for (const { offset, bytes } of this.pieces()) writeSync(file, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(file);
    }
  }

  /** Writes the file gzip-compressed, with nothing in the gzip header that depends on time or machine. */
  async writeGzip(path: string): Promise<void> {
    let first = true;
    const plainHeader = new Transform({
      transform(chunk: Buffer, _encoding, done): void {
        if (first && chunk.length >= 10) chunk[9] = 255;
        first = false;
        done(null, chunk);
      },
    });
    await pipeline(Readable.from(this.chunks()), createGzip({ level: 9 }), plainHeader, createWriteStream(path));
  }

  private *chunks(): Generator<Uint8Array> {
    const size = 1024 * 1024;
    for (let position = 0; position < this.byteLength; position += size) {
      const chunk = new Uint8Array(Math.min(size, this.byteLength - position));
      this.read(position, chunk);
      yield chunk;
    }
  }
}
