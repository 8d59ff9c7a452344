/** What a file on disk says it is: a PDB's GUID and age, or an image's time stamp and size; and that it is complete. */

import { fileOffset } from '../../parsers/addresses.js';
import { failed, hex } from '../../parsers/bytes/failure.js';
import { u16, u32 } from '../../parsers/bytes/fields.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import type { ByteSource } from '../../parsers/bytes/source.js';
import { openPdb } from '../../parsers/pdb/pdb.js';
import type { FileIdentity } from './http/request.js';

const MZ = 0x5a4d;
const PE = 0x00004550;
/** Bytes from the PE signature to the end of SizeOfImage in the optional header. */
const PE_HEAD = 0x18 + 0x3c;
const SECTION = 40;
const MOST_SECTIONS = 96;

/**
 * Identifies the file at `path`, whatever its name; null when it is neither a PDB nor an image. Throws an Error with
 * one sentence for a file that is cut off, damaged, of a kind that is not read, or that the disk cannot give.
 */
export function identifyFile(path: string): FileIdentity | null {
  const source = new FileSource(path);
  try {
    const head = at(source, 0, 0x40);
    if (u16(head, 0) === MZ) return imageIdentity(source, u32(head, 0x3c));
    const pdb = openPdb(source);
    if (failed(pdb)) {
      if (pdb.code === 'other-format') return null;
      throw new Error(pdb.message);
    }
    requireBytes(source, pdb.fileBytes);
    return { kind: 'pdb', guid: pdb.identity.guid, age: pdb.identity.age };
  } finally {
    source.close();
  }
}

function imageIdentity(source: ByteSource, header: number): FileIdentity | null {
  const head = at(source, header, PE_HEAD);
  if (head.length < PE_HEAD || u32(head, 0) !== PE) return null;
  const sections = Math.min(u16(head, 6), MOST_SECTIONS);
  const table = at(source, header + 0x18 + u16(head, 0x14), sections * SECTION);
  requireBytes(source, header + 0x18 + u16(head, 0x14) + sections * SECTION);
  for (let i = 0; i < table.length; i += SECTION) {
    const rawSize = u32(table, i + 16);
    if (rawSize > 0) requireBytes(source, u32(table, i + 20) + rawSize);
  }
  return { kind: 'image', timeDateStamp: u32(head, 8), sizeOfImage: u32(head, 0x18 + 0x38) };
}

function requireBytes(source: ByteSource, bytes: number): void {
  if (source.byteLength < bytes) {
    throw new Error(`it is cut off: ${hex(source.byteLength)} bytes of ${hex(bytes)}`);
  }
}

/** Up to `length` bytes; fewer where the file ends. */
function at(source: ByteSource, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, source.read(fileOffset(position), bytes));
}
