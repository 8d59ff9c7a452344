/**
 * One dump for `dumpleak check`: analyzed, and where a tag holds too much that the analysis passed over, analyzed again with
 * a report on it, so that the driver behind it can be named.
 */

import { checkResult, type Allowance, type DumpCheck } from '../growth/check/judge-dump.js';
import type { OpenedDump } from '../kernel/open/opened-dump.js';
import type { AnalysisResult } from '../result/result.js';
import { run, type RunSettings } from './run.js';

/** Of so many tags, those with the largest excess, it is looked who allocates under them. */
const MOST_NAMED = 3;

/** The result of a dump and how it stands. Throws as `run` does. The dump stays open. */
export async function checkDump(
  opened: OpenedDump,
  settings: RunSettings,
  allowance: Allowance,
): Promise<{ result: AnalysisResult; check: DumpCheck }> {
  const result = await run(opened, settings);
  const first = checkResult(result, allowance);
  const known = new Set(result.suspects.map(({ key }) => key));
  const unnamed = [...new Set(first.excesses.flatMap(({ key }) => (key === null || known.has(key) ? [] : [key])))];
  if (unnamed.length === 0) return { result, check: first };
  const suspects = [...result.suspects];
  for (const tag of unnamed.slice(0, MOST_NAMED)) {
    const more = await run(opened, { ...settings, tag });
    suspects.push(...more.suspects.filter(({ key }) => key === tag));
  }
  const whole = { ...result, suspects };
  return { result: whole, check: checkResult(whole, allowance) };
}
