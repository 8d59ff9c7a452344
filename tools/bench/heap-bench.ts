/**
 * Pool blocks: 2 GB of segment heaps and of classic pages walked on one core, with sums by tag, in MB of pool a second of
 * processor time.
 */

import { failed } from '../../parsers/bytes/failure.js';
import { TagSums } from '../../parsers/heap/tag-sums.js';
import { ClassicPageWalk } from '../../parsers/heap/classic-pages.js';
import { heapAddress, PointerReader, type HeapAddress, type HeapMemory } from '../../parsers/heap/memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86 } from '../../parsers/heap/pool-header.js';
import { openSegmentHeap } from '../../parsers/heap/segment/open.js';
import { proveHeaps } from '../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../parsers/heap/segment/walk.js';
import { buildClassicPages } from '../../test-dumps/pool-blocks/classic.js';
import { MemoryImage } from '../../test-dumps/pool-blocks/image.js';
import { buildSegmentHeap, type SegmentHeapOptions } from '../../test-dumps/pool-blocks/segment-heap.js';
import type { SegmentFamily } from '../../test-dumps/pool-blocks/segment-layouts.js';
import { Prng } from '../../test-dumps/prng.js';
import type { BenchLine } from './measure.js';

const MB = 2 ** 20;
const PAGE = 4096;
/** Pool that is built, and how much is walked in all: the same again and again. */
const BUILT = 96;
const WALKED = 2048;
const GOAL = 500;
const TAGS = ['Leak', 'File', 'Irp ', 'NtfF', 'Thre', 'MmSt'];

/** An image with its pages by address, as fast as memory can be: what is measured is the walk. */
class FastMemory implements HeapMemory {
  readonly pointerSize: 4 | 8;
  private readonly pages = new Map<number, Uint8Array>();

  constructor(image: MemoryImage) {
    this.pointerSize = image.pointerSize;
    for (const va of image.addresses()) {
      const page = image.page(va);
      if (page !== null) this.pages.set(heapAddress(image.spell(va), image.pointerSize) / PAGE, page);
    }
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    let found = 0;
    for (let i = 0; i < pages; i++) {
      const page = this.pages.get(address / PAGE + i);
      present[i] = page === undefined ? 0 : 1;
      if (page === undefined) continue;
      into.set(page, i * PAGE);
      found++;
    }
    return found;
  }
}

/** MB a second of processor time, over so many walks of BUILT MB that they make WALKED. */
function speed(walk: (sums: TagSums) => void): { mbs: number; blocks: number } {
  const rounds = Math.ceil(WALKED / BUILT);
  let blocks = 0;
  const start = process.cpuUsage();
  for (let i = 0; i < rounds; i++) {
    const sums = new TagSums();
    walk(sums);
    blocks += sums.list().reduce((sum, { live }) => sum + live, 0);
  }
  const { user, system } = process.cpuUsage(start);
  return { mbs: (rounds * BUILT) / ((user + system) / 1e6), blocks };
}

function line(name: string, { mbs, blocks }: { mbs: number; blocks: number }): BenchLine {
  return {
    name: `pool blocks, ${name}`,
    ratio: mbs,
    goal: GOAL,
    atLeast: true,
    unit: 'MB/s',
    detail: `${WALKED} MB walked on one core, ${(blocks / 1e6).toFixed(1)} million live blocks`,
  };
}

function segmentHeap(family: SegmentFamily): BenchLine {
  const wide = family.startsWith('x64');
  const image = new MemoryImage(wide ? 8 : 4);
  const options: SegmentHeapOptions = {
    family,
    header: wide ? 'x64-nt6' : 'x86-nt6',
    heapAt: wide ? 0x9c8a_1230_0000 : 0x8530_0000,
    recordsAt: wide ? 0x9c8a_1400_0000 : 0x8540_0000,
    segmentsAt: wide ? 0x9c8b_fe00_0000 : 0x9100_0000,
    segments: BUILT,
    heapKey: 0x1c35_77a0_9bde_f10dn,
    lfhKey: 0x76a1_0d92_33c8_45efn,
    tags: TAGS,
    paged: false,
    processes: [],
    cookie: 0n,
    pageAligned: true,
    withhold: false,
    large: 3,
  };
  buildSegmentHeap(image, new Prng(1), options);
  const memory = new FastMemory(image);
  const heap = openSegmentHeap(new PointerReader(memory), heapAddress(image.spell(options.heapAt), image.pointerSize));
  if (heap === null) throw new Error('the built heap does not open');
  const proof = proveHeaps(memory, [heap]);
  if (failed(proof)) throw new Error(`the built heap is not proven: ${proof.message}`);
  const pool = wide ? POOL_HEADER_X64 : POOL_HEADER_X86;
  return line(
    family,
    speed((sums) => {
      new SegmentHeapWalk(memory, heap, proof, { pool }).walk(sums.sink);
    }),
  );
}

function classicPages(): BenchLine {
  const image = new MemoryImage(8);
  const at = 0xfa80_0100_0000;
  const options = { family: 'x64-nt6', at, pages: (BUILT * MB) / PAGE, paged: false, tags: TAGS } as const;
  buildClassicPages(image, new Prng(2), { ...options, processes: [], cookie: 0n });
  const memory = new FastMemory(image);
  return line(
    'classic pages',
    speed((sums) => {
      new ClassicPageWalk(memory, POOL_HEADER_X64).walk(heapAddress(image.spell(at), 8), BUILT * MB, sums.sink);
    }),
  );
}

/** The suite. */
export function heapBench(): Promise<BenchLine[]> {
  return Promise.resolve([
    segmentHeap('x64-20348'),
    segmentHeap('x64-26100.4061'),
    segmentHeap('x86-18362'),
    classicPages(),
  ]);
}
