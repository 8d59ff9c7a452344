/** Values with provenance: the weakest source on the way is told, and a chain fails with its first reason. */

import { expect } from 'chai';
import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { weakest, type FigureSource, type KernelSymbols, type Sourced } from '../../../symbols/kernel-symbols.js';
import { KernelObjects, type Found } from './kernel-object.js';

/** 256 bytes at 0x1000. */
class Bytes {
  readonly bytes = Buffer.alloc(0x100);
  readonly pointerSize = 8;
  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const at = Number(address) - 0x1000;
    return at < 0 || at + length > this.bytes.length
      ? new Failure('not-in-dump', 'gone')
      : this.bytes.subarray(at, at + length);
  }
  readPointer(address: VirtualAddress): VirtualAddress | Failure {
    const bytes = this.read(address, 8);
    return failed(bytes) ? bytes : virtual(Buffer.from(bytes).readBigUInt64LE());
  }
}

const layout = (name: string, size: number, fields: Record<string, [number, string]>): StructLayout => ({
  name,
  size,
  fields: Object.fromEntries(Object.entries(fields).map(([field, [offset, type]]) => [field, { offset, type }])),
});
const LAYOUTS: Record<string, Sourced<StructLayout>> = {
  _OUTER: {
    value: layout('_OUTER', 0x10, { Count: [0, 'unsigned long'], Kind: [4, '_KIND'], In: [8, '_INNER'] }),
    source: 'profile',
  },
  _INNER: { value: layout('_INNER', 8, { Next: [0, '*_OUTER'], Many: [0, '*_OUTER[2]'] }), source: 'nearest' },
};
const ADDRESSES: Record<string, FigureSource> = { Known: 'kdbg', Scanned: 'scan' };

const memory = new Bytes();
memory.bytes.writeUInt32LE(7, 0);
memory.bytes.writeUInt32LE(0x0002_0001, 4);
memory.bytes.writeBigUInt64LE(0x1020n, 8);
memory.bytes.writeUInt32LE(9, 0x20);
memory.bytes.writeBigUInt64LE(0x9000n, 0x28);
memory.bytes.writeUInt32LE(11, 0x30);
const symbols = {
  address: (name: string) =>
    ADDRESSES[name] === undefined ? null : { value: virtual(0x1000n), source: ADDRESSES[name] },
  layout: (type: string) => LAYOUTS[type] ?? null,
} as unknown as KernelSymbols;
const objects = new KernelObjects(memory as unknown as VirtualMemory, symbols);

const told = (found: Found<bigint | string>): unknown =>
  failed(found) ? found.code : [Number(found.value), found.source];

describe('a value of the kernel', () => {
  it('comes with the weakest source that led to it', () => {
    const known = objects.object('Known', '_OUTER');
    expect(told(known.at('Count'))).to.deep.equal([7, 'kdbg']);
    expect(told(known.at('In.Next'))).to.deep.equal([0x1020, 'nearest']);
    expect(told(known.follow('In.Next', '_OUTER').at('Count'))).to.deep.equal([9, 'nearest']);
    expect(told(objects.object('Scanned', '_OUTER').at('In.Next'))).to.deep.equal([0x1020, 'scan']);
    expect(told(objects.variable('Scanned', 'unsigned long'))).to.deep.equal([7, 'scan']);
  });

  it('is found in structures inside, in arrays of structures and of pointers', () => {
    const known = objects.object('Known', '_OUTER');
    expect(told(known.inner('In').at('Next'))).to.deep.equal([0x1020, 'nearest']);
    expect(told(known.inner('In').pointer('Many', 1))).to.deep.equal([0, 'nearest']);
    expect(told(known.element(2).at('Count'))).to.deep.equal([9, 'kdbg']);
    expect(told(objects.pointerAt('Known', 1))).to.deep.equal([0x1020, 'kdbg']);
  });

  it('of an enumeration is read as the type that is asked for', () => {
    expect(told(objects.object('Known', '_OUTER').at('Kind'))).to.equal('corrupt');
    expect(told(objects.object('Known', '_OUTER').at('Kind', 'unsigned short'))).to.deep.equal([1, 'kdbg']);
  });

  it('that is not there fails with the first reason on the way', () => {
    expect(told(objects.object('Nowhere', '_OUTER').follow('In.Next', '_OUTER').at('Count'))).to.equal('unknown');
    expect(told(objects.object('Known', '_NOTHING').at('Count'))).to.equal('unknown');
    expect(told(objects.object('Known', '_OUTER').at('In.None'))).to.equal('unknown');
    const second = objects.object('Known', '_OUTER').follow('In.Next', '_OUTER');
    expect(told(second.follow('In.Next', '_OUTER').at('Count'))).to.equal('not-in-dump');
    expect(told(second.element(1).follow('In.Next', '_OUTER').at('Count'))).to.equal('bad-address');
    expect(told(new KernelObjects(null, symbols).variable('Known'))).to.equal('unknown');
  });
});

describe('the weakest of several sources', () => {
  it('is what was found by content, else the nearest build, else the first', () => {
    expect(weakest('pdb')).to.equal('pdb');
    expect(weakest('kdbg', 'profile', 'nearest')).to.equal('nearest');
    expect(weakest('nearest', 'profile', 'scan')).to.equal('scan');
  });
});
