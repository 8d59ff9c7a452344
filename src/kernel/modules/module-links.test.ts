import { expect } from 'chai';
import { virtual } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import type { Chunk, VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { importsOf, usesFramework } from './module-links.js';
import type { LoadedModule } from './modules.js';

const BASE = virtual(0xfffff80000000000n);
const SIZE = 0x3000;

/** A module of three pages with an import table at 0x1000. */
function moduleWith(imports: string[] | null, text = '', missing: number | null = null): LoadedModule {
  const bytes = Buffer.alloc(SIZE);
  (imports ?? []).forEach((name, i) => {
    bytes.writeUInt32LE(0x1800 + i * 32, 0x1000 + i * 20 + 12);
    bytes.write(name, 0x1800 + i * 32, 'latin1');
  });
  bytes.write(text, 0x2100, 'utf16le');
  const gone = (at: number, length: number): boolean =>
    at + length > SIZE ||
    (missing !== null && at < missing + 0x1000 && at + length > missing) ||
    (imports === null && at < 0x2000 && at + length > 0x1000);
  const memory = {
    read: (address: bigint, length: number) => {
      const at = Number(address - BASE);
      return gone(at, length) ? new Failure('not-in-dump', 'gone') : bytes.subarray(at, at + length);
    },
    *chunks(): Iterable<Chunk> {
      for (let offset = 0; offset < SIZE; offset += 0x1000) {
        const there = !gone(offset, 0x1000);
        const page = there ? bytes.subarray(offset, offset + 0x1000) : new Failure('not-in-dump', 'gone');
        yield { offset, length: 0x1000, bytes: page };
      }
    },
    countPages: () => 3,
  } as unknown as VirtualMemory;
  const directories = [0, 1].map(() => ({ rva: 0x1000, size: 0x100 }));
  return {
    ...{ base: BASE, sizeOfImage: SIZE, memory, headers: { directories, sections: [], sizeOfImage: SIZE } },
  } as unknown as LoadedModule;
}

describe('what a module is linked with', () => {
  it('goes by its import table', () => {
    const module = moduleWith(['ntoskrnl.exe', 'WDFLDR.SYS']);
    expect([...(importsOf(module) ?? [])]).to.deep.equal(['ntoskrnl.exe', 'wdfldr.sys']);
    expect(usesFramework(module)).to.equal(true);
    expect(usesFramework(moduleWith(['ntoskrnl.exe']))).to.equal(false);
  });

  it('else by the name of the framework library, which stays in memory', () => {
    expect(importsOf(moduleWith(null))).to.equal(null);
    expect(usesFramework(moduleWith(null, 'KmdfLibrary\0'))).to.equal(true);
    expect(usesFramework(moduleWith(null, 'KmdfLibraryOther\0'))).to.equal(null);
  });

  it('is not known where pages are missing', () => {
    expect(usesFramework(moduleWith(null))).to.equal(null);
    expect(usesFramework({ ...moduleWith(null), memory: null })).to.equal(null);
  });
});
