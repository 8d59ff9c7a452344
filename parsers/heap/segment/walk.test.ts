import { expect } from 'chai';
import { buildBigPages } from '../../../test-dumps/pool-blocks/big-pages.js';
import { buildLookaside } from '../../../test-dumps/pool-blocks/lookaside.js';
import { Prng } from '../../../test-dumps/prng.js';
import { failed } from '../../bytes/failure.js';
import { AddressSet } from '../address-set.js';
import { at, expectSame, lineOf } from '../built-memory.test.helper.js';
import { BigPageIndex } from '../big-page-index.js';
import { findBigPages, readBigPages } from '../big-pages.js';
import { Block, BlockColumns, BlockKind, BlockState } from '../blocks.js';
import { PointerReader } from '../memory.js';
import { hasPoolHeader, POOL_HEADER_X64 } from '../pool-header.js';
import { TagSums } from '../tag-sums.js';
import { builtHeap, FAMILIES, opened, type BuiltHeap } from './built-heap.test.helper.js';
import { LOOKASIDE, LOOKASIDE_ARM64, readLookaside } from './cached-blocks.js';
import { proveHeaps, type HeapProof } from './prove.js';
import { SegmentHeapWalk } from './walk.js';

function walked(
  built: BuiltHeap,
  lookaside?: AddressSet,
  bigPages?: BigPageIndex,
): { lines: string[]; walk: SegmentHeapWalk; proof: HeapProof } {
  const heap = opened(built);
  const proof = proveHeaps(built.memory, [heap], { lfhKey: built.options.lfhKey });
  if (failed(proof)) throw new Error(proof.message);
  const walk = new SegmentHeapWalk(built.memory, heap, proof, {
    pool: built.pool,
    ...(lookaside === undefined ? {} : { lookaside }),
    ...(bigPages === undefined ? {} : { bigPages }),
  });
  const lines: string[] = [];
  walk.walk((block) => lines.push(lineOf(block)));
  return { lines, walk, proof };
}

describe('segment heap', () => {
  for (const family of FAMILIES) {
    for (const plain of [false, true]) {
      it(`gives every block of ${family}, ${plain ? 'plain' : 'with pool headers'}`, () => {
        for (let seed = 1; seed <= 6; seed++) {
          const built = builtHeap(family, seed, { plain });
          const { lines, walk, proof } = walked(built);
          expectSame(built.image, lines, built.blocks);
          expect(proof.keys.heapKeyLow, 'HeapKey').to.equal(Number(BigInt.asUintN(32, built.options.heapKey)));
          const { segmentsCorrupt, chunksCorrupt, subsegmentsCorrupt, descriptorsCorrupt, bytesLost } = walk.counts;
          expect({ segmentsCorrupt, chunksCorrupt, subsegmentsCorrupt, descriptorsCorrupt, bytesLost }).to.deep.equal({
            segmentsCorrupt: 0,
            chunksCorrupt: 0,
            subsegmentsCorrupt: 0,
            descriptorsCorrupt: 0,
            bytesLost: 0,
          });
          expect(walk.counts.largePages).to.equal(walk.counts.largeCommittedPages);
          expect(walk.counts.delayFreeUnresolved).to.equal(0);
        }
      }).timeout(60000);
    }

    it(`tells the generation of ${family} from the others, without a hint`, () => {
      for (let seed = 11; seed <= 13; seed++) {
        const built = builtHeap(family, seed);
        const proof = proveHeaps(built.memory, [opened(built)]);
        if (failed(proof)) throw new Error(proof.message);
        expect(proof.lfhKeyFrom).to.equal('vote');
        expect(proof.keys.lfhKeyLow).to.equal(Number(BigInt.asUintN(32, built.options.lfhKey)));
        expect(proof.layout.segContexts).to.equal(family === 'x64-17763' || family === 'x86-18362' ? 0x100 : 0x140);
        expect(proof.layout.lfh.bitmap).to.equal(family.startsWith('x64-26100') ? 'split' : 'pairs');
        expect(proof.layout.vsDelayFree.in).to.equal(family === 'x64-26100.4061' ? 'slots' : 'context');
      }
    }).timeout(60000);

    it(`takes blocks on lookaside lists of ${family} for freed`, () => {
      const built = builtHeap(family, 21);
      const lists = built.options.recordsAt + 0x100000;
      // ARM64 has the heaps of this generation, and wider lists.
      const layout = family === 'x64-26100' ? LOOKASIDE_ARM64 : LOOKASIDE;
      const stride = family === 'x64-26100' ? 0x80 : 0x40;
      const blocks = buildLookaside(built.image, lists, built.blocks, built.headerBytes, 9, stride);
      const lookaside = new AddressSet();
      const unresolved = readLookaside(new PointerReader(built.memory), at(built.image, lists), layout, lookaside);
      expect(unresolved).to.equal(0);
      expect(lookaside.size).to.be.greaterThan(20);
      expectSame(built.image, walked(built, lookaside).lines, blocks);
    });
  }

  it('takes tags of blocks without a pool header from the big-page table', () => {
    for (const family of ['x64-20348', 'x86-18362'] as const) {
      const built = builtHeap(family, 17, { segments: 4 });
      const bare = built.blocks.filter(({ state, tag, va }) => state === 'live' && tag === 0 && va % 0x1000 === 0);
      expect(new Set(bare.map(({ kind }) => kind)))
        .to.include('segment')
        .and.to.include('large');
      const rows = buildBigPages(built.image, new Prng(3), {
        family: family === 'x64-20348' ? 'x64-20348' : 'x86-10240',
        at: built.options.recordsAt + 0x200000,
        rows: 1024,
        tags: ['Big1', 'Big2'],
        used: bare.length + 60,
        freed: 0,
        poolBase: 0,
        processes: [],
        allocations: bare,
      });
      const table = at(built.image, built.options.recordsAt + 0x200000);
      const proof = findBigPages(built.memory, table);
      const bigPages = new BigPageIndex();
      readBigPages(built.memory, table, proof!.entries, proof!.layout, new Block(), bigPages.sink);
      bigPages.sort();
      const tags = new Map(rows.map((row) => [row.va, row]));
      const blocks = built.blocks.map((block) => {
        const row = block.state === 'live' && block.tag === 0 ? tags.get(block.va) : undefined;
        return row === undefined ? block : { ...block, tag: row.tag, protected: row.protected, paged: row.paged };
      });
      expectSame(built.image, walked(built, undefined, bigPages).lines, blocks);
    }
  });

  it('believes in a pool header of the longest blocks only when it says so', () => {
    const block = new Block();
    const bytes = new Uint8Array(0x1000);
    bytes.set([0, 0, 0xff, 2, 0x4c, 0x65, 0x61, 0x6b]);
    const says = (size: number): boolean => {
      block.begin(BlockKind.Vs, BlockState.Live, 0x1000, size);
      block.bytes = bytes;
      block.there = size;
      return hasPoolHeader(block, POOL_HEADER_X64);
    };
    expect(says(0xff0)).to.equal(true);
    expect(says(0x1000)).to.equal(false);
    expect(says(0x100)).to.equal(true);
    expect(says(0xfe0)).to.equal(false);
    bytes[2] = 0xfe;
    expect(says(0xfe0)).to.equal(true);
    expect(says(0xff0)).to.equal(true);
    bytes[2] = 0x20;
    expect(says(0xff0)).to.equal(false);
    bytes.fill(0);
    expect(says(0xff0)).to.equal(false);
    expect(says(0xfe0)).to.equal(false);
    block.there = 8;
    expect(hasPoolHeader(block, POOL_HEADER_X64)).to.equal(false);
  });

  it('sums blocks a tag as the truth does, whole and by segment', () => {
    const built = builtHeap('x64-20348', 5);
    const heap = opened(built);
    const proof = proveHeaps(built.memory, [heap]) as HeapProof;
    const whole = new TagSums();
    new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool }).walk(whole.sink);
    const parts = new TagSums();
    const walk = new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool });
    for (let i = 0; i < walk.segments.address.length; i++) {
      const part = new TagSums();
      new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool }).walkSegment(i, part.sink);
      parts.merge(part);
    }
    walk.walkLarge(parts.sink);
    expect(parts.list()).to.deep.equal(whole.list());
    const truth = new Map<number, { live: number; liveBytes: number }>();
    for (const block of built.blocks.filter(({ state }) => state === 'live')) {
      const sum = truth.get(block.tag) ?? { live: 0, liveBytes: 0 };
      truth.set(block.tag, { live: sum.live + 1, liveBytes: sum.liveBytes + block.size });
    }
    const found = new Map<number, { live: number; liveBytes: number }>();
    for (const { tag, live, liveBytes } of whole.list()) {
      const sum = found.get(tag) ?? { live: 0, liveBytes: 0 };
      if (live > 0) found.set(tag, { live: sum.live + live, liveBytes: sum.liveBytes + liveBytes });
    }
    expect(found).to.deep.equal(truth);
  });

  it('keeps blocks in columns, up to a limit', () => {
    const built = builtHeap('x64-26100', 7);
    const heap = opened(built);
    const proof = proveHeaps(built.memory, [heap]) as HeapProof;
    const columns = new BlockColumns(2000);
    new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool }).walk(columns.sink);
    expect(columns.count).to.equal(2000);
    expect(columns.count + columns.dropped).to.equal(built.blocks.length);
    expect(columns.state.subarray(0, 2000).some((state) => state === BlockState.Cached)).to.equal(true);
  });
});
