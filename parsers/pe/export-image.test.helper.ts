// An image with exports in memory, for tests of what names functions.
import { virtual } from '../addresses.js';
import { Failure } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

export const BASE = virtual(0xfffff80000000000n);
export const DIRECTORY_AT = 0x3000;
export const SIZE = 0x4000;

/** Reads an image at BASE; the page at the offset `missing` is not there, with -1 all are. */
export function readerOf(
  bytes: Uint8Array,
  missing: number,
): (address: bigint, length: number) => Uint8Array | Failure {
  return (address, length) => {
    const at = Number(address - BASE);
    const isGone = missing >= 0 && at < missing + 0x1000 && at + length > missing;
    return at < 0 || at + length > SIZE || isGone
      ? new Failure('not-in-dump', 'gone')
      : bytes.subarray(at, at + length);
  };
}

/** An image with these exports by name, and code in two sections. `missing` is a page that is not there. */
export function exportingImage(
  exports: Readonly<Record<string, number>>,
  change: (bytes: DataView) => void = () => undefined,
  missing = -1,
): { memory: VirtualMemory; headers: ImageHeaders } {
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
  const read = readerOf(bytes, missing);
  const memory = {
    read,
    readU32: (address: bigint) => {
      const word = read(address, 4);
      return word instanceof Failure ? word : Buffer.from(word).readUInt32LE(0);
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
  return { memory, headers };
}
