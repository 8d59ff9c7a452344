/**
 * Blocks of low-fragmentation subsegments (_HEAP_LFH_SUBSEGMENT): blocks of one size behind a bitmap. Two generations of
 * bitmaps, and from 26100 on a list of freed blocks whose busy bits stay set until the list is emptied.
 */

import { BlockKind, BlockState, type Block, type BlockSink } from '../blocks.js';
import type { AddressSet } from '../address-set.js';
import type { BigPageIndex } from '../big-page-index.js';
import type { HeapCounts } from './counts.js';
import type { HeapLayout, LfhLayout } from './layouts.js';
import { highWord, lowWord, type HeapAddress, type PageWindow } from '../memory.js';
import { hasPoolHeader, readPoolHeader, type PoolHeaderLayout } from '../pool-header.js';

/** Most blocks that 16 bits count, with the withheld ones. */
const MOST_BLOCKS = 0x10000 + 0x100;
/** Smallest block. */
const SMALLEST = 8;

/** What BlockOffsets is encoded by beside LfhKey, for a subsegment at `address`. */
export function lfhMask(address: HeapAddress, layout: LfhLayout): number {
  const low = lowWord(address) >>> 12;
  return layout.mask === 'low' ? low : (low | (highWord(address) << 20)) >>> 0;
}

/** Where the bitmap of so many blocks ends: blocks begin there or later. */
export function bitmapEnd(blocks: number, layout: LfhLayout, pointerSize: 4 | 8): number {
  if (layout.bitmap === 'split') return layout.blockBitmap + Math.ceil(blocks / 32) * 8;
  return layout.blockBitmap + Math.ceil(blocks / (pointerSize * 4)) * pointerSize;
}

/** Walks one subsegment at a time, for one heap. */
export class LfhWalk {
  /** Of the subsegment that `open` took: bytes a block, where the first stands, and blocks with the withheld ones. */
  blockSize = 0;
  firstBlock = 0;
  blocks = 0;
  private withheld = 0;
  private readonly lfh: LfhLayout;
  private readonly pointerSize: 4 | 8;
  /** One bit a block on the list of freed ones. */
  private readonly delayed = new Uint8Array(MOST_BLOCKS / 8);

  constructor(
    layout: HeapLayout,
    /** The low word of LfhKey: all that is used. */
    private readonly keyLow: number,
    private readonly pool: PoolHeaderLayout | null,
    private readonly lookaside: AddressSet,
    private readonly bigPages: BigPageIndex | null,
  ) {
    this.lfh = layout.lfh;
    this.pointerSize = layout.shape.pointerSize;
  }

  /** Decodes the header at the start of the window, whose range has `length` bytes. False when it is missing or cannot be. */
  open(window: PageWindow, length: number): boolean {
    const { lfh } = this;
    if (!window.has(0, lfh.blockBitmap)) return false;
    const count = window.halves[lfh.blockCount >>> 1] ?? 0;
    this.withheld = lfh.bitmap === 'pairs' ? (window.bytes[lfh.witheldBlockCount] ?? 0) : 0;
    this.blocks = count + this.withheld;
    const decoded = (window.words[lfh.blockOffsets >>> 2] ?? 0) ^ this.keyLow ^ lfhMask(window.address, lfh);
    this.blockSize = decoded & 0xffff;
    this.firstBlock = decoded >>> 16;
    if (count === 0 || this.blockSize < SMALLEST || this.blockSize % SMALLEST !== 0) return false;
    if (this.firstBlock % SMALLEST !== 0) return false;
    if (this.firstBlock < bitmapEnd(this.blocks, lfh, this.pointerSize)) return false;
    return this.firstBlock + this.blocks * this.blockSize <= length;
  }

  /** Gives every block of the subsegment that `open` has taken. */
  walk(window: PageWindow, block: Block, sink: BlockSink, counts: HeapCounts): void {
    const { lfh, blockSize, blocks } = this;
    if (!window.has(0, bitmapEnd(blocks, lfh, this.pointerSize))) {
      counts.subsegmentsMissing++;
      counts.bytesMissing += blocks * blockSize;
      return;
    }
    const anyDelayed = lfh.delayFree !== null && this.readDelayFree(window, lfh.delayFree, counts);
    const { words } = window;
    for (let i = 0, at = this.firstBlock; i < blocks; i++, at += blockSize) {
      // Withheld: marked as in use, never handed out.
      if (this.withheld > 0 && at >>> 12 !== (at + blockSize - 1) >>> 12) continue;
      const bits = this.bits(words, i);
      this.emit(window, at, bits, anyDelayed && this.isDelayed(i), block, sink, counts);
    }
  }

  /**
   * Blocks whose count of bytes that nobody asked for can be one (`good`), of those that have one: tells whether blocks begin
   * where they are believed to, in the subsegment that `open` has taken.
   */
  prove(window: PageWindow): { good: number; bad: number } {
    const { lfh, blocks, blockSize } = this;
    let good = 0;
    let bad = 0;
    for (let i = 0; i < blocks; i++) {
      const last = this.firstBlock + (i + 1) * blockSize - 2;
      if (this.bits(window.words, i) !== 3 || !window.has(last, 2)) continue;
      const info = window.halves[last >>> 1] ?? 0;
      if (info === 0x8000 || (info > 1 && info <= lfh.unusedBits && info < blockSize)) good++;
      else bad++;
    }
    return { good, bad };
  }

  /** Bit 0: in use. Bit 1: the block counts at its end what was not asked for. */
  private bits(words: Uint32Array, index: number): number {
    const bitmap = this.lfh.blockBitmap >>> 2;
    if (this.lfh.bitmap === 'pairs') return ((words[bitmap + (index >>> 4)] ?? 0) >>> ((index & 15) * 2)) & 3;
    const word = bitmap + (index >>> 5) * 2;
    const shift = index & 31;
    return (((words[word] ?? 0) >>> shift) & 1) | ((((words[word + 1] ?? 0) >>> shift) & 1) << 1);
  }

  private emit(
    window: PageWindow,
    at: number,
    bits: number,
    delayed: boolean,
    block: Block,
    sink: BlockSink,
    counts: HeapCounts,
  ): void {
    const { blockSize, pool } = this;
    block.begin(BlockKind.Lfh, BlockState.Free, window.address + at, blockSize);
    block.bytes = window.bytes;
    block.offset = at;
    block.there = window.run(at, blockSize);
    const busy = (bits & 1) !== 0;
    if (busy && delayed) {
      block.state = BlockState.Cached;
      counts.cached++;
    } else if (busy && block.there === 0) {
      block.state = BlockState.Unknown;
      counts.bytesMissing += blockSize;
    } else if (busy) {
      block.requested = (bits & 2) === 0 ? blockSize : this.requested(window, at + blockSize - 2);
      const headed = pool !== null && hasPoolHeader(block, pool);
      if (headed) readPoolHeader(block, pool);
      else this.bigPages?.describe(block);
      const cached = this.lookaside.has(block.address + (headed ? pool.size : 0));
      block.state = cached ? BlockState.Cached : BlockState.Live;
      if (cached) counts.cached++;
    }
    sink(block);
  }

  private requested(window: PageWindow, last: number): number {
    if (!window.has(last, 2)) return -1;
    const info = window.halves[last >>> 1] ?? 0;
    const unused = (info & 0x8000) !== 0 ? 1 : info & this.lfh.unusedBits;
    return unused > this.blockSize ? -1 : this.blockSize - unused;
  }

  private isDelayed(index: number): boolean {
    return ((this.delayed[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** Follows DelayFreeList into `delayed`. Block numbers on it count from 1; the next one stands at the start of each block. */
  private readDelayFree(window: PageWindow, place: number, counts: HeapCounts): boolean {
    const count = window.halves[(place >>> 1) + 1] ?? 0;
    let next = window.halves[place >>> 1] ?? 0;
    if (count === 0 && next === 0) return false;
    this.delayed.fill(0, 0, (this.blocks >>> 3) + 1);
    let walked = 0;
    while (next !== 0) {
      const index = next - 1;
      if (index >= this.blocks || this.isDelayed(index)) break;
      this.delayed[index >>> 3] = (this.delayed[index >>> 3] ?? 0) | (1 << (index & 7));
      walked++;
      const at = this.firstBlock + index * this.blockSize;
      if (!window.has(at, 2)) break;
      next = window.halves[at >>> 1] ?? 0;
    }
    counts.delayFreeUnresolved += Math.abs(count - walked);
    return walked > 0;
  }
}
