/** What an analysis finds in a PDB; alone in a process for the benchmark to measure: `pdb-steps.js FILE`. */

import { failed } from '../../parsers/bytes/failure.js';
import { FileSource } from '../../parsers/bytes/file-source.js';
import type { ByteSource } from '../../parsers/bytes/source.js';
import { openPdb } from '../../parsers/pdb/pdb.js';
import { KERNEL_SYMBOLS, KERNEL_TYPES } from '../../symbols/kernel-names.js';

/** How many of the kernel's names and types were found. */
export function resolvePdb(source: ByteSource): { symbols: number; types: number } {
  const pdb = openPdb(source);
  if (failed(pdb)) throw new Error(pdb.message);
  const symbols = pdb.symbols(KERNEL_SYMBOLS).size;
  const types = KERNEL_TYPES.filter((type) => pdb.layout(type) !== null).length;
  return { symbols, types };
}

const [script = '', path] = process.argv.slice(1);
if (script.endsWith('pdb-steps.js') && path !== undefined) resolvePdb(new FileSource(path));
