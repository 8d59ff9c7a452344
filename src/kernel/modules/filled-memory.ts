/** A module's memory with the pages that the dump lacks filled in from its image on disk, as the loader would place them. */

import { PAGE_SIZE, plus, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { MemoryBase, MOST_BYTES } from '../../../parsers/paging/memory-base.js';
import type { Chunk, VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { ImageFile } from '../../../parsers/pe/image-file.js';
import { readRelocations, relocatePage, type Relocations } from '../../../parsers/pe/relocations.js';

const MISSING = new Failure('not-in-dump', 'neither in the dump nor in the image on disk');

/** Reads pages of one module from the dump, else from the image; everything outside of the module from the dump alone. */
export class FilledMemory extends MemoryBase {
  readonly pointerSize: 4 | 8;
  /** Pages of the module (RVA / 4096) that come from the image. */
  readonly filled: ReadonlySet<number>;
  private readonly relocations: Relocations;
  private readonly delta: bigint;

  /**
   * @param dump null where no page of the module can be translated.
   * @param base where the module is loaded.
   */
  constructor(
    private readonly dump: VirtualMemory | null,
    private readonly base: VirtualAddress,
    private readonly image: ImageFile,
  ) {
    super();
    this.pointerSize = dump?.pointerSize ?? image.memory.pointerSize;
    this.delta = base - image.base;
    const relocations = readRelocations(image.memory, image.base, image.headers);
    this.relocations = failed(relocations) ? new Map() : relocations;
    const filled = new Set<number>();
    for (let page = 0; page * PAGE_SIZE < image.headers.sizeOfImage; page++) {
      const inDump = dump !== null && dump.countPages(plus(base, page * PAGE_SIZE), PAGE_SIZE) > 0;
      if (!inDump && image.memory.countPages(plus(image.base, page * PAGE_SIZE), PAGE_SIZE) > 0) filled.add(page);
    }
    this.filled = filled;
  }

  translate(address: VirtualAddress): PhysicalAddress | Failure {
    return this.dump === null ? MISSING : this.dump.translate(address);
  }

  override countPages(address: VirtualAddress, length: number): number {
    let pages = this.dump?.countPages(address, length) ?? 0;
    for (let at = 0; at < length;) {
      const page = this.pageOf(plus(address, at));
      if (page !== null && this.filled.has(page)) pages++;
      at += PAGE_SIZE - Number((address + BigInt(at)) % BigInt(PAGE_SIZE));
    }
    return pages;
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const whole = this.dump?.read(address, length) ?? MISSING;
    if (!failed(whole) || whole.code === 'corrupt') return whole;
    if (length > MOST_BYTES) return new Failure('corrupt', `a read of ${length} bytes is refused`);
    const copy = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const from = plus(address, at);
      const inPage = Number(from % BigInt(PAGE_SIZE));
      const size = Math.min(PAGE_SIZE - inPage, length - at);
      const page = this.pageOf(from);
      const bytes =
        page !== null && this.filled.has(page) ? this.diskPage(page) : (this.dump?.read(from, size) ?? MISSING);
      if (failed(bytes)) return bytes;
      copy.set(page !== null && this.filled.has(page) ? bytes.subarray(inPage, inPage + size) : bytes, at);
      at += size;
    }
    return copy;
  }

  override *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    const pieces = this.dump?.chunks(address, length) ?? super.chunks(address, length);
    if (this.dump === null) {
      yield* pieces;
      return;
    }
    for (const piece of pieces) {
      const from = plus(address, piece.offset);
      const page = failed(piece.bytes) ? this.pageOf(from) : null;
      if (page === null || !this.filled.has(page)) {
        yield piece;
        continue;
      }
      const inPage = Number(from % BigInt(PAGE_SIZE));
      const bytes = this.diskPage(page);
      yield { ...piece, bytes: failed(bytes) ? bytes : bytes.subarray(inPage, inPage + piece.length) };
    }
  }

  /** The page of the module that an address lies in; null outside of the module. */
  private pageOf(address: VirtualAddress): number | null {
    const offset = address - this.base;
    return offset < 0n || offset >= BigInt(this.image.headers.sizeOfImage)
      ? null
      : Math.floor(Number(offset) / PAGE_SIZE);
  }

  /** A page as the loader would have placed it: with the addresses in it changed for the base in use. */
  private diskPage(page: number): Uint8Array | Failure {
    const bytes = this.image.memory.read(plus(this.image.base, page * PAGE_SIZE), PAGE_SIZE);
    if (failed(bytes)) return bytes;
    const copy = bytes.slice();
    relocatePage(copy, page, this.relocations, this.delta);
    return copy;
  }
}
