/**
 * Writes .7z archives as the format's description (7zFormat.txt) has them, by its simplest means: files stored one after the
 * other in one folder, the header not packed.
 */

import { concat, putU32, utf16 } from '../bytes.js';
import { crc, type ZipEntry } from './zip.js';

/** Bytes of the signature header: magic, version, CRC of the rest; then place, size and CRC of the header. */
const START = 32;

/** The archive's bytes. Names are of less than 128 characters, and of less than 128 files. */
export function sevenZipOf(entries: readonly Pick<ZipEntry, 'name' | 'bytes'>[]): Uint8Array {
  const content = concat(entries.map(({ bytes }) => bytes));
  const names = concat(entries.map(({ name }) => utf16(`${name}\0`)));
  const count = entries.length;
  const header = concat([
    Uint8Array.of(0x01, 0x04),
    Uint8Array.of(0x06, 0, 1, 0x09),
    number(content.length),
    Uint8Array.of(0, 0x07, 0x0b, 1, 0, 1, 0x01, 0x00, 0x0c),
    number(content.length),
    Uint8Array.of(0, 0x08, 0x0d, count, 0x09),
    ...entries.slice(0, -1).map(({ bytes }) => number(bytes.length)),
    Uint8Array.of(0x0a, 1),
    ...entries.map(({ bytes }) => u32(crc(bytes))),
    Uint8Array.of(0, 0, 0x05, count, 0x11),
    number(names.length + 1),
    Uint8Array.of(0),
    names,
    Uint8Array.of(0, 0),
  ]);
  const archive = concat([new Uint8Array(START), content, header]);
  archive.set([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]);
  putU32(archive, 12, content.length);
  putU32(archive, 20, header.length);
  return sealSevenZip(archive);
}

/** The archive with the checksums of its headers made right, as far as it has them. */
export function sealSevenZip(archive: Uint8Array): Uint8Array {
  if (archive.length < START) return archive;
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const at = START + view.getUint32(12, true);
  const size = view.getUint32(20, true);
  if (at + size <= archive.length) putU32(archive, 28, crc(archive.subarray(at, at + size)));
  putU32(archive, 8, crc(archive.subarray(12, START)));
  return archive;
}

/** A number of 7z: the first byte's leading ones say how many follow; here always four. */
const number = (value: number): Uint8Array => concat([Uint8Array.of(0xf0), u32(value)]);

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putU32(bytes, 0, value);
  return bytes;
}
