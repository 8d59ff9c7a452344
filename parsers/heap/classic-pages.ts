/**
 * Classic pool pages (Windows 2000 to 1803, some of 1809): a page is a chain of blocks, each with a header that names its
 * own size and that of the block before. A chain that comes out at the end of its page proves the page; where one breaks,
 * the page counts as corrupt, and what holds on both sides of the damage is given.
 */

import { Block, BlockKind, BlockState, PoolBits, type BlockSink } from './blocks.js';
import { PageWindow, type HeapAddress, type HeapMemory } from './memory.js';
import { POOL_HEADERS, poolBits, readPoolHeader, typedTag, type PoolHeaderLayout } from './pool-header.js';

const PAGE = 0x1000;
/** Pages read at once. */
const STEP = 256;
/** Blocks in a chain from which it proves itself; fewer need a tag that can be typed in each block in use. */
const PROVEN = 3;
/** Blocks from which a chain of changing sizes needs no tags: where tagging was off, something else stands there. */
const PROVEN_UNTAGGED = 12;

/** What a walk of classic pages met. */
export interface ClassicCounts {
  /** Pages with a whole chain. */
  poolPages: number;
  /** Pages with part of one: damaged. Their blocks up to the damage and behind it are given. */
  corruptPages: number;
  /** Bytes of corrupt pages in no block that was given. */
  bytesLost: number;
  /** Pages of big allocations, by the caller's table. */
  bigPages: number;
  /** Pages with no chain: they belong to something else. */
  otherPages: number;
  missingPages: number;
}

/** Walks pages with headers of one layout. */
export class ClassicPageWalk {
  readonly counts: ClassicCounts = {
    poolPages: 0,
    corruptPages: 0,
    bytesLost: 0,
    bigPages: 0,
    otherPages: 0,
    missingPages: 0,
  };
  private readonly window: PageWindow;
  private readonly block = new Block();
  private readonly units: number;
  /** Which units of the page begin a block of a chain that is known not to come out at the end. */
  private readonly tried: Uint8Array;
  private size = 0;
  private previous = 0;
  private type = 0;

  constructor(
    memory: HeapMemory,
    private readonly layout: PoolHeaderLayout,
    /** Whether a page belongs to a big allocation: `BigPageIndex.covering(page) >= 0`. */
    private readonly isBig: (page: HeapAddress) => boolean = () => false,
    /** The pages that are read: another walk's, where both look at the same ones. */
    window: PageWindow = new PageWindow(memory),
  ) {
    this.window = window;
    this.units = PAGE / layout.unit;
    this.tried = new Uint8Array(this.units + 1);
  }

  /** Walks `length` bytes of whole pages from the page-aligned `address`. */
  walk(address: HeapAddress, length: number, sink: BlockSink): void {
    const { window, counts } = this;
    for (let done = 0; done < length; done += STEP * PAGE) {
      const bytes = Math.min(STEP * PAGE, length - done);
      window.load(address + done, bytes);
      for (let at = 0; at < window.length; at += PAGE) {
        if (window.present[at >>> 12] === 0) counts.missingPages++;
        else if (this.isBig(window.address + at)) counts.bigPages++;
        else this.page(at, sink);
      }
    }
  }

  /** Gives the blocks of those pages of the window that are whole chains, and counts them: damage is not looked into. */
  giveWhole(sink: BlockSink): void {
    for (let at = 0; at < this.window.length; at += PAGE) {
      if (this.window.present[at >>> 12] === 0) continue;
      const held = this.follow(at);
      if (held !== this.units || !this.isProven(at, held)) continue;
      this.counts.poolPages++;
      this.give(at, 0, held, sink);
    }
  }

  private page(start: number, sink: BlockSink): void {
    const { counts } = this;
    const held = this.follow(start);
    if (held === this.units) {
      if (!this.isProven(start, held)) {
        counts.otherPages++;
        return;
      }
      counts.poolPages++;
      this.give(start, 0, held, sink);
      return;
    }
    const rest = this.resync(start, held);
    if (!this.isProven(start, held) && (rest === this.units || this.blocksFrom(start, rest) < PROVEN)) {
      counts.otherPages++;
      return;
    }
    counts.corruptPages++;
    let lost = rest - held;
    this.give(start, 0, held, sink);
    if (rest < this.units) {
      // What follows says where the damaged block began: the one before it may end just there.
      this.decode(start, rest);
      const damaged = rest - this.previous;
      this.decode(start, held);
      if (damaged > held && damaged === held + this.size && poolBits(this.type, this.layout.types) >= 0) {
        this.give(start, held, damaged, sink);
        lost = rest - damaged;
      }
      this.give(start, rest, this.units, sink);
    }
    counts.bytesLost += lost * this.layout.unit;
  }

  /** Units from the start of the page up to which each block's size is confirmed by the next one; all of them for a whole chain. */
  private follow(start: number): number {
    let before = 0;
    let at = 0;
    for (; at < this.units;) {
      this.decode(start, at);
      if (this.previous !== before || !this.fits(at)) return Math.max(0, at - before);
      before = this.size;
      at += this.size;
    }
    return this.units;
  }

  /** The first unit behind a damaged block from which a chain of two blocks or more comes out at the end of the page. */
  private resync(start: number, held: number): number {
    this.tried.fill(0);
    for (let from = held + 1; from < this.units; from++) {
      if (this.tried[from] === 1) continue;
      let blocks = 0;
      let before = -1;
      let at = from;
      while (at < this.units && this.tried[at] === 0) {
        this.decode(start, at);
        if ((before >= 0 && this.previous !== before) || this.previous === 0 || !this.fits(at)) break;
        this.tried[at] = 1;
        before = this.size;
        at += this.size;
        blocks++;
      }
      if (at === this.units && blocks >= 2) return from;
    }
    return this.units;
  }

  private blocksFrom(start: number, from: number): number {
    let blocks = 0;
    for (let at = from; at < this.units; at += Math.max(1, this.size)) {
      this.decode(start, at);
      blocks++;
    }
    return blocks;
  }

  /** Whether so many units of blocks are a pool page: enough of them, and tags that mostly can be typed. */
  private isProven(start: number, units: number): boolean {
    let blocks = 0;
    let used = 0;
    let typed = 0;
    let changes = 0;
    for (let at = 0, before = 0; at < units; at += Math.max(1, this.size)) {
      this.decode(start, at);
      blocks++;
      if (this.size !== before) changes++;
      before = this.size;
      if ((poolBits(this.type, this.layout.types) & PoolBits.InUse) === 0) continue;
      used++;
      if (typedTag(this.window.words[(start + at * this.layout.unit + 4) >>> 2] ?? 0)) typed++;
    }
    if (blocks < PROVEN) return used > 0 && typed === used;
    return typed * 2 >= used || (blocks >= PROVEN_UNTAGGED && changes >= PROVEN_UNTAGGED / 2);
  }

  private fits(at: number): boolean {
    return this.size > 0 && at + this.size <= this.units && poolBits(this.type, this.layout.types) >= 0;
  }

  /** Reads the header at unit `at` of the page at `start`. */
  private decode(start: number, at: number): void {
    const { layout, window } = this;
    const place = start + at * layout.unit;
    if (layout.form === 'bits') {
      const size = window.halves[(place >>> 1) + 1] ?? 0;
      this.previous = (window.halves[place >>> 1] ?? 0) & 0x1ff;
      this.size = size & 0x1ff;
      this.type = size >>> 9;
    } else {
      this.previous = window.bytes[place] ?? 0;
      this.size = window.bytes[place + layout.blockSize] ?? 0;
      this.type = window.bytes[place + layout.poolType] ?? 0;
    }
  }

  private give(start: number, from: number, to: number, sink: BlockSink): void {
    const { block, window, layout } = this;
    for (let at = from; at < to;) {
      this.decode(start, at);
      const size = this.size;
      const place = start + at * layout.unit;
      block.begin(BlockKind.Classic, BlockState.Free, window.address + place, size * layout.unit);
      block.bytes = window.bytes;
      block.offset = place;
      block.there = block.size;
      readPoolHeader(block, layout);
      if ((block.poolType & PoolBits.InUse) !== 0) block.state = BlockState.Live;
      sink(block);
      at += size;
    }
  }
}

/** The layout that pages prove. */
export interface ClassicProof {
  readonly layout: PoolHeaderLayout;
  readonly poolPages: number;
}

/**
 * The layout of headers that most pages of a range (its first 1 MB) are whole chains of; null when no page is one. Before and after Vista
 * chains look alike on one processor: then pool types decide. 3 (paged, in use) is of Vista and later only, 1 (nonpaged)
 * of before. Where neither is there, the later one is given.
 */
export function proveClassicPages(memory: HeapMemory, address: HeapAddress, length: number): ClassicProof | null {
  let best: (ClassicProof & { readonly later: number }) | null = null;
  const window = new PageWindow(memory);
  if (!window.load(address, Math.min(length, STEP * PAGE))) return null;
  for (const layout of POOL_HEADERS) {
    if ((layout.size === 16 ? 8 : 4) !== memory.pointerSize) continue;
    let odd = 0;
    let three = 0;
    const walk = new ClassicPageWalk(memory, layout, undefined, window);
    walk.giveWhole((block) => {
      const raw = block.bytes[block.offset + layout.poolType] ?? 0;
      const kind = (layout.form === 'bits' ? raw >>> 1 : raw) & 3;
      if (!typedTag(block.tag)) return;
      if (kind === 1) odd++;
      if (kind === 3) three++;
    });
    const later = (layout.types === 'in-use' ? 1 : -1) * (three >= odd ? 1 : -1);
    const { poolPages } = walk.counts;
    if (poolPages === 0) continue;
    if (best === null || poolPages > best.poolPages || (poolPages === best.poolPages && later > best.later)) {
      best = { layout, poolPages, later };
    }
  }
  return best === null ? null : { layout: best.layout, poolPages: best.poolPages };
}
