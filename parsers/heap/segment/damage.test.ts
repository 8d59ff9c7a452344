import { expect } from 'chai';
import fc from 'fast-check';
import { failed } from '../../bytes/failure.js';
import { AddressSet } from '../address-set.js';
import { BlockState, KIND_NAMES } from '../blocks.js';
import { at, lineOf, trueLine } from '../built-memory.test.helper.js';
import { joinWords, PointerReader, toVirtual } from '../memory.js';
import { builtHeap, FAMILIES, opened, type BuiltHeap } from './built-heap.test.helper.js';
import { readList } from './cached-blocks.js';
import { openSegmentHeap } from './open.js';
import { proveHeaps, type HeapProof } from './prove.js';
import { SegmentHeapWalk } from './walk.js';

const PAGE = 0x1000;

/** What a walk of a damaged heap gave: lines, and addresses of live blocks with their kind. */
function walkDamaged(
  built: BuiltHeap,
  proof: HeapProof,
): { lines: Set<string>; live: Map<number, string>; walk: SegmentHeapWalk } {
  const heap = openSegmentHeap(new PointerReader(built.memory), built.heapAt);
  if (heap === null) throw new Error('no heap');
  const walk = new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool });
  const lines = new Set<string>();
  const live = new Map<number, string>();
  walk.walk((block) => {
    lines.add(lineOf(block));
    if (block.state === BlockState.Live) {
      live.set(Number(BigInt.asUintN(48, toVirtual(block.address))), KIND_NAMES[block.kind]!);
    }
  });
  return { lines, live, walk };
}

const proven = (built: BuiltHeap): HeapProof => {
  const proof = proveHeaps(built.memory, [opened(built)], { lfhKey: built.options.lfhKey });
  if (failed(proof)) throw new Error(proof.message);
  return proof;
};

describe('damaged segment heap', () => {
  const family = fc.constantFrom(...FAMILIES);
  const seed = fc.integer({ min: 1, max: 500 });
  const places = (most: number): fc.Arbitrary<[number, number][]> =>
    fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.integer({ min: 1, max: 255 })),
      {
        minLength: 1,
        maxLength: most,
      },
    );

  it('gives no exception, no freed chunk as live, and bounded work, whatever bytes change', () => {
    fc.assert(
      fc.property(family, seed, places(80), (name, number, damage) => {
        const built = builtHeap(name, number, { segments: 2 });
        const proof = proven(built);
        const pages = built.image.addresses().filter((va) => va !== built.options.heapAt);
        const touched = new Set<number>();
        for (const [where, change] of damage) {
          const place = Math.floor(where * pages.length * PAGE);
          const va = pages[Math.floor(place / PAGE)]! + (place % PAGE);
          built.image.page(va)![va % PAGE]! ^= change;
          for (let i = 0; i < 0x28; i++) touched.add(va + i - 8);
        }
        built.memory.pages = 0;
        const { live, walk } = walkDamaged(built, proof);
        expect(built.memory.pages).to.be.lessThan(4 * pages.length + 1000);
        for (const block of built.blocks) {
          if (block.state === 'live' || block.kind !== 'vs' || live.get(block.va) !== 'vs') continue;
          // Only where its own header was changed, or a list of freed chunks broke, which is said.
          if (block.state === 'cached') expect(walk.counts.delayFreeUnresolved).to.be.greaterThan(0);
          else expect(touched.has(block.va), `${block.va.toString(16)} is free`).to.equal(true);
        }
      }),
      { numRuns: 30 },
    );
  }).timeout(120000);

  it('costs itself only: all else is given as before', () => {
    fc.assert(
      fc.property(family, seed, fc.nat(), (name, number, pick) => {
        const built = builtHeap(name, number, { segments: 2 });
        const proof = proven(built);
        const chunks = built.blocks.filter(({ kind }) => kind === 'vs');
        const victim = chunks[pick % chunks.length]!;
        const unit = built.image.pointerSize * 2;
        // The size in the chunk's header.
        const header = victim.va - (victim.va % PAGE === 0 && built.options.pageAligned ? 2 * unit : unit);
        const page = built.image.page(header)!;
        page[(header % PAGE) + (unit === 16 ? 2 : 0)]! ^= 0x5a;
        const { lines, walk } = walkDamaged(built, proof);
        const lost = built.blocks.filter((block) => !lines.has(trueLine(built.image, block)));
        // The chunk itself, and the one before where the damaged header leaves its size unconfirmed.
        expect(lost.length).to.be.within(1, 2);
        expect(walk.counts.chunksCorrupt).to.be.greaterThan(0);
      }),
      { numRuns: 20 },
    );
  }).timeout(120000);

  it('tells missing pages, and gives what is left', () => {
    fc.assert(
      fc.property(family, seed, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), (name, number, drops) => {
        const built = builtHeap(name, number, { segments: 2 });
        const proof = proven(built);
        const pages = built.image.addresses().filter((va) => va !== built.options.heapAt);
        const gone = new Set(drops.map((drop) => pages[drop % pages.length]!));
        for (const va of gone) built.image.drop(va);
        const { live, walk } = walkDamaged(built, proof);
        const freed = built.blocks.filter(({ state, va }) => state === 'free' && live.has(va));
        expect(freed).to.deep.equal([]);
        const cached = built.blocks.filter(({ state, va }) => state === 'cached' && live.has(va));
        expect(cached.length).to.be.at.most(walk.counts.delayFreeUnresolved);
        const inVs = built.blocks.some(({ kind, va }) => kind === 'vs' && gone.has(va - (va % PAGE)));
        if (inVs && walk.counts.segmentsMissing === 0) {
          expect(walk.counts.bytesMissing + walk.counts.subsegmentsMissing).to.be.greaterThan(0);
        }
      }),
      { numRuns: 20 },
    );
  }).timeout(120000);

  it('opens or refuses a damaged heap structure, and ends', () => {
    fc.assert(
      fc.property(family, seed, places(20), (name, number, damage) => {
        const built = builtHeap(name, number, { segments: 2 });
        const proof = proven(built);
        const heap = built.image.page(built.options.heapAt)!;
        for (const [where, change] of damage) heap[Math.floor(where * 0x400)]! ^= change;
        built.memory.pages = 0;
        const reader = new PointerReader(built.memory);
        const again = openSegmentHeap(reader, built.heapAt);
        if (again === null) return;
        proveHeaps(built.memory, [again]);
        const walk = new SegmentHeapWalk(built.memory, again, proof, { pool: built.pool });
        walk.walk(() => undefined);
        expect(built.memory.pages).to.be.lessThan(60000);
      }),
      { numRuns: 20 },
    );
  }).timeout(120000);

  it('goes through no loop twice', () => {
    const built = builtHeap('x64-20348', 4);
    const { image, options } = built;
    const proof = proven(built);
    // The second segment names the first as the one behind it.
    const second = image.page(options.segmentsAt + 0x100000)!;
    const first = image.page(options.segmentsAt)!;
    const linkToSecond = first.slice(0, 8);
    second.set(linkToSecond, 0);
    const { walk } = walkDamaged(built, proof);
    expect(walk.counts.listsBroken).to.equal(1);
    // From behind, the third is reached too.
    expect(walk.counts.segments).to.equal(options.segments + 1);

    // A tree of large allocations whose node names its parent as its child.
    const tree = builtHeap('x64-26100', 5);
    const treeProof = proven(tree);
    const records = tree.image.page(tree.options.recordsAt)!;
    records.set([0x40, 0, 0, 0, 0, 0, 0, 0], 0x40);
    // Child 0x40 ^ own address is its own page's address with other low bits: not a node, or itself.
    records.fill(0, 0x40, 0x48);
    const self = tree.options.recordsAt + 0x80;
    records.set([0xc0, 0, 0, 0, 0, 0, 0, 0], 0x80);
    expect(self % 8).to.equal(0);
    const { walk: large } = walkDamaged(tree, treeProof);
    expect(large.counts.large).to.be.at.most(tree.options.large);
    expect(large.counts.large + large.counts.largeCorrupt).to.be.greaterThan(0);
  });

  it('finds segments between two that are missing, beside those that it knows and where it is told to look', () => {
    const built = builtHeap('x64-26100', 8, { segments: 8 });
    const proof = proven(built);
    const segment = (index: number): number => built.options.segmentsAt + index * 0x100000;
    for (const index of [1, 3, 6]) for (const page of [0, 1]) built.image.drop(segment(index) + page * PAGE);
    const heap = opened(built);
    const walk = new SegmentHeapWalk(built.memory, heap, proof, { pool: built.pool });
    const known = (): number[] =>
      walk.segments.address.map((address) => Number(BigInt.asUintN(48, toVirtual(address)))).sort((a, b) => a - b);
    // The lists lead to 0 and 1, and to 7 and 6; 2 and 5 lie beside these, and 4 beside 5.
    expect(known().filter((va) => va < segment(8))).to.deep.equal([0, 1, 2, 4, 5, 6, 7].map(segment));
    expect(walk.counts).to.deep.include({ listsBroken: 1, segmentsExpected: 9 });
    expect(walk.addSegments([at(built.image, segment(3))])).to.equal(0);
    walk.walk(() => undefined);
    expect(walk.counts.segments).to.equal(6);
    expect(walk.counts.segmentsMissing).to.equal(2);
  });

  it('follows a list no further than its depth, and not round', () => {
    const built = builtHeap('x64-20348', 4);
    const { image } = built;
    const page = new Uint8Array(PAGE);
    const view = new DataView(page.buffer);
    const base = 0x9c8a_5555_0000;
    image.put(base, page);
    const spell = image.spell(base);
    view.setUint16(0, 7, true);
    view.setBigUint64(8, spell + 0x100n, true);
    view.setBigUint64(0x100, spell + 0x200n, true);
    view.setBigUint64(0x200, spell + 0x100n, true);
    const entries = new AddressSet();
    const unresolved = readList(new PointerReader(built.memory), at(image, base), entries);
    expect(entries.size).to.equal(2);
    expect(unresolved).to.equal(5);
    expect(entries.has(joinWords(Number(spell & 0xffffffffn) + 0x200, Number(spell >> 32n)))).to.equal(true);
  });
});
