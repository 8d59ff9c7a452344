/**
 * Walking a segment heap: every block of its segments and its large allocations, in order of segments. The work is bounded
 * by the memory that the heap names, and a damaged part costs itself only.
 *
 * A segment can be walked alone (`walkSegment`), so that several threads share a heap.
 */

import { AddressSet } from '../address-set.js';
import type { BigPageIndex } from '../big-page-index.js';
import { Block, BlockKind, BlockState, type BlockSink } from '../blocks.js';
import { DelayFree } from './cached-blocks.js';
import type { HeapProof } from './prove.js';
import { heapCounts, type HeapCounts } from './counts.js';
import { walkLarge } from './large-walk.js';
import { RANGE_LFH, RANGE_PAGES, SEGMENT_CONSTANT } from './layouts.js';
import { LfhWalk } from './lfh-walk.js';
import { lowWord, PageWindow, PointerReader, type HeapAddress, type HeapMemory } from '../memory.js';
import { listSegments, type SegContext, type SegmentHeap, type SegmentList } from './open.js';
import type { PoolHeaderLayout } from '../pool-header.js';
import { SegmentRanges } from './ranges.js';
import { VsWalk } from './vs-walk.js';

/** The largest subsegment that is read: 64 KB units, and the chunks' own 16-bit sizes end below. */
const LARGEST_SUBSEGMENT = 2 * 1024 * 1024;

/** How a heap is to be walked. */
export interface SegmentHeapOptions {
  /** The pool header in front of VS and LFH blocks: POOL_HEADER_X64 or POOL_HEADER_X86. Null for heaps without. */
  readonly pool?: PoolHeaderLayout | null;
  /** Data addresses of blocks on lookaside lists (`readLookaside`): they are given as cached. */
  readonly lookaside?: AddressSet;
  /** Blocks that the allocator keeps for itself (`ownRecords`): they are given as its own. */
  readonly own?: AddressSet;
  /** The big-page table, for tags of blocks without a pool header. Such a block without a row has none. */
  readonly bigPages?: BigPageIndex;
}

/** One heap, opened for walking. `counts` sums over everything that was walked. */
export class SegmentHeapWalk {
  readonly counts: HeapCounts = heapCounts();
  /** The segments of the heap, in the order of its lists, then those that were found otherwise. */
  get segments(): SegmentList {
    return this.listed;
  }
  private readonly listed: { readonly address: HeapAddress[]; readonly context: number[] };
  private readonly known = new AddressSet();
  private readonly reader: PointerReader;
  private readonly ranges: SegmentRanges;
  private readonly window: PageWindow;
  private readonly block = new Block();
  private readonly lfh: LfhWalk;
  private readonly bigPages: BigPageIndex | null;
  private readonly lanes: { readonly vs: VsWalk; readonly delayFree: DelayFree }[];

  constructor(
    memory: HeapMemory,
    private readonly heap: SegmentHeap,
    private readonly proof: HeapProof,
    options: SegmentHeapOptions = {},
  ) {
    const { layout, keys } = proof;
    const pool = options.pool ?? null;
    const lookaside = options.lookaside ?? new AddressSet();
    this.bigPages = options.bigPages ?? null;
    this.reader = new PointerReader(memory);
    this.ranges = new SegmentRanges(memory);
    this.window = new PageWindow(memory);
    this.listed = listSegments(this.reader, heap, this.counts);
    for (const address of this.listed.address) this.known.add(address);
    this.lfh = new LfhWalk(layout, keys.lfhKeyLow, pool, lookaside, this.bigPages);
    this.lanes = heap.contexts.map((context, index) => {
      const shared = heap.contexts.findIndex((other) => other.vsContext === context.vsContext);
      const delayFree = new DelayFree(this.reader, context.vsContext, layout);
      if (shared === index) this.counts.delayFreeUnresolved += delayFree.unresolved;
      // Where the configuration cannot be read: the kernel's pools align, plain heaps do not.
      const config = this.reader.u8(context.vsContext + layout.vsConfig);
      const aligned = config === null ? pool !== null : (config & 1) !== 0;
      const cached = {
        delayed: delayFree.blocks,
        lookaside,
        own: options.own ?? new AddressSet(),
        bigPages: this.bigPages,
      };
      return { vs: new VsWalk(layout, keys.heapKeyLow, keys.heapKeyHigh, aligned, pool, cached), delayFree };
    });
    // Where a list broke, segments often lie side by side.
    if (this.counts.listsBroken > 0) {
      const { address, context } = this.listed;
      const size = (i: number): number => heap.contexts[context[i] ?? 0]?.segmentSize ?? 0;
      this.addSegments([...address].flatMap((at, i) => [at + size(i), at - size(i)]));
    }
  }

  /**
   * Adds segments that the lists do not lead to because a page of them is missing: those of `candidates` whose signature
   * names a context of this heap, and their neighbours. Returns how many there were. Addresses that are no segments cost a read.
   */
  addSegments(candidates: Iterable<HeapAddress>): number {
    const before = this.listed.address.length;
    for (const address of candidates) {
      const size = this.probe(address);
      if (size === 0) continue;
      for (let at = address + size; this.probe(at) > 0; at += size);
      for (let at = address - size; this.probe(at) > 0; at -= size);
    }
    return this.listed.address.length - before;
  }

  /** Bytes of the segment that begins at an address and was not known before; 0 where there is none. */
  private probe(address: HeapAddress): number {
    const { heap, ranges } = this;
    if (this.known.has(address)) return 0;
    for (const [index, context] of heap.contexts.entries()) {
      if (lowWord(address) % context.segmentSize !== 0) continue;
      if (!ranges.readSignature(heap, address) || !this.isSigned(address, context)) continue;
      this.known.add(address);
      this.listed.address.push(address);
      this.listed.context.push(index);
      return context.segmentSize;
    }
    return 0;
  }

  /** Bytes of a segment of a context (an entry of `segments.context`). */
  segmentSize(context: number): number {
    return this.heap.contexts[context]?.segmentSize ?? 0;
  }

  /** Walks all segments and the large allocations. */
  walk(sink: BlockSink): void {
    for (let i = 0; i < this.segments.address.length; i++) this.walkSegment(i, sink);
    this.walkLarge(sink);
  }

  /** Walks the allocations outside segments. */
  walkLarge(sink: BlockSink): void {
    const { bigPages } = this;
    const tagged: BlockSink = (block) => {
      bigPages?.describe(block);
      sink(block);
    };
    walkLarge(this.reader, this.heap, this.block, tagged, this.counts);
  }

  /** Walks segment number `index` of `segments`. */
  walkSegment(index: number, sink: BlockSink): void {
    const { counts, ranges, heap } = this;
    const address = this.segments.address[index];
    const lane = this.lanes[this.segments.context[index] ?? 0];
    const context = heap.contexts[this.segments.context[index] ?? 0];
    if (address === undefined || context === undefined || lane === undefined) return;
    if (!ranges.read(heap, context, address, counts)) {
      counts.segmentsMissing++;
      return;
    }
    if (!this.isSigned(address, context)) {
      counts.segmentsCorrupt++;
      return;
    }
    counts.segments++;
    for (let r = 0; r < ranges.count; r++) {
      const flags = ranges.flags[r];
      const start = address + (ranges.first[r] ?? 0) * 2 ** context.unitShift;
      const length = (ranges.units[r] ?? 0) * 2 ** context.unitShift;
      if (flags === RANGE_PAGES) this.pageRun(start, length, ranges.unused[r] ?? 0, sink);
      else if (flags === RANGE_LFH) this.lfhSubsegment(start, length, sink);
      else this.vsSubsegment(start, length, lane.vs, lane.delayFree, sink);
    }
  }

  private isSigned(address: HeapAddress, context: SegContext): boolean {
    const [low, high] = this.ranges.key(address, context);
    const { heapKeyLow, heapKeyHigh } = this.proof.keys;
    const wide = this.heap.shape.pointerSize === 8;
    const isKey = (constant: number): boolean =>
      (low ^ constant) >>> 0 === heapKeyLow && (!wide || (high ^ constant) >>> 0 === heapKeyHigh);
    return isKey(SEGMENT_CONSTANT) || isKey(0);
  }

  private pageRun(start: HeapAddress, length: number, unused: number, sink: BlockSink): void {
    const { block } = this;
    this.counts.pageRuns++;
    if (unused > length) this.counts.descriptorsCorrupt++;
    block.begin(BlockKind.Segment, BlockState.Live, start, length);
    block.requested = unused > length ? -1 : length - unused;
    this.bigPages?.describe(block);
    sink(block);
  }

  private lfhSubsegment(start: HeapAddress, length: number, sink: BlockSink): void {
    const { counts, window, lfh } = this;
    counts.lfhSubsegments++;
    const read = Math.min(length, LARGEST_SUBSEGMENT);
    window.load(start, read);
    if (window.present[0] !== 1) {
      counts.subsegmentsMissing++;
      counts.bytesMissing += length;
    } else if (!lfh.open(window, read)) {
      counts.subsegmentsCorrupt++;
      counts.bytesLost += length;
    } else {
      const { privateFormat } = this.proof.layout.lfh;
      if (privateFormat !== null && ((window.bytes[privateFormat] ?? 0) & 1) !== 0) counts.lfhPrivate++;
      lfh.walk(window, this.block, sink, counts);
    }
  }

  private vsSubsegment(start: HeapAddress, length: number, vs: VsWalk, delayFree: DelayFree, sink: BlockSink): void {
    const { counts, window } = this;
    counts.vsSubsegments++;
    const read = Math.min(length, LARGEST_SUBSEGMENT);
    if (!window.load(start, read)) {
      counts.subsegmentsMissing++;
      counts.bytesMissing += length;
      return;
    }
    const extent = vs.extent(window);
    if (extent === 0) {
      // The chunks prove themselves; only where they end is not known.
      if (window.present[0] === 1) counts.subsegmentsCorrupt++;
      else counts.subsegmentsMissing++;
      vs.walk(window, read, this.block, sink, counts);
      return;
    }
    const slot = delayFree.ownerSlotRef;
    if (slot !== null) {
      const before = delayFree.unresolved;
      delayFree.slot(window.halves[slot >>> 1] ?? 0);
      counts.delayFreeUnresolved += delayFree.unresolved - before;
    }
    vs.walk(window, extent, this.block, sink, counts);
  }
}
