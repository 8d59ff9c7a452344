/** The small form of `npm run stress-scale`. */

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../src/batch/store/server/postgres.test.helper.js';
import { stressScale } from './scale.js';

describe('workers of a shared history that are killed, with a database that is restarted', function () {
  this.timeout(300_000);

  it('come to the history of a batch that nobody disturbs', async function () {
    const server = await startPostgres();
    if (server === null) {
      process.stdout.write('      no PostgreSQL on this machine: workers on many hosts are not tested\n');
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const { wrong, kills, damaged } = await stressScale({
        ...{ folder, server, dumps: 20, seed: 7, memory: 32 * 2 ** 20, workers: 3, lease: '3s' },
        ...{ killEvery: 1500, mostKills: 5, restartAfter: 5 },
      });
      expect(wrong).to.deep.equal([]);
      expect(kills).to.be.greaterThan(0);
      expect(damaged).to.equal(2);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
