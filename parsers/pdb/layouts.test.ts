import { expect } from 'chai';
import { concat, putU32 } from '../../test-dumps/bytes.js';
import { fields, writeMsf } from '../../test-dumps/pdb/msf-writer.js';
import { pdbStreams } from '../../test-dumps/pdb/pdb-writer.js';
import { I386, PLAIN, plainPdb } from '../../test-dumps/pdb/plain-pdb.js';
import { leaf, padded, T, TypeWriter } from '../../test-dumps/pdb/type-writer.js';
import type { StructLayout } from '../kernel/layout.js';
import type { Pdb } from './pdb.js';
import { opened } from './pdb.test.helper.js';

/** `name@offset: type` of every field. */
function brief(layout: StructLayout | null): readonly string[] | null {
  return layout === null
    ? null
    : Object.entries(layout.fields).map(([name, { offset, type }]) => `${name}@${offset.toString(16)}: ${type}`);
}

function typed(build: (types: TypeWriter) => void, machine?: number): Pdb {
  const types = new TypeWriter();
  build(types);
  return opened(plainPdb(machine === undefined ? { types } : { types, machine }));
}

describe('layouts', () => {
  it('are spelled as in the built-in profiles', () => {
    const pdb = typed((t) => {
      const eprocess = t.pointer(t.forward('_EPROCESS'));
      const listForward = t.forward('_LIST_ENTRY');
      const list = t.struct('_LIST_ENTRY', 16, [
        { name: 'Flink', type: t.pointer(listForward), offset: 0 },
        { name: 'Blink', type: t.pointer(listForward), offset: 8 },
      ]);
      const unnamed = t.union('<unnamed-tag>', 8, [{ name: 'Long', type: T.uquad, offset: 0 }]);
      const kind = t.enumeration('_POOL_TYPE', { NonPagedPool: 0, PagedPool: 1 });
      t.struct('_EVERYTHING', 0x200, [
        { name: 'Number', type: T.uquad, offset: 0 },
        { name: 'Process', type: eprocess, offset: 8 },
        { name: 'Lists', type: t.array(listForward, 32), offset: 0x10 },
        { name: 'List', type: list, offset: 0x30 },
        { name: 'Bits', type: t.bits(T.ulong, 8, 12), offset: 0x40 },
        { name: 'Pointers', type: t.array(eprocess, 24), offset: 0x48 },
        { name: 'Any', type: T.pvoid64, offset: 0x60 },
        { name: 'Old', type: T.pvoid32, offset: 0x68 },
        { name: 'Routine', type: t.pointer(t.procedure()), offset: 0x70 },
        { name: 'Deep', type: t.pointer(t.pointer(listForward)), offset: 0x78 },
        { name: 'Table', type: t.array(t.array(T.ulong, 12), 24), offset: 0x80 },
        { name: 'Shared', type: t.modifier(T.long), offset: 0x98 },
        { name: 'u', type: unnamed, offset: 0xa0 },
        { name: 'Kind', type: kind, offset: 0xa8 },
        { name: 'Name', type: t.array(T.uchar, 15), offset: 0xac },
        { name: 'ToArray', type: t.pointer(t.array(T.ulong, 12)), offset: 0xc0 },
        { name: 'ToShared', type: t.pointer(t.modifier(T.ulong)), offset: 0xc8 },
        { name: 'None', type: t.array(T.uchar, 0), offset: 0xd0 },
        { name: 'Of', type: t.array(unnamed, 16), offset: 0xd8 },
        { name: 'Kinds', type: t.array(kind, 8), offset: 0xe8 },
        { name: 'Far', type: T.uchar, offset: 0x12345678 },
      ]);
    });
    expect(pdb.layout('_EVERYTHING')?.size).to.equal(0x200);
    expect(brief(pdb.layout('_EVERYTHING'))).to.deep.equal([
      'Number@0: unsigned long long',
      'Process@8: *_EPROCESS',
      'Lists@10: _LIST_ENTRY[2]',
      'List@30: _LIST_ENTRY',
      'Bits@40: unsigned long:8:12',
      'Pointers@48: *_EPROCESS[3]',
      'Any@60: *void',
      'Old@68: unsigned long',
      'Routine@70: *',
      'Deep@78: *',
      'Table@80: unsigned long[2][3]',
      'Shared@98: long',
      'u@a0: __unnamed',
      'Kind@a8: _POOL_TYPE',
      'Name@ac: unsigned char[15]',
      'ToArray@c0: *',
      'ToShared@c8: *unsigned long',
      'None@d0: unsigned char[0]',
      'Of@d8: __unnamed[2]',
      'Kinds@e8: _POOL_TYPE[2]',
      'Far@12345678: unsigned char',
    ]);
    expect(pdb.enumValue('_POOL_TYPE', 'PagedPool')).to.equal(1);
    expect(pdb.enumValue('_POOL_TYPE', 'Other')).to.equal(null);
    expect(pdb.layout('_POOL_TYPE')).to.equal(null);
    expect(pdb.layout('_EPROCESS')).to.equal(null);
    expect(pdb.notes).to.deep.equal([]);
  });

  it('have pointers of the processor of the image', () => {
    const pdb = typed((t) => {
      t.struct('_P', 16, [
        { name: 'a', type: t.pointer(T.ulong, 4), offset: 0 },
        { name: 'b', type: T.pvoid32, offset: 4 },
        { name: 'c', type: T.pvoid64, offset: 8 },
      ]);
    }, I386);
    expect(brief(pdb.layout('_P'))).to.deep.equal(['a@0: *unsigned long', 'b@4: *void', 'c@8: unsigned long long']);
  });

  it('give the members of members without a name to the structure around them', () => {
    const pdb = typed((t) => {
      const inner = t.struct('<unnamed-tag>', 8, [
        { name: 'Low', type: T.ulong, offset: 0 },
        { name: 'High', type: T.ulong, offset: 4 },
      ]);
      const either = t.union('<unnamed-tag>', 8, [
        { name: '', type: inner, offset: 0 },
        { name: 'Whole', type: T.uquad, offset: 0 },
      ]);
      t.struct('_OUTER', 24, [
        { name: 'Key', type: T.ulong, offset: 0 },
        { name: '', type: t.modifier(either), offset: 8 },
        { name: 'Last', type: T.uquad, offset: 16 },
      ]);
    });
    expect(brief(pdb.layout('_OUTER'))).to.have.members([
      'Key@0: unsigned long',
      'Low@8: unsigned long',
      'High@c: unsigned long',
      'Whole@8: unsigned long long',
      'Last@10: unsigned long long',
    ]);
  });

  it('include the members of a base, and pass over what is not data', () => {
    const pdb = typed((t) => {
      const base = t.struct('_BASE', 8, [{ name: 'a', type: T.ulong, offset: 4 }]);
      const head = (kind: number, attributes: number, u32: number): Uint8Array =>
        fields({ u16: kind }, { u16: attributes }, { u32 });
      const list = t.add(
        0x1203,
        concat([
          padded(fields(head(0x1400, 3, base), leaf(16))),
          padded(fields(head(0x1401, 3, base), { u32: T.pvoid64 }, leaf(0), leaf(0x12345))),
          head(0x1409, 0, T.pvoid64),
          padded(fields(head(0x150e, 3, T.ulong), { text: 'shared' })),
          padded(fields(head(0x150f, 2, 0x1000), { text: 'method' })),
          padded(fields(head(0x1510, 0, base), { text: 'Nested' })),
          padded(fields(head(0x1511, 3, 0x1000), { text: 'plain' })),
          padded(fields(head(0x1511, 3 | (4 << 2), 0x1000), { u32: 8 }, { text: 'virtual' })),
          padded(fields(head(0x150d, 3, T.ulong), leaf(0x18), { text: 'own' })),
        ]),
      );
      t.structOver('_CLASS', 32, list);
    });
    expect(brief(pdb.layout('_CLASS'))).to.have.members(['own@18: unsigned long', 'a@14: unsigned long']);
  });

  it('continue in further lists', () => {
    const pdb = typed((t) => {
      const third = t.list([{ name: 'c', type: T.ulong, offset: 8 }]);
      const second = t.list([{ name: 'b', type: T.ulong, offset: 4 }], third);
      t.structOver('_LONG', 12, t.list([{ name: 'a', type: T.ulong, offset: 0 }], second));
    });
    expect(brief(pdb.layout('_LONG'))).to.deep.equal([
      'a@0: unsigned long',
      'b@4: unsigned long',
      'c@8: unsigned long',
    ]);
  });

  it('are taken from the definition, not from forward references, and by the unique name where there is one', () => {
    const pdb = typed((t) => {
      const forward = t.forward('_LATE');
      t.struct('_USER', 0x30, [{ name: 'Two', type: t.array(forward, 0x20), offset: 0 }]);
      t.struct('_LATE', 0x10, [{ name: 'a', type: T.ulong, offset: 0 }]);
    });
    expect(brief(pdb.layout('_USER'))).to.deep.equal(['Two@0: _LATE[2]']);
    expect(brief(pdb.layout('_LATE'))).to.deep.equal(['a@0: unsigned long']);
    const twice = typed((t) => {
      const list = t.list([{ name: 'a', type: T.ulong, offset: 0 }]);
      t.structOver('Local', 16, list, '.?AULocal@?1??One@@');
      t.structOver('Local', 8, list, '.?AULocal@?1??Two@@');
      const two = t.forward('Local', '.?AULocal@?1??Two@@');
      t.struct('_USER', 32, [{ name: 'Four', type: t.array(two, 32), offset: 0 }]);
    });
    expect(brief(twice.layout('_USER'))).to.deep.equal(['Four@0: Local[4]']);
  });

  it('of a name with one meaning twice are that; with two meanings, none', () => {
    const pdb = typed((t) => {
      for (let i = 0; i < 2; i++) t.struct('_SAME', 8, [{ name: 'a', type: t.pointer(T.ulong), offset: 0 }]);
      for (const type of [T.ulong, T.uquad]) t.struct('_DIFFERENT', 8, [{ name: 'a', type, offset: 0 }]);
    });
    expect(brief(pdb.layout('_SAME'))).to.deep.equal(['a@0: *unsigned long']);
    expect(pdb.layout('_DIFFERENT')).to.equal(null);
    expect(pdb.notes).to.deep.equal(['_DIFFERENT is defined in 2 ways']);
  });

  it('may be empty, and have names that objects have', () => {
    const pdb = typed((t) => {
      t.structOver('_EMPTY', 0, 0);
      t.struct('_ODD', 8, [
        { name: '__proto__', type: T.ulong, offset: 0 },
        { name: 'constructor', type: T.ulong, offset: 4 },
      ]);
    });
    expect(pdb.layout('_EMPTY')).to.deep.equal({ name: '_EMPTY', size: 0, fields: {} });
    expect(brief(pdb.layout('_ODD'))).to.deep.equal(['__proto__@0: unsigned long', 'constructor@4: unsigned long']);
  });

  it('read enumerators of any size', () => {
    const pdb = typed((t) => {
      t.enumeration('_E', { zero: 0, minus: -5, wide: 0x8000, wider: 0x12345, widest: 0x1_0000_0001, past: 2 ** 60 });
    });
    const value = (name: string): number | null => pdb.enumValue('_E', name);
    expect(['zero', 'minus', 'wide', 'wider', 'widest'].map(value)).to.deep.equal([
      0, -5, 0x8000, 0x12345, 0x1_0000_0001,
    ]);
    expect(value('past')).to.equal(null);
  });

  it('are read of both versions of type records, and of no others', () => {
    const types = new TypeWriter();
    types.struct('_A', 4, [{ name: 'a', type: T.ulong, offset: 0 }]);
    const streams = pdbStreams({ ...PLAIN, types });
    for (const [version, size] of [
      [20040203, 4],
      [19990903, 4],
      [19961031, undefined],
    ] as const) {
      const stream = streams[2]!.slice();
      putU32(stream, 0, version);
      const pdb = opened(writeMsf(streams.with(2, stream)));
      expect(pdb.layout('_A')?.size, `${version}`).to.equal(size);
      if (size === undefined) expect(pdb.notes.join()).to.match(/19961031 are not supported/);
    }
  });

  describe('end at damage', () => {
    const none: readonly (readonly [string, (t: TypeWriter) => void])[] = [
      ['a list that continues in itself', (t) => t.structOver('_X', 4, t.list([], 0x1000))],
      ['a list that is no list', (t) => t.structOver('_X', 4, t.pointer(T.ulong))],
      ['a list that is not there', (t) => t.structOver('_X', 4, 0x9999)],
      ['a member of an unknown kind', (t) => t.structOver('_X', 4, t.add(0x1203, fields({ u16: 0x1999 }, { u16: 0 })))],
      ['a member that is cut off', (t) => t.structOver('_X', 4, t.add(0x1203, fields({ u16: 0x150d }, { u16: 3 })))],
      ['a member without a name that holds itself', (t) => t.struct('_X', 4, [{ name: '', type: 0x1001, offset: 0 }])],
      [
        'an enumerator in a structure',
        (t) => t.structOver('_X', 4, t.add(0x1203, fields({ u16: 0x1502 }, { u16: 3 }, leaf(1), { text: 'e' }))),
      ],
    ];
    for (const [name, build] of none) {
      it(name, () => {
        const pdb = typed(build);
        expect(pdb.layout('_X')).to.equal(null);
        expect(pdb.notes.join()).to.match(/_X/);
      });
    }

    it('types that refer to themselves are unknown ones', () => {
      const pdb = typed((t) => {
        t.modifier(0x1000);
        t.array(0x1001, 16);
        t.pointer(0x1002);
        t.bits(0x1003, 0, 1);
        t.struct(
          '_X',
          4,
          [0x1000, 0x1001, 0x1002, 0x1003, 0x7777].map((type, i) => ({ name: `m${i}`, type, offset: i })),
        );
      });
      const types = Object.values(pdb.layout('_X')?.fields ?? {}).map(({ type }) => type);
      expect(types).to.have.length(5);
      expect(types[0]).to.equal('?');
      expect(types[4]).to.equal('?');
      for (const type of types) expect(type.length).to.be.lessThan(200);
    });

    it('types before a damaged record can be read', () => {
      const pdb = typed((t) => {
        t.struct('_BEFORE', 4, [{ name: 'a', type: T.ulong, offset: 0 }]);
        t.add(0x1505, new Uint8Array(3));
        t.struct('_AFTER', 4, [{ name: 'a', type: T.ulong, offset: 0 }]);
      });
      expect(brief(pdb.layout('_BEFORE'))).to.deep.equal(['a@0: unsigned long']);
      expect(brief(pdb.layout('_AFTER'))).to.deep.equal(['a@0: unsigned long']);
    });
  });
});
