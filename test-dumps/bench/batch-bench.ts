/** A batch of equal dumps by one worker and by two, and what memory a worker takes after many dumps, against `analyze`. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../build-dump.js';
import { SCENARIOS } from '../scenarios.js';
import { measure, type BenchLine } from './measure.js';

const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));
/** Relative to build/test-dumps/bench: the source folder, where the preloaded script is. */
const PRELOAD = fileURLToPath(new URL('../../../test-dumps/bench/peaks.cjs', import.meta.url));
const DUMPS = 72;
const ROUNDS = 2;
/** Of the header: SystemTime. A dump of another time is another dump. */
const SYSTEM_TIME = 0xfa8;

interface Run {
  ms: number;
  /** Largest resident set of a worker. */
  peakBytes: number;
}

/** Best of some rounds each, in turns. */
export async function batchBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-batch-'));
  try {
    const share = join(folder, 'share');
    mkdirSync(share);
    const bytes = Buffer.from(buildDump(SCENARIOS.notmyfault()).toBytes());
    for (let i = 0; i < DUMPS; i++) {
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(SYSTEM_TIME) + 36_000_000_000n, SYSTEM_TIME);
      writeFileSync(join(share, `${i}.dmp`), bytes);
    }
    const best: Record<1 | 2, Run> = { 1: { ms: Infinity, peakBytes: 0 }, 2: { ms: Infinity, peakBytes: 0 } };
    for (let round = 0; round < ROUNDS; round++) {
      for (const jobs of [1, 2] as const) {
        const { ms, peakBytes } = runBatch(folder, jobs);
        best[jobs] = { ms: Math.min(best[jobs].ms, ms), peakBytes: Math.max(best[jobs].peakBytes, peakBytes) };
      }
    }
    const alone = measure([MAIN, 'analyze', join(share, '0.dmp'), '--json'], ROUNDS).peakBytes;
    const megabytes = (size: number): string => `${Math.round(size / 2 ** 20)} MB`;
    const peak = Math.max(best[1].peakBytes, best[2].peakBytes);
    return await Promise.resolve([
      {
        name: 'batch: one worker / two workers',
        ratio: best[1].ms / best[2].ms,
        goal: 1.8,
        atLeast: true,
        detail: `${DUMPS} dumps of ${megabytes(bytes.length)}: ${best[1].ms.toFixed(0)} ms, ${best[2].ms.toFixed(0)} ms, on ${availableParallelism()} processors`,
      },
      {
        name: 'batch: memory of a worker / of analyze',
        ratio: peak / alone,
        goal: 2,
        detail: `after ${DUMPS} dumps ${megabytes(peak)}, analyze ${megabytes(alone)}`,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runBatch(folder: string, jobs: number): Run {
  const out = join(folder, 'out');
  const report = join(folder, 'peaks.txt');
  for (const path of [out, report]) rmSync(path, { recursive: true, force: true });
  const start = performance.now();
  const run = spawnSync(
    process.execPath,
    [MAIN, 'batch', join(folder, 'share'), '--out', out, '--jobs', String(jobs), '-q'],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--require ${PRELOAD}`, DUMPLEAK_BENCH_PEAKS: report },
    },
  );
  const ms = performance.now() - start;
  if (run.status !== 0) throw new Error(`the batch ended with ${String(run.status)}: ${run.stderr}`);
  const peaks = readFileSync(report, 'utf8').trimEnd().split('\n');
  const workers = peaks
    .filter((line) => line.includes('batch-worker'))
    .map((line) => Number(line.split(' ')[0]) * 1024);
  return { ms, peakBytes: Math.max(...workers) };
}
