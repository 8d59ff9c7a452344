/** What an analysis without symbols costs: tables, layouts and totals found by their content, against a built-in profile. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { measure, type BenchLine } from './measure.js';

const STEPS = fileURLToPath(new URL('./steps.js', import.meta.url));

/** Writes a sparse dump of 1 GB to a temporary folder. */
export async function inferenceBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const path = join(folder, 'small.dmp');
    buildDump({ ...SCENARIOS.modernLeak(), kind: 'bitmap-full', memory: { bytes: 2 ** 30 } }).writeTo(path);
    const known = measure([STEPS, 'analyze', path], 7);
    const inferred = measure([STEPS, 'infer', path], 7);
    return await Promise.resolve([
      {
        name: 'analyze by inference against by profile',
        ratio: inferred.cpuMs / known.cpuMs,
        goal: 2,
        detail: `${inferred.cpuMs.toFixed(0)} ms against ${known.cpuMs.toFixed(0)} ms of processor time`,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
