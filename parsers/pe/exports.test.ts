import { expect } from 'chai';
import { virtual } from '../addresses.js';
import { ReadFailure } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { nearestExport } from './exports.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const BASE = virtual(0xfffff80000000000n);
const DIRECTORY_AT = 0x3000;
const SIZE = 0x4000;

/** An image with these exports by name, and code in two sections. `missing` is a page that is not there. */
function image(
  exports: Readonly<Record<string, number>>,
  change: (bytes: DataView) => void = () => undefined,
  missing = -1,
): (rva: number) => ReturnType<typeof nearestExport> {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  const names = Object.keys(exports);
  const put = (at: number, value: number): void => {
    view.setUint32(at, value, true);
  };
  put(DIRECTORY_AT + 0x14, names.length);
  put(DIRECTORY_AT + 0x18, names.length);
  put(DIRECTORY_AT + 0x1c, DIRECTORY_AT + 0x100);
  put(DIRECTORY_AT + 0x20, DIRECTORY_AT + 0x200);
  put(DIRECTORY_AT + 0x24, DIRECTORY_AT + 0x300);
  names.forEach((name, i) => {
    // Ordinals in another order than names.
    const ordinal = names.length - 1 - i;
    put(DIRECTORY_AT + 0x100 + ordinal * 4, exports[name]!);
    put(DIRECTORY_AT + 0x200 + i * 4, DIRECTORY_AT + 0x400 + i * 64);
    view.setUint16(DIRECTORY_AT + 0x300 + i * 2, ordinal, true);
    bytes.set(Buffer.from(`${name}\0`), DIRECTORY_AT + 0x400 + i * 64);
  });
  change(view);
  const read = (address: bigint, length: number): Uint8Array | ReadFailure => {
    const at = Number(address - BASE);
    const isGone = missing >= 0 && at < missing + 0x1000 && at + length > missing;
    return at < 0 || at + length > SIZE || isGone
      ? new ReadFailure('not-in-dump', 'gone')
      : bytes.subarray(at, at + length);
  };
  const memory = {
    read,
    readU32: (address: bigint) => {
      const word = read(address, 4);
      return word instanceof ReadFailure ? word : Buffer.from(word).readUInt32LE(0);
    },
  } as unknown as VirtualMemory;
  const directories = Array.from({ length: DIRECTORY.export + 1 }, () => ({ rva: DIRECTORY_AT, size: 0x1000 }));
  const headers = {
    directories,
    sections: [
      { name: '.text', rva: 0x1000, size: 0x1000, executable: true },
      { name: 'PAGE', rva: 0x2000, size: 0x1000, executable: true },
      { name: '.edata', rva: DIRECTORY_AT, size: 0x1000, executable: false },
    ],
  } as unknown as ImageHeaders;
  return (rva) => nearestExport(memory, BASE, headers, rva);
}

describe('nearestExport', () => {
  const exports = { Alpha: 0x1800, Beta: 0x1100, Gamma: 0x2000, Forwarded: 0x3480 };

  it('is the last one at or before an address, in the same section', () => {
    const at = image(exports);
    expect(at(0x1100)).to.deep.equal({ name: 'Beta', rva: 0x1100 });
    expect(at(0x17ff)).to.deep.equal({ name: 'Beta', rva: 0x1100 });
    expect(at(0x1fff)).to.deep.equal({ name: 'Alpha', rva: 0x1800 });
    expect(at(0x2abc)).to.deep.equal({ name: 'Gamma', rva: 0x2000 });
    expect(at(0x10ff)).to.equal(null);
    // What points into the directory is the name of a function elsewhere.
    expect(at(0x3490)).to.equal(null);
  });

  it('fails where a page is missing or the counts cannot be true', () => {
    expect(image(exports, undefined, DIRECTORY_AT)(0x1100)).to.be.instanceOf(ReadFailure);
    const counts = image(exports, (view) => {
      view.setUint32(DIRECTORY_AT + 0x18, 0x20000, true);
    });
    expect(counts(0x1100)).to.be.instanceOf(ReadFailure);
    const far = image(exports, (view) => {
      view.setUint32(DIRECTORY_AT + 0x1c, 0x7fffffff, true);
    });
    expect(far(0x1100)).to.be.instanceOf(ReadFailure);
  });

  it('passes over ordinals beyond the table', () => {
    const at = image({ Only: 0x1100 }, (view) => {
      view.setUint16(DIRECTORY_AT + 0x300, 9, true);
    });
    expect(at(0x1200)).to.equal(null);
  });
});
