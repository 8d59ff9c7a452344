import { expect } from 'chai';
import { rankDrivers } from '../drivers.js';
import {
  MB,
  SEARCHED,
  codeHit,
  codesOf,
  modulesOf,
  oneTag,
  onlySuspect,
  searchOf,
  tagRow,
  textHit,
  followed,
} from '../scenario.test.helper.js';
import { frameworkRules, frameworkTag, tagMeaning, type ModuleLinks } from './tag-rules.js';
import { findLeak } from '../find-leak.js';

const MODULES = modulesOf('ntoskrnl.exe', 'Wdf01000.sys', 'Acmebus.sys', 'acmeaudio.sys', 'fltmgr.sys', 'xy.sys');
const [WDF, ACMEBUS, ACMEAUDIO, XY] = [1, 2, 3, 5];

/** What is given by name; all else unknown. */
function links(uses: Record<number, boolean>, imports: Record<number, string[]> = {}): ModuleLinks {
  return {
    usesFramework: (module) => uses[module] ?? null,
    importsOf: (module) => (imports[module] ? new Set(imports[module]) : null),
  };
}

const rules = (tag: string, known: ModuleLinks | null): string[] =>
  frameworkRules(tag, MODULES, known).map(({ module, strength }) => `${MODULES[module]?.name} ${strength}`);

describe('default tags of the driver framework', () => {
  it('are the first four characters of the service name, with the documented exceptions', () => {
    expect(['Acmebus', 'acme', 'WDFlower', 'wdfFilters', 'Wdf01000'].map(frameworkTag)).to.deep.equal([
      'Acme',
      'acme',
      'lowe',
      'Filt',
      '0100',
    ]);
    expect(['abc', 'a', '', 'WDF', 'wdfabc'].map(frameworkTag)).to.deep.equal(Array(5).fill('FxDr'));
  });

  it('lead to the one driver that spells the tag and uses the framework with medium', () => {
    expect(rules('Acme', links({ [ACMEBUS]: true, [ACMEAUDIO]: false }))).to.deep.equal(['Acmebus.sys medium']);
    expect(frameworkRules('Acme', MODULES, links({ [ACMEBUS]: true, [ACMEAUDIO]: false }))[0]?.note).to.match(
      /^a rule, not a finding: .*first four characters of its service's name; this driver uses the framework/,
    );
  });

  it('with low where two would do, where letter case differs, or where the framework is not known to be used', () => {
    expect(rules('Acme', links({ [ACMEBUS]: true, [ACMEAUDIO]: true }))).to.deep.equal([
      'Acmebus.sys low',
      'acmeaudio.sys low',
    ]);
    expect(rules('ACME', links({ [ACMEBUS]: true, [ACMEAUDIO]: false }))).to.deep.equal(['Acmebus.sys low']);
    expect(rules('Acme', null)).to.deep.equal(['Acmebus.sys low', 'acmeaudio.sys low']);
    expect(frameworkRules('Acme', MODULES, null)[0]?.note).to.contain('could not be read');
  });

  it('and to nobody who does not use it, or whose name is another', () => {
    expect(rules('Acme', links({ [ACMEBUS]: false, [ACMEAUDIO]: false }))).to.deep.equal([]);
    expect(rules('Zzzz', null)).to.deep.equal([]);
    expect(rules('ntos', null)).to.deep.equal([]);
  });

  it('never with more than low for FxDr, which many share', () => {
    expect(rules('FxDr', links({ [XY]: true, [WDF]: false }))).to.deep.equal(['xy.sys low']);
  });
});

describe('a rule beside other evidence', () => {
  const rule = { module: ACMEBUS, strength: 'medium' as const, note: 'rule' };
  const facts = {
    modules: MODULES,
    searched: SEARCHED,
    binary: null,
    source: null,
    common: false,
    bugCheck: null,
    rules: [rule],
    judge: followed,
    limit: 'high' as const,
  };
  const ranked = (hits: Parameters<typeof searchOf>[0], more: object = {}): string[] =>
    rankDrivers({ ...facts, hits, ...more }).map(({ module, confidence }) => `${module} ${confidence}`);

  it('names its driver with medium at most where nobody has more than text', () => {
    expect(ranked([])).to.deep.equal(['Acmebus.sys medium']);
    expect(ranked([textHit('Acme', XY)])).to.deep.equal(['Acmebus.sys medium', 'xy.sys low']);
    expect(ranked([], { common: true })).to.deep.equal(['Acmebus.sys low']);
  });

  it('yields to code, and to a list that names another', () => {
    expect(ranked([codeHit('Acme', XY)])).to.deep.equal(['xy.sys high', 'Acmebus.sys low']);
    expect(ranked([], { binary: 'xy.sys', source: 'pooltag.txt' })).to.deep.equal(['xy.sys medium', 'Acmebus.sys low']);
  });

  it('does not lower the driver that it names', () => {
    expect(ranked([codeHit('Acme', ACMEBUS)])).to.deep.equal(['Acmebus.sys high']);
  });

  it('names the driver in the headline as probable, with the rule as evidence', () => {
    const known = links({ [ACMEBUS]: true, [ACMEAUDIO]: false });
    const state = oneTag('Acme', 4096 * MB, { modules: MODULES, links: known, search: searchOf([]) });
    expect(findLeak(state).verdict.headline).to.contain('probably allocated by Acmebus.sys');
    expect(onlySuspect(state).drivers[0]?.evidence.map(({ kind }) => kind)).to.deep.equal(['tag-rule']);
  });
});

describe('tags whose owner is not the one to look for', () => {
  const meaning = (tag: string, binary: string | null, known: ModuleLinks | null = null): string => {
    const found = tagMeaning(tagRow(tag, {}, binary), MODULES, known);
    return found === null ? 'none' : `${found.code}: ${found.message}`;
  };

  it('are those of Driver Verifier', () => {
    expect(meaning('VMdl', 'nt!Vf')).to.match(/^verifier-tag: .*MDLs/);
    expect(meaning('Vfwi', null)).to.match(/^verifier-tag: .*work items/);
    expect(meaning('VfPT', 'nt!Vf')).to.match(/^verifier-tag: .*its own records/);
    expect(meaning('Irpt', 'nt!vf')).to.equal('none');
  });

  it('are those of parts of Windows that allocate for others', () => {
    expect(meaning('NDnd', 'ndis.sys')).to.match(/^framework-tag: ndis\.sys .*network drivers/);
    expect(meaning('RaUE', 'storport.sys')).to.match(/^framework-tag: .*miniports/);
    expect(meaning('FMsl', 'fltmgr.sys')).to.match(/^framework-tag: .*minifilters/);
    expect(meaning('TMac', 'dxgkrnl!CAdapter::Create')).to.match(/^framework-tag/);
    expect(meaning('Ntff', 'ntfs.sys')).to.equal('none');
  });

  it('with the loaded drivers that import from it, and how many could not be asked', () => {
    const known = links({}, { [ACMEBUS]: ['ntoskrnl.exe', 'fltmgr.sys'], [ACMEAUDIO]: ['portcls.sys'] });
    expect(meaning('FMsl', 'fltmgr.sys', known)).to.match(
      /no known part of Windows: Acmebus\.sys, and 1 whose imports are not in this dump$/,
    );
    expect(meaning('NDnd', 'ndis.sys', known)).to.match(/can be the cause$/);
  });

  it("are the kernel's objects", () => {
    for (const tag of ['Proc', 'Thre', 'File', 'Toke'])
      expect(meaning(tag, null), tag).to.match(/^object-tag: .*not the culprit/);
  });

  it('are said against the suspect, and lower it no further', () => {
    const state = oneTag('FMsl', 13_000 * MB, { search: searchOf([]) });
    const row = state.poolTags!.rows[0]!;
    const facts = {
      ...state,
      poolTags: { ...state.poolTags!, rows: [{ ...row, binary: 'fltmgr.sys', tagSource: 'built-in' as const }] },
    };
    const suspect = onlySuspect(facts);
    expect(codesOf(suspect.against)).to.include.members(['windows-tag', 'framework-tag']);
    expect(suspect.drivers).to.deep.equal([]);
  });

  it('are none for a tag that somebody chose', () => expect(meaning('Leak', null)).to.equal('none'));
});

describe('a tag that no module holds', () => {
  const against = (unloaded: string[]): string => {
    const drivers = unloaded.map((name) => ({ name, start: null, end: null, unloadedAt: null }));
    const suspect = onlySuspect(
      oneTag('Acme', 4096 * MB, { modules: MODULES.slice(0, 2), search: searchOf([]), unloaded: drivers }),
    );
    return suspect.against.find(({ code }) => code === 'driver-not-found')?.message ?? '';
  };

  it('is told with what that can mean, and with the unloaded drivers that it fits by name', () => {
    expect(against(['other.sys', 'acmedisk.sys', 'acmedisk.sys'])).to.match(
      /among the 480 pages that are missing, or .*run time, or .*framework.*, or its driver was unloaded\. By its name the tag fits acmedisk\.sys, which was unloaded/,
    );
    expect(against(['other.sys'])).to.match(/its driver was unloaded$/);
    expect(against([])).to.not.contain('unloaded');
  });

  it('means nothing where the kernel takes it from the type of an object', () => {
    const facts = oneTag('File', 4096 * MB, { modules: MODULES.slice(0, 2), search: searchOf([]), unloaded: [] });
    const found = onlySuspect({ ...facts, options: { ...facts.options, tag: 'File' } }).against.find(
      ({ code }) => code === 'driver-not-found',
    )?.message;
    expect(found).to.match(
      /holds the tag File\. The kernel takes it from the type of the object: no code need hold it$/,
    );
  });
});
