import { expect } from 'chai';
import type { MemoryField, PoolKind } from '../result/result.js';
import { memoryFlags } from './memory-flags.js';
import { GB, held, inPages, memoryOf, tablesOf, tagRow } from './scenario.test.helper.js';

const codes = (memory: Parameters<typeof memoryOf>[0]): string[] =>
  memoryFlags(memoryOf(memory), null).flags.map(({ code }) => code);

describe('memory flags', () => {
  it('flags the worked example: 155371 of 191078 pages', () => {
    const memory = memoryOf({ physicalMemory: 403854, nonPagedPoolUsage: 155371, nonPagedPoolMaximum: 191078 });
    const { flags, warnings } = memoryFlags(memory, null);
    expect(warnings).to.deep.equal([]);
    expect(flags).to.have.length(1);
    expect(flags[0]).to.include({
      code: 'excessive-nonpaged-pool',
      value: 155371,
      limit: 191078,
      percent: 81.3,
      basis: 'nonpaged pool maximum',
    });
    expect(flags[0]?.message).to.contain('155371 pages').and.contain('81.3 % of the nonpaged pool maximum');
  });

  for (const [usage, code] of [
    [399, null],
    [400, 'high-nonpaged-pool'],
    [799, 'high-nonpaged-pool'],
    [800, 'excessive-nonpaged-pool'],
    [1000, 'excessive-nonpaged-pool'],
  ] as const) {
    it(`takes ${usage / 10} % of the nonpaged maximum for ${code ?? 'nothing'}`, () => {
      const found = codes({ physicalMemory: 5000, nonPagedPoolUsage: usage, nonPagedPoolMaximum: 1000 });
      expect(found).to.deep.equal(code === null ? [] : [code]);
    });
    const paged = code?.replace('nonpaged', 'paged') ?? null;
    it(`takes ${usage / 10} % of the commit limit in paged pool for ${paged ?? 'nothing'}`, () => {
      const found = codes({ commitLimit: 1000, pagedPoolUsage: usage, pagedPoolMaximum: 33554432 });
      expect(found).to.deep.equal(paged === null ? [] : [paged]);
    });
  }

  it('compares with what a pool is made of where its maximum is meaningless (16 TB)', () => {
    const memory = {
      physicalMemory: 1000,
      nonPagedPoolMaximum: 4294967296,
      commitLimit: 2000,
      pagedPoolMaximum: 4294967296,
    };
    const { flags } = memoryFlags(memoryOf({ ...memory, nonPagedPoolUsage: 850, pagedPoolUsage: 850 }), null);
    expect(flags.map(({ code, basis }) => [code, basis])).to.deep.equal([
      ['excessive-nonpaged-pool', 'physical memory'],
      ['high-paged-pool', 'commit limit'],
    ]);
  });

  it('says nothing of pools where the usage or every limit is unknown', () => {
    expect(codes({ nonPagedPoolUsage: 800 })).to.deep.equal([]);
    expect(codes({ nonPagedPoolMaximum: 800, physicalMemory: 800 })).to.deep.equal([]);
    expect(memoryFlags(null, null).pressure.paged.level).to.equal('unknown');
    expect(memoryFlags(memoryOf({}), null).pressure.nonpaged).to.include({ usage: null, limit: null });
  });

  it('does not believe more nonpaged pool than there is memory', () => {
    const { flags, pressure, warnings } = memoryFlags(
      memoryOf({ physicalMemory: 1000, nonPagedPoolUsage: 1001, nonPagedPoolMaximum: 990 }),
      null,
    );
    expect(flags.map(({ code }) => code)).to.deep.equal(['implausible-nonpaged-pool']);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['implausible-nonpaged-pool']);
    expect(pressure.nonpaged).to.include({ usage: null, implausible: true, level: 'unknown' });
  });

  it('does not believe a pool far past its maximum (1893 %), but does a little past it', () => {
    expect(codes({ nonPagedPoolUsage: 18930, nonPagedPoolMaximum: 1000, physicalMemory: 99999 })).to.deep.equal([
      'implausible-nonpaged-pool',
    ]);
    expect(codes({ nonPagedPoolUsage: 1251, nonPagedPoolMaximum: 1000 })).to.deep.equal(['implausible-nonpaged-pool']);
    expect(codes({ nonPagedPoolUsage: 1250, nonPagedPoolMaximum: 1000 })).to.deep.equal(['excessive-nonpaged-pool']);
    expect(codes({ pagedPoolUsage: 1001, commitLimit: 1000 })).to.deep.equal(['implausible-paged-pool']);
  });

  it('flags commit from 90 % of its limit on', () => {
    expect(codes({ committedPages: 899, commitLimit: 1000 })).to.deep.equal([]);
    expect(codes({ committedPages: 900, commitLimit: 1000 })).to.deep.equal(['commit-near-limit']);
    expect(codes({ committedPages: 1251, commitLimit: 1000 })).to.deep.equal(['implausible-commit']);
  });

  it('flags available memory below 5 % of physical memory', () => {
    expect(codes({ availablePages: 50, physicalMemory: 1000 })).to.deep.equal([]);
    expect(codes({ availablePages: 49, physicalMemory: 1000 })).to.deep.equal(['low-available-memory']);
    expect(codes({ availablePages: 0, physicalMemory: 1000 })).to.deep.equal(['low-available-memory']);
    expect(codes({ availablePages: 1001, physicalMemory: 1000 })).to.deep.equal(['implausible-available-memory']);
  });

  it('flags system PTEs below 20000, and below 8000 as exhausted', () => {
    expect(codes({ freeSystemPtes: 20000 })).to.deep.equal([]);
    expect(codes({ freeSystemPtes: 19999 })).to.deep.equal(['low-system-ptes']);
    expect(codes({ freeSystemPtes: 8000 })).to.deep.equal(['low-system-ptes']);
    expect(codes({ freeSystemPtes: 7999 })).to.deep.equal(['system-ptes-exhausted']);
  });

  it('does not believe a tag with more bytes than the machine', () => {
    const row = tagRow('Huge', { nonPaged: held(10, 9 * GB), paged: held(10, 9 * GB) });
    const memory = memoryOf({ physicalMemory: inPages(8 * GB), commitLimit: inPages(16 * GB) });
    const reading = memoryFlags(memory, tablesOf([row]));
    expect(reading.flags.map(({ code }) => code)).to.deep.equal(['implausible-tag-bytes']);
    expect(reading.flags[0]?.message)
      .to.contain('Huge')
      .and.contain(String(9 * GB))
      .and.contain('physical memory');
    expect(reading.implausibleTags.nonpaged.has(row)).to.equal(true);
    // Paged pool may be larger than memory: it may be paged out. Its bound is the commit limit.
    expect(reading.implausibleTags.paged.has(row)).to.equal(false);
  });

  it('does not believe a tag with more bytes than what is committed, the maximum, or any kernel has, where better is unknown', () => {
    const row = tagRow('Huge', { nonPaged: held(10, 9 * GB), paged: held(10, 9 * GB) });
    const vast = tagRow('Vast', { nonPaged: held(10, 2 ** 50), paged: held(10, 2 ** 50) });
    const found = (memory: Partial<Record<MemoryField, number>>, pool: PoolKind, one = row): boolean =>
      memoryFlags(memoryOf(memory), tablesOf([one])).implausibleTags[pool].has(one);
    // Paged pool is charged to commit when it is allocated; the larger of now and the peak is the better witness.
    expect(found({ committedPages: inPages(8 * GB) }, 'paged')).to.equal(true);
    expect(found({ committedPages: inPages(8 * GB), peakCommitment: inPages(10 * GB) }, 'paged')).to.equal(false);
    expect(found({ committedPages: inPages(8 * GB), commitLimit: inPages(16 * GB) }, 'paged')).to.equal(false);
    expect(found({ pagedPoolMaximum: inPages(7 * GB) }, 'paged')).to.equal(true);
    expect(found({ nonPagedPoolMaximum: inPages(7 * GB) }, 'nonpaged')).to.equal(true);
    expect(found({ nonPagedPoolMaximum: inPages(8 * GB), physicalMemory: inPages(16 * GB) }, 'nonpaged')).to.equal(
      false,
    );
    for (const pool of ['nonpaged', 'paged'] as const) {
      expect(found({}, pool)).to.equal(false);
      expect(found({}, pool, vast)).to.equal(true);
    }
  });

  it('does not believe counters that contradict themselves, and says so of large ones', () => {
    const rows = [
      tagRow('Nega', { nonPaged: held(5, -5e8) }),
      tagRow('None', { nonPaged: held(0, 5e8) }),
      tagRow('Thin', { nonPaged: held(5e8, 1e8) }),
      tagRow('Tiny', { nonPaged: held(0, 64) }),
      tagRow('Good', { nonPaged: held(5, 5e8) }),
      tagRow('Wrap', {
        nonPaged: { allocs: '18446744073709551615', frees: 0, outstanding: '18446744073709551615', bytes: 1 },
      }),
    ];
    const reading = memoryFlags(memoryOf({}), tablesOf(rows));
    expect([...reading.implausibleTags.nonpaged].map(({ tag }) => tag)).to.deep.equal([
      'Nega', 'None', 'Thin', 'Tiny', 'Wrap',
    ]); // prettier-ignore
    expect(reading.warnings.map(({ code }) => code)).to.deep.equal(['implausible-tag-counters']);
    expect(reading.warnings[0]?.message).to.contain('Nega').and.contain('Thin').and.not.contain('Tiny');
    expect(memoryFlags(memoryOf({}), tablesOf(rows, {}, false)).warnings).to.deep.equal([]);
  });

  it('lists only a few of very many impossible tags', () => {
    const rows = Array.from({ length: 100 }, () => tagRow('Huge', { nonPaged: held(10, 9 * GB) }));
    const reading = memoryFlags(memoryOf({ physicalMemory: 1000 }), tablesOf(rows));
    expect(reading.flags).to.have.length(8);
    expect(reading.implausibleTags.nonpaged.size).to.equal(100);
  });
});
