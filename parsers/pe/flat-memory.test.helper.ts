/** An image in memory for tests: bytes at a base, some pages of which may be missing. */

import { virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import { MemoryBase } from '../paging/memory-base.js';

const PAGE = 0x1000;
export const FLAT_BASE = virtual(0xfffff80000400000n);

export class FlatMemory extends MemoryBase {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  /** @param missing numbers of pages. */
  constructor(
    pages: number,
    private readonly missing: readonly number[] = [],
    readonly pointerSize: 4 | 8 = 8,
    readonly base: VirtualAddress = FLAT_BASE,
  ) {
    super();
    // What stands around the image must not be read for it.
    const around = new Uint8Array((pages + 2) * PAGE).fill(0xa5);
    this.bytes = around.subarray(PAGE, (pages + 1) * PAGE).fill(0);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  /** 32-bit words, one after the other. */
  words(rva: number, ...words: number[]): void {
    words.forEach((word, i) => {
      this.view.setUint32(rva + i * 4, word >>> 0, true);
    });
  }

  translate(address: VirtualAddress): PhysicalAddress | Failure {
    const page = this.read(address, 1);
    return page instanceof Failure ? page : ((address - this.base) as unknown as PhysicalAddress);
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const at = Number(address - this.base);
    if (at < 0 || at + length > this.bytes.length) return new Failure('not-mapped', 'outside of the image');
    for (let page = Math.floor(at / PAGE); page * PAGE < at + length; page++) {
      if (this.missing.includes(page)) return new Failure('not-in-dump', 'a page that the dump lacks');
    }
    return this.bytes.subarray(at, at + length);
  }
}
