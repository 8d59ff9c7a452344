/**
 * What a walk gives: one block at a time, in an object that is used again for the next one. A sink takes what it needs
 * out of it. `BlockColumns` keeps blocks in typed columns, `TagSums` (tag-sums.ts) keeps sums.
 */

import type { HeapAddress } from './memory.js';

/** Where a block comes from. */
export const BlockKind = {
  /** A block of a low-fragmentation subsegment. */
  Lfh: 0,
  /** A chunk of a variable-size subsegment. */
  Vs: 1,
  /** A run of whole pages of a segment. */
  Segment: 2,
  /** An allocation outside all segments. */
  Large: 3,
  /** A block of a classic pool page. */
  Classic: 4,
  /** A row of the big-page table. */
  BigPage: 5,
} as const;

/** The names of kinds, by number, as outputs spell them. */
export const KIND_NAMES = ['lfh', 'vs', 'segment', 'large', 'pool', 'bigpage'] as const;

export const BlockState = {
  /** In use. */
  Live: 0,
  Free: 1,
  /** Freed by its owner, but still kept by the allocator as if in use (delay free, lookaside): never live. */
  Cached: 2,
  /** The memory that would tell is missing or damaged. */
  Unknown: 3,
  /** A record that the allocator keeps for itself: in use, but nobody's allocation. */
  Own: 4,
} as const;

/** Pool type bits as Windows Vista and later keep them; those of older systems are translated into these. */
export const PoolBits = { Paged: 1, InUse: 2, CacheAligned: 4, Quota: 8, Session: 0x20, Verifier: 0x40 } as const;

/** The block that a walk stands on. Valid only until the sink returns. */
export class Block {
  /** Where the block begins: its pool header where it has one, else its data. */
  address: HeapAddress = 0;
  /** Bytes of the block, with its pool header, without what the allocator keeps in front of that. */
  size = 0;
  /** Bytes that were asked for, of `size`; -1 where nothing tells. With a pool header it counts too. */
  requested = -1;
  /** The tag as a little-endian number without the protected bit; 0 where the block has none that can be read. */
  tag = 0;
  /** Bit 31 of the tag: PROTECTED_POOL. */
  protected = false;
  /** PoolBits of its header; 0 where it has none. */
  poolType = 0;
  /** A BlockKind. */
  kind: number = BlockKind.Lfh;
  /** A BlockState. */
  state: number = BlockState.Live;
  /**
   * ProcessBilled as it is stored (encoded from Windows 8 on, see process-billed.ts); 0 in both words where no process was
   * billed or the field is missing.
   */
  billedLow = 0;
  billedHigh = 0;
  /** Bytes that hold the block's memory from `offset` on, `there` bytes of it without a gap. Used again: copy what must stay. */
  bytes: Uint8Array = EMPTY;
  offset = 0;
  there = 0;

  /** Starts a block of which nothing else is known yet. */
  begin(kind: number, state: number, address: HeapAddress, size: number): void {
    this.kind = kind;
    this.state = state;
    this.address = address;
    this.size = size;
    this.requested = -1;
    this.tag = 0;
    this.protected = false;
    this.poolType = 0;
    this.billedLow = 0;
    this.billedHigh = 0;
    this.bytes = EMPTY;
    this.offset = 0;
    this.there = 0;
  }
}

const EMPTY = new Uint8Array(0);

/** Takes blocks from a walk. */
export type BlockSink = (block: Block) => void;

/** Blocks in typed columns, one entry a block, in the order in which they came. Memory: 42 bytes a block. */
export class BlockColumns {
  count = 0;
  address = new Float64Array(1024);
  size = new Float64Array(1024);
  requested = new Float64Array(1024);
  tag = new Uint32Array(1024);
  poolType = new Uint8Array(1024);
  kind = new Uint8Array(1024);
  state = new Uint8Array(1024);

  /** Keeps no more than `most` blocks; `dropped` counts the others. */
  constructor(private readonly most = Infinity) {}
  dropped = 0;

  /** The sink to hand to a walk. */
  readonly sink: BlockSink = (block) => {
    if (this.count >= this.most) {
      this.dropped++;
      return;
    }
    if (this.count === this.address.length) this.grow();
    const i = this.count++;
    this.address[i] = block.address;
    this.size[i] = block.size;
    this.requested[i] = block.requested;
    this.tag[i] = block.tag;
    this.poolType[i] = block.poolType;
    this.kind[i] = block.kind;
    this.state[i] = block.state;
  };

  private grow(): void {
    const length = this.address.length * 2;
    const wider = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(length);
      next.set(old);
      return next;
    };
    const bytes = (old: Uint8Array): Uint8Array<ArrayBuffer> => {
      const next = new Uint8Array(length);
      next.set(old);
      return next;
    };
    this.address = wider(this.address);
    this.size = wider(this.size);
    this.requested = wider(this.requested);
    const tags = new Uint32Array(length);
    tags.set(this.tag);
    this.tag = tags;
    this.poolType = bytes(this.poolType);
    this.kind = bytes(this.kind);
    this.state = bytes(this.state);
  }
}
