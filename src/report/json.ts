/** The result as JSON: one object for `--json`, one line a dump for a batch. */

import type { AnalysisResult, BatchFailure } from '../result/result.js';
import { RESULT_SHAPE, inOrder, type Ordered } from '../result/shape.js';

/** How many rows of `poolTags` a batch line keeps. */
export const BATCH_ROWS = 50;

/**
 * The whole result: keys in the order of the contract whatever order they were set in, two blanks a level, a newline
 * at the end. A field that is missing or not a finite number is written as null.
 */
export function renderJson(result: AnalysisResult): string {
  return `${safeJson(JSON.stringify(inOrder(result, RESULT_SHAPE), null, 2))}\n`;
}

/**
 * A line of NDJSON, with its newline: the result without `modules` and the rows of `processes`, and with the first
 * BATCH_ROWS rows of `poolTags`; or what went wrong.
 */
export function renderBatchLine(result: AnalysisResult | BatchFailure): string {
  return `${safeJson(JSON.stringify('error' in result ? failure(result) : batchResult(result)))}\n`;
}

function failure({ dump, error }: BatchFailure): BatchFailure {
  return { dump: { path: dump.path }, error: { code: error.code, message: error.message } };
}

/** What a batch keeps of a result: no `modules`, the first rows of `poolTags`, and no rows of `processes`. */
export function shortResult(result: AnalysisResult): Omit<AnalysisResult, 'modules'> {
  const { poolTags, processes } = result;
  const short: Omit<AnalysisResult, 'modules'> & { modules?: unknown } = {
    ...result,
    poolTags: poolTags && { ...poolTags, rows: poolTags.rows.slice(0, BATCH_ROWS) },
    // Of some hundred processes those that hold what leaks stand with the suspects.
    ...(processes ? { processes: { ...processes, rows: [] } } : {}),
  };
  delete short.modules;
  return short;
}

function batchResult(result: AnalysisResult): Ordered {
  return Object.fromEntries(
    Object.entries(inOrder(shortResult(result), RESULT_SHAPE)).filter(([key]) => key !== 'modules'),
  );
}

/**
 * Writes what `JSON.stringify` leaves as it is but a terminal may act on - C1 controls, bidirectional overrides,
 * invisible characters - as `\uXXXX`. A reader of the JSON gets the same text.
 */
export function safeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
