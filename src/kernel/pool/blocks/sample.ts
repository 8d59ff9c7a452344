/**
 * A fair sample of the blocks under some tags: every block that the walk meets counts, and some are kept with what stands
 * in them. The walk ends when enough was seen of each tag or its work is used up; the same dump gives the same sample.
 */

import { failed } from '../../../../parsers/bytes/failure.js';
import { BlockKind, BlockState, PoolBits, type Block } from '../../../../parsers/heap/blocks.js';
import { toVirtual, type HeapAddress } from '../../../../parsers/heap/memory.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import type { PoolKind } from '../../../result/result.js';
import type { PoolBlocks, PoolCoverage } from './pool-blocks.js';

/** Blocks that are kept of a tag, and bytes of each. */
const KEPT = 512;
const BYTES = 512;
/** Blocks of a tag that are enough where not all are asked for, and the parts of the pool that they must come from. */
const ENOUGH = 4 * KEPT;
const FEWEST_PARTS = 12;
/** Pages that a walk reads where not all are asked for: 64 MB. */
const DEFAULT_PAGES = 16 * 1024;
/** Different sizes, and different billers, that are counted of a tag. */
const MOST_SIZES = 4096;
const MOST_BILLERS = 65_536;

/** A tag in one pool. */
export interface WantedTag {
  /** Without the protected bit. */
  readonly key: number;
  readonly pool: PoolKind;
}

/** A block that was kept. */
export interface KeptBlock {
  /** Of its data, behind the pool header. */
  readonly address: HeapAddress;
  /** Bytes with the header, and without it. */
  readonly size: number;
  readonly room: number;
  /** The tag, without the protected bit. */
  readonly key: number;
  /** The data from its start: up to 512 bytes, fewer where a page is missing. */
  readonly data: Uint8Array;
}

/** What blocks were billed to, as it is stored: many blocks with the same. */
export interface StoredBiller {
  readonly low: number;
  readonly high: number;
  /** Where one of them has its header; what is stored less this is the same for all of a process. */
  readonly header: HeapAddress;
  blocks: number;
  bytes: number;
}

/** What was seen of a tag. */
export interface TagSample {
  readonly wanted: WantedTag;
  /** Live blocks that were met, and their bytes. */
  seen: number;
  bytes: number;
  readonly kept: KeptBlock[];
  /** Blocks by size; beyond 4096 different sizes the rest is not counted. */
  readonly sizes: Map<number, number>;
  readonly billers: Map<string, StoredBiller>;
}

export interface Sample {
  readonly tags: readonly TagSample[];
  readonly coverage: PoolCoverage;
}

export interface SampleOptions {
  /** Walk the whole pool. */
  readonly deep?: boolean | undefined;
  /** Pages to read at most, unless `deep`. */
  readonly pages?: number | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Samples the blocks of some tags. */
export function sampleBlocks(
  blocks: PoolBlocks,
  memory: VirtualMemory,
  wanted: readonly WantedTag[],
  options: SampleOptions = {},
): Sample {
  const tags = wanted.map((tag): TagSample => {
    return { wanted: tag, seen: 0, bytes: 0, kept: [], sizes: new Map(), billers: new Map() };
  });
  const byTag = new Map(tags.map((tag) => [slotOf(tag.wanted.key, tag.wanted.pool === 'paged'), tag]));
  const header = blocks.header?.size ?? 0;
  const walk = blocks.walk();
  let state = 0x2545f491;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const sink = (block: Block): void => {
    if (block.state !== BlockState.Live || block.tag === 0) return;
    const tag = byTag.get(slotOf(block.tag, (block.poolType & PoolBits.Paged) !== 0));
    if (tag === undefined) return;
    count(tag, block);
    // A reservoir: each block that was seen is kept with the same chance.
    const place = tag.kept.length < KEPT ? tag.kept.length : random(tag.seen);
    if (place >= KEPT) return;
    tag.kept[place] = keep(block, memory, header);
  };
  walk.big(sink);
  const { memory: counted } = blocks;
  const end = options.deep === true ? Infinity : counted.read + (options.pages ?? DEFAULT_PAGES);
  for (let parts = 0; counted.read < end; parts++) {
    if (options.deep !== true && parts >= FEWEST_PARTS && tags.every(({ seen }) => seen >= ENOUGH)) break;
    if (!walk.next(sink)) break;
    options.progress?.(parts, walk.parts);
  }
  return { tags, coverage: walk.coverage };
}

const slotOf = (key: number, paged: boolean): number => key * 2 + (paged ? 1 : 0);

function count(tag: TagSample, block: Block): void {
  tag.seen++;
  tag.bytes += block.size;
  const known = tag.sizes.get(block.size);
  if (known !== undefined || tag.sizes.size < MOST_SIZES) tag.sizes.set(block.size, (known ?? 0) + 1);
  if (block.billedLow === 0 && block.billedHigh === 0) return;
  const low = block.billedLow >>> 0;
  const high = block.billedHigh >>> 0;
  // Encoded with the header's address: without it, all blocks of a process have the same.
  const name = `${((high ^ highWordOf(block.address)) >>> 0).toString(16)}:${((low ^ (block.address >>> 0)) >>> 0).toString(16)}`;
  const plain = `${high.toString(16)}.${low.toString(16)}`;
  const biller = tag.billers.get(plain) ?? tag.billers.get(name);
  if (biller !== undefined) {
    biller.blocks++;
    biller.bytes += block.size;
  } else if (tag.billers.size < MOST_BILLERS) {
    const stored = { low, high, header: block.address, blocks: 1, bytes: block.size };
    tag.billers.set(name, stored);
    // Plain pointers are the same for all blocks of a process as they are.
    if (low % 8 === 0 && high >= 0xffff8000) tag.billers.set(plain, stored);
  }
}

const highWordOf = (address: HeapAddress): number => Math.floor(address / 0x1_0000_0000) >>> 0;

function keep(block: Block, memory: VirtualMemory, header: number): KeptBlock {
  const { size, tag: key } = block;
  if (block.kind === BlockKind.BigPage || block.there === 0) {
    const at = block.address;
    const bytes = memory.read(toVirtual(at), Math.min(BYTES, block.size));
    return { address: at, size, room: size, key, data: failed(bytes) ? new Uint8Array(0) : bytes };
  }
  const from = block.offset + header;
  const length = Math.max(0, Math.min(BYTES, block.there - header, block.size - header));
  const data = block.bytes.slice(from, from + length);
  return { address: block.address + header, size, room: size - header, key, data };
}
