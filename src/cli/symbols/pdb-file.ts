/** A PDB that the command line names, also a compressed one as symbol servers send it. */

import { basename } from 'node:path';
import { failed } from '../../../parsers/bytes/failure.js';
import { FileSource } from '../../../parsers/bytes/file-source.js';
import { decompressCab, isCab } from '../../../parsers/cab/cab.js';
import { openPdb, type Pdb } from '../../../parsers/pdb/pdb.js';
import { FileError } from '../errors.js';

/** An open PDB and the name that it has when it is not compressed. */
export interface PdbFile {
  readonly pdb: Pdb;
  readonly name: string;
}

/** Opens the PDB at `path`. Throws FileError when it cannot be opened or is none. The caller closes it. */
export function openPdbFile(path: string): PdbFile {
  let source;
  try {
    source = new FileSource(path);
  } catch (error) {
    throw new FileError(error instanceof Error ? error.message : String(error));
  }
  const name = basename(path).replace(/\.pd_$/i, '.pdb');
  if (!isCab(source)) {
    const pdb = openPdb(source);
    if (!failed(pdb)) return { pdb, name };
    source.close();
    throw new FileError(pdb.message);
  }
  const unpacked = decompressCab(source);
  source.close();
  if (failed(unpacked)) throw new FileError(unpacked.message);
  const pdb = openPdb(unpacked.source);
  if (!failed(pdb)) return { pdb, name };
  unpacked.source.close();
  throw new FileError(pdb.message);
}
