import { expect } from 'chai';
import { findLeak } from './find-leak.js';
import type { LeakFacts } from './facts.js';
import type { LeakFindings } from './find-leak.js';
import type { MemoryField, PoolTagRow } from '../result/result.js';
import {
  GB,
  MB,
  factsOf,
  held,
  inPages,
  memoryOf,
  oneTag,
  searchOf,
  tablesOf,
  tagRow,
  workedExample,
} from './scenario.test.helper.js';

/** A machine by its memory in bytes; pools, and tags that fill them as said. */
interface Machine {
  about: string;
  memory: Partial<Record<MemoryField, number>>;
  rows: PoolTagRow[];
  rest: { nonPaged?: number; paged?: number };
  headline: RegExp;
  flags: string[];
}

const paged = (tag: string, bytes: number, binary: string | null, outstanding = 50_000): PoolTagRow =>
  tagRow(tag, { paged: held(outstanding, bytes, outstanding * 3) }, binary);
const nonPaged = (
  tag: string,
  bytes: number,
  binary: string | null,
  outstanding = 50_000,
  frees = 90_000,
): PoolTagRow => tagRow(tag, { nonPaged: held(outstanding, bytes, frees) }, binary);

const SIXTEEN_TB = 2 ** 44;

const HEALTHY: Machine[] = [
  {
    about: 'an idle workstation, with a driver that allocates once and keeps what it has',
    memory: {
      physicalMemory: 16 * GB,
      availablePages: 9 * GB,
      nonPagedPoolUsage: 600 * MB,
      nonPagedPoolMaximum: SIXTEEN_TB,
      pagedPoolUsage: 700 * MB,
      pagedPoolMaximum: SIXTEEN_TB,
      committedPages: 8 * GB,
      commitLimit: 18 * GB,
    },
    rows: [
      paged('CM31', 190 * MB, null),
      paged('MmSt', 110 * MB, 'nt!mm'),
      nonPaged('EtwB', 63 * MB, 'nt!etw', 310),
      nonPaged('Vend', 20 * MB, null, 150_000, 12),
      nonPaged('NVRM', 120 * MB, null),
      nonPaged('Even', 10 * MB, null, 70_120, 3_921),
    ],
    rest: { nonPaged: 370 * MB, paged: 380 * MB },
    headline: /^No pool leak seen in this snapshot$/,
    flags: [],
  },
  {
    about: 'a file server: MmSt is 60 % of paged pool and 7.5 % of memory',
    memory: {
      physicalMemory: 32 * GB,
      availablePages: 3 * GB,
      nonPagedPoolUsage: 900 * MB,
      nonPagedPoolMaximum: 24 * GB,
      pagedPoolUsage: 4 * GB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 9 * GB,
      commitLimit: 40 * GB,
    },
    rows: [
      paged('MmSt', 2.4 * GB, 'nt!mm', 2_000_000),
      paged('FMfn', 600 * MB, 'fltmgr.sys', 900_000),
      paged('Ntff', 500 * MB, 'ntfs.sys', 400_000),
      paged('CM31', 100 * MB, null),
      nonPaged('File', 200 * MB, null, 500_000),
    ],
    rest: { nonPaged: 650 * MB, paged: 300 * MB },
    headline: /^No pool leak seen in this snapshot$/,
    flags: [],
  },
  {
    about: 'a busier file server: MmSt is 60 % of a paged pool at half of the commit limit',
    memory: {
      physicalMemory: 16 * GB,
      availablePages: 2 * GB,
      nonPagedPoolUsage: 500 * MB,
      nonPagedPoolMaximum: 12 * GB,
      pagedPoolUsage: 9 * GB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 13 * GB,
      commitLimit: 18 * GB,
    },
    rows: [
      paged('FMfn', 1.7 * GB, 'fltmgr.sys'),
      paged('Ntff', 1.5 * GB, 'ntfs.sys'),
      paged('MmSt', 3.9 * GB, 'nt!mm'),
    ],
    rest: { nonPaged: 480 * MB, paged: 1.8 * GB },
    headline: /^No pool leak seen in this snapshot; paged pool is at 50 % of the commit limit, but no tag stands out$/,
    flags: ['high-paged-pool'],
  },
  {
    about: 'a terminal server: registry hives, tokens and processes of 150 users',
    memory: {
      physicalMemory: 64 * GB,
      availablePages: 8 * GB,
      nonPagedPoolUsage: 2 * GB,
      nonPagedPoolMaximum: 48 * GB,
      pagedPoolUsage: 7 * GB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 60 * GB,
      commitLimit: 80 * GB,
    },
    rows: [
      paged('CM31', 3.6 * GB, null, 700_000),
      paged('Toke', 700 * MB, 'nt!se', 300_000),
      nonPaged('Thre', 90 * MB, 'nt!ps'),
      nonPaged('Proc', 40 * MB, 'nt!ps'),
      nonPaged('File', 300 * MB, null, 800_000),
    ],
    rest: { nonPaged: 1.5 * GB, paged: 2.5 * GB },
    headline: /^No pool leak seen in this snapshot$/,
    flags: [],
  },
  {
    about: 'a database server that locks nearly all of memory on purpose',
    memory: {
      physicalMemory: 256 * GB,
      availablePages: 6 * GB,
      nonPagedPoolUsage: 3 * GB,
      nonPagedPoolMaximum: 128 * GB,
      pagedPoolUsage: 1 * GB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 245 * GB,
      commitLimit: 300 * GB,
    },
    rows: [nonPaged('Irp ', 400 * MB, null, 900_000), nonPaged('Vend', 800 * MB, null), paged('CM31', 150 * MB, null)],
    rest: { nonPaged: 1.7 * GB, paged: 0.8 * GB },
    headline: /^Not a pool leak: physical memory is short \(1572864 pages \(6\.0 GB\) available, 2\.3 % of/,
    flags: ['low-available-memory'],
  },
  {
    about: 'exhausted system PTEs',
    memory: {
      physicalMemory: 4 * GB,
      availablePages: 1 * GB,
      freeSystemPtes: 900 * 4096,
      nonPagedPoolUsage: 90 * MB,
      nonPagedPoolMaximum: 3 * GB,
      pagedPoolUsage: 200 * MB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 2 * GB,
      commitLimit: 8 * GB,
    },
    rows: [nonPaged('File', 20 * MB, null)],
    rest: { nonPaged: 60 * MB, paged: 190 * MB },
    headline: /^Not a pool leak: system PTEs ran out \(900 system PTEs are free/,
    flags: ['system-ptes-exhausted'],
  },
  {
    about: 'exhausted commit',
    memory: {
      physicalMemory: 8 * GB,
      availablePages: 1 * GB,
      nonPagedPoolUsage: 200 * MB,
      nonPagedPoolMaximum: SIXTEEN_TB,
      pagedPoolUsage: 300 * MB,
      pagedPoolMaximum: SIXTEEN_TB,
      committedPages: 9.8 * GB,
      commitLimit: 10 * GB,
    },
    rows: [paged('CM31', 100 * MB, null)],
    rest: { nonPaged: 190 * MB, paged: 190 * MB },
    headline:
      /^Not a pool leak: commit is near its limit \(2569011 pages \(9\.8 GB\) committed, 98 % of the commit limit/,
    flags: ['commit-near-limit'],
  },
  {
    about: 'a pool counter that cannot be true: 19 times the maximum',
    memory: {
      physicalMemory: 4 * GB,
      availablePages: 1 * GB,
      nonPagedPoolUsage: 57 * GB,
      nonPagedPoolMaximum: 3 * GB,
      pagedPoolUsage: 200 * MB,
      pagedPoolMaximum: 128 * GB,
      committedPages: 2 * GB,
      commitLimit: 8 * GB,
    },
    rows: [nonPaged('File', 20 * MB, null), nonPaged('Vend', 6 * GB, null)],
    rest: { nonPaged: 60 * MB, paged: 190 * MB },
    headline: /^No pool leak seen in this snapshot; some counters cannot be true and were not used$/,
    flags: ['implausible-nonpaged-pool', 'implausible-tag-bytes'],
  },
];

function analyzed(machine: Machine): LeakFindings {
  const figures = Object.entries(machine.memory).map(([name, bytes]) => [name, inPages(bytes)]);
  const memory = memoryOf(Object.fromEntries(figures) as Machine['memory']);
  return findLeak(factsOf({ memory, poolTags: tablesOf(machine.rows, machine.rest) }));
}

describe('machines without a leak', () => {
  for (const machine of HEALTHY) {
    it(machine.about, () => {
      const { verdict, suspects, flags } = analyzed(machine);
      expect(suspects).to.deep.equal([]);
      expect(verdict.leakSuspected).to.equal(false);
      expect(verdict.headline).to.match(machine.headline);
      expect(flags.map(({ code }) => code)).to.deep.equal(machine.flags);
    });
  }

  it('says whom to ask about commit, memory and PTEs', () => {
    const steps = (about: string): string =>
      analyzed(HEALTHY.find((machine) => machine.about.includes(about))!).verdict.nextSteps.join('\n');
    expect(steps('exhausted commit')).to.contain('private memory');
    expect(steps('exhausted system PTEs')).to.contain('TrackPtes');
    expect(steps('database')).to.contain('locked');
    expect(steps('idle'))
      .to.match(/^One snapshot shows no growth: .*dumpleak trend/)
      .and.not.include('\n');
  });
});

describe('verdicts', () => {
  const headline = (facts: LeakFacts): string => findLeak(facts).verdict.headline;

  it('says what a triage dump does not hold, and what to collect', () => {
    const facts = factsOf({ dumpType: 'triage', memory: null, poolTags: null });
    expect(headline(facts)).to.equal(
      'No statement about pool leaks is possible: this dump holds neither pool tag tables nor memory totals',
    );
    expect(findLeak(facts).verdict.nextSteps[0]).to.contain('CrashDumpEnabled');
    expect(findLeak(facts).verdict.leakSuspected).to.equal(null);
    expect(findLeak(facts).verdict.culprit).to.include({ kind: 'unknown', module: null });
  });

  it('does not blame the kind of dump where tables could not be read', () => {
    const facts = factsOf({ poolTags: null });
    expect(headline(facts)).to.contain('no pool tag tables could be read from this dump');
    expect(findLeak(facts).verdict.nextSteps.join()).to.not.contain('small memory dumps');
  });

  it('says what else is seen without the tables', () => {
    const facts = factsOf({ poolTags: null, memory: memoryOf({ freeSystemPtes: 5 }) });
    expect(headline(facts)).to.contain('system PTEs ran out');
  });

  it('suspects a leak where a pool is nearly full and no tag says whose', () => {
    const memory = memoryOf({ physicalMemory: 100_000, nonPagedPoolUsage: 90_000 });
    const { verdict } = findLeak(factsOf({ memory, poolTags: null }));
    expect(verdict.leakSuspected).to.equal(true);
    expect(verdict.headline).to.contain('90 % of the physical memory').and.contain('no pool tag tables');
    expect(verdict.culprit?.because.join()).to.contain('no pool tag tables');
    expect(headline(factsOf({ memory }))).to.contain('no tag stands out');
    const partial = findLeak(factsOf({ memory, poolTags: tablesOf([], {}, false) })).verdict;
    for (const text of [partial.headline, partial.culprit?.because.join() ?? '']) {
      expect(text)
        .to.match(/not all tag tables could be read/i)
        .and.not.contain('no tag stands out');
    }
  });

  it('says whose tag holds most of a pool although nothing makes it a suspect', () => {
    const facts = oneTag('La57', 547 * MB);
    expect(headline(facts)).to.equal(
      'No pool leak seen in this snapshot; 84.5 % of nonpaged pool (547.0 MB) is under tag La57 of vendor.sys',
    );
    const { verdict } = findLeak(facts);
    expect([verdict.leakSuspected, verdict.culprit?.kind]).to.deep.equal([false, 'none']);
    expect(verdict.nextSteps.join()).to.contain('Watch La57').and.contain('--tag La57');
    expect(headline({ ...facts, search: searchOf([]) })).to.match(/under tag La57 of a driver that is not known$/);
    expect(headline(oneTag('Ddk ', 547 * MB))).to.match(/under tag 'Ddk ' that drivers share$/);
    expect(headline(oneTag('La57', 60 * MB))).to.equal('No pool leak seen in this snapshot');
  });

  it('says how little calm is worth when half is missing', () => {
    expect(headline(factsOf({ poolTags: tablesOf([], {}, false), memory: null }))).to.equal(
      'No pool leak seen in this snapshot, but that says little: not all tag tables could be read and the usage of the pools is not known',
    );
  });

  it('says possible where it is not sure', () => {
    const example = workedExample();
    const facts = { ...example, poolTags: { ...example.poolTags!, complete: false } };
    expect(headline(facts)).to.match(/^Possible leak in nonpaged pool: 586\.9 MB under tag Leak, driver not certain/);
    expect(findLeak(facts).verdict.leakSuspected).to.equal(true);
  });

  it('takes exhaustion from the bug check as well', () => {
    const pools = { physicalMemory: 1000, nonPagedPoolUsage: 1, commitLimit: 1000, pagedPoolUsage: 1 };
    const memory = memoryOf(pools);
    const ptes = factsOf({ memory, bugCheck: { code: 0x3f, parameters: [] } });
    expect(headline(ptes)).to.match(/^Not a pool leak: system PTEs ran out\. Bug check 0x3F/);
    const must = factsOf({ memory, bugCheck: { code: 0x41, parameters: [] } });
    expect(headline(must)).to.contain('No pool leak seen').and.contain('MUST_SUCCEED_POOL_EMPTY');
  });

  it('names the driver that used up the PTEs', () => {
    const bugCheck = { code: 0xd8, parameters: [0x1000n, 900n, 5n, 1000n] };
    const facts = factsOf({ bugCheck, readText: () => 'myfault.sys' });
    expect(headline(facts)).to.contain('system PTEs ran out').and.contain('myfault.sys used 900 system PTEs');
    expect(findLeak(facts).verdict.leakSuspected).to.equal(false);
  });

  it('makes names from the dump safe to print', () => {
    const example = workedExample();
    const modules = example.modules!.map((module) => ({ ...module, name: module.name.replace('my', '\u001b[31m') }));
    const text = JSON.stringify(findLeak({ ...example, modules }));
    expect(text).to.contain('?[31mfault.sys');
    expect(text).to.not.contain('\\u001b');
  });
});
