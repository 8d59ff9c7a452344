/** Gives the filters among the candidates of suspects their altitudes and instances, where the filter manager's PDB is found. */

import { virtual } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../parsers/paging/virtual-memory.js';
import type { SymbolSources } from '../../symbols/sources.js';
import { registeredFilters } from '../kernel/modules/filter-manager.js';
import type { AnalysisResult } from '../result/result.js';

const GLOBALS = 'FltGlobals';

/** Fills in `altitude` and `instances`; they stay null where no PDB is found, or it does not tell. */
export async function addAltitudes(
  { suspects, modules }: Pick<AnalysisResult, 'suspects' | 'modules'>,
  memory: VirtualMemory | null,
  symbols: SymbolSources,
): Promise<void> {
  const filters = suspects.flatMap(({ candidates }) =>
    (candidates?.drivers ?? []).filter(({ roles }) => roles.includes('file-system-filter')),
  );
  const manager = modules?.find(({ name }) => name.toLowerCase() === 'fltmgr.sys');
  const pdb = manager?.pdb ?? null;
  if (filters.length === 0 || memory === null || manager === undefined || pdb === null) return;
  const opened = await symbols.pdb(pdb, manager.name);
  if (failed(opened)) return;
  const found = registeredFilters(memory, virtual(BigInt(manager.base)), {
    layout: (type) => opened.layout(type),
    globals: opened.symbols([GLOBALS]).get(GLOBALS)?.rva ?? null,
  });
  for (const filter of filters) {
    const known = found?.find(({ image }) => image === BigInt(filter.base));
    filter.altitude = known?.altitude ?? null;
    filter.instances = known?.instances ?? null;
  }
}
