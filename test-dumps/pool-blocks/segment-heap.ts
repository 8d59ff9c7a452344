/**
 * A segment heap of any generation, with keys, every kind of range and block, blocks that were freed but still look
 * allocated, and the truth about all of them. Numbers only, so that large heaps can be built for measuring.
 */

import { alignUp, putU16, putU32, putU64, putVa, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';
import type { HeaderFamily } from './headers.js';
import type { MemoryImage, TrueBlock } from './image.js';
import { putLfh } from './lfh-range.js';
import { SEGMENT_OFFSETS, type SegmentFamily, type SegmentOffsets } from './segment-layouts.js';
import { putVs, type DelayList } from './vs-range.js';

const PAGE = 0x1000;
const SEGMENT = 0x100000;
const BIG_SEGMENT = 0x1000000;
const UNITS = 256;
const TWO_32 = 0x1_0000_0000;

export interface SegmentHeapOptions {
  readonly family: SegmentFamily;
  /** Pool headers in front of VS and LFH blocks, of this family; null for a plain heap. */
  readonly header: HeaderFamily | null;
  /** Where the heap, its records and its small segments stand: all of them page-aligned, the last to 16 MB. */
  readonly heapAt: Va;
  readonly recordsAt: Va;
  readonly segmentsAt: Va;
  /** Small segments; one large segment follows them. */
  readonly segments: number;
  readonly heapKey: bigint;
  readonly lfhKey: bigint;
  readonly tags: readonly string[];
  /** Bytes that blocks of a tag have at least. */
  readonly least?: Readonly<Record<string, number>>;
  readonly paged: boolean;
  readonly processes: readonly Va[];
  readonly cookie: bigint;
  /** PageAlignLargeAllocs, and blocks of LFH subsegments that cross a page are withheld. */
  readonly pageAligned: boolean;
  readonly withhold: boolean;
  /** Large allocations. */
  readonly large: number;
}

/** What the parts of the builder share. */
export interface HeapBuild {
  readonly options: SegmentHeapOptions;
  readonly offsets: SegmentOffsets;
  readonly image: MemoryImage;
  readonly prng: Prng;
  readonly keyLow: number;
  readonly keyHigh: number;
  readonly lfhLow: number;
  readonly blocks: TrueBlock[];
}

export const lowOf = (va: Va): number => va % TWO_32;
/** The high word of a canonical address. */
export const highOf = (va: Va): number => {
  const high = Math.floor(va / TWO_32);
  return high >= 0x8000 ? (high | 0xffff0000) >>> 0 : high;
};

/** Builds a heap into the image and returns its blocks, in no order. */
export function buildSegmentHeap(image: MemoryImage, prng: Prng, options: SegmentHeapOptions): TrueBlock[] {
  const offsets = SEGMENT_OFFSETS[options.family];
  const build: HeapBuild = {
    options,
    offsets,
    image,
    prng,
    keyLow: Number(BigInt.asUintN(32, options.heapKey)),
    keyHigh: Number(BigInt.asUintN(32, options.heapKey >> 32n)),
    lfhLow: Number(BigInt.asUintN(32, options.lfhKey)),
    blocks: [],
  };
  const heap = new Uint8Array(PAGE);
  putU32(heap, offsets.signature, 0xddeeddee);
  const lists = delayLists(build);
  const small = Array.from({ length: options.segments }, (_, i) => options.segmentsAt + i * SEGMENT);
  const bigAt = alignUp(options.segmentsAt + options.segments * SEGMENT, BIG_SEGMENT);
  putContext(build, heap, 0, small);
  putContext(build, heap, 1, [bigAt]);
  small.forEach((at, i) => {
    putSegment(build, at, i, small, lists);
  });
  putBigSegment(build, bigAt);
  putLists(build, heap, lists);
  heap[offsets.vsContext + offsets.vsConfig] = options.pageAligned ? 5 : 4;
  putLarge(build, heap, bigAt + BIG_SEGMENT);
  image.put(options.heapAt, heap);
  return build.blocks;
}

function pointer(build: HeapBuild, bytes: Uint8Array, at: number, va: Va): void {
  if (build.offsets.pointer === 8) putVa(bytes, at, va);
  else putU32(bytes, at, va);
}

function contextAt({ options, offsets }: HeapBuild, index: number): Va {
  return options.heapAt + offsets.contexts + index * offsets.contextBytes;
}

function putContext(build: HeapBuild, heap: Uint8Array, index: number, segments: readonly Va[]): void {
  const { offsets, options } = build;
  const at = offsets.contexts + index * offsets.contextBytes;
  const wide = offsets.pointer === 8;
  const bytes = index === 0 ? SEGMENT : BIG_SEGMENT;
  putU32(heap, at, ~(bytes - 1) >>> 0);
  if (wide) putU32(heap, at + 4, 0xffffffff);
  heap[at + (wide ? 8 : 4)] = index === 0 ? 12 : 16;
  heap[at + (wide ? 9 : 5)] = index === 0 ? 0 : 4;
  heap[at + (wide ? 0xa : 6)] = index === 0 ? offsets.first : 1;
  putU32(heap, at + (wide ? 0x10 : 0xc), index === 0 ? 0x7f000 : 0x7f0000);
  if (index === 0) {
    pointer(build, heap, at + (wide ? 0x18 : 0x14), options.heapAt + offsets.lfhContext);
    pointer(build, heap, at + (wide ? 0x20 : 0x18), options.heapAt + offsets.vsContext);
  }
  pointer(build, heap, at + (wide ? 0x38 : 0x24), options.heapAt);
  const head = at + (wide ? 0x48 : 0x44);
  const self = options.heapAt + head;
  pointer(build, heap, head, segments[0] ?? self);
  pointer(build, heap, head + offsets.pointer, segments.at(-1) ?? self);
  putU32(heap, at + (wide ? 0x58 : 0x4c), segments.length);
}

/** Links and signature of a segment. */
function putSegmentHead(
  build: HeapBuild,
  bytes: Uint8Array,
  at: Va,
  context: number,
  index: number,
  all: readonly Va[],
): void {
  const { offsets } = build;
  const head = contextAt(build, context) + (offsets.pointer === 8 ? 0x48 : 0x44);
  pointer(build, bytes, 0, all[index + 1] ?? head);
  pointer(build, bytes, offsets.pointer, all[index - 1] ?? head);
  const owner = contextAt(build, context);
  const constant = offsets.constant ? 0xa2e64ead : 0;
  putU32(bytes, offsets.segmentSignature, (lowOf(at) ^ lowOf(owner) ^ build.keyLow ^ constant) >>> 0);
  if (offsets.pointer === 8) {
    putU32(bytes, offsets.segmentSignature + 4, (highOf(at) ^ highOf(owner) ^ build.keyHigh ^ constant) >>> 0);
  }
}

interface Range {
  readonly unit: number;
  readonly units: number;
  readonly flags: number;
  readonly unused: number;
}

function putRange({ offsets, prng }: HeapBuild, bytes: Uint8Array, { unit, units, flags, unused }: Range): void {
  const used = (flags & 1) !== 0;
  for (let i = 0; i < units; i++) {
    const at = (unit + i) * offsets.descriptor;
    const low = (i === 0 ? flags : flags & ~2) | (offsets.pointer === 4 ? prng.int(0, 7) << 5 : 0);
    bytes[at + offsets.flags] = low;
    if (i === 0) {
      putU32(bytes, at, used ? 0xccddccdd : prng.u32());
      putU32(bytes, at + 4, unused);
      bytes[at + offsets.unitSize] = units;
    } else bytes[at + offsets.unitOffset] = i;
  }
}

function putSegment(build: HeapBuild, at: Va, index: number, all: readonly Va[], lists: readonly DelayList[]): void {
  const { offsets, prng, blocks } = build;
  const bytes = new Uint8Array(SEGMENT);
  const noise = prng.bytes(PAGE);
  for (let page = offsets.first; page < UNITS; page++) bytes.set(noise, page * PAGE);
  putSegmentHead(build, bytes, at, 0, index, all);
  for (let unit = offsets.first; unit < UNITS;) {
    const left = UNITS - unit;
    const choice = prng.float();
    const range = (most: number, least = 1): number => Math.min(left, prng.int(least, most));
    const start = unit * PAGE;
    if (choice < 0.45) {
      const units = range(16, 1);
      putRange(build, bytes, { unit, units, flags: 0x0b, unused: 0 });
      putLfh(build, bytes.subarray(start, start + units * PAGE), at + start);
      unit += units;
    } else if (choice < 0.8) {
      const units = range(64, 2);
      putRange(build, bytes, { unit, units, flags: 0x0f, unused: 0 });
      putVs(build, bytes.subarray(start, start + units * PAGE), at + start, prng.pick(lists));
      unit += units;
    } else if (choice < 0.9) {
      const units = range(20);
      const unused = prng.int(0, PAGE - 1);
      putRange(build, bytes, { unit, units, flags: 0x03, unused });
      blocks.push(plainBlock(at + start, units * PAGE, units * PAGE - unused, 'segment', false));
      unit += units;
    } else {
      const units = range(10);
      putRange(build, bytes, { unit, units, flags: 0x02, unused: 0 });
      unit += units;
    }
  }
  build.image.put(at, bytes);
}

/** A large segment: plain runs of pages only, and only the page with its descriptors is there. */
function putBigSegment(build: HeapBuild, at: Va): void {
  const { prng, blocks } = build;
  const unitBytes = BIG_SEGMENT / UNITS;
  const bytes = new Uint8Array(2 * PAGE);
  putSegmentHead(build, bytes, at, 1, 0, [at]);
  for (let unit = 1; unit < UNITS;) {
    const units = Math.min(UNITS - unit, prng.int(8, 60));
    const used = prng.chance(0.6);
    const unused = used ? prng.int(0, unitBytes - 1) : 0;
    putRange(build, bytes, { unit, units, flags: used ? 3 : 2, unused });
    if (used) {
      blocks.push(plainBlock(at + unit * unitBytes, units * unitBytes, units * unitBytes - unused, 'segment', false));
    }
    unit += units;
  }
  build.image.put(at, bytes);
}

function plainBlock(va: Va, size: number, requested: number, kind: 'segment' | 'large', paged: boolean): TrueBlock {
  return { va, size, requested, tag: 0, protected: false, paged, kind, state: 'live', billed: null };
}

/** Lists of VS chunks that wait to be freed: one a context, or two slots. */
function delayLists({ offsets }: HeapBuild): DelayList[] {
  if (offsets.vs.slot === null) return [{ slot: 0, entries: [] }];
  return [
    { slot: 0x10, entries: [] },
    { slot: 0x12, entries: [] },
  ];
}

function putLists(build: HeapBuild, heap: Uint8Array, lists: readonly DelayList[]): void {
  const { offsets, options } = build;
  const context = offsets.vsContext;
  const wide = offsets.pointer === 8;
  if (offsets.vs.slot !== null) {
    // The map names the first slot only: the other is known from its subsegments.
    const map = 0xc;
    putU16(heap, context, map);
    heap[context + 2] = 0;
    putU16(heap, context + map * 0x40, lists[0]?.slot ?? 0);
  }
  for (const { slot, entries } of lists) {
    const owner = context + slot * 0x40;
    // The context that a slot belongs to: a pointer, or in later builds an offset.
    if (slot !== 0 && slot === lists[0]?.slot) pointer(build, heap, owner, options.heapAt + context);
    else if (slot !== 0) putU32(heap, owner, slot * 0x40);
    const header = owner + 0x40;
    const first = entries[0] ?? 0;
    if (wide) {
      putU16(heap, header, entries.length);
      putVa(heap, header + 8, first);
    } else {
      putU32(heap, header, first);
      putU16(heap, header + 4, entries.length);
    }
    entries.forEach((entry, i) => {
      const page = build.image.page(entry);
      if (page !== null) pointer(build, page, entry % PAGE, entries[i + 1] ?? 0);
    });
  }
}

function putLarge(build: HeapBuild, heap: Uint8Array, from: Va): void {
  const { offsets, options, prng, blocks, image } = build;
  const wide = offsets.pointer === 8;
  const nodeBytes = wide ? 0x40 : 0x20;
  const tree = options.heapAt + offsets.largeTree;
  const nodeAt = (i: number): Va => (i < options.large ? options.recordsAt + 0x40 + i * nodeBytes : 0);
  const records = new Uint8Array(alignUp(0x40 + options.large * nodeBytes, PAGE));
  const link = (bytes: Uint8Array, at: number, target: Va, own: Va): void => {
    if (target === 0) return;
    putU32(bytes, at, (lowOf(target) ^ lowOf(own)) >>> 0);
    if (wide) putU32(bytes, at + 4, (highOf(target) ^ highOf(own)) >>> 0);
  };
  let va = from;
  let pages = 0;
  for (let i = 0; i < options.large; i++) {
    const at = 0x40 + i * nodeBytes;
    link(records, at, nodeAt(2 * i + 1), nodeAt(i));
    link(records, at + offsets.pointer, nodeAt(2 * i + 2), nodeAt(i));
    const count = prng.int(0x7f1, 0x900);
    const unused = prng.int(0, PAGE - 1);
    pointer(build, records, at + (wide ? 0x18 : 0xc), va + unused);
    if (wide) putU64(records, at + 0x20, count * PAGE);
    else putU32(records, at + 0x10, (count << 12) >>> 0);
    blocks.push(plainBlock(va, count * PAGE, count * PAGE - unused, 'large', false));
    pages += count;
    va += alignUp(count * PAGE, 0x100000);
  }
  link(heap, offsets.largeTree, nodeAt(0), tree);
  heap[offsets.largeTree + offsets.pointer] = (heap[offsets.largeTree + offsets.pointer] ?? 0) | 1;
  putU32(heap, offsets.largeCommitted, pages);
  image.put(options.recordsAt, records);
}
