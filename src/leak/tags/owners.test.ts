import { expect } from 'chai';
import fc from 'fast-check';
import type { TagSearch } from '../../kernel/state.js';
import type { ObjectTypeInfo, PoolTagRow, TagOwner } from '../../result/result.js';
import type { BugCheckReading } from '../bugcheck/bug-checks.js';
import type { LeakFacts } from '../facts.js';
import {
  codeHit,
  factsOf,
  followed,
  held,
  hitOf,
  keyOf,
  MB,
  modulesOf,
  SEARCHED,
  tablesOf,
  tagRow,
  textHit,
} from '../scenario.test.helper.js';
import { isThirdParty, thirdPartyHolders } from './third-party.js';
import { ownedRows, ownersOf } from './owners.js';

const MODULES = modulesOf('ntoskrnl.exe', 'Ntfs.sys', 'fltmgr.sys', 'fabsec.sys', 'other.sys', 'amdabus2.sys');
const [NT, NTFS, , FABSEC, OTHER] = MODULES.keys();
const row = (tag: string, binary: string | null = null): PoolTagRow =>
  tagRow(tag, { nonPaged: held(1000, 40 * MB) }, binary);
const found = (tag: string, hits: TagSearch['hits'] extends Map<number, infer H> ? H : never): TagSearch => ({
  hits: new Map([[keyOf(tag), hits]]),
  searched: { ...SEARCHED, pagesMissing: 0 },
});

function owner(
  of: PoolTagRow,
  hits: Parameters<typeof found>[1] = [],
  more: Partial<LeakFacts> = {},
  bugCheck: BugCheckReading | null = null,
): TagOwner | null {
  const facts = factsOf({ modules: MODULES, ...more });
  return ownersOf(facts, [of], found(of.tag, hits), bugCheck).get(keyOf(of.tag)) ?? null;
}
const named = (one: TagOwner | null): string | null => one && `${one.module} ${one.basis} ${one.confidence}`;

describe('owners of tags', () => {
  it('the one driver whose code gives the tag to an allocator', () => {
    expect(owner(row('La57'), [codeHit('La57', FABSEC!), textHit('La57', OTHER!)])).to.deep.equal({
      ...{ module: 'fabsec.sys', base: MODULES[FABSEC!]!.base, confidence: 'high', basis: 'code' },
    });
  });

  it('nobody where two allocate, and where nobody does', () => {
    expect(owner(row('La57'), [codeHit('La57', FABSEC!), codeHit('La57', OTHER!)])).to.equal(null);
    expect(owner(row('La57'), [textHit('La57', OTHER!)])).to.equal(null);
    expect(owner(row('La57'))).to.equal(null);
  });

  it('by a list of Windows, but not where code elsewhere allocates too', () => {
    expect(named(owner(row('Ntff', 'ntfs.sys'), [codeHit('Ntff', NTFS!)]))).to.equal('Ntfs.sys list medium');
    expect(named(owner(row('MmSt', 'nt!mm'), [codeHit('MmSt', NT!)]))).to.equal('ntoskrnl.exe list medium');
    expect(owner(row('Ntff', 'ntfs.sys'), [codeHit('Ntff', FABSEC!)])).to.equal(null);
    expect(named(owner(row('Ntff', 'ntfs.sys'), [textHit('Ntff', FABSEC!)]))).to.equal('Ntfs.sys list medium');
  });

  it('hardly by a line of a list that is for a group of tags', () => {
    expect(named(owner(row('CM31', 'nt!cm')))).to.equal('ntoskrnl.exe list low');
  });

  it('by a list of the user, and by its code where that allocates', () => {
    const listed = { ...row('La57', 'fabsec.sys'), tagSource: 'pooltag.txt' } as const;
    expect(named(owner(listed))).to.equal('fabsec.sys list medium');
    expect(named(owner(listed, [codeHit('La57', FABSEC!)]))).to.equal('fabsec.sys code high');
  });

  it('by the type of objects, as long as they are as many as the allocations', () => {
    const type = (objects: number): Partial<LeakFacts> => ({
      objects: {
        types: [{ type: 'Device', tag: 'Devi', key: `0x${keyOf('Devi').toString(16)}`, objects } as ObjectTypeInfo],
        processes: null,
        liveThreads: null,
        holdersOf: () => null,
      },
    });
    expect(named(owner(row('Devi', 'nt!io'), [], type(1100)))).to.equal('ntoskrnl.exe object-type high');
    expect(named(owner(row('Devi', 'nt!io'), [], type(20)))).to.equal('ntoskrnl.exe list medium');
    expect(owner(row('Devi', 'nt!io'), [codeHit('Devi', FABSEC!)], type(1000))).to.equal(null);
  });

  it('by the rule for WDF', () => {
    const links = {
      importsOf: () => null,
      usesFramework: (module: number) => MODULES[module]!.name === 'amdabus2.sys',
    };
    expect(named(owner(row('amda'), [], { links }))).to.equal('amdabus2.sys rule medium');
    expect(owner(row('amda'), [codeHit('amda', FABSEC!), codeHit('amda', OTHER!)], { links })).to.equal(null);
  });

  it('by a bug check only where the accused holds the tag', () => {
    const accused = { driver: 'fabsec.sys', resource: 'pool', message: '' } as BugCheckReading;
    const data = hitOf('00 00', "'La57' 00 00", {
      module: FABSEC!,
      executable: false,
      section: '.data',
      offset: 0x9001,
    });
    expect(named(owner(row('La57'), [data], {}, accused))).to.equal('fabsec.sys bugcheck medium');
    expect(owner(row('La57'), [textHit('La57', FABSEC!)], {}, accused)).to.equal(null);
    expect(owner(row('La57'), [], {}, accused)).to.equal(null);
  });

  it('nobody where a place was not followed to the end', () => {
    const judgeForOwner: LeakFacts['judge'] = (hit) =>
      hit.module === OTHER
        ? {
            ...followed(hit),
            strength: 'low',
            callsAllocator: null,
            note: 'x; not followed to the end, because that would take too long',
          }
        : followed(hit);
    const hits = [codeHit('La57', FABSEC!), codeHit('La57', OTHER!)];
    expect(owner(row('La57'), hits, { judgeForOwner })).to.equal(null);
    expect(named(owner(row('La57'), hits.slice(0, 1), { judgeForOwner }))).to.equal('fabsec.sys code high');
  });

  it('less surely where modules may be missing, and of a module that contradicts itself', () => {
    const hits = [codeHit('La57', FABSEC!)];
    expect(named(owner(row('La57'), hits, { modulesComplete: false }))).to.equal('fabsec.sys code medium');
    const moduleDoubts = new Map([[FABSEC!, { limit: 'low' as const, message: 'two names' }]]);
    expect(owner(row('La57'), hits, { moduleDoubts })).to.equal(null);
  });

  it('never for tags that drivers share, whatever code holds them', () => {
    const shared = fc.constantFrom('None', 'Ddk ', 'Wdm ', 'FxDr', 'Ovfl', '    ');
    const places = fc.array(fc.tuple(fc.nat(MODULES.length - 1), fc.boolean()), { maxLength: 4 });
    fc.assert(
      fc.property(shared, places, (tag, modules) => {
        const hits = modules.map(([module, code]) => (code ? codeHit(tag, module) : textHit(tag, module)));
        expect(owner(row(tag), hits)).to.equal(null);
      }),
    );
  });

  it('of the largest tags in each pool', () => {
    const rows = Array.from({ length: 200 }, (_, i) =>
      tagRow(`T${String(i).padStart(3, '0')}`, {
        ...(i < 150 ? { nonPaged: held(10, (300 - i) * MB) } : { paged: held(10, (250 - i) * MB) }),
      }),
    );
    const chosen = ownedRows(tablesOf(rows)).map(({ tag }) => tag);
    expect(chosen).to.have.length(50);
    expect(chosen).to.include.members(['T000', 'T037', 'T150', 'T161']);
    expect(chosen).not.to.include.members(['T038']);
    expect(ownedRows(tablesOf(rows), 1).map(({ tag }) => tag)).to.deep.equal(['T000']);
  });
});

describe('third-party holders', () => {
  it('are drivers that are no part of Windows, largest first', () => {
    const owned = (tag: string, module: string, bytes: number): PoolTagRow => ({
      ...tagRow(tag, { nonPaged: held(10, bytes) }),
      owner: { module, base: MODULES.find(({ name }) => name === module)!.base, confidence: 'high', basis: 'code' },
    });
    const rows = [
      owned('Aaaa', 'other.sys', 3 * MB),
      owned('MmSt', 'ntoskrnl.exe', 900 * MB),
      owned('La57', 'fabsec.sys', 547 * MB),
      owned('Tiny', 'fabsec.sys', 1000),
      row('None'),
    ];
    const holders = thirdPartyHolders({ poolTags: tablesOf(rows), modules: MODULES });
    expect(holders.map(({ row: { tag } }) => tag)).to.deep.equal(['La57', 'Aaaa']);
  });

  it('are not what says to be of Microsoft', () => {
    const version = {
      fileVersion: null,
      productName: null,
      companyName: 'Microsoft Corporation',
      fileDescription: null,
    };
    const modules = [{ ...MODULES[OTHER!]!, version }];
    expect(isThirdParty({ module: 'other.sys', base: modules[0]!.base }, modules)).to.equal(false);
    expect(isThirdParty({ module: 'other.sys', base: null }, null)).to.equal(true);
  });
});
