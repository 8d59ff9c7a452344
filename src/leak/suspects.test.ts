import { expect } from 'chai';
import type { Suspect } from '../result/result.js';
import { findLeak } from './find-leak.js';
import type { LeakFacts } from './facts.js';
import {
  GB,
  MB,
  codesOf,
  factsOf,
  held,
  inPages,
  keyOf,
  memoryOf,
  oneTag,
  onlySuspect,
  tablesOf,
  tagRow,
} from './scenario.test.helper.js';

describe('what makes a suspect', () => {
  it('a tag above 5 % of memory that Windows does not use, and not at it', () => {
    const limit = (16 * GB * 5) / 100;
    expect(findLeak(oneTag('Vend', Math.floor(limit))).suspects).to.deep.equal([]);
    const suspect = onlySuspect(oneTag('Vend', Math.ceil(limit) + 1));
    expect(codesOf(suspect.reasons)).to.deep.equal(['large-share-of-memory', 'dominates-pool', 'no-documented-owner']);
    expect(suspect.confidence).to.equal('medium');
  });

  it('above 10 % of memory it is high', () => {
    expect(onlySuspect(oneTag('Vend', 1.61 * GB)).confidence).to.equal('high');
    expect(onlySuspect(oneTag('Vend', 1.59 * GB)).confidence).to.equal('medium');
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
    expect(onlySuspect(facts).against.map(({ code }) => code)).to.include('memory-unknown');
    expect(onlySuspect(facts).confidence).to.equal('low');
    expect(onlySuspect(facts)).to.include({ shareOfPool: null, shareOfMemory: null });
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
    const suspect = onlySuspect(dominating(10 * GB));
    expect(codesOf(suspect.against)).to.include('windows-tag');
    expect(suspect.confidence).to.equal('medium');
    expect(suspect.drivers.every(({ confidence }) => confidence === 'low')).to.equal(true);
    const { verdict } = findLeak(dominating(10 * GB));
    expect(verdict.headline).to.contain('a tag of Windows').and.not.contain('vendor.sys');
    expect(verdict.nextSteps.join('\n')).to.contain('handle');
    // 57 % of the pool's limit, and 56 % of memory
    expect(onlySuspect(dominating(16 * GB)).confidence).to.equal('medium');
  });

  it('a cache of Windows with still less', () => {
    const facts = oneTag('MmSt', 13.5 * GB);
    expect(codesOf(onlySuspect(facts).against)).to.include.members(['windows-tag', 'cache-tag']);
    expect(onlySuspect(facts).confidence).to.equal('low');
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
  it('a clear case is high', () => expect(onlySuspect(oneTag('Vend', bytes)).confidence).to.equal('high'));

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
    [
      'special pool for the tag with the protected bit set',
      { verifier: { level: 0, drivers: [], specialPoolTag: (keyOf('Vend') | 0x80000000) >>> 0 } },
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
      const suspect = onlySuspect(oneTag('Vend', bytes, more));
      expect(codesOf(suspect.against)).to.include(code);
      expect(suspect.confidence).to.equal(confidence);
      expect(suspect.drivers[0]).to.include({ module: 'vendor.sys', confidence });
    });
  }

  it('special pool for another tag is only a warning', () => {
    const facts = oneTag('Vend', bytes, { verifier: { level: 0, drivers: [], specialPoolTag: keyOf('Othe') } });
    expect(onlySuspect(facts).confidence).to.equal('high');
    expect(codesOf(findLeak(facts).warnings)).to.deep.equal(['special-pool-active']);
    expect(findLeak(facts).warnings[0]!.message).to.contain('Othe');
  });

  it('special pool is for tags that its pattern fits in every place', () => {
    for (const [pattern, fits] of [['Vend', true], ['*', true], ['Ve*', true], ['V?nd', true], ['????', true], ['Ven', false], ['Vene', false], ['vend', false], ['?xnd', false], ['Vf*', false]] as const) {
      const specialPoolTag = Buffer.from(pattern.padEnd(4, '\0')).readUInt32LE(0);
      const { against } = onlySuspect(oneTag('Vend', bytes, { verifier: { level: 0, drivers: [], specialPoolTag } }));
      expect(codesOf(against).includes('special-pool'), pattern).to.equal(fits);
    }
  }); // prettier-ignore

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
    expect(codesOf(onlySuspect(facts).against))
      .to.include('implausible-pool-usage')
      .and.not.include('unexplained-pool');
    expect(onlySuspect(facts).shareOfPool).to.equal(null);
    expect(codesOf(findLeak(facts).warnings)).to.deep.equal(['implausible-nonpaged-pool']);
  });

  it('forced bug checks change nothing', () => {
    for (const code of [0xe2, 0x80, 0x161, 0x1c8, 0x9e]) {
      expect(onlySuspect(oneTag('Vend', bytes, { bugCheck: { code, parameters: [] } })).confidence).to.equal('high');
    }
  });
});
