import { expect } from 'chai';
import type { TagHit } from '../kernel/state.js';
import { classifyHit, type HitJudgement } from './code/hits.js';
import { readBugCheck } from './bugcheck/bug-checks.js';
import { rankDrivers, searchIsPoor } from './drivers.js';
import type { TagFacts } from './drivers.js';
import { followed, SEARCHED, codeHit, hitOf, modulesOf, textHit } from './scenario.test.helper.js';

const MODULES = modulesOf('ntoskrnl.exe', 'first.sys', 'second.sys', 'third.sys', 'hal.dll');
const KERNEL = 0;
const FIRST = 1;
const SECOND = 2;
const THIRD = 3;

function factsOf(hits: TagHit[], more: Partial<TagFacts> = {}): TagFacts {
  return {
    hits,
    judge: followed,
    modules: MODULES,
    searched: SEARCHED,
    binary: null,
    source: null,
    common: false,
    bugCheck: null,
    limit: 'high',
    ...more,
  };
}

const ALL_SEEN: Partial<TagFacts> = { searched: { ...SEARCHED, pagesMissing: 0 } };

const ranked = (hits: TagHit[], more: Partial<TagFacts> = {}): string[] =>
  rankDrivers(factsOf(hits, more)).map(({ module, confidence }) => `${module} ${confidence}`);

const data = (module: number, more: Partial<TagHit> = {}): TagHit =>
  hitOf('00 00 00 00', "'Leak' 00 00 00 00", { section: '.data', executable: false, offset: 0x8000, module, ...more });
const compare = (module: number): TagHit => hitOf('48 8b c1 81 f9', "'Leak' 74 05 33 c0", { module });
const stray = (module: number): TagHit => hitOf('c0 03 5f d6', "'Leak' 1f 05 00 71", { module });

describe('ranking drivers', () => {
  it('names the one driver whose code loads the tag', () => {
    expect(ranked([codeHit('Leak', FIRST), textHit('Leak', SECOND)])).to.deep.equal([
      'first.sys high',
      'second.sys low',
    ]);
  });

  it('names nobody surely by bytes that no code was followed from, however they were judged', () => {
    const bytes = (hit: TagHit): HitJudgement => ({ ...classifyHit(hit), strength: 'high' });
    for (const callsAllocator of [null, false]) {
      const judge = (hit: TagHit): HitJudgement => ({ ...bytes(hit), callsAllocator });
      expect(ranked([codeHit('Leak', FIRST)], { judge, ...ALL_SEEN })).to.deep.equal(['first.sys medium']);
    }
    expect(classifyHit(codeHit('Leak', FIRST)).strength).to.equal('medium');
  });

  it('costs a step where modules may be missing', () => {
    const missing = { modulesComplete: false };
    expect(ranked([codeHit('Leak', FIRST)], missing)).to.deep.equal(['first.sys medium']);
    expect(ranked([codeHit('Leak', FIRST), codeHit('Leak', SECOND)], missing)).to.deep.equal([
      'first.sys low',
      'second.sys low',
    ]);
    expect(ranked([data(FIRST)], { ...ALL_SEEN, ...missing })).to.deep.equal(['first.sys low']);
  });

  it('accuses no module beyond what is doubted of it, and doubts no other', () => {
    const doubts = (limit: 'low' | 'medium'): Partial<TagFacts> => ({ doubts: new Map([[FIRST, { limit }]]) });
    expect(ranked([codeHit('Leak', FIRST)], doubts('medium'))).to.deep.equal(['first.sys medium']);
    expect(ranked([codeHit('Leak', FIRST)], doubts('low'))).to.deep.equal(['first.sys low']);
    expect(ranked([codeHit('Leak', SECOND)], doubts('low'))).to.deep.equal(['second.sys high']);
    // Its trace is still a rival's.
    expect(ranked([codeHit('Leak', FIRST), codeHit('Leak', SECOND)], doubts('low'))).to.deep.equal([
      'second.sys medium',
      'first.sys low',
    ]);
  });

  it('puts code before data before text, whatever the order of the modules', () => {
    expect(ranked([textHit('Leak', FIRST), data(SECOND), codeHit('Leak', THIRD)])).to.deep.equal([
      'third.sys high',
      'second.sys low',
      'first.sys low',
    ]);
  });

  it('is less sure of two drivers, and of none of three', () => {
    const both = [codeHit('Leak', FIRST), codeHit('Leak', SECOND)];
    expect(ranked(both)).to.deep.equal(['first.sys medium', 'second.sys medium']);
    expect(ranked([...both, codeHit('Leak', THIRD)])).to.deep.equal([
      'first.sys low',
      'second.sys low',
      'third.sys low',
    ]);
  });

  it('lists code that is known to allocate before code that could not be followed, where neither is named', () => {
    const users = [FIRST, SECOND, THIRD].map((module) => codeHit('Leak', module));
    const judge: TagFacts['judge'] = (hit) => ({
      ...classifyHit(hit),
      callsAllocator: hit.module === FIRST ? null : true,
    });
    expect(ranked(users, { judge })).to.deep.equal(['second.sys low', 'third.sys low', 'first.sys low']);
  });

  it('prefers a driver to the kernel, and names the kernel alone with less', () => {
    expect(ranked([codeHit('Leak', KERNEL), codeHit('Leak', FIRST)])).to.deep.equal([
      'first.sys medium',
      'ntoskrnl.exe low',
    ]);
    expect(ranked([codeHit('Leak', KERNEL)])).to.deep.equal(['ntoskrnl.exe medium']);
  });

  it('trusts a comparison less than a load', () => {
    expect(ranked([compare(FIRST)])).to.deep.equal(['first.sys medium']);
  });

  it('puts code that allocates before code that does not, and data that code allocates with beside it', () => {
    const judged = (allocating: readonly number[]): Partial<TagFacts> => ({
      judge: (hit) => ({ ...classifyHit(hit), callsAllocator: allocating.includes(hit.module) }),
    });
    const users = [codeHit('Leak', FIRST), codeHit('Leak', SECOND)];
    expect(ranked(users, judged([FIRST]))).to.deep.equal(['first.sys high', 'second.sys low']);
    expect(ranked(users, judged([FIRST, SECOND]))).to.deep.equal(['first.sys medium', 'second.sys medium']);
    const withText = [data(FIRST), textHit('Leak', SECOND)];
    expect(ranked(withText, judged([FIRST]))).to.deep.equal(['first.sys high', 'second.sys low']);
    expect(ranked(withText, judged([]))).to.deep.equal(['first.sys low', 'second.sys low']);
  });

  it('takes text and strays for weak, alone or not, but lists them', () => {
    expect(ranked([textHit('Leak', FIRST)])).to.deep.equal(['first.sys low']);
    expect(ranked([stray(FIRST), textHit('Leak', SECOND)])).to.deep.equal(['first.sys low', 'second.sys low']);
  });

  it('takes a constant in data for probable only where nobody else has a trace, and no page was missing', () => {
    expect(ranked([data(FIRST)], ALL_SEEN)).to.deep.equal(['first.sys medium']);
    expect(ranked([data(FIRST)])).to.deep.equal(['first.sys low']);
    expect(ranked([data(FIRST)], { searched: { ...SEARCHED, pagesMissing: 0, notTranslatable: 1 } })).to.deep.equal([
      'first.sys low',
    ]);
    expect(ranked([data(FIRST), textHit('Leak', SECOND)], ALL_SEEN)).to.deep.equal(['first.sys low', 'second.sys low']);
    expect(ranked([data(FIRST, { offset: 0x8001 })], ALL_SEEN)).to.deep.equal(['first.sys low']);
  });

  it('never names a driver from a common tag', () => {
    expect(ranked([codeHit('Ddk ', FIRST)], { common: true })).to.deep.equal(['first.sys low']);
  });

  it('accuses no driver more surely than the leak itself is known', () => {
    expect(ranked([codeHit('Leak', FIRST)], { limit: 'medium' })).to.deep.equal(['first.sys medium']);
    expect(ranked([codeHit('Leak', FIRST)], { limit: 'low' })).to.deep.equal(['first.sys low']);
  });

  it('is less sure where much of the modules was missing', () => {
    const hits = [codeHit('Leak', FIRST)];
    const at = (pagesMissing: number, notTranslatable = 0): string[] =>
      ranked(hits, {
        searched: { modules: 100 - notTranslatable, notTranslatable, pagesPresent: 1000 - pagesMissing, pagesMissing },
      });
    expect(at(200)).to.deep.equal(['first.sys high']);
    expect(at(201)).to.deep.equal(['first.sys medium']);
    expect(at(0, 10)).to.deep.equal(['first.sys high']);
    expect(at(0, 11)).to.deep.equal(['first.sys medium']);
    expect(searchIsPoor(null)).to.equal(true);
    expect(searchIsPoor({ modules: 0, notTranslatable: 0, pagesPresent: 0, pagesMissing: 0 })).to.equal(false);
  });

  it('takes the documented owner as evidence of its own', () => {
    const [driver] = rankDrivers(factsOf([], { binary: 'second.sys', source: 'pooltag.txt' }));
    expect(driver).to.include({ module: 'second.sys', confidence: 'medium' });
    expect(driver?.evidence[0]).to.include({ kind: 'pooltag-file', address: null });
    expect(driver?.evidence[0]?.note).to.contain('pooltag.txt').and.contain('second.sys');
    expect(ranked([codeHit('Leak', FIRST)], { binary: 'second.sys', source: 'pooltag.txt' })).to.deep.equal([
      'first.sys high',
      'second.sys low',
    ]);
    expect(ranked([], { binary: 'absent.sys', source: 'pooltag.txt' })).to.deep.equal([]);
  });

  it('finds the owner of kernel tags and of alternatives', () => {
    const owners = (binary: string): string[] => rankDrivers(factsOf([], { binary })).map(({ module }) => module);
    expect(owners('nt!mm')).to.deep.equal(['ntoskrnl.exe']);
    expect(owners('nt!store or third.sys')).to.have.members(['ntoskrnl.exe', 'third.sys']);
    expect(owners('FIRST.SYS/second.sys')).to.have.members(['first.sys', 'second.sys']);
    expect(owners('<unknown>')).to.deep.equal([]);
  });

  describe('with a bug check that names a driver', () => {
    const lookup = (name: string): Parameters<typeof readBugCheck>[2] => ({
      readText: () => name,
      moduleAt: () => null,
      moduleNamed: () => name,
    });
    const unload = (name: string): TagFacts['bugCheck'] => readBugCheck(0xc4, [0x62n, 1n, 0n, 7n], lookup(name));

    it('ranks that driver first, a loaded one or not', () => {
      const hits = [codeHit('Leak', FIRST)];
      expect(ranked(hits, { bugCheck: unload('second.sys') })).to.deep.equal(['second.sys medium', 'first.sys high']);
      expect(ranked(hits, { bugCheck: unload('gone.sys') })).to.deep.equal(['gone.sys medium', 'first.sys high']);
    });

    it('adds it to what else is known of that driver', () => {
      const [driver] = rankDrivers(factsOf([codeHit('Leak', FIRST)], { bugCheck: unload('First.SYS') }));
      expect(driver).to.include({ module: 'first.sys', confidence: 'high' });
      expect(driver?.evidence.map(({ kind }) => kind)).to.deep.equal(['bugcheck', 'code-immediate']);
    });

    it('does not take a PTE bug check for proof about pool', () => {
      const ptes = readBugCheck(0xd8, [1n, 900n, 5n, 1000n], lookup('second.sys'));
      expect(ranked([codeHit('Leak', FIRST)], { bugCheck: ptes })).to.deep.equal(['second.sys low', 'first.sys high']);
    });
  });

  it('gives the evidence as it stands in the dump', () => {
    const [driver] = rankDrivers(factsOf([codeHit('Leak', FIRST)]));
    expect(driver?.evidence[0]).to.deep.include({
      kind: 'code-immediate',
      address: '0xfffff880044013aa',
      offset: '0x13aa',
      bytes: '4c 65 61 6b 3b c1 0f 42 c1 41 8d 49 fd 8b d0 ff',
      ascii: 'Leak;..B.A.I....',
      section: '.text',
      executable: true,
      symbol: null,
      instruction: null,
      callsAllocator: true,
      call: null,
      function: null,
    });
  });

  it('bounds the evidence and says how much more there is', () => {
    const hits = Array.from({ length: 40 }, (_, i) => codeHit('Leak', FIRST, 0x1000 + i * 16));
    const [driver] = rankDrivers(factsOf([...hits, textHit('Leak', FIRST)]));
    expect(driver?.evidence).to.have.length(16);
    expect(driver?.evidence.at(-1)?.note).to.contain('25 more in this module');
    expect(driver?.evidence[0]?.note).to.not.contain('more in this module');
  });

  it('passes over hits in modules that are not on the list', () => {
    expect(ranked([codeHit('Leak', 99)])).to.deep.equal([]);
  });

  it('takes pages of the image on disk for what they are worth, and tells them as such', () => {
    const [driver] = rankDrivers(factsOf([{ ...codeHit('Leak', FIRST), fromDisk: true }]));
    expect(driver?.confidence).to.equal('high');
    expect(driver?.evidence[0]).to.deep.include({ kind: 'disk-image', offset: '0x13aa' });
    expect(driver?.evidence[0]?.note).to.match(/^code-immediate in a page that the dump lacks, from the driver file: /);
  });
});
