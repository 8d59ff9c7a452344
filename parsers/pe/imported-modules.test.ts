import { expect } from 'chai';
import fc from 'fast-check';
import { virtual } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { importedModules } from './imported-modules.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const BASE = virtual(0xfffff80000000000n);
const SIZE = 0x3000;
const TABLE = 0x1000;
const NAMES = 0x2000;

/** A directory that names these; `missing` is a page that is not there. */
function read(names: readonly string[], change: (bytes: Buffer) => void = () => undefined, missing = -1) {
  const bytes = Buffer.alloc(SIZE);
  names.forEach((name, i) => {
    bytes.writeUInt32LE(NAMES + i * 32, TABLE + i * 20 + 12);
    bytes.write(`${name}\0`, NAMES + i * 32, 'latin1');
  });
  change(bytes);
  const memory = {
    read(address: bigint, length: number) {
      const at = Number(address - BASE);
      const gone = missing >= 0 && at < missing + 0x1000 && at + length > missing;
      return at < 0 || at + length > SIZE || gone
        ? new Failure('not-in-dump', 'gone')
        : bytes.subarray(at, at + length);
    },
  } as unknown as VirtualMemory;
  const directories = Array.from({ length: DIRECTORY.import + 1 }, () => ({ rva: TABLE, size: 0x100 }));
  return importedModules(memory, BASE, { directories, sizeOfImage: SIZE } as unknown as ImageHeaders);
}

describe('importedModules', () => {
  it('names them in lower case, in file order', () => {
    expect(read(['ntoskrnl.exe', 'WDFLDR.SYS'])).to.deep.equal(['ntoskrnl.exe', 'wdfldr.sys']);
    expect(read([])).to.deep.equal([]);
  });

  it('fails where the table or a name is not in the dump', () => {
    for (const page of [TABLE, NAMES]) {
      expect(read(['ntoskrnl.exe'], undefined, page)).to.be.instanceOf(Failure);
    }
  });

  it('fails where what stands there is no name, or no table', () => {
    expect(read(['ntoskrnl.exe'], (bytes) => bytes.writeUInt8(3, NAMES + 2))).to.be.instanceOf(Failure);
    expect(read(['ntoskrnl.exe'], (bytes) => bytes.writeUInt32LE(0xfffffff0, TABLE + 12))).to.be.instanceOf(Failure);
    const endless = (bytes: Buffer): void => {
      bytes.write('a.sys', 0x2f00);
      for (let i = 0; i < 300; i++) bytes.writeUInt32LE(0x2f00, TABLE + i * 20 + 12);
    };
    expect(read([], endless)).to.be.instanceOf(Failure);
  });

  it('knows of no directory that there are no imports, and of no directories nothing', () => {
    const none = {
      directories: [
        { rva: 0, size: 0 },
        { rva: 0, size: 0 },
      ],
      sizeOfImage: SIZE,
    } as unknown as ImageHeaders;
    const lost = { directories: [], sizeOfImage: SIZE } as unknown as ImageHeaders;
    expect(importedModules({} as VirtualMemory, BASE, none)).to.deep.equal([]);
    expect(importedModules({} as VirtualMemory, BASE, lost)).to.be.instanceOf(Failure);
  });

  it('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 512 }), fc.nat(SIZE - 512), (junk, at) => {
        const names = read(['ntoskrnl.exe', 'hal.dll'], (bytes) => {
          bytes.set(junk, at);
        });
        expect(names instanceof Failure || names.length <= 256).to.equal(true);
      }),
    );
  });
});
