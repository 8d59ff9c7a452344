/** The rows of a big-page table by address: which tag a block without a pool header has, and which pages it takes. */

import { BlockColumns, type Block, type BlockSink } from './blocks.js';
import type { HeapAddress } from './memory.js';

/** Rows sorted by address. Build it by handing `sink` to `readBigPages`, then call `sort`. */
export class BigPageIndex {
  readonly rows = new BlockColumns();
  /** Of each row: ProcessBilled as stored, low and high word, and whether its tag is protected. */
  private readonly more: number[] = [];
  private order = new Uint32Array(0);
  private starts = new Float64Array(0);

  /** The sink to hand to `readBigPages`. */
  readonly sink: BlockSink = (block) => {
    this.rows.sink(block);
    this.more.push(block.billedLow, block.billedHigh, block.protected ? 1 : 0);
  };

  /** To be called once, when all rows are there. */
  sort(): void {
    const { address, count } = this.rows;
    this.order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => (address[a] ?? 0) - (address[b] ?? 0));
    this.starts = Float64Array.from(this.order, (row) => address[row] ?? 0);
  }

  /** The row (an index into `rows`) whose allocation begins at `address`, or -1. */
  at(address: HeapAddress): number {
    const i = this.before(address);
    return i >= 0 && this.starts[i] === address ? (this.order[i] ?? -1) : -1;
  }

  /** The row whose allocation covers `address`, or -1. */
  covering(address: HeapAddress): number {
    const i = this.before(address);
    const row = i < 0 ? -1 : (this.order[i] ?? -1);
    return row >= 0 && address < (this.starts[i] ?? 0) + (this.rows.size[row] ?? 0) ? row : -1;
  }

  /** Gives a block without a pool header the tag, pool type and biller of its row. False when no row begins where it does. */
  describe(block: Block): boolean {
    const row = this.at(block.address);
    if (row < 0) return false;
    block.tag = this.rows.tag[row] ?? 0;
    block.poolType = this.rows.poolType[row] ?? 0;
    block.billedLow = this.more[row * 3] ?? 0;
    block.billedHigh = this.more[row * 3 + 1] ?? 0;
    block.protected = this.more[row * 3 + 2] === 1;
    return true;
  }

  /** The last row, in order, that begins at or before `address`. */
  private before(address: HeapAddress): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
