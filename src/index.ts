/**
 * The library: open a dump, analyze it, render the result.
 *
 *     import { openDump, analyze } from 'dumpleak';
 *     const dump = await openDump('MEMORY.DMP');
 *     try { console.log(analyze(dump).verdict.headline); } finally { dump.close(); }
 */

import { OpenedDump, type OpenOptions } from './kernel/open/opened-dump.js';

export { Failure, type FailureCode, type FailurePlace, type InputCode } from '../parsers/bytes/failure.js';
export { InputError } from '../parsers/bytes/input-error.js';
export { findPoolTagFile, readTagFile, TagDescriptions, type TagFile } from './kernel/pool/tag-descriptions.js';
export { OpenedDump, type OpenOptions } from './kernel/open/opened-dump.js';
export {
  allocationsIn,
  type Allocation,
  type Allocations,
  type CodeOptions,
  type FunctionRange,
} from './code/calls/allocations.js';
export type { AllocatorKind } from './code/calls/allocators.js';
export type { ExportLookup } from './code/image/exports.js';
export type { TagHit } from './kernel/state.js';
export { imageFolders, run, type Redaction, type RunSettings } from './analysis/run.js';
export { analyze, type AnalysisPart, type AnalyzeOptions } from './analysis/analyze.js';
export { judgeImage, type ImageJudgement, type Trace } from './leak/code/judge-image.js';
export { inspect, type Inspection } from './analysis/inspect.js';
export { nameByPdbs } from './analysis/name-functions.js';
export { searchModules, type SearchResult } from './analysis/search.js';
export { readTrend, type JudgedSeries, type Trend, type TrendOptions } from './growth/trend.js';
export { readDifference, type Difference } from './growth/diff.js';
export type { Judgement } from './growth/judge/judge.js';
export { runBatch, type BatchOptions, type BatchReport } from './batch/run.js';
export type { BatchCounts, BatchEvents } from './batch/events.js';
export { renderBatchSummary } from './batch/outputs/summary-text.js';
export { renderTrend } from './report/trend/trend-text.js';
export { renderTrendJson } from './report/trend/trend-json.js';
export { renderDiff, renderDiffJson } from './report/trend/diff-report.js';
export { csvFiles } from './report/csv.js';
export { renderJson } from './report/json.js';
export { folderKey, randomKey, readKey } from './redact/key.js';
export { Redactor } from './redact/redactor.js';
export { redactFailure, redactPart, redactResult } from './redact/result.js';
export { renderAnalysis } from './report/text/analyze.js';
export { renderInfo } from './views/info.js';
export { renderModules } from './views/modules.js';
export { renderPoolUsed } from './views/poolused.js';
export { parsePoolUsedArguments } from './views/poolused-words.js';
export { renderSearch } from './views/search.js';
export { renderVm } from './views/vm.js';
export * from './result/result.js';
export { SymbolSources, type SymbolSourcesOptions } from '../symbols/sources.js';
export { parseSymbolPath } from '../symbols/store/symbol-path.js';
export { VERSION } from './version.js';

/**
 * Opens a kernel dump, also a gzip-compressed one. The caller closes it. Throws InputError, with one line for the user,
 * when the file cannot be opened or is no kernel dump that can be analyzed.
 */
export async function openDump(path: string, options: OpenOptions = {}): Promise<OpenedDump> {
  return OpenedDump.open(path, options);
}
