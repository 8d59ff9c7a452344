/**
 * A million handles: counted and judged against reading the pages of their tables once through the page tables, and the
 * memory that takes.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { OBJECT_SCENARIOS } from '../../test-dumps/objects/scenarios.js';
import { measure, type BenchLine } from './measure.js';

const STEPS = fileURLToPath(new URL('./objects-steps.js', import.meta.url));
const HANDLES = 1_000_000;
const MB = 2 ** 20;

/** The suite. Writes a dump with a million handles to a temporary folder. */
export function objectsBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const path = join(folder, 'handles.dmp');
    buildDump({ ...OBJECT_SCENARIOS.millionHandles(HANDLES), modules: [] }).writeTo(path);
    const [pages, count, judge] = ['pages', 'count', 'judge'].map((step) => stepCost(step, path));
    if (!pages || !count || !judge) throw new Error('a step was not measured');
    const against = `${pages.ms.toFixed(0)} ms for ${pages.said} pages`;
    return Promise.resolve([
      {
        ...{ name: '1,000,000 handles counted, against their pages', ratio: count.ms / pages.ms, goal: 4 },
        detail: `${count.ms.toFixed(0)} ms against ${against}`,
      },
      {
        ...{ name: '1,000,000 handles counted and judged', ratio: judge.ms / pages.ms, goal: 4 },
        detail: `${judge.ms.toFixed(0)} ms against ${against}; ${judge.said} suspicious types`,
      },
      {
        ...{ name: 'peak memory of that', ratio: judge.peakBytes / MB, goal: 250, unit: 'MB' },
        detail: `reading the pages alone: ${(pages.peakBytes / MB).toFixed(0)} MB`,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stepCost(step: string, path: string): { ms: number; said: number; peakBytes: number } {
  let best = { ms: Infinity, said: 0 };
  let peakBytes = 0;
  for (let i = 0; i < 3; i++) {
    const cost = measure([STEPS, step, path], 1);
    const found = JSON.parse(cost.stdout) as { ms: number; said: number };
    peakBytes = Math.max(peakBytes, cost.peakBytes);
    if (found.ms < best.ms) best = found;
  }
  return { ...best, peakBytes };
}
