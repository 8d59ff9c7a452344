import { expect } from 'chai';
import fc from 'fast-check';
import { PAGE_SIZE, pfn } from '../addresses.js';
import { ABSENT } from './page-index.js';
import { consecutive, RunIndex, type Extent } from './run-index.js';

/** Looks a page up the slow way: the first extent in file order that holds it. */
function naive(extents: readonly Extent[], page: number): number {
  const hit = extents.find((e) => page >= e.basePage && page < e.basePage + e.pageCount);
  return hit === undefined ? ABSENT : hit.offset + (page - hit.basePage) * PAGE_SIZE;
}

describe('RunIndex', () => {
  it('finds pages of runs with holes, also beyond 2^32', () => {
    const extents = consecutive(
      [
        { basePage: 1, pageCount: 3 },
        { basePage: 16, pageCount: 2 },
        { basePage: 2 ** 33, pageCount: 5 },
      ],
      0x2000,
    );
    const index = new RunIndex(extents);
    expect(index.offsetOf(pfn(0))).to.equal(ABSENT);
    expect(index.offsetOf(pfn(1))).to.equal(0x2000);
    expect(index.offsetOf(pfn(3))).to.equal(0x4000);
    expect(index.offsetOf(pfn(4))).to.equal(ABSENT);
    expect(index.offsetOf(pfn(17))).to.equal(0x6000);
    expect(index.offsetOf(pfn(2 ** 33 + 4))).to.equal(0x2000 + 9 * PAGE_SIZE);
    expect(index.offsetOf(pfn(2 ** 33 + 5))).to.equal(ABSENT);
    expect([index.pagesPresent, index.end]).to.deep.equal([10, 2 ** 33 + 5]);
    expect(index.softErrors).to.deep.equal([]);
  });

  it('answers as a plain search does for any runs, overlapping ones too', () => {
    const run = fc.record({ basePage: fc.nat(60), pageCount: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
        const extents = consecutive(runs, 0x1000);
        const index = new RunIndex(extents);
        for (let page = 0; page < 90; page++) {
          expect(index.offsetOf(pfn(page)), `page ${page}`).to.equal(naive(extents, page));
        }
      }),
    );
  });

  it('says when runs overlap', () => {
    const index = new RunIndex(consecutive([{ basePage: 0, pageCount: 10 }, { basePage: 5, pageCount: 10 }], 0)); // prettier-ignore
    expect(index.softErrors.map((e) => e.code)).to.deep.equal(['runs-overlap']);
    expect(index.pagesPresent).to.equal(15);
  });
});
