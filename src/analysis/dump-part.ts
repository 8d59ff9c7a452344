/** What every view of a dump has beside its own part: the dump, its system, and what a reader must know of it. */

import type { OpenedDump } from '../kernel/open/opened-dump.js';
import { SCHEMA_VERSION, type DumpInfo, type SystemInfo, type Warning } from '../result/result.js';
import { describeDump } from './dump-info.js';
import { readSystem } from './system-info.js';

export interface DumpPart {
  schemaVersion: string;
  dump: DumpInfo;
  system: SystemInfo | null;
  warnings: Warning[];
}

/** A part with what it is about; `warnings` are those of the part. */
export function dumpPart<T extends object>(
  opened: OpenedDump,
  part: T,
  warnings: readonly Warning[] = [],
): DumpPart & T {
  return {
    ...{ schemaVersion: SCHEMA_VERSION, dump: describeDump(opened), system: readSystem(opened.kernel) },
    ...part,
    warnings: [...openingWarnings(opened), ...warnings],
  };
}

/** What was found wrong as the dump was opened. */
export function openingWarnings({ kernel, file }: OpenedDump): Warning[] {
  const { damage } = file;
  return damage === null
    ? [...kernel.warnings]
    : [...kernel.warnings, { code: 'container-damaged', where: 'dump', message: damage }];
}
