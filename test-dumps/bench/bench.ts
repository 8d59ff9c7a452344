/** `npm run bench`: every measured promise of the project, as ratios of one run on one machine. Exits 0 whatever comes out. */

import { analyzeBench } from './analyze-bench.js';
import { batchBench } from './batch-bench.js';
import type { BenchLine } from './measure.js';
import { pdbBench } from './pdb-bench.js';
import { trendBench } from './trend-bench.js';

const SUITES: readonly (() => Promise<BenchLine[]>)[] = [analyzeBench, pdbBench, trendBench, batchBench];

for (const suite of SUITES) {
  for (const { name, ratio, goal, detail, atLeast, unit } of await suite()) {
    const met = atLeast === true ? ratio >= goal : ratio <= goal;
    const bound = `goal ${atLeast === true ? '>=' : '<='} ${goal}${unit === undefined ? '' : ` ${unit}`}`;
    const figure = `${ratio.toFixed(ratio < 0.1 ? 4 : 2)}${unit === undefined ? ' x' : ` ${unit}`}`;
    process.stdout.write(
      `${met ? 'ok  ' : 'MISS'} ${name.padEnd(48)} ${figure.padStart(12)}  ${bound.padEnd(16)} ${detail}\n`,
    );
  }
}
