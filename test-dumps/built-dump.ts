/** A finished dump: read at any position, in memory or to a file, without ever holding the whole of it. */

import { closeSync, createWriteStream, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { BodyHead } from './dump/bodies.js';
import { concat } from './bytes.js';
import type { PageSet } from './dump/page-set.js';
import { PAGE, ZERO_PAGE } from './physical-memory.js';
import type { Truth } from './truth.js';

const LARGEST_ARRAY = 512 * 1024 * 1024;

/** Bitmaps are handed out in pieces of so many bytes. */
const BITMAP_PIECE = 64 * 1024;

/** Where something stands in the file: offsets of its first byte; null where the file lacks it. */
export interface FilePlace {
  readonly at: number | null;
  /** File offsets of the pages of the page tables that translate the address, root first. */
  readonly tables: readonly number[];
}

export class BuiltDump {
  /** Bytes of the file. */
  readonly byteLength: number;
  private readonly head: BodyHead;
  private readonly tailAt: number;

  /**
   * @param header the first bytes of the file
   * @param body what follows them
   * @param pages the frames that follow, in order
   * @param contents of the frames that are not all zeros
   * @param tail what follows the pages
   * @param readVirtual bytes at a virtual address as a correct reader of this file finds them, else null
   * @param whereIs where in the file the byte at a virtual address stands, and the pages of the tables that lead there
   * @param globals addresses of the kernel's globals, as far as the builder knows them
   */
  constructor(
    readonly truth: Truth,
    header: Uint8Array,
    body: BodyHead,
    private readonly pages: PageSet,
    private readonly contents: ReadonlyMap<number, Uint8Array>,
    private readonly tail: Uint8Array,
    truncateTo: number | undefined,
    readonly readVirtual: (address: bigint, length: number) => Uint8Array | null,
    readonly whereIs: (address: bigint) => FilePlace,
    readonly globals: Readonly<Record<string, bigint>>,
  ) {
    this.head = { ...body, bytes: concat([header, body.bytes]) };
    this.tailAt = body.firstPage + pages.count * PAGE;
    this.byteLength = Math.min(this.tailAt + tail.length, truncateTo ?? Infinity);
  }

  /** File offset of the first stored page. */
  get firstPage(): number {
    return this.head.firstPage;
  }

  /** Copies bytes from `position` on into `target`; returns how many there were. */
  read(position: number, target: Uint8Array): number {
    const end = Math.min(position + target.length, this.byteLength);
    let at = position;
    while (at < end) {
      const to = at - position;
      if (at < this.head.firstPage) {
        const stop = Math.min(end, this.head.firstPage);
        this.readHead(at, target.subarray(to, to + stop - at));
        at = stop;
        continue;
      }
      if (at >= this.tailAt) {
        target.set(this.tail.subarray(at - this.tailAt, end - this.tailAt), to);
        break;
      }
      const inPage = (at - this.head.firstPage) % PAGE;
      const page = this.contents.get(this.pages.select((at - this.head.firstPage - inPage) / PAGE));
      const length = Math.min(PAGE - inPage, end - at);
      if (page) target.set(page.subarray(inPage, inPage + length), to);
      else target.fill(0, to, to + length);
      at += length;
    }
    return Math.max(0, end - position);
  }

  /** Every part of the file that is not zeros, in order of offset. */
  *pieces(): Generator<{ offset: number; bytes: Uint8Array }> {
    for (const { offset, bytes } of this.allPieces()) {
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

  private *allPieces(): Generator<{ offset: number; bytes: Uint8Array }> {
    const { bytes, bitmap, firstPage } = this.head;
    if (bytes.length > 0) yield { offset: 0, bytes };
    for (let done = 0; bitmap && done < bitmap.length; done += BITMAP_PIECE) {
      const piece = new Uint8Array(Math.min(BITMAP_PIECE, bitmap.length - done));
      if (this.pages.bitmap(done, piece)) yield { offset: bitmap.offset + done, bytes: piece };
    }
    const stored: { offset: number; bytes: Uint8Array }[] = [];
    for (const [frame, contents] of this.contents) {
      const rank = contents === ZERO_PAGE ? -1 : this.pages.rank(frame);
      if (rank >= 0) stored.push({ offset: firstPage + rank * PAGE, bytes: contents });
    }
    stored.sort((a, b) => a.offset - b.offset);
    yield* stored;
    if (this.tail.length > 0) yield { offset: this.tailAt, bytes: this.tail };
  }

  private readHead(position: number, target: Uint8Array): void {
    target.fill(0);
    const { bytes, bitmap } = this.head;
    if (position < bytes.length) target.set(bytes.subarray(position, position + target.length));
    if (!bitmap) return;
    const first = Math.max(position, bitmap.offset);
    const end = Math.min(position + target.length, bitmap.offset + bitmap.length);
    if (end > first) this.pages.bitmap(first - bitmap.offset, target.subarray(first - position, end - position));
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
