/** Looking blocks up without judging: all of a tag, those around an address, the big-page table. */

import { failed } from '../../../parsers/bytes/failure.js';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { BlockState, KIND_NAMES, PoolBits, type Block } from '../../../parsers/heap/blocks.js';
import { heapAddress, toVirtual, type HeapAddress } from '../../../parsers/heap/memory.js';
import type { PoolHeaderLayout } from '../../../parsers/heap/pool-header.js';
import { u16, u32 } from '../../../parsers/bytes/fields.js';
import { readModules } from '../../kernel/modules/modules.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import { poolBlocksOf, type PoolBlocks, type PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { dumpPart, type DumpPart } from '../dump-part.js';
import { addressNames } from '../sample-blocks.js';

const PAGE = 0x1000;
const STATES = ['allocated', 'free', 'cached', 'unknown', 'own'] as const;

/** A block as the commands show it. */
export interface FoundBlock {
  /** Of the pool header where there is one. */
  readonly address: bigint;
  /** Bytes with the header. */
  readonly size: number;
  /** Of the block before, where the header says it (classic pages); else 0. */
  readonly previousSize: number;
  /** Four characters as the block has them, those that cannot be shown as dots. */
  readonly tag: string;
  /** Without the protected bit; 0 for none. */
  readonly key: number;
  readonly paged: boolean;
  readonly state: (typeof STATES)[number];
  /** `pool` of a classic page, `lfh`, `vs`, `segment`, `large` of a heap, `bigpage` for a row of the big-page table. */
  readonly kind: string;
}

/**
 * The pools of a dump, and what every view of them has beside its own part. Throws InputError where there is no pool that can
 * be walked.
 */
export function walkablePool(opened: OpenedDump): { pool: PoolBlocks; wide: boolean; about: DumpPart } {
  const { blocks, warnings } = poolBlocksOf(opened.kernel);
  if (blocks === null || (blocks.form === 'none' && blocks.bigPages === null)) {
    const why = warnings.map(({ message }) => message).join('; ');
    throw new InputError(
      'wrong-kind',
      `${opened.path} holds no pool memory that can be walked${why === '' ? '' : `: ${why}`}`,
    );
  }
  return { pool: blocks, wide: blocks.memory.pointerSize === 8, about: dumpPart(opened, {}, warnings) };
}

/** Which blocks are wanted. */
export interface BlockFilter {
  matches(key: number): boolean;
  readonly paged: boolean | null;
}

/**
 * Gives the live blocks of a filter: rows of the big-page table first, then small ones, part by part, so that a caller can
 * end it between parts.
 */
export function findBlocks(pool: PoolBlocks, filter: BlockFilter): BlockSearch {
  const walk = pool.walk();
  function* steps(): Generator<FoundBlock[], void> {
    let found: FoundBlock[] = [];
    const sink = (block: Block): void => {
      if (block.state !== BlockState.Live || block.tag === 0 || !filter.matches(block.tag)) return;
      if (filter.paged !== null && filter.paged !== ((block.poolType & PoolBits.Paged) !== 0)) return;
      found.push(described(block, pool.header, pool.memory.pointerSize));
    };
    walk.big(sink);
    yield found;
    for (found = []; walk.next(sink); found = []) yield found;
  }
  const { bigPages } = pool;
  const table =
    bigPages === null
      ? null
      : rangeOf(bigPages.address, bigPages.address + bigPages.entries * bigPages.layout.size, pool.memory.pointerSize);
  const range = filter.paged === null ? null : walk.range(filter.paged);
  return {
    ...{ steps: steps(), parts: walk.parts, coverage: () => walk.coverage, table },
    range: range === null ? null : rangeOf(range.start, range.end, pool.memory.pointerSize),
  };
}

/** From the first address to behind the last. */
export interface BlockRange {
  readonly start: bigint;
  readonly end: bigint;
}

function rangeOf(start: HeapAddress, end: HeapAddress, pointerSize: 4 | 8): BlockRange {
  const unsigned = (address: HeapAddress): bigint => BigInt.asUintN(pointerSize * 8, toVirtual(address));
  return { start: unsigned(start), end: unsigned(end) };
}

/** A search that goes on as its steps are taken. */
export interface BlockSearch {
  readonly steps: Iterable<FoundBlock[]>;
  /** Steps, about. */
  readonly parts: number;
  /** Of the big-page table, and of the pool that is searched: null where it is not known, or both are. */
  readonly table: BlockRange | null;
  readonly range: BlockRange | null;
  /** Of what was walked so far. */
  coverage(): PoolCoverage;
}

/** Sums of big allocations under one tag in one pool. */
export interface BigTagSum {
  readonly tag: string;
  readonly paged: boolean;
  readonly count: number;
  readonly bytes: number;
  readonly largest: number;
}

/** The big-page table by tag, most bytes first. */
export function bigTags(pool: PoolBlocks): BigTagSum[] {
  const sums = new Map<string, { tag: string; paged: boolean; count: number; bytes: number; largest: number }>();
  pool.walk().big((block) => {
    const { tag, paged, size } = described(block, null, pool.memory.pointerSize);
    const name = `${tag}${String(paged)}`;
    const sum = sums.get(name) ?? { tag, paged, count: 0, bytes: 0, largest: 0 };
    sum.count++;
    sum.bytes += size;
    sum.largest = Math.max(sum.largest, size);
    sums.set(name, sum);
  });
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes || (a.tag < b.tag ? -1 : 1));
}

/** What stands around an address. */
export interface BlockPage {
  /** The blocks of its page in order of address, one of which may hold it. */
  readonly blocks: readonly FoundBlock[];
  /** The one that holds it; null where none does. */
  readonly own: FoundBlock | null;
  readonly coverage: PoolCoverage;
}

/** The blocks on the page of an address, or the big allocation that covers it. */
export function blocksAt(pool: PoolBlocks, address: bigint): BlockPage {
  const at = heapAddress(address, pool.memory.pointerSize);
  const walk = pool.walk();
  const page = Math.floor(at / PAGE) * PAGE;
  const big = pool.bigPages?.index;
  const row = big?.covering(at) ?? -1;
  let own: FoundBlock | null = null;
  const found: FoundBlock[] = [];
  const take = (block: Block): void => {
    const end = block.address + block.size;
    if (end <= page || block.address >= page + PAGE) return;
    const one = described(block, pool.header, pool.memory.pointerSize);
    found.push(one);
    if (at >= block.address && at < end) own = one;
  };
  if (row >= 0) {
    walk.big((block) => {
      if (block.address === big?.rows.address[row]) take(block);
    });
  } else walk.at(at, take);
  found.sort((a, b) => (a.address < b.address ? -1 : 1));
  return { blocks: found, own, coverage: walk.coverage };
}

/** A word of a block, and what it leads to. */
export interface ContentWord {
  readonly address: bigint;
  /** Null where the page is missing. */
  readonly value: bigint | null;
  /** `nvstor.sys+0x1f40`, the tag of the block that it leads to, or nothing. */
  readonly meaning: string | null;
}

/** The data of a block word by word, up to `most` bytes. */
export function blockWords(kernel: Kernel, pool: PoolBlocks, block: FoundBlock, most: number): ContentWord[] {
  const { memory } = kernel;
  if (memory === null) return [];
  const width = memory.pointerSize;
  const names = addressNames(readModules(kernel).modules, width);
  const header = block.kind === 'bigpage' ? 0 : (pool.header?.size ?? 0);
  const length = Math.min(most, block.size - header);
  const words: ContentWord[] = [];
  for (let at = header; at + width <= header + length; at += width) {
    const address = toVirtual(heapAddress(block.address, width) + at);
    const value = memory.readPointer(address);
    if (failed(value)) {
      words.push({ address, value: null, meaning: null });
      continue;
    }
    const target: HeapAddress = heapAddress(value, width);
    const module = names.moduleAt(target);
    const symbol = module === null ? null : names.exportAt(value);
    const place = module === null ? null : `${module.name}+0x${(target - module.base).toString(16)}`;
    words.push({ address, value, meaning: place === null || symbol === null ? place : `${place} (${symbol})` });
  }
  return words;
}

function described(block: Block, header: PoolHeaderLayout | null, width: 4 | 8): FoundBlock {
  const address = BigInt.asUintN(width * 8, toVirtual(block.address));
  const stored =
    block.tag === 0 && block.there >= 8 && block.size < PAGE - 0x20
      ? (u32(block.bytes, block.offset + 4) & 0x7fffffff) >>> 0
      : block.tag;
  return {
    address,
    size: block.size,
    previousSize: previousOf(block, header),
    tag: [0, 8, 16, 24].map((shift) => shownByte((stored >>> shift) & 0xff)).join(''),
    key: block.tag,
    paged: (block.poolType & PoolBits.Paged) !== 0,
    state: STATES[block.state] ?? 'unknown',
    kind: KIND_NAMES[block.kind] ?? '',
  };
}

const shownByte = (byte: number): string =>
  byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : byte === 0 ? ' ' : '.';

function previousOf(block: Block, header: PoolHeaderLayout | null): number {
  if (KIND_NAMES[block.kind] !== 'pool' || header === null || block.there < 4) return 0;
  const { bytes, offset } = block;
  return (header.form === 'bits' ? u16(bytes, offset) & 0x1ff : (bytes[offset] ?? 0)) * header.unit;
}
