import { expect } from 'chai';
import type { Suspect } from '../result.js';
import { findLeak } from './find-leak.js';
import type { LeakFacts } from './find-leak.js';
import {
  GB,
  MB,
  SEARCHED,
  codeHit,
  factsOf,
  held,
  inPages,
  keyOf,
  memoryOf,
  modulesOf,
  searchOf,
  tablesOf,
  tagRow,
  textHit,
  workedExample,
} from './scenario.test.helper.js';

const only = (facts: LeakFacts): Suspect => {
  const { suspects } = findLeak(facts);
  expect(suspects).to.have.length(1);
  return suspects[0]!;
};
const codesOf = (notes: { code: string }[]): string[] => notes.map(({ code }) => code);

/** 16 GB of memory, of which a nonpaged tag holds so many bytes; the pool holds 100 MB more. */
function oneTag(
  tag: string,
  bytes: number,
  more: Partial<LeakFacts> = {},
  outstanding = 5000,
  frees = 5000,
): LeakFacts {
  return factsOf({
    memory: memoryOf({
      physicalMemory: inPages(16 * GB),
      nonPagedPoolUsage: inPages(bytes + 100 * MB),
      nonPagedPoolMaximum: 4294967296,
      pagedPoolUsage: inPages(300 * MB),
      pagedPoolMaximum: 4294967296,
      commitLimit: inPages(20 * GB),
    }),
    poolTags: tablesOf(
      [
        tagRow(tag, { nonPaged: held(outstanding, bytes, frees) }),
        tagRow('EtwB', { nonPaged: held(300, 60 * MB) }, 'nt!etw'),
      ],
      { nonPaged: 40 * MB, paged: 300 * MB },
    ),
    modules: modulesOf('ntoskrnl.exe', 'vendor.sys'),
    search: searchOf([codeHit(tag, 1)]),
    ...more,
  });
}

describe('the worked example', () => {
  const found = findLeak(workedExample());

  it('finds the tag, the driver and the excessive pool', () => {
    expect(found.verdict.leakSuspected).to.equal(true);
    expect(found.verdict.headline).to.equal('Nonpaged pool: 587 MB under tag Leak, allocated by myfault.sys');
    expect(codesOf(found.flags)).to.deep.equal(['excessive-nonpaged-pool']);
    expect(found.suspects).to.have.length(1);
    expect(found.suspects[0]).to.deep.include({
      tag: 'Leak',
      pool: 'nonpaged',
      bytes: 615424000,
      outstanding: 601,
      averageBytes: 1024000,
      shareOfPool: 0.967,
      shareOfMemory: 0.372,
      confidence: 'high',
      searched: SEARCHED,
    });
  });

  it('gives reasons and what speaks against them', () => {
    expect(codesOf(found.suspects[0]!.reasons)).to.deep.equal([
      'pool-excessive',
      'huge-share-of-memory',
      'dominates-pool',
      'no-documented-owner',
    ]);
    expect(codesOf(found.suspects[0]!.against)).to.deep.equal(['single-snapshot', 'pages-missing']);
    expect(found.suspects[0]!.against[1]!.message).to.contain('480 of 20480 pages');
  });

  it('accuses the driver, and lists the decoy with low confidence', () => {
    expect(found.suspects[0]!.drivers.map(({ module, confidence }) => [module, confidence])).to.deep.equal([
      ['myfault.sys', 'high'],
      ['rdyboost.sys', 'low'],
    ]);
    expect(found.suspects[0]!.drivers[1]!.evidence[0]!.note).to.contain('MemoryLeakDetected');
  });

  it('leaves Mup alone, 6.1 % of memory but a tag of Windows', () => {
    expect(found.suspects.map(({ tag }) => tag)).to.not.include('Mup ');
  });

  it('says what to do next, concretely', () => {
    const steps = found.verdict.nextSteps.join('\n');
    expect(steps).to.contain('verifier /flags 0x8 /driver myfault.sys').and.contain('poolmon').and.contain('tag Leak');
  });

  it('reconciles both pools without a warning', () => {
    expect(found.reconciliation.nonPaged?.unexplainedBytes).to.equal(2189664);
    expect(found.warnings).to.deep.equal([]);
  });
});

describe('what makes a suspect', () => {
  it('a tag above 5 % of memory that Windows does not use, and not at it', () => {
    const limit = (16 * GB * 5) / 100;
    expect(findLeak(oneTag('Vend', Math.floor(limit))).suspects).to.deep.equal([]);
    const suspect = only(oneTag('Vend', Math.ceil(limit) + 1));
    expect(codesOf(suspect.reasons)).to.deep.equal(['large-share-of-memory', 'dominates-pool', 'no-documented-owner']);
    expect(suspect.confidence).to.equal('medium');
  });

  it('above 10 % of memory it is high', () => {
    expect(only(oneTag('Vend', 1.61 * GB)).confidence).to.equal('high');
    expect(only(oneTag('Vend', 1.59 * GB)).confidence).to.equal('medium');
  });

  it('very many allocations with almost no frees, if they are not negligible', () => {
    const enough = 200 * MB;
    const few = (bytes: number, outstanding: number, frees: number): Suspect[] =>
      findLeak(oneTag('Vend', bytes, {}, outstanding, frees)).suspects;
    expect(few(enough, 100_000, 5_000)).to.have.length(1);
    expect(few(enough, 100_000, 5_264)).to.deep.equal([]);
    expect(few(enough, 99_999, 0)).to.deep.equal([]);
    expect(few(160 * MB, 100_000, 0)).to.deep.equal([]);
    expect(few(enough, 100_000, 0)[0]!.confidence).to.equal('medium');
    expect(codesOf(few(enough, 100_000, 0)[0]!.reasons)).to.include('few-frees');
  });

  it('but not so for tags of Windows and shared tags', () => {
    const facts = (tag: string): LeakFacts => oneTag(tag, 200 * MB, {}, 200_000, 0);
    expect(findLeak(facts('Vend')).suspects).to.have.length(1);
    for (const tag of ['File', 'MmSt', 'None', 'Ddk ']) expect(findLeak(facts(tag)).suspects, tag).to.deep.equal([]);
  });

  it('without knowing physical memory, 64 MB of such allocations, and less surely', () => {
    const facts = oneTag('Vend', 70 * MB, { memory: null }, 200_000, 0);
    expect(only(facts).against.map(({ code }) => code)).to.include('memory-unknown');
    expect(only(facts).confidence).to.equal('low');
    expect(only(facts)).to.include({ shareOfPool: null, shareOfMemory: null });
    expect(findLeak(oneTag('Vend', 60 * MB, { memory: null }, 200_000, 0)).suspects).to.deep.equal([]);
  });

  /** A small machine: tags of 300 and 200 MB in a pool of 600 MB that may hold so much. */
  const small = (maximum: number, binary: string | null = null): LeakFacts =>
    factsOf({
      memory: memoryOf({
        physicalMemory: inPages(8 * GB),
        nonPagedPoolUsage: inPages(600 * MB),
        nonPagedPoolMaximum: inPages(maximum),
      }),
      poolTags: tablesOf(
        [
          tagRow('AAAA', { nonPaged: held(3000, 300 * MB) }, binary),
          tagRow('BBBB', { nonPaged: held(2000, 200 * MB) }, binary),
          tagRow('CCCC', { nonPaged: held(1000, 60 * MB) }, binary),
        ],
        { nonPaged: 40 * MB },
      ),
    });

  it('a share of 20 % of a pool that is near its limit; never a share alone', () => {
    expect(findLeak(small(2000 * MB)).suspects).to.deep.equal([]);
    expect(findLeak(small(1400 * MB)).suspects.map(({ tag, confidence }) => `${tag} ${confidence}`)).to.deep.equal([
      'AAAA low',
      'BBBB low',
    ]);
    expect(findLeak(small(700 * MB)).suspects.map(({ tag, confidence }) => `${tag} ${confidence}`)).to.deep.equal([
      'AAAA medium',
      'BBBB medium',
    ]);
  });

  it('a tag of Windows only if it dominates a pool that is nearly full', () => {
    expect(findLeak(small(700 * MB, 'nt!mm')).suspects).to.deep.equal([]);
    const dominating = (usage: number): LeakFacts => ({
      ...oneTag('Toke', 9 * GB),
      memory: memoryOf({
        physicalMemory: inPages(16 * GB),
        nonPagedPoolUsage: inPages(9.2 * GB),
        nonPagedPoolMaximum: inPages(usage),
      }),
    });
    const suspect = only(dominating(10 * GB));
    expect(codesOf(suspect.against)).to.include('windows-tag');
    expect(suspect.confidence).to.equal('medium');
    expect(suspect.drivers.every(({ confidence }) => confidence === 'low')).to.equal(true);
    const { verdict } = findLeak(dominating(10 * GB));
    expect(verdict.headline).to.contain('a tag of Windows').and.not.contain('vendor.sys');
    expect(verdict.nextSteps.join('\n')).to.contain('handle');
    // 57 % of the pool's limit, and 56 % of memory
    expect(only(dominating(16 * GB)).confidence).to.equal('medium');
  });

  it('a cache of Windows with still less', () => {
    const facts = oneTag('MmSt', 13.5 * GB);
    expect(codesOf(only(facts).against)).to.include.members(['windows-tag', 'cache-tag']);
    expect(only(facts).confidence).to.equal('low');
  });

  it('at most 16, the largest; the rest is counted', () => {
    const rows = Array.from({ length: 20 }, (_, i) =>
      tagRow(`T${String(i).padStart(3, '0')}`, { nonPaged: held(9, (1 + i) * GB) }),
    );
    const memory = memoryOf({ physicalMemory: inPages(20 * GB) });
    const { suspects, warnings } = findLeak(factsOf({ memory, poolTags: tablesOf(rows) }));
    expect(suspects).to.have.length(16);
    expect(suspects[0]!.tag).to.equal('T019');
    expect(warnings.map(({ code, message }) => `${code} ${message.slice(0, 2)}`)).to.deep.equal(['more-suspects 3 ']);
  });

  it('both pools of a tag, each on its own, and only the pool that was asked for', () => {
    const both = tablesOf([tagRow('Vend', { nonPaged: held(9, 2 * GB), paged: held(9, 3 * GB) })]);
    const facts = { ...oneTag('Vend', 2 * GB), poolTags: both };
    expect(findLeak(facts).suspects.map(({ pool }) => pool)).to.have.members(['paged', 'nonpaged']);
    expect(findLeak({ ...facts, options: { pool: 'paged' } }).suspects.map(({ pool }) => pool)).to.deep.equal([
      'paged',
    ]);
  });
});

describe('what speaks against a suspect', () => {
  const bytes = 4 * GB;
  it('a clear case is high', () => expect(only(oneTag('Vend', bytes)).confidence).to.equal('high'));

  const complete = oneTag('Vend', bytes);
  const cases: [string, Partial<LeakFacts>, string, string][] = [
    [
      'Driver Verifier',
      { verifier: { level: 0x209bb, drivers: ['vendor.sys'], specialPoolTag: 0 } },
      'verifier-active',
      'medium',
    ],
    [
      'special pool for the tag',
      { verifier: { level: 0, drivers: [], specialPoolTag: keyOf('Vend') } },
      'special-pool',
      'medium',
    ],
    [
      'special pool for a pattern of tags',
      { verifier: { level: 0, drivers: [], specialPoolTag: keyOf('V?n*') } },
      'special-pool',
      'medium',
    ],
    ['a bug check about corrupt pool', { bugCheck: { code: 0x19, parameters: [] } }, 'pool-corruption', 'medium'],
    [
      'tags that do not explain the pool',
      {
        memory: memoryOf({
          physicalMemory: inPages(16 * GB),
          nonPagedPoolUsage: inPages(6 * GB),
          nonPagedPoolMaximum: 4294967296,
        }),
      },
      'unexplained-pool',
      'medium',
    ],
    ['incomplete tables', { poolTags: { ...complete.poolTags!, complete: false } }, 'incomplete-tables', 'low'],
  ];
  for (const [title, more, code, confidence] of cases) {
    it(`${title}: ${code}, then ${confidence}, and the driver with it`, () => {
      const suspect = only(oneTag('Vend', bytes, more));
      expect(codesOf(suspect.against)).to.include(code);
      expect(suspect.confidence).to.equal(confidence);
      expect(suspect.drivers[0]).to.include({ module: 'vendor.sys', confidence });
    });
  }

  it('special pool for another tag is only a warning', () => {
    const facts = oneTag('Vend', bytes, { verifier: { level: 0, drivers: [], specialPoolTag: keyOf('Othe') } });
    expect(only(facts).confidence).to.equal('high');
    expect(codesOf(findLeak(facts).warnings)).to.deep.equal(['special-pool-active']);
    expect(findLeak(facts).warnings[0]!.message).to.contain('Othe');
  });

  it('warns of Driver Verifier with the drivers, and of corruption', () => {
    const facts = oneTag('Vend', bytes, {
      verifier: { level: 0x9, drivers: ['vendor.sys', 'other.sys'], specialPoolTag: null },
      bugCheck: { code: 0xc2, parameters: [] },
    });
    const { warnings } = findLeak(facts);
    expect(codesOf(warnings)).to.deep.equal(['verifier-active', 'pool-corruption']);
    expect(warnings[0]!.message).to.contain('0x9').and.contain('vendor.sys and other.sys');
  });

  it('a pool counter that cannot be true', () => {
    const memory = memoryOf({ physicalMemory: inPages(16 * GB), nonPagedPoolUsage: inPages(300 * GB) });
    const facts = oneTag('Vend', bytes, { memory });
    expect(codesOf(only(facts).against))
      .to.include('implausible-pool-usage')
      .and.not.include('unexplained-pool');
    expect(only(facts).shareOfPool).to.equal(null);
    expect(codesOf(findLeak(facts).warnings)).to.deep.equal(['implausible-nonpaged-pool']);
  });

  it('forced bug checks change nothing', () => {
    for (const code of [0xe2, 0x80, 0x161, 0x1c8, 0x9e]) {
      expect(only(oneTag('Vend', bytes, { bugCheck: { code, parameters: [] } })).confidence).to.equal('high');
    }
  });
});

describe('who did it', () => {
  it('names nobody from a shared tag, and says that it is shared', () => {
    const modules = modulesOf('ntoskrnl.exe', 'a.sys', 'b.sys', 'c.sys', 'd.sys');
    const hits = [1, 2, 3, 4].map((module) => codeHit('Ddk ', module));
    const facts = oneTag('Ddk ', 3 * GB, { modules, search: searchOf(hits) });
    const suspect = only(facts);
    expect(suspect.drivers.map(({ module, confidence }) => `${module} ${confidence}`)).to.deep.equal([
      'a.sys low',
      'b.sys low',
      'c.sys low',
      'd.sys low',
    ]);
    expect(codesOf(suspect.against)).to.include('shared-tag');
    const { verdict } = findLeak(facts);
    expect(verdict.leakSuspected).to.equal(true);
    expect(verdict.headline).to.contain("'Ddk '").and.contain('share').and.not.contain('a.sys');
    expect(verdict.nextSteps[0]).to.contain('a.sys, b.sys, c.sys and d.sys');
  });

  it('names nobody from a shared tag that one driver alone holds', () => {
    for (const tag of ['None', 'Ddk ', 'Wdm ', 'FxDr']) {
      expect(only(oneTag(tag, 3 * GB)).drivers[0], tag).to.include({ module: 'vendor.sys', confidence: 'low' });
    }
  });

  it('says when the tag is found nowhere, and where to look', () => {
    const facts = oneTag('Zq7x', 3 * GB, {
      search: searchOf([]),
      unloaded: [{ name: 'gone.sys', start: null, end: null, unloadedAt: null }],
    });
    const suspect = only(facts);
    expect(suspect.drivers).to.deep.equal([]);
    expect(codesOf(suspect.against)).to.include.members(['pages-missing', 'driver-not-found']);
    expect(suspect.confidence).to.equal('high');
    const { headline, nextSteps } = findLeak(facts).verdict;
    expect(headline).to.contain('no loaded module holds the tag');
    expect(nextSteps.join('\n')).to.contain('findstr /m /l "Zq7x"').and.contain('gone.sys').and.contain('service');
  });

  it('does not name the holder of a decoy', () => {
    const facts = oneTag('Vend', 3 * GB, { search: searchOf([textHit('Vend', 1)]) });
    expect(findLeak(facts).verdict.headline).to.contain('driver not certain (vendor.sys holds the tag)');
  });

  it('says when nothing could be searched', () => {
    const facts = oneTag('Vend', 3 * GB, { modules: null });
    expect(only(facts).searched).to.equal(null);
    expect(codesOf(only(facts).against)).to.include('not-searched');
    expect(findLeak(facts).verdict.headline).to.contain('could not be searched');
  });

  it('always says how much was missing in the search', () => {
    const searched = { modules: 150, notTranslatable: 2, pagesPresent: 20110, pagesMissing: 480 };
    const suspect = only(oneTag('Vend', 3 * GB, { search: searchOf([codeHit('Vend', 1)], searched) }));
    const message = suspect.against.find(({ code }) => code === 'pages-missing')!.message;
    expect(message).to.contain('480 of 20590 pages').and.contain('2 of 152 modules');
    expect(suspect.searched).to.equal(searched);
  });

  it('searches once, for all tags, without the protected bit', () => {
    const asked: number[][] = [];
    const rows = ['AAAA', 'BBBB'].map((tag) => tagRow(tag, { nonPaged: held(9, 2 * GB), paged: held(9, 2 * GB) }));
    rows[0]!.hex = `0x${(keyOf('AAAA') + 0x80000000).toString(16)}`;
    const facts = oneTag('Vend', 2 * GB, {
      poolTags: tablesOf(rows),
      search: (keys) => {
        asked.push([...keys]);
        return searchOf([])(keys);
      },
    });
    expect(findLeak(facts).suspects).to.have.length(4);
    expect(asked).to.deep.equal([[keyOf('AAAA'), keyOf('BBBB')]]);
  });

  it('does not search when there is no suspect', () => {
    const facts = oneTag('Vend', MB, {
      search: () => {
        throw new Error('searched');
      },
    });
    expect(findLeak(facts).suspects).to.deep.equal([]);
  });

  it('puts the driver that Driver Verifier caught first', () => {
    const parameters = [0x62n, 0x1000n, 0n, 12n];
    const facts = oneTag('Vend', 3 * GB, {
      modules: modulesOf('ntoskrnl.exe', 'vendor.sys', 'caught.sys'),
      bugCheck: { code: 0xc4, parameters },
      readText: (address) => (address === 0x1000n ? 'caught.sys' : null),
    });
    expect(only(facts).drivers[0]).to.deep.include({ module: 'caught.sys', confidence: 'medium' });
    expect(only(facts).drivers[0]!.evidence[0]!.kind).to.equal('bugcheck');
  });

  it('does so for an unloaded driver, and not for a name that nobody has', () => {
    const bugCheck = { code: 0xc4, parameters: [0x62n, 0x1000n, 0n, 12n] };
    const unloaded = [{ name: 'caught.sys', start: null, end: null, unloadedAt: null }];
    const quiet = { bugCheck, readText: () => 'caught.sys' };
    const known = findLeak(oneTag('Vend', MB, { ...quiet, unloaded }));
    expect(known.verdict.leakSuspected).to.equal(true);
    expect(known.verdict.headline).to.contain('caught.sys').and.contain('12 allocations');
    expect(known.verdict.nextSteps[0]).to.contain('!verifier 3 caught.sys');
    const unknown = findLeak(oneTag('Vend', MB, quiet));
    expect(unknown.verdict.headline).to.not.contain('caught.sys');
    expect(codesOf(unknown.warnings)).to.deep.equal(['bugcheck-driver-unknown']);
  });
});

describe('tags that were asked for', () => {
  const ask = (tag: string, more: Partial<LeakFacts> = {}): LeakFacts => ({
    ...workedExample(),
    options: { tag },
    ...more,
  });

  it('are reported although nothing is suspicious about them, last and low', () => {
    const { suspects, verdict } = findLeak(ask('Thre'));
    expect(suspects.map(({ tag }) => tag)).to.deep.equal(['Leak', 'Thre']);
    expect(suspects[1]).to.include({ confidence: 'low', pool: 'nonpaged', bytes: 774048 });
    expect(codesOf(suspects[1]!.against)).to.include('not-suspicious');
    expect(verdict.headline).to.contain('Leak');
  });

  it('make no suspicion of their own', () => {
    const { verdict, suspects } = findLeak(oneTag('Vend', MB, { options: { tag: 'Vend' } }));
    expect(suspects).to.have.length(1);
    expect(verdict.leakSuspected).to.equal(false);
    expect(verdict.headline).to.equal('No pool leak seen in this snapshot; 1 MB under tag Vend in nonpaged pool');
  });

  it('may leave out blanks at the end, or be given as a key', () => {
    expect(findLeak(ask('Mup')).suspects.map(({ tag }) => tag)).to.deep.equal(['Leak', 'Mup ', 'Mup ']);
    expect(findLeak(ask('0x65726854')).suspects.map(({ tag }) => tag)).to.deep.equal(['Leak', 'Thre']);
  });

  it('are not reported twice', () => {
    expect(findLeak(ask('Leak')).suspects.map(({ tag }) => tag)).to.deep.equal(['Leak']);
  });

  it('are warned about when no table has them, or there is no table', () => {
    const message = (facts: LeakFacts): string =>
      findLeak(facts).warnings.find(({ code }) => code === 'tag-not-counted')!.message;
    expect(message(ask('Zzzz'))).to.contain('nothing was ever allocated');
    expect(message(ask('Zzzz', { poolTags: null }))).to.contain('no pool tag tables');
    expect(message(ask('Zzzz', { poolTags: tablesOf([], {}, false) }))).to.contain('none of the tables');
  });
});
