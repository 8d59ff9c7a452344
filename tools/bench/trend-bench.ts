/** Growth: reading and judging 200 poolmon logs of 4,000 rows, against reading and splitting the same files into lines. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrend } from '../../src/growth/trend.js';
import { writeMachineLogs } from '../../test-dumps/series/make-logs.js';
import type { BenchLine } from './measure.js';

const TAGS = 4000;
const SNAPSHOTS = 200;
const LEAKS = 3;
const ROUNDS = 5;
const GOAL = 5;

/** Best of some rounds each, in turns. */
export async function trendBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-trend-'));
  try {
    const paths = writeMachineLogs(folder, { tags: TAGS, samples: SNAPSHOTS, stepHours: 0.25, seed: 7, leaks: LEAKS });
    let split = Infinity;
    let judged = Infinity;
    let lines = 0;
    let leaks = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      lines = 0;
      for (const path of paths) lines += readFileSync(path, 'utf8').split(/\r?\n/).length;
      split = Math.min(split, performance.now() - start);
      const before = performance.now();
      const trend = await readTrend([folder]);
      judged = Math.min(judged, performance.now() - before);
      leaks = trend.series.filter(
        ({ series: { name }, verdict }) => name.kind === 'pool-tag' && verdict.judgement === 'leak',
      ).length;
    }
    const detail = `${SNAPSHOTS} logs x ${TAGS} rows, ${lines} lines: split ${split.toFixed(0)} ms, judged ${judged.toFixed(0)} ms, ${leaks} leaks of ${LEAKS} found`;
    return [{ name: 'trend: logs judged / split into lines', ratio: judged / split, goal: GOAL, detail }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
