/**
 * `npm run fuzz -- --runs N --seed S`: dumps with bytes changed, cut, repeated or random, analyzed in this process. Every
 * run must end with a result or with an InputError, within two seconds and 300 MB. A failing input is made as small as
 * it can be made by undoing changes, and saved.
 */

import { writeFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { fuzzOnce, type FuzzFailure, SEEDS } from './mutate.js';

const { runs, seed, save, seconds } = yargs(hideBin(process.argv))
  .usage('npm run fuzz -- --runs N --seed S')
  .option('runs', { type: 'number', default: 2000, describe: 'Mutated inputs to try' })
  .option('seed', { type: 'number', default: 1, describe: 'The first seed; a seed always gives the same input' })
  .option('save', { type: 'string', default: 'fuzz-failure.dmp', describe: 'Where a minimal failing input goes' })
  .option('seconds', { type: 'number', default: 0, describe: 'Stop after so long (0 = never)' })
  .strict()
  .parseSync();

const started = performance.now();
const failures: FuzzFailure[] = [];
let done = 0;
let slowest = 0;
for (; done < runs; done++) {
  if (seconds > 0 && performance.now() - started > seconds * 1000) break;
  const outcome = fuzzOnce(seed + done);
  slowest = Math.max(slowest, outcome.ms);
  if (outcome.failure === null) continue;
  failures.push(outcome.failure);
  process.stdout.write(`seed ${seed + done}: ${outcome.failure.message}\n`);
  if (failures.length === 1) writeFileSync(save, outcome.failure.input);
  if (failures.length >= 10) break;
}
const peak = process.resourceUsage().maxRSS / 1024;
process.stdout.write(
  `${done} inputs over ${SEEDS.length} kinds of dump, ${failures.length} failures, slowest ${slowest.toFixed(0)} ms, peak memory ${peak.toFixed(0)} MB\n`,
);
if (failures.length > 0) {
  process.stdout.write(`the first failing input is in ${save}\n`);
  process.exitCode = 1;
}
