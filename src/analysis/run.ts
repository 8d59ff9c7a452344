/**
 * An analysis from an open dump to the result that is shown: read, judged, its functions named by PDBs, and redacted. The
 * one place that puts these together: the command, the workers of a batch and the library call it.
 */

import type { SymbolSources } from '../../symbols/sources.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import type { Redactor } from '../redact/redactor.js';
import type { AnalysisResult, Warning } from '../result/result.js';
import { analyze, type AnalyzeOptions, type ModuleCompleter } from './analyze.js';

/** What besides the dump goes into a result. */
export interface RunSettings extends AnalyzeOptions {
  /** Names functions of suspects' drivers; null or left out for what exports tell. */
  readonly symbols?: SymbolSources | null | undefined;
  /** Remarks about what was given, such as lists that cannot be read: they come last. */
  readonly warnings?: readonly Warning[] | undefined;
  /** What the result calls the dump; its path when left out. */
  readonly path?: string | undefined;
  /** Names of people and places are replaced; null or left out for a result with names. */
  readonly redaction?: Redaction | null | undefined;
}

export interface Redaction {
  readonly redactor: Redactor;
  /** Files that the user named: texts may name them again. */
  readonly files: readonly string[];
  /** What the redacted result calls the dump; a pseudonym of its path when left out. */
  readonly path?: string | undefined;
}

/** Throws InputError for a dump that holds nothing but a header. The dump stays open. */
export async function run(opened: OpenedDump, settings: RunSettings = {}): Promise<AnalysisResult> {
  const { symbols, warnings = [], path, redaction } = settings;
  const result = analyze(opened, settings);
  if (symbols) {
    await (await import('./name-functions.js')).nameByPdbs(result, symbols);
    await (await import('./filter-altitudes.js')).addAltitudes(result, opened.kernel.memory, symbols);
  }
  result.warnings.push(...warnings);
  if (path !== undefined) result.dump.path = path;
  return redaction ? withoutNames(result, redaction) : result;
}

async function withoutNames(result: AnalysisResult, { redactor, files, path }: Redaction): Promise<AnalysisResult> {
  const copy = (await import('../redact/result.js')).redactResult(result, redactor, files);
  if (path !== undefined) copy.dump.path = path;
  return copy;
}

/** Folders of driver files that complete modules; undefined for none. They can be used for many dumps. */
export async function imageFolders(paths: readonly string[] = []): Promise<ModuleCompleter | undefined> {
  if (paths.length === 0) return undefined;
  const { ImageFolders } = await import('./driver-files/images.js');
  return new ImageFolders(paths);
}

/** The options that were given, as `run.options` of a result has them. */
export function givenOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isGiven(value)));
}
