/** What the tests of PDBs share: opening bytes that must be a PDB, and bytes that must not. */

import { expect } from 'chai';
import { failed, Failure } from '../bytes/failure.js';
import { MemorySource } from '../bytes/source.js';
import type { PdbFailure } from './failure.js';
import { openPdb, type Pdb } from './pdb.js';

/** Opens bytes that must be a PDB. */
export function opened(bytes: Uint8Array): Pdb {
  const pdb = openPdb(new MemorySource(bytes, 'test.pdb'));
  if (failed(pdb)) throw new Error(`${pdb.code}: ${pdb.message}`);
  return pdb;
}

/** Opens bytes that must be refused, and says how. */
export function refused(bytes: Uint8Array): PdbFailure {
  const pdb = openPdb(new MemorySource(bytes, 'test.pdb'));
  expect(pdb).to.be.instanceOf(Failure);
  return pdb as PdbFailure;
}

/** The RVAs of symbols, in hex, by name. */
export function rvas(pdb: Pdb, ...names: string[]): Record<string, string> {
  return Object.fromEntries([...pdb.symbols(names)].map(([name, { rva }]) => [name, rva.toString(16)]));
}
