/**
 * What following code takes on built dumps: every scenario with so many seeds, the most and the median of steps.
 * `node build/tools/evaluate/code-work.js [seeds] [scenario]`. Ends with 1 where one asks for more than ten times the usual.
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

/** Of an ascending list. */
const median = (sorted: readonly number[]): number => sorted[sorted.length >>> 1] ?? 0;

function main(seeds: number, only: string | undefined): void {
  for (const name of Object.keys(SCENARIOS) as ScenarioName[]) {
    if (only !== undefined && name !== only) continue;
    const steps = Array.from({ length: seeds }, (_, i) => stepsOf(name, i + 1).steps);
    const sorted = [...steps].sort((a, b) => a - b);
    const most = sorted.at(-1) ?? 0;
    process.stdout.write(`${name}: median ${median(sorted)}, most ${most} (seed ${steps.indexOf(most) + 1})\n`);
  }
}

if (process.argv[1]?.endsWith('code-work.js') === true) main(Number(process.argv[2] ?? 64), process.argv[3]);
