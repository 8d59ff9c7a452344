/** The first question to a new history in a folder: processor time and memory of `history groups`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dumpEntry } from '../../src/batch/inputs/entries.test.helper.js';
import { Journal } from '../../src/batch/journal/journal.js';
import { measure, type BenchLine } from './measure.js';

const MAIN = fileURLToPath(new URL('../../bin/dumpleak.js', import.meta.url));
const DUMPS = 200;
const MACHINES = 20;
/** Seconds, and MB. */
const GOALS = { seconds: 1.5, megabytes: 300 };

export async function historyBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-history-'));
  try {
    const journal = Journal.open(folder);
    for (let i = 0; i < DUMPS; i++) {
      const systemTime = new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toISOString();
      const machine = { name: `SRV${i % MACHINES}`, nameFrom: 'folder' as const };
      journal.append(dumpEntry(`/s/${i}.dmp`, { id: `dump-${i}`, systemTime, bytes: (i + 1) * 1_000_000, machine }));
    }
    journal.close();
    const { cpuMs, peakBytes } = measure([MAIN, 'history', 'groups', folder], 3);
    const detail = `${DUMPS} dumps of ${MACHINES} machines, the whole process`;
    return await Promise.resolve([
      { name: 'history: groups of a new folder', ratio: cpuMs / 1000, goal: GOALS.seconds, unit: 's', detail },
      { name: 'history: its memory', ratio: peakBytes / 1e6, goal: GOALS.megabytes, unit: 'MB', detail },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
