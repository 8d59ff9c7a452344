/** Owners of fifty tags against the owner of one, in a dump whose largest tags are those of drivers that must be followed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../test-dumps/build-dump.js';
import { driverScenario } from '../../test-dumps/drivers/scenario.js';
import { readFixtures, readLargeDrivers } from '../../test-dumps/drivers/fixtures.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { outstanding, tagRows } from '../../test-dumps/tag-rows.js';
import { measure, type BenchLine } from './measure.js';

const STEPS = fileURLToPath(new URL('./owners-steps.js', import.meta.url));
const MB = 2 ** 20;
const TAGS = 50;
const RUNS = 9;

/** Writes a kernel dump to a temporary folder: Windows' modules, large drivers, and fifty that allocate under the largest tags. */
export function ownersBench(): Promise<BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const path = join(folder, 'owners.dmp');
    buildDump(scenario()).writeTo(path);
    let [one, all] = [NEVER, NEVER];
    // In turn, so that what else the machine does meets both alike.
    for (let run = 0; run < RUNS; run++) {
      one = cheaper(one, cost(path, 1));
      all = cheaper(all, cost(path, TAGS));
    }
    return Promise.resolve([
      {
        ...{ name: `owners of ${TAGS} tags against the owner of one`, ratio: all.ms / one.ms, goal: 1.3 },
        detail: `${all.ms.toFixed(0)} ms against ${one.ms.toFixed(0)} ms of processor time for the analysis; ${all.named} named, ${all.byCode} by code`,
      },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function scenario(): ReturnType<typeof SCENARIOS.idleWorkstation> {
  const fixtures = readFixtures().filter(({ driver }) => driver.architecture === 'x64');
  // The largest is followed to its allocator, so that the one is no easier than the fifty.
  fixtures.sort((a, b) => Number(b.driver.shape === 'wrapper') - Number(a.driver.shape === 'wrapper'));
  const files = [...new Map(fixtures.map((one) => [one.driver.tag, one])).values()].slice(0, TAGS);
  const base = SCENARIOS.idleWorkstation();
  const drivers = driverScenario('x64', files, 'discarded');
  const large = readLargeDrivers().map((file, i) => ({ name: `large${i}.sys`, file, pages: {} }));
  const named = files.map(({ driver }, i) => ({ tag: driver.tag, nonPaged: outstanding(9000 - i, (60 - i) * MB) }));
  const held = named.reduce((sum, { nonPaged }) => sum + Number(nonPaged.bytes), 0);
  return {
    ...base,
    kind: 'kernel',
    modules: [...(base.modules ?? []), ...(drivers.modules ?? []), ...large],
    kernelExports: drivers.kernelExports ?? [],
    pool: {
      rows: tagRows({ seed: 5, count: 900, nonPagedBytes: held + 150 * MB, pagedBytes: 20 * MB, largest: MB, named }),
    },
  };
}

interface Cost {
  /** Of processor time. */
  readonly ms: number;
  readonly named: number;
  readonly byCode: number;
}

const NEVER: Cost = { ms: Infinity, named: 0, byCode: 0 };
const cheaper = (a: Cost, b: Cost): Cost => (b.ms < a.ms ? b : a);

function cost(path: string, count: number): Cost {
  return JSON.parse(measure([STEPS, path, String(count)], 1).stdout) as Cost;
}
