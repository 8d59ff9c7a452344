/** Names the functions in which a suspect's tag stands: `myfault!LeakNonPaged+0x2a`. By the driver's PDB, else by its exports. */

import { failed, hex } from '../../parsers/bytes/failure.js';
import { nearestExport } from '../../parsers/pe/exports.js';
import { printable } from '../../parsers/text-safety.js';
import type { SymbolSources } from '../../symbols/sources.js';
import type { LoadedModule } from '../kernel/modules/modules.js';
import { isCodeKind } from '../result/evidence-kinds.js';
import type { AnalysisResult, Evidence, Hex, Suspect } from '../result/result.js';

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

/** Where the tag stands in code of modules that are loaded, which `bases` has in order. */
function codeIn(suspects: readonly Suspect[], bases: readonly Hex[]): CodeEvidence[] {
  const drivers = suspects.flatMap((suspect) => suspect.drivers);
  if (drivers.length === 0) return [];
  const indexes = new Map(bases.map((base, index) => [base, index]));
  return drivers.flatMap(({ base, evidence }) => {
    const module = indexes.get(base ?? '');
    if (module === undefined) return [];
    return evidence.flatMap((one): CodeEvidence[] => {
      const isCode = isCodeKind(one.kind) || (one.from === 'file' && one.executable === true);
      return isCode && one.offset !== null ? [{ module, evidence: one, rva: Number(one.offset) }] : [];
    });
  });
}

function symbolText(moduleName: string, name: string, distance: number): string {
  const shown = printable(name).slice(0, LONGEST_NAME);
  return `${printable(moduleName)}!${shown}${distance === 0 ? '' : `+0x${distance.toString(16)}`}`;
}

/** The function at or before an RVA, as one source knows it. */
type Lookup = (rva: number) => { readonly name: string; readonly rva: number; readonly size?: number | null } | null;

/** Names where the tag stands, and the functions that it goes through: those by where they begin only. */
function nameCode(moduleName: string, base: bigint, { evidence, rva }: CodeEvidence, lookup: Lookup): void {
  const found = lookup(rva);
  if (found !== null && !isOfAnother(evidence, base, found.rva)) {
    evidence.symbol = symbolText(moduleName, found.name, rva - found.rva);
  }
  const { call } = evidence;
  if (call === null) return;
  call.through = call.through.map((shown, i) => {
    const at = call.throughStarts?.[i];
    if (at === undefined) return shown;
    const start = Number(BigInt(at) - base);
    const named = lookup(start);
    return named?.rva === start ? symbolText(moduleName, named.name, 0) : shown;
  });
}

/** Whether what begins at `start`, an RVA, ends before the function that the exception table has for the place. */
function isOfAnother({ function: known }: Evidence, base: bigint, start: number): boolean {
  return known?.source === 'exception-table' && base + BigInt(start) < BigInt(known.start);
}

/**
 * Fills in `symbol` where an exported function stands right before the tag, and the names of exported functions that it
 * goes through. `modules` is the list that was searched.
 */
export function nameByExports(suspects: readonly Suspect[], modules: readonly LoadedModule[]): void {
  const bases = modules.map(({ base }) => hex(base));
  for (const code of codeIn(suspects, bases)) {
    const module = modules[code.module];
    if (module?.headers === null || module?.headers === undefined || module.memory === null) continue;
    const { memory, base, headers } = module;
    nameCode(module.moduleName, base, code, (rva) => {
      const found = nearestExport(memory, base, headers, rva);
      return found === null || failed(found) || rva - found.rva >= LONGEST_FUNCTION ? null : found;
    });
  }
}

/** Fills in the same by the PDBs of the drivers that are found; what exports told stays where there is none. */
export async function nameByPdbs(
  result: Pick<AnalysisResult, 'suspects' | 'modules'>,
  symbols: SymbolSources,
): Promise<void> {
  const modules = result.modules ?? [];
  const bases = modules.map(({ base }) => base);
  for (const code of codeIn(result.suspects, bases)) {
    const module = modules[code.module];
    const pdb = module?.pdb ?? null;
    // The kernel holds constants of all kinds, and its PDB is large.
    if (module === undefined || pdb === null || module.moduleName === 'nt') continue;
    const opened = await symbols.pdb(pdb, module.name);
    if (failed(opened)) continue;
    nameCode(module.moduleName, BigInt(module.base), code, (rva) => {
      const found = opened.nearestFunction(rva);
      return found === null || (found.size !== null && rva >= found.rva + found.size) ? null : found;
    });
  }
}
