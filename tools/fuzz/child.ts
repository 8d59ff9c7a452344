/** A process that feeds inputs, one after the other, for the fuzzer that started it: `child.js FOLDER`. */

import { readFileSync } from 'node:fs';
import { attempt } from './attempt.js';
import { targetNamed } from './registry.js';
import { Seeds } from './seeds.js';

/** An input: that of a number (with only some of its changes), or the bytes of a file. */
export interface Job {
  readonly target: string;
  readonly number?: number;
  readonly keep?: readonly number[];
  readonly file?: string;
}

/** Garbage of earlier inputs past this is taken out before the next. */
const TIDY_ABOVE = 250 * 2 ** 20;

const [folder = ''] = process.argv.slice(2);
const seeds = new Seeds(folder);

async function feed(job: Job): Promise<void> {
  const target = targetNamed(job.target);
  const input =
    job.file === undefined ? seeds.input(target, job.number ?? 0, job.keep ?? null) : readFileSync(job.file);
  if (process.memoryUsage.rss() > TIDY_ABOVE) globalThis.gc?.();
  process.send?.(await attempt(target, input, folder));
}

process.on('message', (job: Job) => void feed(job));
process.on('disconnect', () => process.exit(0));
