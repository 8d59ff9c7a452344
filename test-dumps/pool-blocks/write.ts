/** Puts pool blocks into a machine: heaps or pages, the big-page table, globals; and the rows of the tag tables they make. */

import { alignUp, putU32, type Va } from '../bytes.js';
import { rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import type { Prng } from '../prng.js';
import type { Architecture, CounterSpec, TagRowSpec } from '../scenario.js';
import { buildBigPages, type BigPageFamily } from './big-pages.js';
import { buildClassicPages } from './classic.js';
import { writeContents } from './contents.js';
import { HEADER_SIZES, type HeaderFamily } from './headers.js';
import { MemoryImage, type TrueBlock } from './image.js';
import { poolStateOffsets } from './kernel-globals.js';
import { buildLookaside } from './lookaside.js';
import { buildSegmentHeap } from './segment-heap.js';
import type { SegmentFamily } from './segment-layouts.js';
import { Targets } from './things/targets.js';
import type { PoolBlocksSpec, PoolBlocksTruth } from './spec.js';

const PAGE = 0x1000;
const DEFAULT_TAGS = ['Thre', 'File', 'NtFs', 'MmSt', 'Irp ', 'Even', 'AfdC', 'CcSc'];
const BIG_SEGMENT = 0x1000000;

export interface PoolBlocksPlace {
  readonly space: KernelSpace;
  readonly kernel: KernelFacts;
  readonly base: Va;
  readonly architecture: Architecture;
  readonly spec: PoolBlocksSpec;
  readonly processes: readonly Va[];
  readonly baseOf: (module: string) => Va;
  /** RVA of a place in the kernel's code. */
  readonly codeOf: number;
  /** RVA of a place in a module's data that may be written. */
  readonly dataOf: (module: string) => number;
  readonly random: Prng;
}

export interface WrittenPoolBlocks {
  readonly truth: PoolBlocksTruth;
  readonly rows: TagRowSpec[];
  /** Addresses of pages that shall not be in the dump. */
  readonly absent: Va[];
}

export function writePoolBlocks(place: PoolBlocksPlace): WrittenPoolBlocks {
  const { space, kernel, base, spec, random } = place;
  const image = new MemoryImage(space.width);
  const form = spec.form ?? (kernel.build >= 17763 ? 'segment-heap' : 'classic');
  const tags = spec.tags ?? DEFAULT_TAGS;
  const family = headerFamily(kernel);
  const cookie =
    spec.quota !== false && kernel.build >= 9200 && space.width === 8
      ? 0x5af3_107a_4000_1d2en ^ BigInt(random.u32())
      : 0n;
  const processes = spec.quota === false ? [] : place.processes;
  const at = regions(space);
  let blocks: TrueBlock[] = [];
  if (form === 'classic') {
    const pages = spec.pages ?? 1024;
    for (const paged of [false, true]) {
      const options = { family, paged, tags, processes, cookie, ...leastOf(spec) };
      const piece = { at: paged ? at.paged : at.nonPaged, pages: paged ? Math.ceil(pages / 4) : pages };
      blocks = blocks.concat(
        buildClassicPages(image, random.fork(`classic ${String(paged)}`), { ...options, ...piece }),
      );
    }
    if (cookie !== 0n) space.u64(base + rvaOf(kernel, 'ExpPoolQuotaCookie'), cookie);
  } else {
    blocks = heaps(place, image, family, cookie, processes, at);
  }
  // Blocks without a pool header have a row; a row names whole pages.
  const bare = blocks.filter((block) => block.state === 'live' && block.tag === 0 && block.va % PAGE === 0);
  const big = spec.big ?? 60;
  const rows = spec.bigRows ?? 2048;
  const bigTable = space.allocate('nonPagedPool', rows * 0x20, PAGE);
  const bigOptions = {
    family: bigFamily(kernel),
    ...{
      at: bigTable,
      rows,
      tags,
      used: bare.length + big,
      freed: Math.min(40, Math.floor(rows / 8)),
      poolBase: at.big,
      processes: form === 'classic' ? [] : processes,
    },
    allocations: bare.map(({ va, size }) => ({ va, size })),
  };
  const bigBlocks = buildBigPages(image, random.fork('big pages'), bigOptions);
  const rest = bigBlocks.slice(bare.length);
  rest.forEach((block, i) => {
    // Far from the heaps, one behind the other: only the first page of each is there.
    if (form === 'classic' || i < rest.length) image.put(block.va, random.fork(`big ${i}`).bytes(PAGE));
  });
  blocks = [...blocks.filter((block) => !bare.includes(block)), ...bigBlocks];
  space.pointer(base + rvaOf(kernel, 'PoolBigPageTable'), bigTable);
  space.word(base + rvaOf(kernel, 'PoolBigPageTableSize'), rows);
  space.u32(base + rvaOf(kernel, 'ExpPoolBigEntriesInUse'), bigBlocks.length);
  const targets = new Targets(space, kernel.build, base + place.codeOf, place.baseOf, place.dataOf, place.processes);
  const things = new Set<Va>();
  for (const content of spec.contents ?? []) {
    const written = writeContents(
      image,
      blocks,
      content,
      HEADER_SIZES[family].header,
      targets,
      random.fork(`contents ${content.tag}`),
    );
    for (const va of written) things.add(va);
  }
  const absent: Va[] = [];
  const mirrored = (spec.pages ?? 1024) * PAGE;
  for (const va of image.addresses()) {
    const bytes = image.page(va);
    if (bytes === null) continue;
    if (space.frameOf(va) === undefined) {
      space.mapPage(va, space.memory.allocate());
      if (random.chance(spec.absent ?? 0)) absent.push(va);
    }
    space.write(va, bytes);
    for (let i = 1; i < (spec.mirrors ?? 1) && va >= at.nonPaged && va < at.nonPaged + mirrored; i++)
      space.mapPage(va + i * mirrored, space.frameOf(va) ?? 0);
  }
  return { truth: { form, blocks, things, absentPages: absent.length }, rows: rowsOf(blocks), absent };
}

function regions({ width, plan }: KernelSpace): { nonPaged: Va; notExecutable: Va; paged: Va; big: Va } {
  if (width === 8) {
    const nonPaged = alignUp(plan.nonPagedPool + 0x8000_0000, 0x4000_0000);
    return {
      nonPaged,
      notExecutable: nonPaged + 0x1_0000_0000,
      paged: alignUp(plan.pagedPool + 0x4000_0000, 0x4000_0000),
      big: nonPaged + 0x6_0000_0000,
    };
  }
  const start = alignUp(plan.nonPagedPool + 0x0100_0000, BIG_SEGMENT);
  // On NT 5, what the table does not tell is told by the paged pool's range.
  const big = plan.pagedPool >= 0xe000_0000 ? start + 0x0800_0000 : plan.pagedPool + 0x0800_0000;
  const paged = alignUp(plan.pagedPool + 0x0100_0000, BIG_SEGMENT);
  // Below the page tables, where nothing else is.
  return { nonPaged: start, notExecutable: 0xbc00_0000, paged, big };
}

const leastOf = ({ least }: PoolBlocksSpec): Pick<PoolBlocksSpec, 'least'> => (least === undefined ? {} : { least });

/** Three heaps of one node: nonpaged, nonpaged that cannot be executed, paged. */
function heaps(
  { space, kernel, base, spec, random, architecture }: PoolBlocksPlace,
  image: MemoryImage,
  header: HeaderFamily,
  cookie: bigint,
  processes: readonly Va[],
  at: { nonPaged: Va; notExecutable: Va; paged: Va },
): TrueBlock[] {
  const wide = space.width === 8;
  const mask = wide ? (1n << 64n) - 1n : 0xffff_ffffn;
  const word = (): bigint => ((BigInt(random.u32()) << 32n) | BigInt(random.u32())) & mask;
  const [heapKey, lfhKey] = [word(), word()];
  const globals = base + rvaOf(kernel, 'RtlpHpHeapGlobals');
  space.word(globals, heapKey);
  space.word(globals + space.width, lfhKey);
  if (cookie !== 0n) space.u64(base + rvaOf(kernel, 'ExpPoolQuotaCookie'), cookie);
  const state = base + rvaOf(kernel, 'ExPoolState');
  const { numberOfPools, poolNode } = poolStateOffsets(kernel, architecture);
  space.pointer(state, globals);
  space.u32(state + numberOfPools, 1);
  const node = state + poolNode;
  const segments = spec.segments ?? 3;
  let blocks: TrueBlock[] = [];
  for (let i = 0; i < 3; i++) {
    const paged = i === 2;
    const first = paged ? at.paged : i === 0 ? at.nonPaged : at.notExecutable;
    const built = buildSegmentHeap(image, random.fork(`heap ${i}`), {
      family: segmentFamily(kernel),
      ...{
        header,
        heapAt: first,
        recordsAt: first + 0x10000,
        segmentsAt: first + BIG_SEGMENT,
        segments,
        heapKey,
        lfhKey,
      },
      ...{
        tags: spec.tags ?? DEFAULT_TAGS,
        ...leastOf(spec),
        paged,
        processes,
        cookie,
        pageAligned: true,
        withhold: true,
        large: wide ? 2 : 0,
      },
    });
    blocks = blocks.concat(built);
    space.pointer(node + i * space.width, first);
  }
  space.pointer(node + 3 * space.width, at.paged);
  if (spec.lookaside === false) return blocks;
  const lists = new MemoryImage(space.width);
  for (const va of image.addresses()) {
    const bytes = image.page(va);
    if (bytes !== null) lists.put(va, bytes);
  }
  const scratch = PAGE;
  // A line of cache: what stands before the lists, and the bytes of each.
  const line = architecture === 'arm64' ? 0x80 : 0x40;
  const after = buildLookaside(lists, scratch, blocks, HEADER_SIZES[header].header, 40, line);
  const bytes = new Uint8Array(3 * PAGE);
  for (const page of [0, 1, 2]) bytes.set(lists.page(scratch + page * PAGE) ?? [], page * PAGE);
  space.write(node + line, bytes.subarray(0, 65 * line));
  return after;
}

function headerFamily({ build, pointerSize }: KernelFacts): HeaderFamily {
  if (pointerSize !== 4) return build >= 6000 ? 'x64-nt6' : 'x64-2003';
  return build >= 6000 ? 'x86-nt6' : build >= 2600 ? 'x86-xp' : 'x86-2000';
}

function bigFamily({ build, pointerSize }: KernelFacts): BigPageFamily {
  if (pointerSize !== 4)
    return build >= 20348 ? 'x64-20348' : build >= 10240 ? 'x64-10240' : build >= 6000 ? 'x64-6000' : 'x64-3790';
  return build >= 10240 ? 'x86-10240' : build >= 6000 ? 'x86-6000' : build >= 3790 ? 'x86-3790' : 'x86-2195';
}

function segmentFamily({ build, pointerSize }: KernelFacts): SegmentFamily {
  if (pointerSize === 4) return 'x86-18362';
  return build >= 26100 ? 'x64-26100' : build >= 20348 ? 'x64-20348' : 'x64-17763';
}

/** What the tag tables count of live blocks. */
function rowsOf(blocks: readonly TrueBlock[]): TagRowSpec[] {
  const sums = new Map<number, { counts: [number, number]; bytes: [number, number] }>();
  for (const block of blocks) {
    if (block.state !== 'live' || block.tag === 0) continue;
    const sum = sums.get(block.tag) ?? { counts: [0, 0], bytes: [0, 0] };
    const pool = block.paged ? 1 : 0;
    sum.counts[pool]++;
    sum.bytes[pool] += block.size;
    sums.set(block.tag, sum);
  }
  return [...sums].map(([key, { counts, bytes }]) => {
    const text = new Uint8Array(4);
    putU32(text, 0, key);
    const counter = (pool: 0 | 1): CounterSpec => ({
      allocs: counts[pool] * 3,
      frees: counts[pool] * 2,
      bytes: bytes[pool],
    });
    return { tag: String.fromCharCode(...text), nonPaged: counter(0), paged: counter(1) };
  });
}
