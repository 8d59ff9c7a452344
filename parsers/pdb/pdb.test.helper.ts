/** What the tests of PDBs share: opening bytes that must be a PDB, and bytes that must not. */

import { expect } from 'chai';
import { MemorySource } from '../bytes/source.js';
import { PdbFailure } from './failure.js';
import { openPdb, type Pdb } from './pdb.js';

/** Opens bytes that must be a PDB. */
export function opened(bytes: Uint8Array): Pdb {
  const pdb = openPdb(new MemorySource(bytes, 'test.pdb'));
  if (pdb instanceof PdbFailure) throw new Error(`${pdb.kind}: ${pdb.message}`);
  return pdb;
}

/** Opens bytes that must be refused, and says how. */
export function refused(bytes: Uint8Array): PdbFailure {
  const pdb = openPdb(new MemorySource(bytes, 'test.pdb'));
  expect(pdb).to.be.instanceOf(PdbFailure);
  return pdb as PdbFailure;
}

/** The RVAs of symbols, in hex, by name. */
export function rvas(pdb: Pdb, ...names: string[]): Record<string, string> {
  return Object.fromEntries([...pdb.symbols(names)].map(([name, { rva }]) => [name, rva.toString(16)]));
}
