/**
 * `npm run stress-batch -- --dumps 300 --seed 1`: a share full of dumps, read by a batch that is killed at random until it
 * is done. Exits 1 when its history is not that of an undisturbed one.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stressBatch } from './stress.js';

const { values } = parseArgs({ options: { dumps: { type: 'string' }, seed: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'dumpleak-stress-'));
try {
  const dumps = Number(values.dumps ?? 300);
  const figures = await stressBatch({
    folder,
    dumps,
    seed: Number(values.seed ?? 1),
    memory: 32 * 2 ** 20,
    mostKills: dumps,
  });
  const { wrong, ...counts } = figures;
  process.stdout.write(`${JSON.stringify(counts)}\n${wrong.map((line) => `${line}\n`).join('')}`);
  process.stdout.write(wrong.length === 0 ? 'The history is that of the undisturbed run\n' : '');
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
