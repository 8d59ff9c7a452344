/**
 * PoolBigPageTable: a row for each allocation that has no pool header because it takes about a page or more
 * (_POOL_TRACKER_BIG_PAGES). The table is hashed by address, so it proves itself: used rows stand at or closely behind the
 * slot that their address hashes to. Layouts: public symbols of x86 2600 to 19045 and x64 3790 to 26200, old texts for
 * 2195; the hash: public tools for 64-bit Windows 10 and later.
 */

import { BlockKind, BlockState, PoolBits, type Block, type BlockSink } from './blocks.js';
import { highWord, joinWords, lowWord, PageWindow, type HeapAddress, type HeapMemory } from './memory.js';
import { setTag, typedTag } from './pool-header.js';

const PAGE = 0x1000;
const TWO_32 = 0x1_0000_0000;
/** Rows read at once. */
const STEP = 8192;
/** How far behind its slot a row still counts as placed. */
const NEAR = 64;
/** More rows than any table has. */
const MOST_ROWS = 1 << 24;
/** Used rows that a proof needs, and the share of them that must be placed, and must be possible at all. */
const FEWEST = 16;
/** Sizes of a table that are tried first, up to which none need prove itself. */
const SMALLEST = 256;
const LARGEST_BLIND = 1 << 14;
const SHARE = 0.95;
/** POOL_TYPE bits that are known in rows: paged, must succeed, cache aligned, quota, session, verifier, NX. */
const KNOWN_TYPES = 0x2ff | 0x100;

/** Offsets in a row; Va stands at 0. */
export interface BigPageLayout {
  readonly name: string;
  readonly pointerSize: 4 | 8;
  readonly size: number;
  readonly key: number;
  /** The size of an allocation: in pages (32 bits) or in bytes (a pointer's width). */
  readonly extent: { readonly at: number; readonly in: 'pages' | 'bytes' };
  /** PoolType: 32 bits, of which 12 from `shift` on. Null where rows have none. */
  readonly poolType: { readonly at: number; readonly shift: 0 | 8 } | null;
  /** ProcessBilled or QuotaObject, or null. */
  readonly billed: number | null;
}

/** Every layout. Those that could be taken for each other come with the stricter first. */
export const BIG_PAGE_LAYOUTS: readonly BigPageLayout[] = [
  {
    name: 'x86 2195 to 2600',
    pointerSize: 4,
    size: 0xc,
    key: 4,
    extent: { at: 8, in: 'pages' },
    poolType: null,
    billed: null,
  },
  {
    name: 'x86 3790',
    pointerSize: 4,
    size: 0x10,
    key: 4,
    extent: { at: 8, in: 'pages' },
    poolType: null,
    billed: 0xc,
  },
  {
    name: 'x86 6000 to 9600',
    pointerSize: 4,
    size: 0x10,
    key: 4,
    extent: { at: 0xc, in: 'bytes' },
    poolType: { at: 8, shift: 0 },
    billed: null,
  },
  {
    name: 'x86 10240 to 19045',
    pointerSize: 4,
    size: 0x10,
    key: 4,
    extent: { at: 0xc, in: 'bytes' },
    poolType: { at: 8, shift: 8 },
    billed: null,
  },
  {
    name: 'x64 3790',
    pointerSize: 8,
    size: 0x18,
    key: 8,
    extent: { at: 0xc, in: 'pages' },
    poolType: null,
    billed: 0x10,
  },
  {
    name: 'x64 6000 to 9600',
    pointerSize: 8,
    size: 0x18,
    key: 8,
    extent: { at: 0x10, in: 'bytes' },
    poolType: { at: 0xc, shift: 0 },
    billed: null,
  },
  {
    name: 'x64 10240 to 19045',
    pointerSize: 8,
    size: 0x18,
    key: 8,
    extent: { at: 0x10, in: 'bytes' },
    poolType: { at: 0xc, shift: 8 },
    billed: null,
  },
  {
    name: 'x64 20348 and later',
    pointerSize: 8,
    size: 0x20,
    key: 8,
    extent: { at: 0x10, in: 'bytes' },
    poolType: { at: 0xc, shift: 8 },
    billed: 0x18,
  },
];

/** The slot that an address hashes to, in a table of `mask + 1` rows. */
export function bigPageSlot(address: HeapAddress, mask: number): number {
  const page = ((lowWord(address) >>> 12) | (highWord(address) << 20)) >>> 0;
  const product = page * 0x9e5f;
  const high = Math.floor(product / TWO_32);
  return ((product - high * TWO_32) ^ high) & mask;
}

/** What was read of a table. */
export interface BigPageCounts {
  /** Rows in use and rows that were freed. */
  used: number;
  freed: number;
  /** Rows in use that cannot be: a size of nothing, an address of nothing. They are not given. */
  corrupt: number;
  /** Rows that could not be read. */
  missing: number;
}

/**
 * Gives every used row of a table as a block of kind BigPage: address, bytes, tag, pool type, who was billed. Rows without a
 * pool type (before Vista) ask `isPaged`. Freed rows (address odd) are left out.
 */
export function readBigPages(
  memory: HeapMemory,
  table: HeapAddress,
  entries: number,
  layout: BigPageLayout,
  block: Block,
  sink: BlockSink,
  isPaged: (address: HeapAddress) => boolean = () => false,
): BigPageCounts {
  const counts: BigPageCounts = { used: 0, freed: 0, corrupt: 0, missing: 0 };
  eachRow(memory, table, entries, layout, counts, (words, at) => {
    if (((words[at >>> 2] ?? 0) & 1) !== 0) {
      counts.freed++;
      return;
    }
    const bytes = fill(block, words, at, layout);
    if (bytes <= 0 || block.address === 0) {
      counts.corrupt++;
      return;
    }
    if (layout.poolType === null && isPaged(block.address)) block.poolType |= PoolBits.Paged;
    counts.used++;
    sink(block);
  });
  return counts;
}

/** How well the rows of a table fit a layout. */
export interface BigPageProof extends BigPageCounts {
  readonly layout: BigPageLayout;
  /** Used rows whose fields can be what they should. */
  readonly possible: number;
  /** Used rows that stand at or less than 64 slots behind the slot of their address. */
  readonly placed: number;
}

/**
 * The layout that a table of `entries` rows (a power of two) proves to have, or null: nearly all used rows are possible
 * and stand where the hash puts them. The first half of a table proves itself just as well, twice a table does not: see
 * `findBigPages` where the size is not known.
 */
export function proveBigPages(memory: HeapMemory, table: HeapAddress, entries: number): BigPageProof | null {
  if (entries < FEWEST || entries > MOST_ROWS || (entries & (entries - 1)) !== 0) return null;
  let best: BigPageProof | null = null;
  for (const layout of BIG_PAGE_LAYOUTS) {
    if (layout.pointerSize !== memory.pointerSize) continue;
    const proof = scoreBigPages(memory, table, entries, layout);
    if (proof.used < FEWEST || proof.placed < proof.used * SHARE || proof.possible < proof.used * SHARE) continue;
    if (best === null || proof.possible > best.possible) best = proof;
  }
  return best;
}

/**
 * The table at `table` with the largest number of rows, up to `most`, that proves itself; null when none does. Reads at most four
 * times what the table takes, and what 2^14 rows take where there is no table.
 */
export function findBigPages(
  memory: HeapMemory,
  table: HeapAddress,
  most = MOST_ROWS,
): (BigPageProof & { readonly entries: number }) | null {
  let best: (BigPageProof & { readonly entries: number }) | null = null;
  for (let entries = SMALLEST; entries <= most && (best !== null || entries <= LARGEST_BLIND); entries *= 2) {
    const proof = proveBigPages(memory, table, entries);
    if (proof !== null) best = { ...proof, entries };
    else if (best !== null) break;
  }
  return best;
}

/** The figures behind `proveBigPages` for one layout. */
export function scoreBigPages(
  memory: HeapMemory,
  table: HeapAddress,
  entries: number,
  layout: BigPageLayout,
): BigPageProof {
  const counts: BigPageCounts = { used: 0, freed: 0, corrupt: 0, missing: 0 };
  const mask = entries - 1;
  let possible = 0;
  let placed = 0;
  eachRow(memory, table, entries, layout, counts, (words, at, row) => {
    if (((words[at >>> 2] ?? 0) & 1) !== 0) {
      counts.freed++;
      return;
    }
    counts.used++;
    const low = words[at >>> 2] ?? 0;
    const address = layout.pointerSize === 8 ? joinWords(low & -PAGE, words[(at >>> 2) + 1] ?? 0) : (low & -PAGE) >>> 0;
    if (((row - bigPageSlot(address, mask)) & mask) < NEAR) placed++;
    if (isPossible(words, at, layout)) possible++;
    else counts.corrupt++;
  });
  return { layout, ...counts, possible, placed };
}

/** Rows that are not empty, with the words they stand in and their place there in bytes. */
function eachRow(
  memory: HeapMemory,
  table: HeapAddress,
  entries: number,
  layout: BigPageLayout,
  counts: BigPageCounts,
  visit: (words: Uint32Array, at: number, row: number) => void,
): void {
  const window = new PageWindow(memory);
  const { size, pointerSize } = layout;
  for (let first = 0; first < Math.min(entries, MOST_ROWS); first += STEP) {
    const start = table + first * size;
    const shift = lowWord(start) & (PAGE - 1) & ~3;
    const rows = Math.min(STEP, entries - first);
    window.load(start - shift, shift + rows * size);
    const whole = window.has(0, shift + rows * size);
    const { words } = window;
    for (let i = 0, at = shift; i < rows; i++, at += size) {
      if (!whole && !window.has(at, size)) {
        counts.missing++;
        continue;
      }
      const low = words[at >>> 2] ?? 0;
      if (low === 0 && (pointerSize === 4 || words[(at >>> 2) + 1] === 0)) continue;
      visit(words, at, first + i);
    }
  }
}

function fill(block: Block, words: Uint32Array, at: number, layout: BigPageLayout): number {
  const word = (offset: number): number => words[(at + offset) >>> 2] ?? 0;
  const wide = layout.pointerSize === 8;
  // Low bits of the address are no part of it.
  const low = (word(0) & -PAGE) >>> 0;
  const address = wide ? joinWords(low, word(4)) : low;
  block.begin(BlockKind.BigPage, BlockState.Live, address, extent(words, at, layout));
  setTag(block, word(layout.key));
  const { poolType } = layout;
  const type = poolType === null ? 0 : (word(poolType.at) >>> poolType.shift) & 0xfff;
  block.poolType =
    PoolBits.InUse |
    (type & (PoolBits.Paged | PoolBits.Quota | PoolBits.Session | PoolBits.CacheAligned | PoolBits.Verifier));
  block.billedLow = layout.billed === null ? 0 : word(layout.billed);
  block.billedHigh = layout.billed === null || !wide ? 0 : word(layout.billed + 4);
  return block.size;
}

/** Bytes of the allocation of a row; 0 where they cannot be. */
function extent(words: Uint32Array, at: number, layout: BigPageLayout): number {
  const place = (at + layout.extent.at) >>> 2;
  const low = words[place] ?? 0;
  if (layout.extent.in === 'pages') return low * PAGE;
  const high = layout.pointerSize === 8 ? (words[place + 1] ?? 0) : 0;
  return high < 0x10000 ? high * TWO_32 + low : 0;
}

function isPossible(words: Uint32Array, at: number, layout: BigPageLayout): boolean {
  const word = (offset: number): number => words[(at + offset) >>> 2] ?? 0;
  const wide = layout.pointerSize === 8;
  const bytes = extent(words, at, layout);
  // A row of less than a page minus headers would have a header instead. Nothing takes 16 TB.
  if (bytes < 0xf00 || bytes >= 2 ** 44 || (!wide && bytes >= 2 ** 31)) return false;
  if (!typedTag(word(layout.key))) return false;
  if (layout.poolType !== null) {
    const raw = word(layout.poolType.at);
    if (layout.poolType.shift === 0 ? (raw & ~KNOWN_TYPES) !== 0 : ((raw >>> 8) & 0xfff & ~KNOWN_TYPES) !== 0)
      return false;
  }
  if (layout.billed === null) return true;
  if (layout.extent.in === 'bytes') return true;
  // QuotaObject: nothing, or a pointer into the kernel's half.
  const top = wide ? word(layout.billed + 4) : word(layout.billed);
  return top >= 0x80000000 || (top === 0 && word(layout.billed) === 0);
}
