/** Measures whole processes: each case runs alone in its own, several times, and the best run counts. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What one run of a process cost. */
export interface Cost {
  /** User and system time of the whole process, start-up included. */
  cpuMs: number;
  /** Largest resident set. */
  peakBytes: number;
  stdout: string;
}

/** A line of the benchmark's report. `goal` is an upper bound unless `atLeast`. */
export interface BenchLine {
  name: string;
  ratio: number;
  goal: number;
  detail: string;
  atLeast?: boolean;
  unit?: string;
}

/** Relative to build/tools/bench: the source folder, where the preloaded script is. */
const PRELOAD = fileURLToPath(new URL('../../../tools/bench/usage.cjs', import.meta.url));

/** Runs `node` with `args` `times` times; the cheapest run counts, the largest peak too. Throws when a run fails. */
export function measure(args: readonly string[], times = 5): Cost {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  const report = join(folder, 'usage.json');
  let best: Cost | null = null;
  let peak = 0;
  try {
    for (let i = 0; i < times; i++) {
      const run = spawnSync(process.execPath, ['-r', PRELOAD, ...args], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        env: { ...process.env, DUMPLEAK_BENCH_USAGE: report },
      });
      if (run.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(run.status)}: ${run.stderr}`);
      const usage = JSON.parse(readFileSync(report, 'utf8')) as { cpuMs: number; peakBytes: number };
      peak = Math.max(peak, usage.peakBytes);
      if (best === null || usage.cpuMs < best.cpuMs) best = { ...usage, stdout: run.stdout };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (best === null) throw new Error('nothing was measured');
  return { ...best, peakBytes: peak };
}
