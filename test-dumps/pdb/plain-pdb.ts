/** A small PDB to start from: two sections, no symbols. */

import type { MsfOptions } from './msf-writer.js';
import { writePdb, type PdbSpec } from './pdb-writer.js';

export const AMD64 = 0x8664;
export const I386 = 0x14c;
export const GUID = '0123456789ABCDEF0123456789ABCDEF';

export const PLAIN: PdbSpec = {
  guid: GUID,
  age: 2,
  infoAge: 5,
  machine: AMD64,
  sections: [
    { name: '.text', rva: 0x1000, size: 0x4000 },
    { name: '.data', rva: 0x6000, size: 0x2000 },
  ],
  symbols: [],
};

/** The bytes of such a PDB with these parts. */
export function plainPdb(parts: Partial<PdbSpec>, options?: MsfOptions): Uint8Array {
  return writePdb({ ...PLAIN, ...parts }, options);
}
