/** Pool tag tables of the largest machine: 640 processors with 8,192 slots each and 3,000 tags, found and summed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPoolTags } from '../../src/kernel/pool/pool-tags.js';
import { OpenedDump } from '../../src/kernel/open/opened-dump.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import type { TagRowSpec } from '../../test-dumps/scenario.js';
import type { BenchLine } from './measure.js';

const PROCESSORS = 640;
const SLOTS = 8192;
const TAGS = 3000;
const RUNS = 5;

/** Names of tags by number, of four letters. */
const tagOf = (n: number): string =>
  'b' + String.fromCharCode(...[676, 26, 1].map((place) => 65 + (Math.floor(n / place) % 26)));

export async function tablesBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const path = join(folder, 'large.dmp');
    const scenario = SCENARIOS.modernLeak();
    const more = Array.from({ length: TAGS }, (_, n): TagRowSpec => ({
      tag: tagOf(n),
      nonPaged: { allocs: 5000 + n, frees: 4000, bytes: 64 * (1000 + n) },
    }));
    buildDump({
      ...scenario,
      ...{ kind: 'bitmap-kernel', processors: PROCESSORS },
      pool: { ...scenario.pool, rows: [...(scenario.pool?.rows ?? []), ...more], tableSize: SLOTS + 1 },
    }).writeTo(path);
    const dump = await OpenedDump.open(path);
    try {
      let best = Infinity;
      let tags = 0;
      for (let run = 0; run < RUNS; run++) {
        const before = process.cpuUsage();
        const { table } = readPoolTags(dump.kernel);
        const { user, system } = process.cpuUsage(before);
        best = Math.min(best, (user + system) / 1e6);
        if (table?.complete !== true || table.tables < PROCESSORS) throw new Error('not all tables were read');
        tags = table.sums.rows;
      }
      return [
        {
          name: `tag tables of ${PROCESSORS} processors with ${SLOTS} slots, summed`,
          ratio: best,
          goal: 0.5,
          unit: 's',
          detail: `of processor time, ${tags} tags, ${((PROCESSORS * SLOTS) / 1e6).toFixed(1)} million rows`,
        },
      ];
    } finally {
      dump.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
