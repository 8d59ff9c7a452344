/** Reads of a disk that takes 5 ms for each: what an analysis waits for. The clock is moved, nobody waits. */

import { expect } from 'chai';
import { ReadPace } from '../../../parsers/bytes/read-pace.js';
import { CountingSource } from '../../../parsers/bytes/source.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import type { ModuleSpec } from '../../../test-dumps/scenario.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { analyze } from '../analyze.js';

/** A kernel dump with as many drivers as real ones have; most of their pages are elsewhere. */
function dumpOf(seed: number): Uint8Array {
  const scenario = SCENARIOS.modernLeak();
  const known = scenario.modules ?? [];
  const more = Array.from({ length: 150 }, (_, i): ModuleSpec => ({
    name: `driver${i}.sys`,
    size: 0x8000 + (i % 9) * 0x4000,
    allPages: 'valid',
  }));
  const paging = { ...scenario.paging, modulePages: 16 };
  return buildDump({ ...scenario, seed, kind: 'bitmap-kernel', modules: [...known, ...more], paging }).toBytes();
}

describe('a dump on a slow disk', function () {
  this.timeout(120_000);

  it('is judged after at most 400 reads, and as on a fast one', () => {
    for (const seed of [1, 2, 3]) {
      const bytes = dumpOf(seed);
      const results = [0.01, 5].map((milliseconds) => {
        const source = new CountingSource(new MemorySource(bytes));
        const opened = { source, fileBytes: bytes.length, container: null, damage: null };
        const pace = new ReadPace(() => source.reads * milliseconds);
        const result = analyze(OpenedDump.over('MEMORY.DMP', opened, {}, new Date(0), pace));
        return { reads: source.reads, text: JSON.stringify({ ...result, run: null }) };
      });
      const [fast, slow] = results;
      expect(slow?.reads, `seed ${seed}`).to.be.within(1, 400);
      expect(slow?.reads).to.be.lessThan(fast?.reads ?? 0);
      expect(slow?.text).to.equal(fast?.text);
    }
  });
});
