/** One entry of the module list: its fields on both widths, what can be a name, and what can be an entry at all. */

import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { plus, virtual } from '../../../parsers/addresses.js';
import { FLAT_BASE, FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import { fileName, isFileName, isPlausible, readListEntry, type ListEntry } from './list-entry.js';

interface Fields {
  base?: bigint;
  size?: number;
  name?: string;
  path?: string;
  /** Bytes that BaseDllName has, where that is another number. */
  length?: number;
  missing?: number[];
}

function entry(width: 4 | 8, { base, size = 0x8000, name = 'drv.sys', path = '\\SystemRoot\\drv.sys', length, missing = [] }: Fields = {}): ListEntry {
  const at = virtual(width === 8 ? FLAT_BASE : 0x80400000n);
  const memory = new FlatMemory(4, missing, width, at);
  const pointer = (offset: number, value: bigint): void => {
    if (width === 8) memory.view.setBigUint64(offset, value, true);
    else memory.view.setUint32(offset, Number(value), true);
  };
  const text = (offset: number, to: number, words: string, bytes = words.length * 2): void => {
    memory.view.setUint16(offset, bytes, true);
    memory.view.setUint16(offset + 2, bytes, true);
    pointer(offset + width, BigInt.asUintN(width * 8, plus(at, to)));
    memory.bytes.set(Buffer.from(words, 'utf16le'), to);
  };
  const [dll, start, image, full, short, sum] = width === 8 ? [0x30, 0x38, 0x40, 0x48, 0x58, 0x78] : [0x18, 0x1c, 0x20, 0x24, 0x2c, 0x40];
  pointer(dll, base ?? (width === 8 ? 0xfffff88001230000n : 0x91230000n));
  pointer(start, (width === 8 ? 0xfffff88001230000n : 0x91230000n) + 0x1040n);
  memory.words(image, size);
  text(full, 0x1000, path);
  text(short, 0x2000, name, length);
  memory.words(sum, 0x1234);
  const found = readListEntry(memory, at);
  if (failed(found)) throw new Error(found.message);
  return found;
} // prettier-ignore

describe('an entry of the module list', () => {
  it('is read field by field, on both widths', () => {
    for (const width of [4, 8] as const) {
      const { base, entryPoint, size, baseName, fullName, checkSum, timeDateStamp } = entry(width);
      expect([BigInt.asUintN(32, base), BigInt.asUintN(32, entryPoint) & 0xffffn]).to.deep.equal([
        ...[width === 8 ? 0x01230000n : 0x91230000n, 0x1040n],
      ]);
      expect({ size, checkSum, timeDateStamp }).to.deep.equal({ size: 0x8000, checkSum: 0x1234, timeDateStamp: 0 });
      expect(baseName).to.deep.equal({ text: 'drv.sys', wrong: null });
      expect(fullName).to.deep.equal({ text: '\\SystemRoot\\drv.sys', wrong: null });
    }
  });

  it('has no size past a gigabyte', () => {
    expect([0x40000000, 0x40000001, 0].map((size) => entry(8, { size }).size)).to.deep.equal([0x40000000, 0, 0]);
  });

  it('has names that end at a NUL, are as long as a file may be called, and hold no path', () => {
    const name = (words: string, more: Fields = {}): unknown => {
      const { text, wrong } = entry(8, { name: words, ...more }).baseName;
      return [text, wrong];
    };
    expect(name('drv\0sys')).to.deep.equal(['drv', 'holds a NUL']);
    expect(name('\0rv.sys')).to.deep.equal([null, 'holds a NUL']);
    expect(name('')).to.deep.equal([null, 'is empty']);
    expect(name('a'.repeat(255))).to.deep.equal(['a'.repeat(255), null]);
    expect(name('a'.repeat(256))).to.deep.equal([null, 'has 256 characters']);
    expect(name('drv.sys', { length: 4080 })).to.deep.equal([null, 'has 2040 characters']);
    for (const sign of ['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
      expect(name(`a${sign}.sys`)).to.deep.equal([null, 'is no file name']);
    expect(name('drv.sys', { missing: [2] }), 'a page that is missing is no fault').to.deep.equal([null, null]);
  });

  it('has a path of 1024 characters at most', () => {
    expect(entry(8, { path: 'p'.repeat(1024) }).fullName.text).to.have.length(1024);
    expect(entry(8, { path: 'p'.repeat(1025) }).fullName).to.deep.equal({ text: null, wrong: 'has 1025 characters' });
  });

  it('can be one with a page of the kernel as base, a size and a name', () => {
    const can = (fields: Fields, width: 4 | 8 = 8): boolean => isPlausible(entry(width, fields));
    expect(can({})).to.equal(true);
    expect(can({}, 4)).to.equal(true);
    for (const base of [0n, 0xfffff88001230800n, 0xfffff88001230001n, 0x7fff_ffff_f000n, 0xffff_7fff_ffff_f000n, 0x7fff_f000n, 0x1_0000_0000n])
      expect(can({ base }), base.toString(16)).to.equal(false);
    for (const base of [0xffff_8000_0000_0000n, 0x8000_0000n, 0xffff_f000n])
      expect(can({ base }), base.toString(16)).to.equal(true);
    expect(can({ size: 0 })).to.equal(false);
    expect(can({ size: 1 })).to.equal(true);
    expect(can({ name: 'a|b' }), 'the path names it').to.equal(true);
    expect(can({ name: '', path: '' })).to.equal(false);
  }); // prettier-ignore

  it('tells file names from paths', () => {
    expect([isFileName(''), isFileName('a'), isFileName('a'.repeat(255)), isFileName('a'.repeat(256))]).to.deep.equal([
      ...[false, true, true, false],
    ]);
    expect(['\\a\\b.sys', 'b.sys', '\\a\\'].map(fileName)).to.deep.equal(['b.sys', 'b.sys', '']);
  });
});
