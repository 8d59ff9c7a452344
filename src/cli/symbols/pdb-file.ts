/** A PDB that the command line names, also a compressed one as symbol servers send it. */

import { basename } from 'node:path';
import { failed } from '../../../parsers/bytes/failure.js';
import { FileSource } from '../../../parsers/bytes/file-source.js';
import type { ByteSource } from '../../../parsers/bytes/source.js';
import { isCab } from '../../../parsers/cab/cab.js';
import { unpackCab } from '../../../parsers/cab/unpack-cab.js';
import { openPdb, type Pdb } from '../../../parsers/pdb/pdb.js';
import { FileError } from '../errors.js';

/** An open PDB and the name that it has when it is not compressed. */
export interface PdbFile {
  readonly pdb: Pdb;
  readonly name: string;
}

/** Opens the PDB at `path`. Throws FileError when it cannot be opened or is none. The caller closes it. */
export async function openPdbFile(path: string): Promise<PdbFile> {
  const source = await openSource(path);
  const pdb = openPdb(source);
  if (!failed(pdb) && source.byteLength < pdb.fileBytes) {
    pdb.close();
    throw new FileError(`${path} is cut off: it has ${source.byteLength} of ${pdb.fileBytes} bytes`);
  }
  if (!failed(pdb)) return { pdb, name: nameOf(path) };
  source.close();
  throw new FileError(pdb.message);
}

/** Without the number that a browser adds to a file that it saves again: `ntkrnlmp (1).pdb`. */
function nameOf(path: string): string {
  return basename(path)
    .replace(/ ?\(\d+\)(?=\.[^.]+$)/, '')
    .replace(/\.pd_$/i, '.pdb');
}

async function openSource(path: string): Promise<ByteSource> {
  try {
    const source = new FileSource(path);
    if (!isCab(source)) return source;
    source.close();
    const unpacked = await unpackCab(path);
    if (!failed(unpacked)) return unpacked.source;
    throw new FileError(unpacked.message);
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(error instanceof Error ? error.message : String(error));
  }
}
