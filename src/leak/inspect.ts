/** What a dump is and what can be asked of it, without analyzing it: `dumpleak info`. */

import { readPoolTags } from '../kernel/pool-tags.js';
import { readMemory } from '../kernel/memory.js';
import { readModules } from '../kernel/modules.js';
import type { OpenedDump } from '../kernel/opened-dump.js';
import { readSystem } from '../kernel/system.js';
import { readUnloaded } from '../kernel/unloaded.js';
import { SCHEMA_VERSION, type DumpInfo, type SystemInfo, type Warning } from '../result.js';
import { describeDump } from './dump-info.js';

/** The object of `info --json`. */
export interface Inspection {
  schemaVersion: string;
  dump: DumpInfo;
  system: SystemInfo;
  canAnalyze: { modules: boolean; memory: boolean; poolTags: boolean; tagSearch: boolean };
  /** Drivers in the module list; null where there is none. */
  drivers: number | null;
  unloadedDrivers: number | null;
  /** Only triage dumps have data blocks. */
  dataBlocks: number | null;
  warnings: Warning[];
}

/** Tries each reader and says which would give something. */
export function inspect(opened: OpenedDump): Inspection {
  const { kernel } = opened;
  const list = readModules(kernel);
  const memory = readMemory(kernel);
  const tags = readPoolTags(kernel);
  const unloaded = readUnloaded(kernel);
  const warnings = [...kernel.warnings, ...list.warnings, ...memory.warnings, ...tags.warnings, ...unloaded.warnings];
  if (opened.file.damage !== null)
    warnings.push({ code: 'container-damaged', where: 'dump', message: opened.file.damage });
  return {
    schemaVersion: SCHEMA_VERSION,
    dump: describeDump(opened),
    system: readSystem(kernel),
    canAnalyze: {
      modules: list.modules.length > 0,
      memory: memory.memory !== null && (memory.memory.nonPagedPoolUsage ?? memory.memory.pagedPoolUsage) !== null,
      poolTags: tags.table !== null,
      tagSearch: list.modules.some((m) => (m.pagesPresent ?? 0) > 0),
    },
    drivers: list.modules.length === 0 ? null : list.modules.length,
    unloadedDrivers: unloaded.drivers?.length ?? null,
    dataBlocks: opened.dump.triage?.dataBlocks.length ?? null,
    warnings,
  };
}
