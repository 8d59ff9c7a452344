import { expect } from 'chai';
import { virtual } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';
import { isReproducible, judgeTimeStamp } from './time-stamp.js';

const DUMPED = Date.UTC(2026, 10) / 1000;

/** Debug entries of these types; null for a page that is not there. */
function reproducible(types: number[] | null, rva = 0x1000): boolean | null {
  const bytes = Buffer.alloc(28 * (types?.length ?? 1));
  types?.forEach((type, i) => bytes.writeUInt32LE(type, i * 28 + 12));
  const memory = {
    read: () => (types === null ? new Failure('not-in-dump', 'gone') : bytes),
  } as unknown as VirtualMemory;
  const directories = Array.from({ length: DIRECTORY.debug + 1 }, () => ({ rva, size: bytes.length }));
  return isReproducible(memory, virtual(0n), { directories } as unknown as ImageHeaders);
}

describe('time stamps of images', () => {
  it('are dates where the linker was not told to build reproducibly', () => {
    expect(judgeTimeStamp(Date.UTC(2011, 9, 4) / 1000, false, DUMPED)).to.equal('date');
    expect(judgeTimeStamp(DUMPED + 3600, false, DUMPED)).to.equal('date');
  });

  it('are hashes where it was, whatever they read as', () => {
    expect(judgeTimeStamp(Date.UTC(2011, 9, 4) / 1000, true, DUMPED)).to.equal('hash');
    expect(judgeTimeStamp(0xf0000000, true, DUMPED)).to.equal('hash');
  });

  it('are impossible before Windows NT and after the dump', () => {
    expect(judgeTimeStamp(0, false, DUMPED)).to.equal('impossible');
    expect(judgeTimeStamp(DUMPED + 7 * 86400, false, DUMPED)).to.equal('impossible');
    expect(judgeTimeStamp(DUMPED + 7 * 86400, false, null)).to.equal('date');
    expect(judgeTimeStamp(0xf0000000, null, DUMPED)).to.equal('impossible');
  });

  it('are not known where the debug directory is not there', () => {
    expect(judgeTimeStamp(Date.UTC(2011, 9, 4) / 1000, null, DUMPED)).to.equal(null);
    expect(reproducible(null)).to.equal(null);
    expect(isReproducible({} as VirtualMemory, virtual(0n), { directories: [] } as unknown as ImageHeaders)).to.equal(
      null,
    );
  });

  it('are judged by the entry for reproducible builds', () => {
    expect(reproducible([2, 13, 16])).to.equal(true);
    expect(reproducible([2, 13])).to.equal(false);
    expect(reproducible([16], 0)).to.equal(false);
  });
});
