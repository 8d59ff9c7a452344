import { expect } from 'chai';
import fc from 'fast-check';
import { Block, BlockKind, BlockState, PoolBits } from './blocks.js';
import { TagSums } from './tag-sums.js';

describe('sums by tag', () => {
  it('adds what is live and what is cached, a tag and pool', () => {
    const item = fc.record({
      tag: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0x7fffffff })),
      paged: fc.boolean(),
      state: fc.integer({ min: 0, max: 4 }),
      size: fc.integer({ min: 16, max: 1 << 24 }),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 1200 }), (items) => {
        const sums = new TagSums();
        const half = new TagSums();
        const block = new Block();
        const wanted = new Map<string, [number, number, number, number]>();
        items.forEach(({ tag, paged, state, size }, i) => {
          block.begin(BlockKind.Vs, state, 0x1000, size);
          block.tag = tag;
          block.poolType = paged ? PoolBits.Paged : 0;
          (i % 2 === 0 ? sums : half).sink(block);
          if (state !== BlockState.Live && state !== BlockState.Cached) return;
          const row = wanted.get(`${tag}:${paged}`) ?? [0, 0, 0, 0];
          const at = state === BlockState.Live ? 0 : 2;
          row[at] += 1;
          row[at + 1]! += size;
          wanted.set(`${tag}:${paged}`, row);
        });
        sums.merge(half);
        const found = new Map(
          sums
            .list()
            .map(({ tag, paged, live, liveBytes, cached, cachedBytes }) => [
              `${tag}:${paged}`,
              [live, liveBytes, cached, cachedBytes],
            ]),
        );
        expect(found).to.deep.equal(wanted);
        const bytes = sums.list().map(({ liveBytes }) => liveBytes);
        expect(bytes).to.deep.equal([...bytes].sort((a, b) => b - a));
      }),
      { numRuns: 40 },
    );
  });
});
