/** Tags in lock step: who is said to be behind them, and when nobody is. */

import { expect } from 'chai';
import type { LeakFacts } from './facts.js';
import type { PoolTagRow, Suspect } from '../result/result.js';
import { findLeak } from './find-leak.js';
import {
  codeHit,
  factsOf,
  GB,
  held,
  inPages,
  keyOf,
  MB,
  memoryOf,
  modulesOf,
  SEARCHED,
  tablesOf,
  tagRow,
} from './scenario.test.helper.js';
import { inStepWith, steppers } from './tags/lock-step.js';

const MODULES = modulesOf('ntoskrnl.exe', 'Ntfs.sys', 'fltmgr.sys', 'shadow.sys', 'other.sys', 'wcifs.sys');
const place = (name: string): number => MODULES.findIndex((module) => module.name === name);
const leaked = (count: number, bytes: number): ReturnType<typeof held> => held(count, bytes, Math.floor(count / 100));

/** A victim of 9 GB of 16 GB, and what is in step with it. */
function machine(
  others: PoolTagRow[],
  code: Readonly<Record<string, string>>,
  more: Partial<LeakFacts> = {},
): LeakFacts {
  const victim = tagRow('NtfC', { paged: leaked(503_712, 9 * GB) }, 'ntfs.sys');
  const filters = new Set([place('wcifs.sys'), place('Ntfs.sys')]);
  return factsOf({
    memory: memoryOf({
      physicalMemory: inPages(16 * GB),
      nonPagedPoolUsage: inPages(300 * MB),
      pagedPoolUsage: inPages(9.6 * GB),
      nonPagedPoolMaximum: 4294967296,
      pagedPoolMaximum: 4294967296,
      commitLimit: inPages(20 * GB),
    }),
    poolTags: tablesOf([victim, ...others], { nonPaged: 200 * MB, paged: 500 * MB }),
    modules: MODULES,
    functions: {
      functionsOf: (module) => ({ names: new Set(filters.has(module) ? ['FltRegisterFilter'] : []), complete: true }),
    },
    search: (keys) => ({
      hits: new Map(
        keys.map((key) => [
          key,
          Object.entries(code).flatMap(([tag, module]) => (keyOf(tag) === key ? [codeHit(tag, place(module))] : [])),
        ]),
      ),
      searched: { ...SEARCHED, pagesMissing: 0 },
    }),
    ...more,
  });
}

const shadow = (count = 503_677): PoolTagRow => tagRow('ShCx', { paged: leaked(count, 130 * MB) });
const flt = (count = 1_007_424): PoolTagRow => tagRow('FMsl', { nonPaged: leaked(count, 90 * MB) }, 'fltmgr.sys');

const verdictOf = (facts: LeakFacts): { suspect: Suspect; culprit: string } => {
  const { suspects, verdict } = findLeak(facts);
  const { kind, module, confidence } = verdict.culprit!;
  return { suspect: suspects.find(({ tag }) => tag === 'NtfC')!, culprit: `${kind} ${module} ${confidence}` };
};

describe('tags in lock step', () => {
  it('lead from the victim to the driver whose tag is among them', () => {
    const facts = machine([shadow(), flt()], { ShCx: 'shadow.sys' });
    const { suspect, culprit } = verdictOf(facts);
    expect(culprit).to.equal('driver shadow.sys medium');
    expect(suspect.cluster?.members.map(({ tag, ratio, owner }) => `${tag} ${ratio} ${owner?.module}`)).to.deep.equal([
      'FMsl 2 fltmgr.sys',
      'ShCx 1 shadow.sys',
    ]);
    expect(suspect.cluster?.culprit).to.include({ module: 'shadow.sys', base: MODULES[place('shadow.sys')]!.base });
    expect(suspect.cluster?.culprit?.because).to.contain('503,712, 1,007,424 and 503,677 allocations outstanding');
    const { headline, nextSteps } = findLeak(facts).verdict;
    expect(headline).to.match(/under tag NtfC, probably because of shadow\.sys, whose allocations are in lock step$/);
    expect(nextSteps.join()).to.contain('verifier /flags 0x8 /driver shadow.sys');
  });

  it('never raise a confidence by themselves', () => {
    const [alone, together] = [machine([], {}), machine([shadow(), flt()], {})].map(
      (facts) => verdictOf(facts).suspect,
    );
    expect(together!.confidence).to.equal(alone!.confidence);
    // Who owns ShCx is not known: it may be whoever makes the others grow.
    expect(together!.cluster?.culprit).to.equal(null);
    expect(together!.reasons.map(({ code }) => code)).to.include('lock-step');
  });

  it('of a pair name a driver only for its code', () => {
    expect(verdictOf(machine([shadow()], { ShCx: 'shadow.sys' })).culprit).to.equal('driver shadow.sys medium');
    const listed: PoolTagRow = { ...shadow(), binary: 'shadow.sys', tagSource: 'pooltag.txt' };
    const { suspect, culprit } = verdictOf(machine([listed], {}));
    expect(culprit).to.equal('unknown null null');
    expect(suspect.cluster?.culprit?.confidence).to.equal('low');
    expect(verdictOf(machine([listed, flt()], {})).culprit).to.equal('driver shadow.sys medium');
  });

  it('name nobody where two drivers may be behind them, or none', () => {
    const second = tagRow('OtCx', { paged: leaked(503_700, 10 * MB) });
    const code = { ShCx: 'shadow.sys', OtCx: 'other.sys' };
    expect(verdictOf(machine([shadow(), second, flt()], code)).culprit).to.equal('unknown null null');
    expect(verdictOf(machine([flt()], {})).culprit).to.equal('unknown null null');
  });

  it('name a filter of Windows, but no file system that registers as one', () => {
    expect(verdictOf(machine([shadow(), flt()], { ShCx: 'wcifs.sys' })).culprit).to.equal('driver wcifs.sys medium');
    expect(verdictOf(machine([shadow(), flt()], { ShCx: 'Ntfs.sys' })).culprit).to.equal('unknown null null');
  });

  it('reach another tag of the same file system, at most with medium confidence', () => {
    const large = tagRow('NtFC', { nonPaged: held(4_812_331, 9 * GB, 88_012) }, 'ntfs.sys');
    const small = tagRow('NtfC', { paged: leaked(503_712, 70 * MB) }, 'ntfs.sys');
    const facts = machine([], { ShCx: 'shadow.sys' });
    const memory = memoryOf({
      physicalMemory: inPages(16 * GB),
      nonPagedPoolUsage: inPages(9.4 * GB),
      pagedPoolUsage: inPages(600 * MB),
      nonPagedPoolMaximum: 4294967296,
      pagedPoolMaximum: 4294967296,
    });
    const reached = (rows: PoolTagRow[]) => findLeak({ ...facts, memory, poolTags: tablesOf(rows) });
    const { suspects, verdict } = reached([large, small, shadow(), flt()]);
    expect(verdict.culprit).to.include({ kind: 'driver', module: 'shadow.sys', confidence: 'medium' });
    expect(suspects[0]!.reasons.find(({ code }) => code === 'lock-step')!.message).to.match(
      /^A tag of Ntfs\.sys, as this one is/,
    );
    // A pair is too little for that, and so is a tag of another owner.
    expect(reached([large, small, shadow()]).verdict.culprit?.kind).to.equal('unknown');
    expect(reached([large, shadow(), flt()]).verdict.culprit?.kind).to.equal('unknown');
  });

  it('do not make a suspect of a tag that was asked for', () => {
    const facts = machine([shadow(), flt()], { ShCx: 'shadow.sys' });
    const { suspects } = findLeak({ ...facts, options: { tag: 'FMsl' } });
    const asked = suspects.find(({ tag }) => tag === 'FMsl')!;
    expect(asked.reasons.map(({ code }) => code)).to.deep.equal(['requested']);
    expect(asked.cluster?.members).to.have.length(2);
  });
});

describe('lock step', () => {
  const row = (tag: string, count: number, frees: number): PoolTagRow =>
    tagRow(tag, { nonPaged: held(count, count * 64, frees) });
  const partners = (own: PoolTagRow, ...others: PoolTagRow[]): string[] => {
    const all = steppers([own, ...others]);
    const one = all.find((step) => step.row === own);
    return one === undefined ? [] : inStepWith(one, all).map((step) => step.row.tag);
  };

  it('is nearer for smaller counts', () => {
    expect(partners(row('Aaaa', 100_000, 0), row('Near', 100_029, 0), row('Away', 100_040, 0))).to.deep.equal(['Near']);
    expect(partners(row('Aaaa', 300_000, 0), row('Near', 300_290, 0), row('Away', 300_310, 0))).to.deep.equal(['Near']);
    expect(partners(row('Aaaa', 1e6, 0), row('Near', 1_002_900, 0), row('Away', 1_003_100, 0))).to.deep.equal(['Near']);
    expect(partners(row('Aaaa', 99_999, 0), row('Near', 99_999, 0))).to.deep.equal([]);
  });

  it('knows two, three and four times as many, and no more', () => {
    const found = partners(
      row('Aaaa', 2e6, 0),
      row('Twic', 4e6, 0),
      row('Four', 8e6, 0),
      row('Half', 1e6, 0),
      row('Five', 1e7, 0),
    );
    expect(found).to.have.members(['Twic', 'Four', 'Half']);
  });

  it('is only of tags that are hardly ever freed', () => {
    expect(partners(row('Aaaa', 1e6, 40_000), row('Kept', 1e6, 50_000), row('Used', 1e6, 60_000))).to.deep.equal([
      'Kept',
    ]);
    expect(partners(row('Aaaa', 1e6, 60_000), row('Kept', 1e6, 0))).to.deep.equal([]);
  });
});
