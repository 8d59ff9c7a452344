/**
 * `npm run fuzz -- --runs N --seed S`: inputs of every parser with bytes changed, copied, cut, put in or random, each taken
 * as the product takes it, in processes of their own. Every input must end with a result or be properly refused, within two
 * seconds and 300 MB. A failing input is made small and saved, with the command that feeds it again.
 */

import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { TARGETS, targetNamed } from './registry.js';
import { feedFile, runFuzzer } from './run.js';

const { runs, seed, save, target, input, list } = yargs(hideBin(process.argv))
  .usage('npm run fuzz -- --runs N --seed S')
  .option('runs', { type: 'number', default: 2000, describe: 'Mutated inputs to try, over all targets' })
  .option('seed', { type: 'number', default: 1, describe: 'The first number; a number always gives the same input' })
  .option('target', { type: 'string', array: true, default: [] as string[], describe: 'Only these targets' })
  .option('input', { type: 'string', describe: 'Feed this file to the target, instead of mutated inputs' })
  .option('save', { type: 'string', default: '.', describe: 'Folder for minimal failing inputs' })
  .option('list', { type: 'boolean', default: false, describe: 'List the targets' })
  .strict()
  .parseSync();

const tell = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const targets = target.length === 0 ? TARGETS : target.map(targetNamed);

if (list) for (const { name } of TARGETS) tell(name);
else if (input !== undefined) {
  const [only] = targets;
  if (target.length !== 1 || only === undefined) throw new Error('--input wants one --target');
  const { message, ms, bytes } = await feedFile(only, input);
  tell(`${message ?? 'as it must be'}\n${ms.toFixed(0)} ms of processor time, ${(bytes / 2 ** 20).toFixed(0)} MB`);
  if (message !== null) process.exitCode = 1;
} else {
  const { figures, failures } = await runFuzzer({ targets, runs, seed, saveIn: save, tell });
  const sum = figures.reduce((all, { inputs }) => all + inputs, 0);
  const slowest = Math.max(...figures.map((f) => f.slowest));
  const largest = Math.max(...figures.map((f) => f.largest));
  tell(
    `${sum} inputs over ${figures.length} targets, ${failures.length} failures, slowest ${slowest.toFixed(0)} ms, most memory ${(largest / 2 ** 20).toFixed(0)} MB over the process before`,
  );
  if (failures.length > 0) process.exitCode = 1;
}
