import { expect } from 'chai';
import { concat, putU16, putU32 } from '../../test-dumps/bytes.js';
import { fields, record, writeMsf } from '../../test-dumps/pdb/msf-writer.js';
import { AMD64, GUID, I386, PLAIN, plainPdb } from '../../test-dumps/pdb/plain-pdb.js';
import { pdbStreams, symbolRecord as S, writePdb } from '../../test-dumps/pdb/pdb-writer.js';
import { TypeWriter, T } from '../../test-dumps/pdb/type-writer.js';
import { CountingSource, MemorySource } from '../bytes/source.js';
import { openPdb, type Pdb } from './pdb.js';
import { opened, refused, rvas } from './pdb.test.helper.js';

const written = (...how: Parameters<typeof plainPdb>): Pdb => opened(plainPdb(...how));

describe('PDB', () => {
  describe('identity', () => {
    it('has the age of the DBI stream and that of the information stream', () => {
      expect(written({}).identity).to.deep.equal({ guid: GUID, age: 2, infoAge: 5, machine: AMD64 });
      expect(written({}).pointerSize).to.equal(8);
      expect(written({ machine: I386 }).pointerSize).to.equal(4);
    });

    it('counts what is in the file', () => {
      const types = new TypeWriter();
      types.struct('_A', 4, [{ name: 'a', type: T.ulong, offset: 0 }]);
      const symbols = [S.public({ name: 'a', segment: 1, offset: 0 }), S.global({ name: 'a', segment: 1, offset: 0 })];
      const { sections, ...rest } = written({ types, symbols, omap: [[0x1000, 0x1000]] }).counts();
      expect(rest).to.deep.equal({ streams: 9, publics: 1, types: 2, omap: 1 });
      expect(sections).to.deep.equal(PLAIN.sections);
    });

    it('refuses /DEBUG:FASTLINK, compilers PDBs and old formats as not supported', () => {
      expect(refused(writePdb({ ...PLAIN, features: [20140508, 0x494e494d] })).code).to.equal('not-supported');
      const streams = pdbStreams(PLAIN);
      const compiler = streams.with(3, new Uint8Array(0));
      expect(refused(writeMsf(compiler)).message).to.match(/compiler/);
      const oldInfo = streams[1]!.slice();
      putU32(oldInfo, 0, 19970604);
      expect(refused(writeMsf(streams.with(1, oldInfo))).code).to.equal('not-supported');
      const oldDbi = streams[3]!.slice();
      putU32(oldDbi, 4, 930803);
      expect(refused(writeMsf(streams.with(3, oldDbi))).code).to.equal('not-supported');
      expect(refused(writeMsf(streams.with(6, null))).code).to.equal('not-supported');
    });

    it('refuses streams that are missing or contradict themselves as corrupt', () => {
      const streams = pdbStreams(PLAIN);
      expect(refused(writeMsf(streams.slice(0, 1))).code).to.equal('corrupt');
      expect(refused(writeMsf(streams.with(3, null))).code).to.equal('corrupt');
      expect(refused(writeMsf(streams.with(3, new Uint8Array(63)))).code).to.equal('corrupt');
      const dbi = streams[3]!.slice();
      putU32(dbi, 28, 0x40000000);
      expect(refused(writeMsf(streams.with(3, dbi))).code).to.equal('corrupt');
      expect(
        refused(
          writePdb({
            ...PLAIN,
            omap: [
              [0x2000, 1],
              [0x1000, 2],
            ],
          }),
        ).code,
      ).to.equal('corrupt');
    });
  });

  describe('symbols', () => {
    it('are found exactly, in one pass, wherever their records stand', () => {
      const many = Array.from({ length: 20_000 }, (_, i) =>
        S.public({ name: `PoolTrackTable${i}`, segment: 1, offset: i }),
      );
      const symbols = [
        ...many,
        S.public({ name: 'PoolTrackTable', segment: 2, offset: 0x10 }),
        S.public({ name: 'pooltracktable', segment: 2, offset: 0x20 }),
        S.public({ name: 'XPoolTrackTable', segment: 2, offset: 0x30 }),
        S.public({ name: 'ExAllocatePoolWithTag', segment: 1, offset: 0x40 }, true),
      ];
      const bytes = writePdb({ ...PLAIN, symbols }, { scatter: 3 });
      const source = new CountingSource(new MemorySource(bytes));
      const pdb = openPdb(source) as Pdb;
      const found = pdb.symbols(['PoolTrackTable', 'ExAllocatePoolWithTag', 'NoSuchSymbol', 'PoolTrackTable19999']);
      expect(Object.fromEntries(found)).to.deep.equal({
        PoolTrackTable: { rva: 0x6010, section: 2, isFunction: false, type: null },
        ExAllocatePoolWithTag: { rva: 0x1040, section: 1, isFunction: true, type: null },
        PoolTrackTable19999: { rva: 0x1000 + 19999, section: 1, isFunction: false, type: null },
      });
      expect(source.bytesRead).to.be.lessThan(bytes.length);
      expect(pdb.notes).to.deep.equal([]);
    });

    it('with names of one to eight characters', () => {
      const names = ['a', 'bc', 'def', 'ghij', 'klmno', 'pqrstu', 'vwxyzAB', 'CDEFGHIJ'];
      const symbols = names.map((name, i) => S.public({ name, segment: 1, offset: i }));
      for (let from = 0; from < names.length; from++) {
        expect([...written({ symbols }).symbols(names.slice(from)).keys()]).to.deep.equal(names.slice(from));
      }
    });

    it('of x86 lose their decoration, and only there', () => {
      const symbols = [
        S.public({ name: '_PoolTrackTable', segment: 2, offset: 0 }),
        S.public({ name: '@ExfUnblock@4', segment: 1, offset: 1 }, true),
        S.public({ name: '_NtClose@4', segment: 1, offset: 2 }, true),
        S.public({ name: '_MiState7@4', segment: 1, offset: 7 }, true),
        S.public({ name: '?Cpp@@YAXXZ', segment: 1, offset: 3 }, true),
        S.global({ name: '_underscored', segment: 2, offset: 4 }),
      ];
      const names = [
        'PoolTrackTable',
        'ExfUnblock',
        'NtClose',
        'MiState7',
        '?Cpp@@YAXXZ',
        '_underscored',
        'underscored',
      ];
      expect(rvas(written({ symbols, machine: I386 }), ...names)).to.deep.equal({
        PoolTrackTable: '6000',
        ExfUnblock: '1001',
        NtClose: '1002',
        MiState7: '1007',
        '?Cpp@@YAXXZ': '1003',
        _underscored: '6004',
      });
      expect(rvas(written({ symbols }), ...names)).to.deep.equal({ '?Cpp@@YAXXZ': '1003', _underscored: '6004' });
      expect(rvas(written({ symbols, machine: I386 }), 'MiState7')).to.deep.equal({ MiState7: '1007' });
    });

    it('public before global before local, and none where equals differ', () => {
      const at = (name: string, offset: number): { name: string; segment: number; offset: number } => ({
        name,
        segment: 2,
        offset,
      });
      const pdb = written({
        symbols: [
          S.local(at('First', 1)),
          S.global(at('First', 2), 0x1234),
          S.public(at('First', 3)),
          S.local(at('Second', 4)),
          S.global(at('Second', 5), 0x1001),
          S.local(at('Twice', 6)),
          S.local(at('Twice', 7)),
          S.local(at('Twice', 6)),
          S.public(at('Same', 8)),
          S.public(at('Same', 8)),
        ],
      });
      expect(rvas(pdb, 'First', 'Second', 'Twice', 'Same')).to.deep.equal({
        First: '6003',
        Second: '6005',
        Same: '6008',
      });
      expect(pdb.notes).to.deep.equal(['Twice stands for several addresses']);
      const types = pdb.symbols(['First', 'Second', 'Same']);
      expect([...types.values()].map(({ type }) => type)).to.have.members([0x1234, 0x1001, null]);
    });

    it('that are absolute or in no section have no address', () => {
      const symbols = [0, 3, 9].map((segment) => S.public({ name: `s${segment}`, segment, offset: 4 }));
      const pdb = written({ symbols });
      expect(rvas(pdb, 's0', 's3', 's9')).to.deep.equal({});
      expect(pdb.notes).to.have.length(3);
    });

    it('of functions without a public name are found through their module', () => {
      const modules = [[], [S.procedure({ name: 'LeakNonPaged', segment: 1, offset: 0x100, size: 0x80 })]];
      const symbols = [
        S.procedureReference('LeakNonPaged', 2, 4, true),
        S.procedureReference('Broken', 2, 5),
        S.procedureReference('Gone', 9, 4),
      ];
      const pdb = written({ symbols, modules });
      expect(pdb.symbols(['LeakNonPaged', 'Broken', 'Gone']).get('LeakNonPaged')).to.deep.equal({
        rva: 0x1100,
        section: 1,
        isFunction: true,
        type: null,
      });
      expect(pdb.symbols(['Broken', 'Gone']).size).to.equal(0);
    });

    it('before the damage are kept, and the damage is told', () => {
      const symbols = [
        S.public({ name: 'Before', segment: 1, offset: 1 }),
        fields({ u16: 0 }, { u16: 0x110e }),
        S.public({ name: 'After', segment: 1, offset: 2 }),
      ];
      const pdb = written({ symbols });
      expect(rvas(pdb, 'Before', 'After')).to.deep.equal({ Before: '1001' });
      expect(pdb.notes.join()).to.match(/cannot have 0 bytes/);
      const odd = written({ symbols: [fields({ u16: 3 }, { u16: 0x110e }, Uint8Array.of(0)), symbols[0]!] });
      expect(odd.symbols(['Before']).size).to.equal(0);
      expect(odd.notes.join()).to.match(/cannot have 3 bytes/);
      const cut = opened(writeMsf(pdbStreams({ ...PLAIN, symbols: [symbols[0]!, symbols[2]!.subarray(0, 9)] })));
      expect(rvas(cut, 'Before', 'After')).to.deep.equal({ Before: '1001' });
      expect(cut.notes.join()).to.match(/cut off/);
    });
  });

  describe('rearranged images', () => {
    const originalSections = [
      { name: '.text', rva: 0x1000, size: 0x3000 },
      { name: '.data', rva: 0x4000, size: 0x1000 },
    ];
    const omap = [
      [0x1000, 0x2000],
      [0x1800, 0x1000],
      [0x1900, 0],
      [0x2000, 0x2800],
      [0x4000, 0x6000],
    ] as const;
    const symbols = [0, 0x7ff, 0x800, 0x8ff, 0x900, 0xfff, 0x1000].map((offset) =>
      S.public({ name: `at${offset.toString(16)}`, segment: 1, offset }, true),
    );

    it('give the RVA in the image as it is', () => {
      const pdb = written({
        originalSections,
        omap,
        symbols: [...symbols, S.public({ name: 'data', segment: 2, offset: 8 })],
      });
      expect(rvas(pdb, 'at0', 'at7ff', 'at800', 'at8ff', 'at900', 'atfff', 'at1000', 'data')).to.deep.equal({
        at0: '2000',
        at7ff: '27ff',
        at800: '1000',
        at8ff: '10ff',
        at1000: '2800',
        data: '6008',
      });
      expect(pdb.nearestFunction(0x1080)).to.deep.equal({ name: 'at800', rva: 0x1000, size: null });
      expect(pdb.nearestFunction(0x27ff)).to.deep.equal({ name: 'at7ff', rva: 0x27ff, size: null });
      expect(pdb.nearestFunction(0x2850)).to.deep.equal({ name: 'at1000', rva: 0x2800, size: null });
    });

    it('have no address before the first entry', () => {
      const pdb = written({ originalSections, omap: [[0x1001, 0x1001]], symbols });
      expect(rvas(pdb, 'at0', 'at7ff')).to.deep.equal({ at7ff: '17ff' });
    });
  });

  describe('functions by address', () => {
    const modules = [
      [
        S.procedure({ name: 'Static', segment: 1, offset: 0x200, size: 0x40 }),
        S.procedure({ name: 'Public', segment: 1, offset: 0x300, size: 0x10 }),
      ],
    ];
    const symbols = [
      S.public({ name: 'Public', segment: 1, offset: 0x300 }, true),
      S.public({ name: 'First', segment: 1, offset: 0x100 }, true),
      S.public({ name: 'NotCode', segment: 1, offset: 0x180 }),
      S.public({ name: 'Other', segment: 2, offset: 0x10 }, true),
      S.procedureReference('Static', 1, 4, true),
      S.procedureReference('Public', 1, 4 + modules[0]![0]!.length),
    ];
    const pdb = written({ symbols, modules });

    it('are the last that begin at or before it, in its section', () => {
      const nameAt = (rva: number): string | undefined => pdb.nearestFunction(rva)?.name;
      expect(nameAt(0x10ff)).to.equal(undefined);
      expect(nameAt(0x1100)).to.equal('First');
      expect(nameAt(0x11ff)).to.equal('First');
      expect(pdb.nearestFunction(0x1210)).to.deep.equal({ name: 'Static', rva: 0x1200, size: 0x40 });
      expect(pdb.nearestFunction(0x1305)).to.deep.equal({ name: 'Public', rva: 0x1300, size: 0x10 });
      expect(nameAt(0x6000)).to.equal(undefined);
      expect(nameAt(0x6011)).to.equal('Other');
      expect(nameAt(0x9000)).to.equal(undefined);
    });

    it('lose their decoration on x86', () => {
      const x86 = written({ machine: I386, symbols: [S.public({ name: '_NtClose@4', segment: 1, offset: 0 }, true)] });
      expect(x86.nearestFunction(0x1004)?.name).to.equal('NtClose');
    });
  });

  it('measures to the next symbol, or the end of the section', () => {
    const symbols = [0x10, 0x90, 0x50].map((offset) => S.public({ name: `d${offset}`, segment: 2, offset }));
    const pdb = written({ symbols });
    expect(pdb.bytesToNextSymbol(0x6010)).to.equal(0x40);
    expect(pdb.bytesToNextSymbol(0x6090)).to.equal(0x2000 - 0x90);
    expect(pdb.bytesToNextSymbol(0x100)).to.equal(null);
  });

  it('goes on without a stream of symbols or types', () => {
    const dbi = pdbStreams(PLAIN)[3]!.slice();
    putU16(dbi, 20, 0xffff);
    const pdb = opened(writeMsf(pdbStreams(PLAIN).with(3, dbi)));
    expect(pdb.symbols(['a']).size).to.equal(0);
    expect(pdb.nearestFunction(0x1000)).to.equal(null);
    expect(pdb.layout('_A')).to.equal(null);
    expect(pdb.enumValue('_E', 'a')).to.equal(null);
    expect(pdb.counts().publics).to.equal(0);
  });

  it('reads names that are not ASCII, and records without a name', () => {
    const name = 'Tabelle\u00fc';
    const utf8 = Buffer.from(`${name}\0`);
    const symbols = [
      record(0x110e, concat([fields({ u32: 0 }, { u32: 8 }, { u16: 1 }), utf8])),
      record(0x110e, fields({ u32: 0 })),
      record(0x1125, new Uint8Array(0)),
    ];
    expect(rvas(written({ symbols }), name)).to.deep.equal({ [name]: '1008' });
  });
});
