/** Blocks and bytes a tag, pool and state, in a typed hash table: no object a tag, nothing allocated a block. */

import { BlockState, PoolBits, type Block, type BlockSink } from './blocks.js';

/** One row, for reading the sums once a walk has ended. */
export interface TagSum {
  /** Little-endian number without the protected bit; 0 for blocks without a tag. */
  readonly tag: number;
  readonly paged: boolean;
  readonly live: number;
  /** Bytes of live blocks, with their pool headers. */
  readonly liveBytes: number;
  /** Blocks freed but kept by the allocator. */
  readonly cached: number;
  readonly cachedBytes: number;
}

/** Numbers a row: live, live bytes, cached, cached bytes. */
const COLUMNS = 4;

export class TagSums {
  private rows = 0;
  private keys = new Float64Array(512).fill(-1);
  private sums = new Float64Array(512 * COLUMNS);

  /** The sink to hand to a walk. Free and unknown blocks are passed over. */
  readonly sink: BlockSink = (block) => {
    this.add(block);
  };

  add(block: Block): void {
    if (block.state !== BlockState.Live && block.state !== BlockState.Cached) return;
    this.count(block.tag, (block.poolType & PoolBits.Paged) !== 0, block.state === BlockState.Live, 1, block.size);
  }

  /** Adds the rows of another walk, for example of another thread. */
  merge(other: TagSums): void {
    for (const row of other.list()) {
      this.count(row.tag, row.paged, true, row.live, row.liveBytes);
      this.count(row.tag, row.paged, false, row.cached, row.cachedBytes);
    }
  }

  /** The rows, those with most live bytes first. */
  list(): TagSum[] {
    const out: TagSum[] = [];
    for (let slot = 0; slot < this.keys.length; slot++) {
      const key = this.keys[slot] ?? -1;
      if (key < 0) continue;
      const at = slot * COLUMNS;
      out.push({
        tag: Math.floor(key / 2),
        paged: key % 2 === 1,
        live: this.sums[at] ?? 0,
        liveBytes: this.sums[at + 1] ?? 0,
        cached: this.sums[at + 2] ?? 0,
        cachedBytes: this.sums[at + 3] ?? 0,
      });
    }
    return out.sort((a, b) => b.liveBytes - a.liveBytes || a.tag - b.tag || Number(a.paged) - Number(b.paged));
  }

  private count(tag: number, paged: boolean, live: boolean, blocks: number, bytes: number): void {
    const at = this.slotOf(tag * 2 + (paged ? 1 : 0)) * COLUMNS + (live ? 0 : 2);
    this.sums[at] = (this.sums[at] ?? 0) + blocks;
    this.sums[at + 1] = (this.sums[at + 1] ?? 0) + bytes;
  }

  private slotOf(key: number): number {
    const mask = this.keys.length - 1;
    let slot = Math.imul(key >>> 0, 0x9e3779b1) >>> 8;
    for (slot &= mask; ; slot = (slot + 1) & mask) {
      const found = this.keys[slot];
      if (found === key) return slot;
      if (found === -1) break;
    }
    if (this.rows * 2 >= this.keys.length) {
      this.grow();
      return this.slotOf(key);
    }
    this.keys[slot] = key;
    this.rows++;
    return slot;
  }

  private grow(): void {
    const { keys, sums } = this;
    this.keys = new Float64Array(keys.length * 2).fill(-1);
    this.sums = new Float64Array(sums.length * 2);
    this.rows = 0;
    for (let slot = 0; slot < keys.length; slot++) {
      const key = keys[slot] ?? -1;
      if (key < 0) continue;
      const from = slot * COLUMNS;
      this.sums.set(sums.subarray(from, from + COLUMNS), this.slotOf(key) * COLUMNS);
    }
  }
}
