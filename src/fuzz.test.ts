/** A short, seeded run of the fuzzer: mutated dumps end in a result or in one clear error. `npm run fuzz` runs more. */

import { expect } from 'chai';
import { fuzzOnce } from '../test-dumps/fuzz/mutate.js';

describe('mutated dumps', function () {
  this.timeout(120_000);

  it('never crash, hang or eat memory (200 seeded inputs)', () => {
    for (let seed = 1000; seed < 1200; seed++) {
      expect(fuzzOnce(seed).failure?.message ?? null, `seed ${seed}`).to.equal(null);
    }
  });
});
