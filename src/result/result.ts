/**
 * The analysis result: one object that text, JSON, CSV and every later report are functions of.
 * Field names are a published contract (docs/result.md). Any field may be null: unknown is never 0 and never missing.
 * Addresses, codes and hashes are lower-case hex strings with `0x`; sizes are bytes unless the name ends in `Pages`;
 * counts past 2^53 - 1 are decimal strings.
 *
 * A field is added in parts/ and in shape.ts, and nowhere else: order, redaction, schema, CSV and the tables of docs/result.md
 * follow from there. Fields that results of an earlier version lack are optional.
 */

import type { FigureSource } from '../../symbols/kernel-symbols.js';
import type { EvidenceKind } from './evidence-kinds.js';
import type {
  DumpInfo,
  MemoryInfo,
  MemoryPart,
  ModuleInfo,
  ObjectTypeInfo,
  PoolTags,
  ProcessList,
  RunInfo,
  SystemInfo,
  UnloadedModule,
} from './parts/machine.js';
import type { Suspect, Verdict } from './parts/suspects.js';
import type { Note } from './parts/values.js';
import type { WarningCode, WarningPlace } from './warning-codes.js';

export type { EvidenceKind, FigureSource, WarningCode };
export * from './parts/machine.js';
export type * from './parts/suspects.js';
export * from './parts/values.js';

export const SCHEMA_VERSION = '2.0';

export interface Warning extends Note<WarningCode> {
  /** What it concerns. */
  where: WarningPlace;
}

/** Nothing counted the tags: pool tagging was not turned on, as is usual on Windows 2000 and XP. */
export function taggingIsOff(warnings: readonly Warning[]): boolean {
  return warnings.some(({ code }) => code === 'pool-tagging-off');
}
export interface AnalysisResult {
  schemaVersion: string;
  run: RunInfo;
  dump: DumpInfo;
  system: SystemInfo | null;
  memory: MemoryInfo | null;
  poolTags: PoolTags | null;
  modules: ModuleInfo[] | null;
  unloadedModules: UnloadedModule[] | null;
  objectTypes?: ObjectTypeInfo[] | null;
  processes?: ProcessList | null;
  /** Two tables, each adds up to its total with what is unexplained. */
  whereMemoryIs?: MemoryPart[] | null;
  suspects: Suspect[];
  verdict: Verdict;
  warnings: Warning[];
}

/** A dump of a batch that could not be analyzed. */
export interface BatchFailure {
  dump: { path: string };
  error: { code: string; message: string };
}
