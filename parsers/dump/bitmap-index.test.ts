import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_SIZE, pfn } from '../addresses.js';
import { CountingSource, MemorySource, type ByteSource } from '../bytes/source.js';
import { BitmapIndex } from './bitmap-index.js';
import { ABSENT } from './page-index.js';

const OFFSET = 0x2038;

function indexOver(bitmap: Uint8Array, bits: number): BitmapIndex {
  const file = new Uint8Array(OFFSET + bitmap.length);
  file.set(bitmap, OFFSET);
  return new BitmapIndex(new MemorySource(file), { bitmapOffset: OFFSET, bits, firstPage: 0x10000, pages: 1 });
}

describe('BitmapIndex', () => {
  it('gives the rank of every page of any bitmap, the last partial byte included', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 700 }), fc.nat(7), (bitmap, drop) => {
        const bits = bitmap.length * 8 - drop;
        const index = indexOver(bitmap, bits);
        let rank = 0;
        for (let page = 0; page < bits; page++) {
          const isSet = ((bitmap[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
          expect(index.offsetOf(pfn(page))).to.equal(isSet ? 0x10000 + rank * PAGE_SIZE : ABSENT);
          if (isSet) rank++;
        }
        expect(index.offsetOf(pfn(bits))).to.equal(ABSENT);
        expect(index.countAll()).to.equal(rank);
      }),
    );
  });

  it('reads only the blocks that a page needs, for a machine of 24 TB', () => {
    const bits = 24 * 2 ** 28;
    const pattern: ByteSource = {
      name: 'every third page',
      byteLength: OFFSET + bits / 8,
      read: (position, target) => {
        for (let i = 0; i < target.length; i++) {
          let byte = 0;
          const first = (position + i - OFFSET) * 8;
          for (let b = 0; b < 8; b++) if ((first + b) % 3 === 0) byte |= 1 << b;
          target[i] = byte;
        }
        return target.length;
      },
      close: () => undefined,
    };
    const source = new CountingSource(pattern);
    const index = new BitmapIndex(source, { bitmapOffset: OFFSET, bits, firstPage: 2 ** 31, pages: bits / 3 });
    const page = 3_000_003;
    expect(index.offsetOf(pfn(page))).to.equal(2 ** 31 + (page / 3) * PAGE_SIZE);
    expect(index.offsetOf(pfn(page + 1))).to.equal(ABSENT);
    expect(source.bytesRead).to.be.at.most(page / 8 + 2 * 65536);
    expect(index.offsetOf(pfn(bits - 1))).to.equal(ABSENT);
  });
});
