/**
 * Chunks of variable-size subsegments (_HEAP_VS_SUBSEGMENT). Each chunk's header is encoded by its address and HeapKey and
 * names the size before it, so a chain proves itself: a chunk is believed when the next one says its size. Where that does
 * not hold, the walk looks for the next place from which it does.
 */

import { BlockKind, BlockState, type Block, type BlockSink } from '../blocks.js';
import type { AddressSet } from '../address-set.js';
import type { BigPageIndex } from '../big-page-index.js';
import type { HeapCounts } from './counts.js';
import { VS_SIGNATURE, type HeapLayout } from './layouts.js';
import { highWord, lowWord, type PageWindow } from '../memory.js';
import { hasPoolHeader, readPoolHeader, type PoolHeaderLayout } from '../pool-header.js';

const PAGE = 0x1000;

/** What is known of blocks beside their headers. */
export interface KnownBlocks {
  /** Where the entries of delay-free lists stand: behind the chunk header. */
  readonly delayed: AddressSet;
  /** Data of blocks on lookaside lists. */
  readonly lookaside: AddressSet;
  /** Blocks that are the allocator's own. */
  readonly own: AddressSet;
  /** Tags of blocks without a pool header. */
  readonly bigPages: BigPageIndex | null;
}

/** Walks the chunks of one subsegment at a time, for one heap. */
export class VsWalk {
  private window!: PageWindow;
  private lowBase = 0;
  private highKey = 0;
  private end = 0;
  /** The chunk that `decode` read last. */
  private size = 0;
  private previous = 0;
  private allocated = 0;
  private readonly wide: boolean;
  private readonly header: number;

  constructor(
    private readonly layout: HeapLayout,
    private readonly keyLow: number,
    private readonly keyHigh: number,
    /** Blocks whose start would fall on the last unit of a page begin one unit later (PageAlignLargeAllocs). */
    private readonly pageAligned: boolean,
    /** The pool header in front of blocks, or null for a plain heap. */
    private readonly pool: PoolHeaderLayout | null,
    private readonly known: KnownBlocks,
  ) {
    this.header = layout.shape.vs.header;
    this.wide = layout.shape.pointerSize === 8;
  }

  /**
   * Bytes that the subsegment at the start of the window takes, by its own header; 0 when that is missing or its signature
   * does not hold.
   */
  extent(window: PageWindow): number {
    const { vs } = this.layout.shape;
    if (!window.has(0, vs.firstChunk)) return 0;
    const size = window.halves[vs.size >>> 1] ?? 0;
    const signature = window.halves[this.layout.vsSignature >>> 1] ?? 0;
    if (((signature ^ size) & 0x7fff) !== VS_SIGNATURE) return 0;
    const bytes = size * vs.header + vs.firstChunk;
    return size === 0 || bytes > window.length ? 0 : bytes;
  }

  /** Chunks from the first on whose sizes agree with the next one: how well the key fits. Stops after `most`. */
  prove(window: PageWindow, extent: number, most: number): { good: number; bad: number } {
    this.aim(window, extent);
    let good = 0;
    let bad = 0;
    for (let at = this.layout.shape.vs.firstChunk; at < this.end && good + bad < most;) {
      if (!this.isThere(at)) break;
      this.decode(at);
      if (!this.fits(at)) {
        bad++;
        break;
      }
      const next = at + this.size * this.header;
      const agrees = this.agrees(next, this.size);
      if (agrees === 0) {
        bad++;
        break;
      }
      if (agrees > 0) good++;
      at = next;
    }
    return { good, bad };
  }

  /** Gives every block of the subsegment that `extent` has measured. */
  walk(window: PageWindow, extent: number, block: Block, sink: BlockSink, counts: HeapCounts): void {
    this.aim(window, extent);
    const { header, end } = this;
    /** Size of the chunk before, or -1 where it is not known. */
    let before = -1;
    for (let at = this.layout.shape.vs.firstChunk; at < end;) {
      if (!this.isThere(at)) {
        const next = this.resync(nextPage(at));
        counts.bytesMissing += next - at;
        at = next;
        before = -1;
        continue;
      }
      this.decode(at);
      const { size, allocated } = this;
      const next = at + size * header;
      if (!this.fits(at) || (before >= 0 && this.previous !== before)) {
        counts.chunksCorrupt++;
        at = this.skip(at, counts);
        before = -1;
        continue;
      }
      if (this.agrees(next, size) === 0) {
        // This size or the next header is damaged. What follows may tell: if it says where the next chunk began, that is it.
        counts.chunksCorrupt++;
        const found = this.skip(at, counts);
        if (found < end) {
          this.decode(found);
          if (found - this.previous * header === next) {
            counts.bytesLost -= next - at;
            this.emit(at, size, allocated, block, sink, counts);
          }
        }
        at = found;
        before = -1;
        continue;
      }
      this.emit(at, size, allocated, block, sink, counts);
      before = size;
      at = next;
    }
  }

  private aim(window: PageWindow, extent: number): void {
    this.window = window;
    this.end = extent;
    this.lowBase = lowWord(window.address);
    this.highKey = (highWord(window.address) ^ this.keyHigh) >>> 0;
  }

  private isThere(at: number): boolean {
    return this.window.present[at >>> 12] === 1;
  }

  /** Reads the header at `at`, which must be there: headers are aligned to their size, so they never cross a page. */
  private decode(at: number): void {
    const { words } = this.window;
    const low = (words[at >>> 2] ?? 0) ^ (this.lowBase + at) ^ this.keyLow;
    if (this.wide) {
      const high = (words[(at >>> 2) + 1] ?? 0) ^ this.highKey;
      this.size = low >>> 16;
      this.previous = high & 0xffff;
      this.allocated = high >>> 16;
    } else {
      this.size = (low >>> 1) & 0x7fff;
      this.previous = (low >>> 16) & 0x7fff;
      this.allocated = low >>> 31;
    }
  }

  /** Whether the chunk that was decoded can stand at `at`. */
  private fits(at: number): boolean {
    return this.size > 0 && (this.allocated & 0xff) <= 1 && at + this.size * this.header <= this.end;
  }

  /** 1 when the chunk at `next` says that the one before has `size`, 0 when it says otherwise, -1 when it is missing. */
  private agrees(next: number, size: number): -1 | 0 | 1 {
    if (next >= this.end) return 1;
    if (!this.isThere(next)) return -1;
    const { words } = this.window;
    if (this.wide) return (((words[(next >>> 2) + 1] ?? 0) ^ this.highKey) & 0xffff) === size ? 1 : 0;
    const low = (words[next >>> 2] ?? 0) ^ (this.lowBase + next) ^ this.keyLow;
    return ((low >>> 16) & 0x7fff) === size ? 1 : 0;
  }

  /** Goes on behind a damaged chunk, and counts what was passed over. */
  private skip(at: number, counts: HeapCounts): number {
    const next = this.resync(at + this.header);
    counts.bytesLost += next - at;
    return next;
  }

  /** The first place from `from` on where a chunk stands that the next one confirms, or the end. */
  private resync(from: number): number {
    for (let at = from; at < this.end; at += this.header) {
      if (!this.isThere(at)) {
        at = nextPage(at) - this.header;
        continue;
      }
      this.decode(at);
      if (!this.fits(at)) continue;
      if (this.agrees(at + this.size * this.header, this.size) !== 1) continue;
      if ((this.allocated & 0xff) === 1 && !this.pageOffsetHolds(at)) continue;
      return at;
    }
    return this.end;
  }

  /** An allocated chunk names the page of the subsegment it stands in, encoded by its own address and the key. */
  private pageOffsetHolds(at: number): boolean {
    const stored = (this.window.words[(at >>> 2) + (this.wide ? 2 : 1)] ?? 0) & 0xff;
    return ((stored ^ (this.lowBase + at) ^ this.keyLow) & 0xff) === ((at >>> 12) & 0xff);
  }

  private emit(at: number, size: number, allocated: number, block: Block, sink: BlockSink, counts: HeapCounts): void {
    const { window, header } = this;
    const bytes = size * header;
    let start = at + header;
    if (this.pageAligned && (start & (PAGE - 1)) === PAGE - header) start += header;
    block.begin(BlockKind.Vs, BlockState.Free, window.address + start, Math.max(0, at + bytes - start));
    block.bytes = window.bytes;
    block.offset = start;
    block.there = window.run(start, block.size);
    if ((allocated & 0xff) === 1) {
      block.requested = this.requested(at, bytes, block.size);
      if (this.pageOffsetHolds(at)) block.state = this.stateOf(at, block);
      else {
        block.state = BlockState.Unknown;
        counts.chunksCorrupt++;
      }
      if (block.state === BlockState.Cached) counts.cached++;
    }
    sink(block);
  }

  /** What a chunk in use is, with its tag. The link of a delay-free list overwrites the tag. */
  private stateOf(at: number, block: Block): number {
    const { pool } = this;
    const { delayed, lookaside, own, bigPages } = this.known;
    if (delayed.has(this.window.address + at + this.header) || delayed.has(block.address)) return BlockState.Cached;
    const headed = pool !== null && hasPoolHeader(block, pool);
    if (headed) readPoolHeader(block, pool);
    else bigPages?.describe(block);
    if (lookaside.has(block.address + (headed ? pool.size : 0))) return BlockState.Cached;
    return own.has(block.address) ? BlockState.Own : BlockState.Live;
  }

  /** Bytes asked for: the chunk's last two bytes count those that were not, where the header says so. */
  private requested(at: number, bytes: number, size: number): number {
    const flags = this.window.words[(at >>> 2) + (this.wide ? 2 : 1)] ?? 0;
    if ((flags & 0x100) === 0) return size;
    const last = at + bytes - 2;
    if (!this.window.has(last, 2)) return -1;
    const info = this.window.halves[last >>> 1] ?? 0;
    const unused = (info & 0x8000) !== 0 ? 1 : info & 0x1fff;
    return unused > size ? -1 : size - unused;
  }
}

const nextPage = (at: number): number => (at & -PAGE) + PAGE;
