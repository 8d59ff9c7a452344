/** Memory of pools: segment heaps of each generation, classic pages and big-page tables, proven and walked as the product does. */

import { failed } from '../../../parsers/bytes/failure.js';
import { findBigPages, readBigPages } from '../../../parsers/heap/big-pages.js';
import { Block } from '../../../parsers/heap/blocks.js';
import { ClassicPageWalk, proveClassicPages } from '../../../parsers/heap/classic-pages.js';
import { heapAddress, PointerReader, type HeapAddress, type HeapMemory } from '../../../parsers/heap/memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86 } from '../../../parsers/heap/pool-header.js';
import { openSegmentHeap } from '../../../parsers/heap/segment/open.js';
import { ownRecords } from '../../../parsers/heap/segment/own-records.js';
import { proveHeaps } from '../../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../../parsers/heap/segment/walk.js';
import { TagSums } from '../../../parsers/heap/tag-sums.js';
import { concat, type Va } from '../../../test-dumps/bytes.js';
import { buildBigPages } from '../../../test-dumps/pool-blocks/big-pages.js';
import { buildClassicPages } from '../../../test-dumps/pool-blocks/classic.js';
import { MemoryImage } from '../../../test-dumps/pool-blocks/image.js';
import { buildSegmentHeap, type SegmentHeapOptions } from '../../../test-dumps/pool-blocks/segment-heap.js';
import type { SegmentFamily } from '../../../test-dumps/pool-blocks/segment-layouts.js';
import { Prng } from '../../../test-dumps/prng.js';
import type { FuzzTarget } from '../target.js';

const PAGE = 4096;
const TAGS = ['Leak', 'File', 'Irp '];
/** More pages than any of these inputs can make a walk read. */
const MOST_PAGES = 100_000;

/** Pages of an input at the addresses of the image that it was made from. */
class InputMemory implements HeapMemory {
  private asked = 0;
  private readonly places: ReadonlyMap<HeapAddress, number>;

  constructor(
    readonly pointerSize: 4 | 8,
    private readonly input: Uint8Array,
    image: MemoryImage,
  ) {
    this.places = new Map(pagesOf(image).map((va, i) => [heapAddress(image.spell(va), pointerSize), i * PAGE]));
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    this.asked += pages;
    if (this.asked > MOST_PAGES) throw new Error(`more than ${MOST_PAGES} pages were read`);
    let found = 0;
    for (let i = 0; i < pages; i++) {
      const place = this.places.get(address + i * PAGE);
      const there = place !== undefined && place + PAGE <= this.input.length;
      present[i] = there ? 1 : 0;
      if (!there) continue;
      into.set(this.input.subarray(place, place + PAGE), i * PAGE);
      found++;
    }
    return found;
  }
}

/** The pages of an image, those with structures of the heap itself first. */
const pagesOf = (image: MemoryImage): Va[] => image.addresses().reverse();

const inputOf = (image: MemoryImage): Uint8Array =>
  concat(pagesOf(image).map((va) => image.page(va) ?? new Uint8Array(PAGE)));

function heapTarget(family: SegmentFamily): FuzzTarget {
  const wide = family.startsWith('x64');
  const options: SegmentHeapOptions = {
    family,
    header: wide ? 'x64-nt6' : 'x86-nt6',
    heapAt: wide ? 0x9c8a_1230_0000 : 0x8530_0000,
    recordsAt: wide ? 0x9c8a_1400_0000 : 0x8540_0000,
    segmentsAt: wide ? 0x9c8b_fe00_0000 : 0x9100_0000,
    segments: 1,
    heapKey: wide ? 0x1c35_77a0_9bde_f10dn : 0x9bde_f10dn,
    lfhKey: wide ? 0x76a1_0d92_33c8_45efn : 0x33c8_45efn,
    tags: TAGS,
    paged: false,
    processes: [],
    cookie: 0n,
    pageAligned: true,
    withhold: true,
    large: 5,
  };
  let built: MemoryImage | null = null;
  const image = (): MemoryImage => {
    if (built === null) {
      built = new MemoryImage(wide ? 8 : 4);
      buildSegmentHeap(built, new Prng(7), options);
    }
    return built;
  };
  return {
    name: `heap-${family}`,
    seeds: [() => inputOf(image())],
    hot: 0x6000,
    feed(input) {
      const memory = new InputMemory(wide ? 8 : 4, input, image());
      const reader = new PointerReader(memory);
      const heap = openSegmentHeap(reader, heapAddress(image().spell(options.heapAt), memory.pointerSize));
      if (heap === null) return;
      const proof = proveHeaps(memory, [heap]);
      if (failed(proof)) return;
      const own = ownRecords(reader, [heap], proof.layout);
      const sums = new TagSums();
      new SegmentHeapWalk(memory, heap, proof, { pool: wide ? POOL_HEADER_X64 : POOL_HEADER_X86, own }).walk(sums.sink);
      sums.list();
    },
  };
}

const POOL = 0x8512_0000;
const POOL_PAGES = 16;
const ROWS = 256;

function poolTarget(): FuzzTarget {
  const image = new MemoryImage(8);
  const options = {
    at: POOL,
    pages: POOL_PAGES,
    paged: true,
    tags: TAGS,
    processes: [0x9c8a_0000_1080],
    cookie: 5n,
  } as const;
  return {
    name: 'pool-pages',
    seeds: [
      () => {
        buildClassicPages(image, new Prng(3), { family: 'x64-nt6', ...options });
        return inputOf(image);
      },
    ],
    feed(input) {
      if (image.addresses().length === 0) image.put(POOL, new Uint8Array(POOL_PAGES * PAGE));
      const memory = new InputMemory(8, input, image);
      proveClassicPages(memory, POOL, POOL_PAGES * PAGE);
      const sums = new TagSums();
      new ClassicPageWalk(memory, POOL_HEADER_X64).walk(POOL, POOL_PAGES * PAGE, sums.sink);
    },
  };
}

function bigPageTarget(): FuzzTarget {
  const image = new MemoryImage(8);
  return {
    name: 'big-pages',
    seeds: [
      () => {
        const options = { at: POOL, rows: ROWS, tags: TAGS, used: 120, freed: 20, poolBase: 0x9c8b_0000_0000 } as const;
        buildBigPages(image, new Prng(4), { family: 'x64-20348', ...options, processes: [] });
        return inputOf(image);
      },
    ],
    feed(input) {
      if (image.addresses().length === 0) image.put(POOL, new Uint8Array(ROWS * 0x20));
      const memory = new InputMemory(8, input, image);
      const found = findBigPages(memory, POOL);
      if (found !== null) readBigPages(memory, POOL, found.entries, found.layout, new Block(), new TagSums().sink);
    },
  };
}

export const HEAP_TARGETS: readonly FuzzTarget[] = [
  ...(['x64-17763', 'x64-20348', 'x64-26100', 'x64-26100.4061', 'x86-18362'] as const).map(heapTarget),
  poolTarget(),
  bigPageTarget(),
].map((target) => ({ share: 0.5, ...target }));
