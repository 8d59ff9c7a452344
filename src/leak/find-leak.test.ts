import { expect } from 'chai';
import { findLeak } from './find-leak.js';
import type { LeakFacts } from './facts.js';
import {
  factsOf,
  GB,
  MB,
  SEARCHED,
  codeHit,
  codesOf,
  held,
  keyOf,
  modulesOf,
  oneTag,
  onlySuspect,
  searchOf,
  tablesOf,
  tagRow,
  textHit,
  workedExample,
} from './scenario.test.helper.js';

describe('the worked example', () => {
  const found = findLeak(workedExample());

  it('finds the tag, the driver and the excessive pool', () => {
    expect(found.verdict.leakSuspected).to.equal(true);
    expect(found.verdict.headline).to.equal('Nonpaged pool: 586.9 MB under tag Leak, allocated by myfault.sys');
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

  it('has the commands for this tag, this build and this driver', () => {
    expect(found.verdict.recipe?.tag).to.equal('Leak');
    const on7601 = findLeak({ ...workedExample(), build: 7601 }).verdict.recipe;
    expect(on7601?.build).to.equal(7601);
    const lines = on7601?.steps.flatMap(({ commands }) => commands) ?? [];
    expect(lines).to.include('verifier /flags 0x8 /driver myfault.sys');
    expect(lines.join('\n')).to.contain('-PoolTag Leak').and.not.to.contain('wpr ');
  });

  it('reconciles both pools without a warning', () => {
    expect(found.reconciliation.nonPaged?.unexplainedBytes).to.equal(2189664);
    expect(found.warnings).to.deep.equal([]);
  });
});

describe('who did it', () => {
  it('names nobody from a shared tag, and says that it is shared', () => {
    const modules = modulesOf('ntoskrnl.exe', 'a.sys', 'b.sys', 'c.sys', 'd.sys');
    const hits = [1, 2, 3, 4].map((module) => codeHit('Ddk ', module));
    const facts = oneTag('Ddk ', 3 * GB, { modules, search: searchOf(hits) });
    const suspect = onlySuspect(facts);
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
      expect(onlySuspect(oneTag(tag, 3 * GB)).drivers[0], tag).to.include({ module: 'vendor.sys', confidence: 'low' });
    }
  });

  it('says when the tag is found nowhere, and where to look', () => {
    const facts = oneTag('Zq7x', 3 * GB, {
      search: searchOf([]),
      unloaded: [{ name: 'gone.sys', start: null, end: null, unloadedAt: null }],
    });
    const suspect = onlySuspect(facts);
    expect(suspect.drivers).to.deep.equal([]);
    expect(codesOf(suspect.against)).to.include.members(['pages-missing', 'driver-not-found']);
    expect(suspect.confidence).to.equal('high');
    const { headline, nextSteps } = findLeak(facts).verdict;
    expect(headline).to.contain('no loaded module holds the tag');
    expect(nextSteps.join('\n')).to.contain('findstr /m /l "Zq7x"').and.contain('gone.sys').and.contain('service');
  });

  it('says when the module list is damaged, so that others may hold the tag', () => {
    const facts = oneTag('Zq7x', 3 * GB, { search: searchOf([]), modulesComplete: false });
    expect(codesOf(onlySuspect(facts).against)).to.include('modules-missing');
    expect(findLeak(facts).verdict.headline).to.contain('none of the modules that could be found holds the tag');
    expect(codesOf(onlySuspect(oneTag('Zq7x', 3 * GB)).against)).not.to.include('modules-missing');
  });

  it('does not name the holder of a decoy', () => {
    const facts = oneTag('Vend', 3 * GB, { search: searchOf([textHit('Vend', 1)]) });
    expect(findLeak(facts).verdict.headline).to.contain('driver not certain (vendor.sys holds the tag)');
  });

  it('says when nothing could be searched', () => {
    const facts = oneTag('Vend', 3 * GB, { modules: null });
    expect(onlySuspect(facts).searched).to.equal(null);
    expect(codesOf(onlySuspect(facts).against)).to.include('not-searched');
    expect(findLeak(facts).verdict.headline).to.contain('could not be searched');
  });

  it('always says how much was missing in the search', () => {
    const searched = { modules: 150, notTranslatable: 2, pagesPresent: 20110, pagesMissing: 480 };
    const suspect = onlySuspect(oneTag('Vend', 3 * GB, { search: searchOf([codeHit('Vend', 1)], searched) }));
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

  it('does not search when there is no tag', () => {
    const facts = factsOf({
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
    expect(onlySuspect(facts).drivers[0]).to.deep.include({ module: 'caught.sys', confidence: 'medium' });
    expect(onlySuspect(facts).drivers[0]!.evidence[0]!.kind).to.equal('bugcheck');
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

  it('of objects come with how to find who holds handles', () => {
    const steps = (tag: string): string[] => findLeak(ask(tag)).verdict.nextSteps.filter((step) => step.includes('most handles')); // prettier-ignore
    expect(steps('Thre')).to.have.length(1);
    expect(steps('Thre')[0])
      .to.match(/^Objects under Thre live while a handle/)
      .and.include('dumpleak holders DUMP Thre');
    expect(steps('Mup')).to.deep.equal([]);
    expect(findLeak(oneTag('File', MB, { options: { tag: 'File' } })).verdict.nextSteps.join()).to.match(
      /most handles/,
    );
  });

  it('make no suspicion of their own', () => {
    const { verdict, suspects } = findLeak(oneTag('Vend', MB, { options: { tag: 'Vend' } }));
    expect(suspects).to.have.length(1);
    expect(verdict.leakSuspected).to.equal(false);
    expect(verdict.headline).to.equal('No pool leak seen in this snapshot; 1.0 MB under tag Vend in nonpaged pool');
    expect(
      findLeak(oneTag('Vend', 4096, { options: { tag: 'Vend' } })).suspects[0]?.shareOfMemory,
      'however small',
    ).to.be.greaterThan(0);
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
