/**
 * What following code takes on built dumps: every scenario with so many seeds, the most and the median of steps.
 * `npm run evaluate-code-work -- [seeds] [scenario]`. Ends with 1 where an analysis takes more than ten times the usual. Steps are
 * counted, not time: about three million of them take a second.
 */

import { analyze } from '../../src/analysis/analyze.js';
import { CodeWork } from '../../src/code/flow/work.js';
import { openBuilt } from '../../src/analysis/whole-dumps/truth.test.helper.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS, type ScenarioName } from '../../test-dumps/scenarios.js';

/** Steps of following code in one analysis of a built dump, with no limit but the one given. */
export function stepsOf(scenario: ScenarioName, seed: number, most?: number): CodeWork {
  const codeWork = new CodeWork(most);
  const opened = openBuilt(buildDump({ ...SCENARIOS[scenario](), seed }));
  analyze(opened, { codeWork, parts: undefined });
  opened.close();
  return codeWork;
}

/** What an analysis takes besides, in steps: one of a machine without code to follow lasts as long as so many. */
export const REST = 250_000;
/** No input may take more than so many times the usual. */
export const MOST_TIMES = 10;

/** What many seeds of one scenario take. */
export interface Work {
  /** Steps of the median seed. */
  readonly usual: number;
  readonly most: number;
  /** Place of the seed that takes most. */
  readonly at: number;
  /** How many times the usual the whole analysis of that seed takes. */
  readonly times: number;
}

/** @param steps of each seed. */
export function workOf(steps: readonly number[]): Work {
  const sorted = [...steps].sort((a, b) => a - b);
  const usual = sorted[sorted.length >>> 1] ?? 0;
  const most = sorted.at(-1) ?? 0;
  return { usual, most, at: steps.indexOf(most), times: (most + REST) / (usual + REST) };
}

function main(seeds: number, only: string | undefined): void {
  for (const name of Object.keys(SCENARIOS) as ScenarioName[]) {
    if (only !== undefined && name !== only) continue;
    const { usual, most, at, times } = workOf(Array.from({ length: seeds }, (_, i) => stepsOf(name, i + 1).steps));
    const isTooMuch = times > MOST_TIMES;
    if (isTooMuch) process.exitCode = 1;
    process.stdout.write(
      `${name}: median ${usual}, most ${most} (seed ${at + 1}), ${times.toFixed(1)} times the usual analysis${isTooMuch ? ': too much' : ''}\n`,
    );
  }
}

if (process.argv[1]?.endsWith('code-work.js') === true) main(Number(process.argv[2] ?? 64), process.argv[3]);
