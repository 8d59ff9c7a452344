/** A run of the fuzzer: numbers go to the targets in turn, failures are made small and saved. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './attempt.js';
import { Feeder } from './feeder.js';
import { Seeds } from './seeds.js';
import { fewestBytes, neededChanges } from './shrink.js';
import type { FuzzTarget } from './target.js';

export interface RunOptions {
  readonly targets: readonly FuzzTarget[];
  readonly runs: number;
  /** The first number; each stands for one input of one target. */
  readonly seed: number;
  /** Folder for failing inputs; made when one is saved. */
  readonly saveIn: string;
  /** Failures after which the run ends. */
  readonly mostFailures?: number;
  /** Milliseconds for an input that has no end. */
  readonly patience?: number;
  /** Milliseconds for making a failing input small. */
  readonly shrinkFor?: number;
  readonly tell?: (line: string) => void;
}

export interface FailedRun {
  readonly target: string;
  readonly number: number;
  readonly message: string;
  /** The minimal failing input. */
  readonly file: string;
  readonly bytes: number;
}

/** What a target's inputs cost. */
export interface TargetFigures {
  readonly name: string;
  inputs: number;
  failures: number;
  /** Most milliseconds of processor time, and all together. */
  slowest: number;
  total: number;
  /** Most bytes over what the process had before. */
  largest: number;
}

export interface RunResult {
  readonly figures: readonly TargetFigures[];
  readonly failures: readonly FailedRun[];
}

/** Feeds `runs` inputs to the targets, all numbers of one after the other. */
export async function runFuzzer(options: RunOptions): Promise<RunResult> {
  const { targets, runs, seed, mostFailures = 20 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const fuzzer = new Fuzzer(folder, options);
  const figures: TargetFigures[] = [];
  try {
    for (const [target, count] of shares(targets, runs)) {
      const figure = await fuzzer.one(target, seed, count, mostFailures);
      figures.push(figure);
      options.tell?.(figureLine(figure));
      if (fuzzer.failures.length >= mostFailures) break;
    }
  } finally {
    fuzzer.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { figures, failures: fuzzer.failures };
}

/** The inputs that each target gets: at least one, and `runs` of all together where there are as many. */
export function shares(targets: readonly FuzzTarget[], runs: number): [FuzzTarget, number][] {
  const all = targets.reduce((sum, { share = 1 }) => sum + share, 0);
  let [given, due] = [0, 0];
  return targets.map((target) => {
    due += ((target.share ?? 1) / all) * runs;
    const count = Math.max(1, Math.round(due) - given);
    given += count;
    return [target, count];
  });
}

function figureLine({ name, inputs, failures, slowest, total, largest }: TargetFigures): string {
  const mean = (total / Math.max(1, inputs)).toFixed(0);
  return `${name.padEnd(26)}${String(inputs).padStart(6)} inputs ${String(failures).padStart(3)} failures, slowest ${slowest.toFixed(0).padStart(5)} ms (mean ${mean.padStart(4)}), most memory ${(largest / 2 ** 20).toFixed(0).padStart(4)} MB`;
}

/** Feeds a saved input once. */
export async function feedFile(target: FuzzTarget, file: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const feeder = new Feeder(folder);
  try {
    return await feeder.feed({ target: target.name, file });
  } finally {
    feeder.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Fuzzer {
  readonly failures: FailedRun[] = [];
  private readonly seeds: Seeds;
  private readonly feeder: Feeder;

  constructor(
    private readonly folder: string,
    private readonly options: RunOptions,
  ) {
    this.seeds = new Seeds(folder);
    this.feeder = new Feeder(folder, options.patience);
  }

  async one(target: FuzzTarget, seed: number, count: number, mostFailures: number): Promise<TargetFigures> {
    const figure = { name: target.name, inputs: 0, failures: 0, slowest: 0, total: 0, largest: 0 };
    this.seeds.build(target);
    for (let number = seed; number < seed + count && this.failures.length < mostFailures; number++) {
      const outcome = await this.feeder.feed({ target: target.name, number });
      figure.inputs++;
      figure.slowest = Math.max(figure.slowest, outcome.ms);
      figure.total += outcome.ms;
      figure.largest = Math.max(figure.largest, outcome.bytes);
      if (outcome.message === null) continue;
      figure.failures++;
      await this.record(target, number, outcome.message);
    }
    return figure;
  }

  close(): void {
    this.feeder.close();
  }

  /** Saves a failing input, as small as it gets, and tells how to feed it again. */
  private async record(target: FuzzTarget, number: number, message: string): Promise<void> {
    const fails = async (job: { keep: readonly number[] } | { file: string }): Promise<boolean> =>
      (await this.feeder.feed({ target: target.name, number, ...job })).message !== null;
    const count = this.seeds.changes(target, number).length;
    const keep = await neededChanges(count, (some) => fails({ keep: some }), this.options.shrinkFor);
    const input = this.seeds.input(target, number, keep);
    const trial = join(this.folder, 'trial.bin');
    const small = await fewestBytes(
      input,
      (less) => {
        writeFileSync(trial, less);
        return fails({ file: trial });
      },
      this.options.shrinkFor,
    );
    mkdirSync(this.options.saveIn, { recursive: true });
    const file = join(this.options.saveIn, `fuzz-${target.name}-${number}.bin`);
    writeFileSync(file, small);
    this.failures.push({ target: target.name, number, message, file, bytes: small.length });
    this.options.tell?.(
      `FAILED ${target.name}, number ${number}: ${message}\n  ${small.length} bytes in ${file}; again: npm run fuzz -- --target ${target.name} --input ${file}`,
    );
  }
}
