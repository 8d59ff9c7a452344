/** Names the functions in which a suspect's tag stands: `myfault!LeakNonPaged+0x2a`. By the driver's PDB, else by its exports. */

import { failed } from '../../parsers/bytes/failure.js';
import { nearestExport } from '../../parsers/pe/exports.js';
import { printable } from '../../parsers/text-safety.js';
import type { SymbolSources } from '../../symbols/sources.js';
import type { LoadedModule } from '../kernel/modules.js';
import type { AnalysisResult, Evidence, ModuleInfo, Suspect } from '../result.js';

/** Bytes behind an export that may still be of its function. Most functions of a driver are not exported: further away the name would mislead. */
const LONGEST_FUNCTION = 0x1000;
const LONGEST_NAME = 200;

/** Code of one module that evidence stands in. */
interface CodeEvidence {
  /** Index into the list of modules. */
  readonly module: number;
  readonly evidence: Evidence;
  /** From the module's base, in bytes. */
  readonly rva: number;
}

function codeIn(suspects: readonly Suspect[], modules: readonly Pick<ModuleInfo, 'name'>[]): CodeEvidence[] {
  return suspects
    .flatMap(({ drivers }) => drivers)
    .flatMap((driver) => {
      const module = modules.findIndex(({ name }) => printable(name) === driver.module);
      return driver.evidence.flatMap((evidence): CodeEvidence[] => {
        const isCode =
          evidence.kind === 'code-immediate' ||
          evidence.kind === 'code-immediate-pair' ||
          (evidence.kind === 'disk-image' && evidence.executable === true);
        if (module < 0 || !isCode || evidence.offset === null) return [];
        return [{ module, evidence, rva: Number(evidence.offset) }];
      });
    });
}

function symbolText(moduleName: string, name: string, distance: number): string {
  const shown = printable(name).slice(0, LONGEST_NAME);
  return `${printable(moduleName)}!${shown}${distance === 0 ? '' : `+0x${distance.toString(16)}`}`;
}

/** Fills in `symbol` where an exported function stands right before the tag. `modules` is the list that was searched. */
export function nameByExports(suspects: readonly Suspect[], modules: readonly LoadedModule[]): void {
  for (const { module: index, evidence, rva } of codeIn(suspects, modules)) {
    const module = modules[index];
    if (module?.headers === null || module?.headers === undefined || module.memory === null) continue;
    const found = nearestExport(module.memory, module.base, module.headers, rva);
    if (found === null || failed(found) || rva - found.rva >= LONGEST_FUNCTION) continue;
    evidence.symbol = symbolText(module.moduleName, found.name, rva - found.rva);
  }
}

/** Fills in `symbol` by the PDBs of the drivers that are found; what exports told stays where there is none. */
export async function nameByPdbs(
  result: Pick<AnalysisResult, 'suspects' | 'modules'>,
  symbols: SymbolSources,
): Promise<void> {
  const modules = result.modules ?? [];
  for (const { module: index, evidence, rva } of codeIn(result.suspects, modules)) {
    const module = modules[index];
    const pdb = module?.pdb ?? null;
    // The kernel holds constants of all kinds, and its PDB is large.
    if (module === undefined || pdb === null || module.moduleName === 'nt') continue;
    const opened = await symbols.pdb(pdb, module.name);
    const found = typeof opened === 'string' ? null : opened.nearestFunction(rva);
    if (found === null || (found.size !== null && rva >= found.rva + found.size)) continue;
    evidence.symbol = symbolText(module.moduleName, found.name, rva - found.rva);
  }
}
