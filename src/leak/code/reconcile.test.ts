import { expect } from 'chai';
import { isUnexplained, reconcile, reconciliationWarnings } from './reconcile.js';
import { memoryOf, tablesOf, workedExample } from '../scenario.test.helper.js';

describe('reconciling tags and pools', () => {
  it('gives the figures of the worked example', () => {
    const { poolTags, memory } = workedExample();
    expect(reconcile(poolTags, memory).nonPaged).to.deep.equal({
      tagBytes: 634209952,
      poolBytes: 636399616,
      unexplainedBytes: 2189664,
    });
  });

  it('is null where a side is unknown', () => {
    expect(reconcile(null, memoryOf({ pagedPoolUsage: 1 }))).to.deep.equal({ nonPaged: null, paged: null });
    expect(reconcile(tablesOf([]), null)).to.deep.equal({ nonPaged: null, paged: null });
    expect(reconcile(tablesOf([]), memoryOf({ pagedPoolUsage: 1 })).nonPaged).to.equal(null);
  });

  it('warns past 20 % of the pool, either way', () => {
    const found = (tagBytes: number): string[] =>
      reconciliationWarnings(
        reconcile(tablesOf([], { nonPaged: tagBytes }), memoryOf({ nonPagedPoolUsage: 1000 })),
      ).map(({ code }) => code);
    expect(found(1000 * 4096 * 0.8)).to.deep.equal([]);
    expect(found(1000 * 4096 * 0.8 - 1)).to.deep.equal(['unexplained-nonpaged-pool']);
    expect(found(1000 * 4096 * 1.2)).to.deep.equal([]);
    expect(found(1000 * 4096 * 1.2 + 4096)).to.deep.equal(['unexplained-nonpaged-pool']);
  });

  it('says how much, with both sides', () => {
    const found = reconcile(tablesOf([], { paged: 1024 * 1024 }), memoryOf({ pagedPoolUsage: 1024 }));
    const message = reconciliationWarnings(found)[0]?.message;
    expect(message).to.contain('1048576 bytes').and.contain('4194304 bytes').and.contain('75 % of the pool');
  });

  it('does not divide by a pool of nothing', () => {
    expect(isUnexplained({ tagBytes: 0, poolBytes: 0, unexplainedBytes: 0 })).to.equal(false);
    expect(isUnexplained({ tagBytes: 5, poolBytes: 0, unexplainedBytes: -5 })).to.equal(true);
  });

  it('keeps counts past 2^53 exact', () => {
    const tables = { ...tablesOf([]), totals: { ...tablesOf([]).totals, pagedBytes: '9223372036854775807' } };
    expect(reconcile(tables, memoryOf({ pagedPoolUsage: 1 })).paged?.unexplainedBytes).to.equal('-9223372036854771711');
  });
});
