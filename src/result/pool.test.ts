/** Usage, limit and counters of a pool, from a result alone and the same for everyone who reads one. */

import { expect } from 'chai';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { analyze } from '../analysis/analyze.js';
import { Collector } from '../growth/read/collector.js';
import { readResults } from '../growth/read/read-dump.js';
import { memoryFlags } from '../leak/memory-flags.js';
import { renderJson } from '../report/json.js';
import { renderSnapshotLog } from '../report/poolmon/snapshot-log.js';
import { openBuilt } from '../analysis/whole-dumps/truth.test.helper.js';
import { countersOf, poolLimit, poolUsage, usedPhysical, type MemoryFigures } from './pool.js';
import type { MemoryField } from './result.js';

const figures = (values: Partial<Record<MemoryField, number | string>>): MemoryFigures =>
  Object.fromEntries(Object.entries(values).map(([name, pages]) => [name, { pages, source: 'kdbg' }]));

describe('the usage of a pool', () => {
  it('is all of nonpaged pool, of which the NX figure is a part', () => {
    expect(poolUsage(figures({ nonPagedPoolUsage: 59885, nonPagedPoolNxUsage: 58688 }), 'nonpaged')).to.equal(59885);
    expect(poolUsage(figures({ nonPagedPoolNxUsage: 41852 }), 'nonpaged')).to.equal(null);
    expect(poolUsage(figures({ pagedPoolUsage: 7 }), 'paged')).to.equal(7);
    expect(poolUsage(null, 'paged')).to.equal(null);
  });

  it('is the same in the reports, in poolmon logs and in trends, with and without a figure for the NX part', () => {
    for (const kernel of ['6.1.7601.24540', '6.3.9600.21620', '10.0.14393.5582', '10.0.19041.804']) {
      const built = buildDump({ ...SCENARIOS.modernLeak(), kernel });
      const result = analyze(openBuilt(built));
      const pages = built.truth.memory.nonPagedPoolUsage!;
      expect(poolUsage(result.memory, 'nonpaged'), kernel).to.equal(pages);
      expect(memoryFlags(result.memory, null).pressure.nonpaged.usage, kernel).to.equal(pages);
      expect(result.poolTags?.reconciliation.nonPaged?.poolBytes, kernel).to.equal(pages * 4096);
      expect(renderSnapshotLog(result), kernel).to.include(` Pool N:${pages * 4}K `);
      const samples = new Collector();
      readResults(Buffer.from(renderJson(result)), 'result.json', samples);
      expect(samples.samples[0]?.figures.nonPagedPool, kernel).to.equal(pages * 4096);
    }
  });
});

describe('the limit of a pool', () => {
  it('is the smaller of its maximum and of what it is made of', () => {
    const memory = { physicalMemory: 1000, commitLimit: 3000, nonPagedPoolMaximum: 900, pagedPoolMaximum: 4000 };
    expect(poolLimit(figures(memory), 'nonpaged')).to.deep.equal({ pages: 900, basis: 'maximum' });
    expect(poolLimit(figures(memory), 'paged')).to.deep.equal({ pages: 3000, basis: 'commit limit' });
    expect(poolLimit(figures({ ...memory, nonPagedPoolMaximum: 1001 }), 'nonpaged')).to.deep.equal({
      pages: 1000,
      basis: 'physical memory',
    });
    expect(poolLimit(figures({ pagedPoolMaximum: '18446744073709551615' }), 'paged')?.basis).to.equal('maximum');
  });

  it('is nothing that is not positive', () => {
    expect(poolLimit(figures({ commitLimit: 0, pagedPoolMaximum: 0 }), 'paged')).to.equal(null);
    expect(poolLimit(figures({ physicalMemory: 0, nonPagedPoolMaximum: 5 }), 'nonpaged')).to.deep.equal({
      pages: 5,
      basis: 'maximum',
    });
    expect(poolLimit(null, 'paged')).to.equal(null);
  });
});

it('physical memory in use is what is not available; counters are those of the pool', () => {
  expect(usedPhysical(figures({ physicalMemory: 1000, availablePages: 400 }))).to.equal(600);
  expect(usedPhysical(figures({ physicalMemory: 1000 }))).to.equal(null);
  const row = {
    nonPaged: { allocs: 1, frees: 0, outstanding: 1, bytes: 16 },
    paged: { allocs: 2, frees: 0, outstanding: 2, bytes: 32 },
  };
  expect([countersOf(row, 'nonpaged').bytes, countersOf(row, 'paged').bytes]).to.deep.equal([16, 32]);
});
