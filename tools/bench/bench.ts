/** `npm run bench`: every measured promise of the project, as ratios of one run on one machine. `npm run bench -- --only pdb,inference` runs some suites. Exits 0 whatever comes out. */

import { parseArgs } from 'node:util';
import { analyzeBench } from './analyze-bench.js';
import { batchBench } from './batch-bench.js';
import { containersBench } from './containers-bench.js';
import { driversBench } from './drivers-bench.js';
import { heapBench } from './heap-bench.js';
import { historyBench } from './history-bench.js';
import { inferenceBench } from './inference-bench.js';
import type { BenchLine } from './measure.js';
import { objectsBench } from './objects-bench.js';
import { ownersBench } from './owners-bench.js';
import { pdbBench } from './pdb-bench.js';
import { scaleBench } from './scale-bench.js';
import { searchBench } from './search-bench.js';
import { tablesBench } from './tables-bench.js';
import { trendBench } from './trend-bench.js';

const SUITES = new Map<string, () => Promise<BenchLine[]>>([
  ['analyze', analyzeBench],
  ['inference', inferenceBench],
  ['pdb', pdbBench],
  ['trend', trendBench],
  ['batch', batchBench],
  ['containers', containersBench],
  ['drivers', driversBench],
  ['heap', heapBench],
  ['history', historyBench],
  ['objects', objectsBench],
  ['search', searchBench],
  ['owners', ownersBench],
  ['scale', scaleBench],
  ['tables', tablesBench],
]);

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const only = values.only?.flatMap((list) => list.split(',')) ?? [...SUITES.keys()];
const unknown = only.filter((name) => !SUITES.has(name));
if (unknown.length > 0) {
  process.stderr.write(`no suite is called ${unknown.join(', ')}: ${[...SUITES.keys()].join(', ')}\n`);
  process.exit(64);
}

for (const suite of [...SUITES].filter(([name]) => only.includes(name)).map(([, run]) => run)) {
  for (const { name, ratio, goal, detail, atLeast, unit } of await suite()) {
    const met = atLeast === true ? ratio >= goal : ratio <= goal;
    const bound = `goal ${atLeast === true ? '>=' : '<='} ${goal}${unit === undefined ? '' : ` ${unit}`}`;
    const figure = `${ratio.toFixed(ratio < 0.1 ? 4 : 2)}${unit === undefined ? ' x' : ` ${unit}`}`;
    process.stdout.write(
      `${met ? 'ok  ' : 'MISS'} ${name.padEnd(48)} ${figure.padStart(12)}  ${bound.padEnd(16)} ${detail}\n`,
    );
  }
}
