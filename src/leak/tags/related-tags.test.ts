import { expect } from 'chai';
import fc from 'fast-check';
import type { PoolTagRow } from '../../result/result.js';
import { relatedTags } from './related-tags.js';
import { GB, MB, held, oneTag, onlySuspect, tablesOf, tagRow } from '../scenario.test.helper.js';

const nonPaged = (tag: string, outstanding: number): PoolTagRow =>
  tagRow(tag, { nonPaged: held(outstanding, outstanding * 64) });
const paged = (tag: string, outstanding: number): PoolTagRow =>
  tagRow(tag, { paged: held(outstanding, outstanding * 64) });

function related(own: number, ...others: PoolTagRow[]): string[] {
  const row = nonPaged('Leak', own);
  return relatedTags(tablesOf([row, ...others]), row, 'nonpaged').map(
    ({ tag, pool, ratio }) => `${tag} ${pool} ${ratio}`,
  );
}

describe('tags that go together', () => {
  it('have as many allocations outstanding, within 1 %', () => {
    expect(related(20_000, nonPaged('Abcd', 20_000), paged('Efgh', 20_199))).to.deep.equal([
      'Abcd nonpaged 1',
      'Efgh paged 1.01',
    ]);
    expect(related(20_000, nonPaged('Abcd', 20_201), nonPaged('Efgh', 19_799))).to.deep.equal([]);
  });

  it('or up to four times as many or as few', () => {
    expect(
      related(20_000, nonPaged('Twic', 40_040), nonPaged('Half', 10_000), nonPaged('Four', 79_900)),
    ).to.have.members(['Twic nonpaged 2.002', 'Half nonpaged 0.5', 'Four nonpaged 3.995']);
    expect(related(20_000, nonPaged('Five', 100_000), nonPaged('Oneh', 30_000))).to.deep.equal([]);
  });

  it('only above 1000 on both sides', () => {
    expect(related(1000, nonPaged('Abcd', 1000))).to.deep.equal([]);
    expect(related(1001, nonPaged('Abcd', 1000))).to.deep.equal([]);
    expect(related(1001, nonPaged('Abcd', 1001))).to.deep.equal(['Abcd nonpaged 1']);
  });

  it('the eight nearest', () => {
    const others = Array.from({ length: 12 }, (_, i) => nonPaged(`T${String(i).padStart(3, '0')}`, 20_000 + 10 * i));
    expect(related(20_000, ...others.reverse()))
      .to.have.length(8)
      .and.to.include('T006 nonpaged 1.003');
  });

  it('not where counters cannot be true', () => {
    const row = nonPaged('Leak', 20_000);
    const tables = tablesOf([row, nonPaged('Abcd', 20_000)]);
    expect(relatedTags(tables, row, 'nonpaged', () => false)).to.deep.equal([]);
  });

  it('never change a confidence', () => {
    const alone = oneTag('Vend', 4 * GB);
    const { poolTags } = alone;
    const more = tablesOf([...poolTags!.rows, nonPaged('Abcd', 5000), paged('Efgh', 10_000)], {
      nonPaged: 40 * MB,
      paged: 300 * MB,
    });
    const [before, after] = [onlySuspect(alone), onlySuspect({ ...alone, poolTags: more })];
    expect(before.related).to.deep.equal([]);
    expect(after.related?.map(({ tag }) => tag)).to.deep.equal(['Abcd', 'Efgh']);
    expect([after.confidence, after.drivers]).to.deep.equal([before.confidence, before.drivers]);
  });

  it('are few, large and near a whole ratio, whatever the counts', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.array(fc.nat(1e9), { maxLength: 40 }), (own, counts) => {
        const row = nonPaged('Leak', own);
        const rows = counts.map((count) => nonPaged('Abcd', count));
        const found = relatedTags(tablesOf([row, ...rows]), row, 'nonpaged');
        expect(found.length).to.be.at.most(8);
        for (const { outstanding } of found) {
          const [large, small] = [Math.max(own, Number(outstanding)), Math.min(own, Number(outstanding))];
          const nearest = [1, 2, 3, 4].map((whole) => Math.abs(large / small / whole - 1));
          expect(small).to.be.above(1000);
          expect(Math.min(...nearest)).to.be.at.most(0.01);
        }
      }),
    );
  });
});
