/**
 * `npm run stress-scale -- --dumps 300 --seed 1`: three workers on a shared history, one of them killed every second, the
 * database restarted once. Exits 1 when the history is not that of an undisturbed batch.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../src/batch/store/server/postgres.test.helper.js';
import { stressScale } from './scale.js';

const { values } = parseArgs({
  options: { dumps: { type: 'string' }, seed: { type: 'string' }, 'kill-every': { type: 'string' } },
});
const server = await startPostgres();
if (server === null) {
  process.stderr.write('there is no PostgreSQL on this machine\n');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'dumpleak-stress-'));
try {
  const dumps = Number(values.dumps ?? 300);
  const figures = await stressScale({
    ...{ folder, server, dumps, seed: Number(values.seed ?? 1), memory: 32 * 2 ** 20, workers: 3, lease: '10s' },
    ...{ killEvery: Number(values['kill-every'] ?? 1000), restartAfter: dumps / 3 },
  });
  const { wrong, ...counts } = figures;
  process.stdout.write(`${JSON.stringify(counts)}\n${wrong.map((line) => `${line}\n`).join('')}`);
  process.stdout.write(wrong.length === 0 ? 'The history is that of the undisturbed run\n' : '');
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
