/** Memory in no pool: what is said of it, and what the verdict makes of it. */

import { expect } from 'chai';
import type { MemoryParts } from '../kernel/memory/memory-parts.js';
import type { MemoryField, Pages, ProcessList } from '../result/result.js';
import type { LeakFacts } from './facts.js';
import { findLeak } from './find-leak.js';
import { balloonDrivers, keptByEnded, largeParts } from './not-pool.js';
import { factsOf, GB, inPages, MB, memoryOf, modulesOf } from './scenario.test.helper.js';

const pages = (bytes: number): Pages => ({ pages: inPages(bytes), source: 'profile' });
const NO_PARTS: MemoryParts = {
  ...{ mdlPages: null, awePages: null, systemPageTables: null, bootPages: null, pageFrames: null },
  ...{ smallPageTables: null, pageFileHash: null, lockedFilePages: null, slabs: null },
};

/** 16 GB with small pools. */
function machine(
  parts: Partial<MemoryParts>,
  figures: Partial<Record<MemoryField, number>> = {},
  more: Partial<LeakFacts> = {},
): LeakFacts {
  return factsOf({
    memory: memoryOf({
      ...{ physicalMemory: inPages(16 * GB), availablePages: inPages(6 * GB), commitLimit: inPages(20 * GB) },
      ...{ nonPagedPoolUsage: inPages(300 * MB), pagedPoolUsage: inPages(300 * MB), committedPages: inPages(9 * GB) },
      ...{ nonPagedPoolMaximum: 4294967296, pagedPoolMaximum: 4294967296 },
      ...figures,
    }),
    parts: { ...NO_PARTS, ...parts },
    ...more,
  });
}
const said = (facts: LeakFacts) => findLeak(facts).verdict;

describe('memory in no pool', () => {
  it('is the verdict where it is much of memory', () => {
    const { headline, culprit, leakSuspected, nextSteps } = said(machine({ mdlPages: pages(10 * GB) }));
    expect(headline).to.equal('Not in the pool: drivers have allocated and locked 10.0 GB (62.5 % of physical memory)');
    expect(culprit).to.deep.include({ kind: 'not-pool', module: null, process: null, confidence: null });
    expect(culprit?.because).to.deep.equal(['Drivers have allocated and locked 10.0 GB (62.5 % of physical memory)']);
    expect(leakSuspected).to.equal(false);
    expect(nextSteps.join()).to.contain('MmAllocatePagesForMdl');
  });

  it('gets a word where it is less, and none where it is little', () => {
    const some = said(machine({ mdlPages: pages(2 * GB) }));
    expect(some.headline).to.match(/^No pool leak seen in this snapshot; drivers have allocated and locked 2\.0 GB/);
    expect(some.culprit?.kind).to.equal('none');
    expect(said(machine({ mdlPages: pages(GB) })).headline).to.equal('No pool leak seen in this snapshot');
  });

  it('is said with what ran out, and the pools only where they are large too', () => {
    const short = { availablePages: inPages(300 * MB), sharedProcess: inPages(3 * GB) };
    const { headline, culprit } = said(machine({}, short));
    expect(headline).to.match(
      /^Not a pool leak: physical memory is short .*; page tables hold 3\.0 GB \(18\.8 % of physical memory\)$/,
    );
    expect(culprit?.kind).to.equal('not-pool');
    expect(said(machine({}, { ...short, nonPagedPoolUsage: inPages(2 * GB) })).headline).to.match(
      /page tables hold 3\.0 GB .*; nonpaged pool holds 2\.0 GB \(12\.5 %\)$/,
    );
    // A pool that is noticeably full may be the reason as well.
    const full = said(machine({}, { ...short, nonPagedPoolUsage: inPages(8 * GB) }));
    expect(full.culprit?.kind).to.equal('none');
  });

  it('names what runs out without any large part', () => {
    const { culprit } = said(machine({}, { freeSystemPtes: 100 }));
    expect(culprit?.kind).to.equal('not-pool');
    expect(culprit?.because.join()).to.match(/^System PTEs ran out/);
  });

  it('says that a balloon driver is loaded, and accuses nobody', () => {
    const modules = modulesOf('ntoskrnl.exe', 'VMMEMCTL.SYS', 'balloonist.sys');
    expect(balloonDrivers(modules)).to.deep.equal(['VMMEMCTL.SYS (VMware)']);
    const { headline, culprit } = said(machine({ mdlPages: pages(10 * GB) }, {}, { modules }));
    expect(headline).to.match(
      /a balloon driver is loaded, VMMEMCTL\.SYS \(VMware\): the host may have taken that memory$/,
    );
    expect(culprit?.module).to.equal(null);
    expect(said(machine({}, {}, { modules })).headline).to.equal('No pool leak seen in this snapshot');
  });

  it('tells what ended processes keep', () => {
    expect(keptByEnded(999)).to.equal(null);
    expect(keptByEnded(null)).to.equal(null);
    expect(keptByEnded(71_197)).to.equal(
      '71,197 ended processes that are still there keep about 44 to 64 KB of page tables each: 3.0 GB to 4.3 GB in no pool',
    );
    const processes = { ended: 71_197 } as ProcessList;
    const { memory } = machine({}, { sharedProcess: inPages(4 * GB) });
    const [part] = largeParts({ memory, parts: NO_PARTS, processes }, null);
    expect(part?.says).to.match(/^page tables hold 4\.0 GB \(25 % of physical memory\): 71,197 ended processes/);
  });

  it('adds the page tables of processes and of the system, and believes no part larger than memory', () => {
    const { memory } = machine({}, { sharedProcess: inPages(GB) });
    const large = (parts: Partial<MemoryParts>) =>
      largeParts({ memory, parts: { ...NO_PARTS, ...parts }, processes: null }, null);
    expect(large({}).map(({ kind }) => kind)).to.deep.equal([]);
    expect(large({ systemPageTables: pages(GB) }).map(({ kind }) => kind)).to.deep.equal(['page-tables']);
    expect(large({ mdlPages: pages(17 * GB) })).to.deep.equal([]);
    expect(large({ mdlPages: pages(2 * GB), awePages: pages(3 * GB) }).map(({ kind }) => kind)).to.deep.equal([
      'process-locked',
      'driver-locked',
    ]);
  });
});
