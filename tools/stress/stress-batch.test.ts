/** The small form of `npm run stress-batch`. */

import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stressBatch } from './stress.js';

describe('a batch that is killed at random points', function () {
  this.timeout(300_000);

  it('comes to the same history as one that is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const { wrong, damaged } = await stressBatch({
        ...{ folder, dumps: 20, seed: 4, memory: 32 * 2 ** 20 },
        ...{ mostKills: 4, killAfter: [300, 1500] as const },
      });
      expect(wrong).to.deep.equal([]);
      expect(damaged).to.equal(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
