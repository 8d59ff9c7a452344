import { expect } from 'chai';
import fc from 'fast-check';
import type { Failure } from '../parsers/bytes/failure.js';
import { failed } from '../parsers/bytes/failure.js';
import { readIsf } from './isf.js';
import type { KernelFacts } from './kernel-facts.js';

const GUID = '0123456789ABCDEF0123456789ABCDEF';
const base = (name: string): object => ({ kind: 'base', name });
const struct = (name: string): object => ({ kind: 'struct', name });
const pointer = (subtype: object): object => ({ kind: 'pointer', subtype });
const array = (count: number, subtype: object): object => ({ kind: 'array', count, subtype });
const bits = (bit_position: number, bit_length: number, type: object): object => ({
  kind: 'bitfield',
  bit_position,
  bit_length,
  type,
});

/** As Volatility 3 writes them out of a PDB. */
const ISF = {
  metadata: {
    format: '6.1.0',
    windows: { pdb: { GUID, age: 1, database: 'ntkrnlmp.pdb', machine_type: 34404 } },
  },
  base_types: {
    pointer: { endian: 'little', kind: 'int', signed: false, size: 8 },
    'unsigned long': { endian: 'little', kind: 'int', signed: false, size: 4 },
    'unsigned long long': { endian: 'little', kind: 'int', signed: false, size: 8 },
    bool: { endian: 'little', kind: 'bool', signed: false, size: 1 },
    HRESULT: { endian: 'little', kind: 'int', signed: true, size: 4 },
    double: { endian: 'little', kind: 'float', signed: true, size: 8 },
  },
  symbols: {
    PoolTrackTable: { address: 0xc1b2a8 },
    ExPoolTagTables: { address: 0x1000 },
    SomethingElse: { address: 0x1000 + 640 * 8 },
    MiState: { address: 'not a number' },
  },
  enums: {},
  user_types: {
    _LIST_ENTRY: {
      kind: 'struct',
      size: 16,
      fields: {
        Flink: { offset: 0, type: pointer(struct('_LIST_ENTRY')) },
        Blink: { offset: 8, type: pointer(struct('_LIST_ENTRY')) },
      },
    },
    _POOL_HEADER: {
      kind: 'struct',
      size: 0x100,
      fields: {
        Number: { offset: 0, type: base('unsigned long') },
        Bits: { offset: 4, type: bits(8, 12, base('unsigned long')) },
        Table: { offset: 8, type: array(3, array(5, base('unsigned long long'))) },
        Pointers: { offset: 0x80, type: array(2, pointer(struct('_EPROCESS'))) },
        Routine: { offset: 0x90, type: pointer({ kind: 'function' }) },
        Deep: { offset: 0x98, type: pointer(pointer(base('void'))) },
        Any: { offset: 0xa0, type: pointer(base('void')) },
        u: { offset: 0xa8, type: { kind: 'union', name: '__unnamed_1d56' } },
        Kind: { offset: 0xb0, type: { kind: 'enum', name: '_POOL_TYPE' } },
        Flag: { offset: 0xb4, type: base('bool') },
        Status: { offset: 0xb8, type: base('HRESULT') },
        Ratio: { offset: 0xc0, type: base('double') },
        unnamed_1: { offset: 0xc8, type: struct('__unnamed_2'), anonymous: true },
      },
    },
    __unnamed_2: { kind: 'struct', size: 8, fields: { Inner: { offset: 4, type: base('unsigned long') } } },
    _POOL_DESCRIPTOR: { kind: 'struct', size: 8, fields: { Broken: { offset: -1, type: base('unsigned long') } } },
    _MMPTE: { kind: 'union', size: 8, fields: { u: { offset: 0, type: { kind: 'mystery' } } } },
  },
};

function read(isf: unknown): KernelFacts {
  const facts = readIsf(JSON.stringify(isf));
  if (failed(facts)) throw new Error(facts.message);
  return facts;
}

describe('a Volatility symbol table', () => {
  it('gives the identity, addresses and capacity that it has', () => {
    const facts = read(ISF);
    expect(facts.pdb).to.deep.equal({ name: 'ntkrnlmp.pdb', guid: GUID, age: 1 });
    expect(facts).to.include({ machine: 0x8664, version: null, timeDateStamp: null, poolTagTablesCapacity: 640 });
    expect(facts.rva('PoolTrackTable')).to.equal(0xc1b2a8);
    expect(facts.rva('MiState')).to.equal(null);
    expect(facts.rva('NoSuchThing')).to.equal(null);
  });

  it('spells types as the built-in tables do', () => {
    const { fields, size } = read(ISF).layout('_POOL_HEADER')!;
    expect(size).to.equal(0x100);
    const types = Object.entries(fields).map(([name, { offset, type }]) => `${name}@${offset.toString(16)}: ${type}`);
    expect(types).to.deep.equal([
      'Number@0: unsigned long',
      'Bits@4: unsigned long:8:12',
      'Table@8: unsigned long long[3][5]',
      'Pointers@80: *_EPROCESS[2]',
      'Routine@90: *',
      'Deep@98: *',
      'Any@a0: *void',
      'u@a8: __unnamed',
      'Kind@b0: _POOL_TYPE',
      'Flag@b4: unsigned char',
      'Status@b8: long',
      'Ratio@c0: double',
      'Inner@cc: unsigned long',
    ]);
    expect(read(ISF).layout('_LIST_ENTRY')!.fields['Blink']).to.deep.equal({ offset: 8, type: '*_LIST_ENTRY' });
    expect(read(ISF).layout('_MMPTE')!.fields['u']!.type).to.equal('?');
  });

  it('has no layout where it is damaged, or has none', () => {
    expect(read(ISF).layout('_POOL_DESCRIPTOR')).to.equal(null);
    expect(read(ISF).layout('_POOL_TRACKER_TABLE')).to.equal(null);
  });

  it('takes the capacity of an array from its type where there is one', () => {
    const symbols = { ...ISF.symbols, ExPoolTagTables: { address: 0x1000, type: array(64, pointer(base('void'))) } };
    expect(read({ ...ISF, symbols }).poolTagTablesCapacity).to.equal(64);
  });

  it('is refused when it is something else', () => {
    const why = (text: string): string => (readIsf(text) as Failure).message;
    expect(why('{')).to.match(/JSON/);
    expect(why('null')).to.match(/no symbol table/);
    expect(why('[]')).to.match(/no symbol table/);
    expect(why(JSON.stringify({ metadata: { linux: {} } }))).to.match(/no symbol table/);
    expect(why(JSON.stringify({ ...ISF, metadata: { windows: { pdb: { GUID: 'x', age: 1 } } } }))).to.match(/GUID/);
    expect(why(JSON.stringify({ ...ISF, symbols: [] }))).to.match(/no symbols/);
  });

  it('never breaks the reader, whatever values it has', () => {
    const text = JSON.stringify(ISF);
    const values = [...text.matchAll(/(?<=[:,[])(?:"[^"]*"|\d+|true)(?=[,}\]])/g)];
    const odd = fc.constantFrom(
      'null',
      '-1',
      '1e300',
      '"__proto__"',
      '[]',
      '{}',
      '"pointer"',
      '"array"',
      '99999999999',
    );
    fc.assert(
      fc.property(fc.nat(), odd, (which, value) => {
        const { index, 0: old } = values[which % values.length]!;
        const facts = readIsf(text.slice(0, index) + value + text.slice(index + old.length));
        if (failed(facts)) return;
        for (const type of ['_POOL_HEADER', '_LIST_ENTRY']) facts.layout(type);
      }),
      { numRuns: 300 },
    );
  });

  it('ends where types or structures hold themselves', () => {
    let deep: object = base('unsigned long');
    for (let i = 0; i < 3000; i++) deep = array(2, deep);
    const user_types = {
      _MMPTE: { size: 8, fields: { a: { offset: 0, type: deep } } },
      _MMPFN: { size: 8, fields: { a: { offset: 0, type: struct('_MMPFN'), anonymous: true } } },
      _LIST_ENTRY: {
        size: 8,
        fields: Object.fromEntries(
          [0, 1, 2].map((i) => [`a${i}`, { offset: 0, type: struct('_TWICE'), anonymous: true }]),
        ),
      },
      _TWICE: {
        size: 8,
        fields: Object.fromEntries(
          [0, 1, 2].map((i) => [`a${i}`, { offset: 0, type: struct('_TWICE'), anonymous: true }]),
        ),
      },
    };
    const facts = read({ ...ISF, user_types });
    expect(facts.layout('_MMPTE')!.fields['a']!.type).to.equal('?');
    expect(facts.layout('_MMPFN')).to.equal(null);
    expect(facts.layout('_LIST_ENTRY')).to.equal(null);
  });
});
