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
/** So many that what each worker does once, loading and compiling its program, counts little. */
const DUMPS = 150;
/** Of the header: SystemTime. A dump of another time is another dump. */
const SYSTEM_TIME = 0xfa8;

interface Run {
  ms: number;
  /** Largest resident set of a worker. */
  peakBytes: number;
}

/** One run each: a batch is long. */
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
    const canPin = spawnSync('taskset', ['-c', '0,1', process.execPath, '--version']).status === 0;
    const one = runBatch(folder, 1, null);
    const two = runBatch(folder, 2, null);
    const pinned = canPin ? { one: runBatch(folder, 1, '0'), two: runBatch(folder, 2, '0,1') } : null;
    const alone = measure([MAIN, 'analyze', join(share, '0.dmp'), '--json'], 3).peakBytes;
    const megabytes = (size: number): string => `${Math.round(size / 2 ** 20)} MB`;
    const peak = Math.max(one.peakBytes, two.peakBytes);
    const inAll = `${DUMPS} dumps of ${megabytes(bytes.length)}`;
    return await Promise.resolve([
      {
        name: 'batch: one worker / two workers',
        ratio: one.ms / two.ms,
        goal: 1.8,
        atLeast: true,
        detail: `${inAll}: ${one.ms.toFixed(0)} ms, ${two.ms.toFixed(0)} ms, on ${availableParallelism()} processors`,
      },
      ...(pinned !== null
        ? [
            {
              name: 'batch: the same, a processor for each worker',
              ratio: pinned.one.ms / pinned.two.ms,
              goal: 1.8,
              atLeast: true,
              detail: `${inAll}: ${pinned.one.ms.toFixed(0)} ms on one, ${pinned.two.ms.toFixed(0)} ms on two: node's own threads take part of a second processor`,
            },
          ]
        : []),
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

/** `processors`: those that it may use, as taskset takes them; null for all. */
function runBatch(folder: string, jobs: number, processors: string | null): Run {
  const out = join(folder, 'out');
  const report = join(folder, 'peaks.txt');
  for (const path of [out, report]) rmSync(path, { recursive: true, force: true });
  const start = performance.now();
  const line = [process.execPath, MAIN, 'batch', join(folder, 'share'), '--out', out, '--jobs', String(jobs), '-q'];
  const [command = '', ...args] = processors === null ? line : ['taskset', '-c', processors, ...line];
  const run = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: `--require ${PRELOAD}`, DUMPLEAK_BENCH_PEAKS: report },
  });
  const ms = performance.now() - start;
  if (run.status !== 0) throw new Error(`the batch ended with ${String(run.status)}: ${run.stderr}`);
  const peaks = readFileSync(report, 'utf8').trimEnd().split('\n');
  const workers = peaks
    .filter((line) => line.includes('batch-worker'))
    .map((line) => Number(line.split(' ')[0]) * 1024);
  return { ms, peakBytes: Math.max(...workers) };
}
