import { expect } from 'chai';
import * as fc from 'fast-check';
import { buildDump } from '../build-dump.js';
import { PageSet } from './page-set.js';

const frames = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 });

describe('test dumps: the stored frames', () => {
  it('have rank, select and bitmap as counted one by one', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }), (list, first, length) => {
        const sorted = [...list].sort((a, b) => a - b);
        const set = PageSet.of(list);
        expect(set.count).to.equal(sorted.length);
        sorted.forEach((frame, i) => {
          expect(set.rank(frame)).to.equal(i);
          expect(set.select(i)).to.equal(frame);
        });
        for (let frame = 0; frame < 410; frame++) expect(set.has(frame)).to.equal(sorted.includes(frame));
        const bytes = Buffer.alloc(length);
        const any = set.bitmap(first, bytes);
        const wanted = Buffer.alloc(length);
        for (const frame of sorted) {
          const at = Math.floor(frame / 8) - first;
          if (at >= 0 && at < length) wanted[at] = wanted[at]! | (1 << (frame % 8));
        }
        expect(bytes.toString('hex')).to.equal(wanted.toString('hex'));
        expect(any).to.equal(wanted.some((byte) => byte !== 0));
      }),
      { numRuns: 60 },
    );
  });

  it('are all of RAM but those left out', () => {
    fc.assert(
      fc.property(frames, (list) => {
        const runs = [{ basePage: 3, pageCount: 100 }, { basePage: 150, pageCount: 1 }, { basePage: 151, pageCount: 200 }]; // prettier-ignore
        const absent = new Set(list);
        const set = PageSet.without(runs, absent);
        const wanted: number[] = [];
        for (const run of runs)
          for (let i = 0; i < run.pageCount; i++) if (!absent.has(run.basePage + i)) wanted.push(run.basePage + i);
        expect(Array.from({ length: set.count }, (_, i) => set.select(i))).to.deep.equal(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('of a bitmap past 2^32 are found where the bitmap says', () => {
    const far = 0x1_8000_0000;
    const dump = buildDump({ memory: { runs: [{ basePage: 1, pageCount: 16 }, { basePage: far, pageCount: 0x8000 }] } }); // prettier-ignore
    const head = Buffer.alloc(0x38);
    dump.read(0x2000, head);
    const bits = Number(head.readBigUInt64LE(0x30));
    expect(bits).to.equal(far + 0x8000);
    const bitmap = Buffer.alloc(0x1000);
    dump.read(0x2038 + far / 8, bitmap);
    const root = Number(dump.truth.header.directoryTableBase >> 12n) - far;
    expect(bitmap[root >> 3]! & (1 << (root % 8))).not.to.equal(0);
    let rank = 0;
    for (let bit = 0; bit < root; bit++) if ((bitmap[bit >> 3]! & (1 << (bit % 8))) !== 0) rank++;
    const low = Buffer.alloc(8);
    dump.read(0x2038, low);
    for (let bit = 0; bit < 64; bit++) if ((low[bit >> 3]! & (1 << (bit % 8))) !== 0) rank++;
    const pml4 = Buffer.alloc(0x1000);
    dump.read(Number(head.readBigUInt64LE(0x20)) + rank * 0x1000, pml4);
    // The self-map entry points back at the table.
    expect((pml4.readBigUInt64LE(0x165 * 8) & 0xf_ffff_ffff_f000n) >> 12n).to.equal(BigInt(root + far));
  });
});
