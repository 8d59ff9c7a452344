/** What a dump is and what can be asked of it, without analyzing it: `dumpleak info`. */

import { readSecondaryData } from '../../parsers/dump/secondary-data.js';
import { readPoolTags } from '../kernel/pool/pool-tags.js';
import { readMemory } from '../kernel/memory/memory.js';
import { readModules } from '../kernel/modules/modules.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { readSystem } from './system-info.js';
import { readUnloaded } from '../kernel/modules/unloaded.js';
import { SCHEMA_VERSION, type DumpInfo, type Note, type SystemInfo, type Warning } from '../result/result.js';
import { explainParameters, type ParameterMeaning } from '../leak/bugcheck/bug-check-parameters.js';
import { readBugCheck } from '../leak/bugcheck/bug-checks.js';
import { describeContents, type Contents } from './contents.js';
import { describeDump } from './dump-info.js';
import { openingWarnings } from './dump-part.js';
import { attributeNames, dumpOrigin } from './dump-origin.js';

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
  /** Blobs that Windows and drivers appended, in file order; null where there are none. */
  secondaryData: { guid: string; bytes: number; name: string | null }[] | null;
  /** How the dump came about, where it was not by an ordinary crash. */
  origin: Note[];
  /** Names of the attributes that the header has set; null where it has none. */
  attributes: string[] | null;
  /** What the bug check is about, and what its parameters mean where they are known to mean anything. */
  bugCheckMeaning: { message: string; parameters: ParameterMeaning[] } | null;
  /** What the dump holds and lacks, and what `analyze` will be able to say. */
  contents: Contents;
  warnings: Warning[];
}

/** Tries each reader and says which would give something. */
export function inspect(opened: OpenedDump): Inspection {
  const { kernel } = opened;
  const list = readModules(kernel);
  const memory = readMemory(kernel);
  const tags = readPoolTags(kernel);
  const unloaded = readUnloaded(kernel);
  const found = [...list.warnings, ...memory.warnings, ...tags.warnings, ...unloaded.warnings];
  const warnings = [...openingWarnings(opened), ...found];
  const { header } = opened.dump;
  const secondaryData = readSecondaryData(opened.dump.source, opened.dump.end);
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
    secondaryData: secondaryData?.blobs.map(({ guid, size, name }) => ({ guid, bytes: size, name })) ?? null,
    origin: dumpOrigin(header),
    attributes: attributeNames(header),
    bugCheckMeaning: bugCheckMeaning(opened),
    contents: describeContents({
      ...{
        dump: opened.dump,
        modules: list.modules,
        modulesComplete: list.complete,
        memory: memory.memory,
        tags: tags.table,
        secondaryData,
      },
      unloaded: unloaded.drivers?.length ?? null,
      hasDebuggerBlock: kernel.debuggerData !== null,
    }),
    warnings,
  };
}

/** The bug check without a look into memory: names that parameters point at are left to `analyze`. */
function bugCheckMeaning({ dump }: OpenedDump): Inspection['bugCheckMeaning'] {
  const { bugCheckCode: code, bugCheckParameters: parameters } = dump.header;
  if (code === null) return null;
  const nothing = (): null => null;
  const { message } = readBugCheck(code, parameters, { readText: nothing, moduleAt: nothing, moduleNamed: nothing });
  return { message, parameters: explainParameters(code, parameters) };
}
