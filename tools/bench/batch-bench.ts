/** A batch of equal dumps by one worker and by two, against its analyses alone, and what memory a worker takes after many dumps, against `analyze`. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { measure, type BenchLine } from './measure.js';

const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));
const STEPS = fileURLToPath(new URL('./batch-steps.js', import.meta.url));
/** As the pool starts its workers. */
const FOR_ONE_PROCESSOR = ['--single-threaded', '--min-semi-space-size=8'];
/** Relative to build/tools/bench: the source folder, where the preloaded script is. */
const PRELOAD = fileURLToPath(new URL('../../../tools/bench/peaks.cjs', import.meta.url));
/** A share full, so that what each worker does once, loading and compiling its program, counts little. They take 10 GB. */
const DUMPS = 300;
const ROUNDS = 3;
/** Of the header: SystemTime. A dump of another time is another dump. */
const SYSTEM_TIME = 0xfa8;

interface Run {
  ms: number;
  /** Processor time of all its processes. */
  cpuMs: number;
  /** Largest resident set of a worker. */
  peakBytes: number;
}

/** The best of some runs each, in turns: what else the machine does only makes them longer. */
export async function batchBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-batch-'));
  try {
    const share = join(folder, 'share');
    mkdirSync(share);
    const bytes = Buffer.from(buildDump(SCENARIOS.notmyfault()).toBytes());
    for (let i = 0; i < DUMPS; i++) {
      bytes.writeBigUInt64LE(bytes.readBigUInt64LE(SYSTEM_TIME) + 36_000_000_000n, SYSTEM_TIME);
      // On the disk before a run is timed: what is written down later would fall into its time.
      writeFileSync(join(share, `${i}.dmp`), bytes, { flush: true });
    }
    const ones: Run[] = [];
    const twos: Run[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ones.push(runBatch(folder, 1));
      twos.push(runBatch(folder, 2));
    }
    const one = Math.min(...ones.map(({ ms }) => ms));
    const two = Math.min(...twos.map(({ ms }) => ms));
    const cost = Math.min(...ones.map(({ cpuMs }) => cpuMs));
    const analyses = measure([...FOR_ONE_PROCESSOR, STEPS, share], ROUNDS).cpuMs;
    const alone = measure([MAIN, 'analyze', join(share, '0.dmp'), '--json'], 3).peakBytes;
    const megabytes = (size: number): string => `${Math.round(size / 2 ** 20)} MB`;
    const peak = Math.max(...[...ones, ...twos].map(({ peakBytes }) => peakBytes));
    const inAll = `${DUMPS} dumps of ${megabytes(bytes.length)}`;
    return await Promise.resolve([
      {
        name: 'batch: one worker / two workers',
        ratio: one / two,
        goal: 1.9,
        atLeast: true,
        detail: `${inAll}: ${one.toFixed(0)} ms, ${two.toFixed(0)} ms, on ${availableParallelism()} processors`,
      },
      {
        name: 'batch: one worker / its analyses, results and pages',
        ratio: cost / analyses,
        goal: 1.1,
        detail: `${cost.toFixed(0)} ms against ${analyses.toFixed(0)} ms of processor time`,
      },
      {
        name: 'batch: memory of a worker / of analyze',
        ratio: peak / alone,
        goal: 1.5,
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
  const args = [MAIN, 'batch', join(folder, 'share'), '--out', out, '--jobs', String(jobs), '-q'];
  const run = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: `--require ${PRELOAD}`, DUMPLEAK_BENCH_PEAKS: report },
  });
  const ms = performance.now() - start;
  if (run.status !== 0) throw new Error(`the batch ended with ${String(run.status)}: ${run.stderr}`);
  const lines = readFileSync(report, 'utf8').trimEnd().split('\n');
  const cpuMs = lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  const workers = lines
    .filter((line) => line.includes('batch-worker'))
    .map((line) => Number(line.split(' ')[0]) * 1024);
  return { ms, cpuMs, peakBytes: Math.max(...workers) };
}
