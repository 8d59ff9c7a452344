/** `symbols info`: what a PDB is, and what of a kernel it tells. */

import { pdbFacts } from '../../../symbols/pdb-symbols.js';
import { KERNEL_SYMBOLS, KERNEL_TYPES } from '../../../symbols/kernel-names.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderPdbInfo, type PdbInfo } from '../../report/text/pdb-info.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Output } from '../terminal/output.js';
import { openPdbFile } from './pdb-file.js';

/** Describes the PDB at `path`. Throws FileError when it is none. */
export async function showPdb(path: string, json: boolean, output: Output): Promise<ExitCode> {
  const info = await describe(path);
  if (json) await output.json(renderPart(info));
  else await output.text(renderPdbInfo(info, output.style));
  return EXIT.done;
}

async function describe(path: string): Promise<PdbInfo> {
  const { pdb, name } = await openPdbFile(path);
  try {
    const { guid, age, infoAge, machine } = pdb.identity;
    const { publics, types, streams, sections, omap } = pdb.counts();
    const facts = pdbFacts(pdb, { pdbName: name });
    const found = (names: readonly string[], has: (one: string) => boolean): number => names.filter(has).length;
    const symbols = found(KERNEL_SYMBOLS, (one) => facts.rva(one) !== null);
    const layouts = found(KERNEL_TYPES, (one) => facts.layout(one) !== null);
    return {
      file: path,
      guid,
      age,
      infoAge,
      machine,
      publics,
      types,
      streams,
      sections: sections.length,
      omap: omap > 0,
      kernel: facts.rva('PoolTrackTable') === null ? null : { symbols, layouts },
      storePath: `${name}/${guid}${age.toString(16).toUpperCase()}/${name}`,
      notes: [...pdb.notes],
    };
  } finally {
    pdb.close();
  }
}
