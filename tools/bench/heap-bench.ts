/**
 * Pool blocks: 2 GB of segment heaps and of classic pages walked on one core, with sums by tag, in MB of pool a second of
 * processor time; the same on two threads; and 2 GB of pool of a dump, with the memory that its walk takes.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failed } from '../../parsers/bytes/failure.js';
import { TagSums } from '../../parsers/heap/tag-sums.js';
import { ClassicPageWalk } from '../../parsers/heap/classic-pages.js';
import { heapAddress, PointerReader } from '../../parsers/heap/memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86 } from '../../parsers/heap/pool-header.js';
import { openSegmentHeap } from '../../parsers/heap/segment/open.js';
import { proveHeaps } from '../../parsers/heap/segment/prove.js';
import { SegmentHeapWalk } from '../../parsers/heap/segment/walk.js';
import { buildClassicPages } from '../../test-dumps/pool-blocks/classic.js';
import { MemoryImage } from '../../test-dumps/pool-blocks/image.js';
import { buildSegmentHeap, type SegmentHeapOptions } from '../../test-dumps/pool-blocks/segment-heap.js';
import type { SegmentFamily } from '../../test-dumps/pool-blocks/segment-layouts.js';
import { Prng } from '../../test-dumps/prng.js';
import { buildDump } from '../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../test-dumps/scenarios.js';
import { FastMemory, sharedPages } from './fast-memory.js';
import { walkOnThreads, type HeapTask } from './heap-threads.js';
import { measure, type BenchLine } from './measure.js';

const MB = 2 ** 20;
const PAGE = 4096;
/** Pool that is built, and how much is walked in all: the same again and again. */
const BUILT = 96;
const WALKED = 2048;
const GOAL = 500;
const RUNS = 4;
const TAGS = ['Leak', 'File', 'Irp ', 'NtfF', 'Thre', 'MmSt'];

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

function builtHeap(family: SegmentFamily): { image: MemoryImage; heapAt: number } {
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
  return { image, heapAt: heapAddress(image.spell(options.heapAt), image.pointerSize) };
}

function segmentHeap(family: SegmentFamily): BenchLine {
  const { image, heapAt } = builtHeap(family);
  const memory = new FastMemory(sharedPages(image));
  const heap = openSegmentHeap(new PointerReader(memory), heapAt);
  if (heap === null) throw new Error('the built heap does not open');
  const proof = proveHeaps(memory, [heap]);
  if (failed(proof)) throw new Error(`the built heap is not proven: ${proof.message}`);
  const pool = image.pointerSize === 8 ? POOL_HEADER_X64 : POOL_HEADER_X86;
  return line(
    family,
    speed((sums) => {
      new SegmentHeapWalk(memory, heap, proof, { pool }).walk(sums.sink);
    }),
  );
}

/**
 * The segments of a heap taken in turn by two threads: on two free cores both end together, after the mean of their
 * processor times. That is measured, since it does not depend on what else this machine does.
 */
async function onTwoThreads(family: SegmentFamily): Promise<BenchLine> {
  const { image, heapAt } = builtHeap(family);
  const task: HeapTask = { pages: sharedPages(image), heapAt, rounds: Math.ceil(WALKED / BUILT) };
  const [one, two] = [await best(task, 1), await best(task, 2)];
  if (one.blocks !== two.blocks) throw new Error(`two threads find ${two.blocks} blocks, one ${one.blocks}`);
  const mbs = ({ threadMs }: { threadMs: number }): string => (WALKED / (threadMs / 1000)).toFixed(0);
  return {
    name: `pool blocks, ${family}, two threads against one`,
    ratio: one.threadMs / two.threadMs,
    goal: 1.8,
    atLeast: true,
    detail: `${mbs(two)} against ${mbs(one)} MB/s, by the processor time of a thread, in the mean`,
  };
}

/** The best of a few runs, as everywhere in the bench. */
async function best(task: HeapTask, threads: number): ReturnType<typeof walkOnThreads> {
  let found = await walkOnThreads(task, threads);
  for (let i = 1; i < RUNS; i++) {
    const run = await walkOnThreads(task, threads);
    if (run.threadMs < found.threadMs) found = run;
  }
  return found;
}

function classicPages(): BenchLine {
  const image = new MemoryImage(8);
  const at = 0xfa80_0100_0000;
  const options = { family: 'x64-nt6', at, pages: (BUILT * MB) / PAGE, paged: false, tags: TAGS } as const;
  buildClassicPages(image, new Prng(2), { ...options, processes: [], cookie: 0n });
  const memory = new FastMemory(sharedPages(image));
  return line(
    'classic pages',
    speed((sums) => {
      new ClassicPageWalk(memory, POOL_HEADER_X64).walk(heapAddress(image.spell(at), 8), BUILT * MB, sums.sink);
    }),
  );
}

/** 2 GB of pool in a dump, through its page tables: 96 MB of pages that are mapped again and again. */
function inDump(): BenchLine[] {
  const folder = mkdtempSync(join(tmpdir(), 'dumpleak-bench-'));
  try {
    const path = join(folder, 'pool.dmp');
    const pages = (BUILT * MB) / PAGE;
    const poolBlocks = { tags: TAGS, pages, quota: false, mirrors: Math.ceil(WALKED / BUILT) };
    buildDump({ ...SCENARIOS.modernLeak(), kernel: '9600', kind: 'bitmap-kernel', poolBlocks }).writeTo(path);
    const steps = fileURLToPath(new URL('./steps.js', import.meta.url));
    const open = measure([steps, 'open', path], 3);
    const walk = measure([steps, 'pool', path], 3);
    const walked = Number(walk.stdout) / MB;
    const seconds = (walk.cpuMs - open.cpuMs) / 1000;
    const detail = `${walked.toFixed(0)} MB of classic pages walked in ${seconds.toFixed(1)} s of processor time`;
    return [
      { name: 'pool blocks in a dump', ratio: walked / seconds, goal: GOAL, atLeast: true, unit: 'MB/s', detail },
      {
        name: 'peak memory of that walk',
        ratio: walk.peakBytes / MB,
        goal: 300,
        unit: 'MB',
        detail: `opening the dump alone: ${(open.peakBytes / MB).toFixed(0)} MB`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The suite. */
export async function heapBench(): Promise<BenchLine[]> {
  return [
    segmentHeap('x64-20348'),
    segmentHeap('x64-26100.4061'),
    segmentHeap('x86-18362'),
    classicPages(),
    await onTwoThreads('x64-20348'),
    await onTwoThreads('x64-26100.4061'),
    ...inDump(),
  ];
}
