/** The virtual memory that a triage dump holds: its data blocks, looked up by address. There are no page tables. */

import { fileOffset, plus, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { hex, Failure } from '../bytes/failure.js';
import type { ByteSource } from '../bytes/source.js';
import { MemoryBase, MOST_BYTES } from '../paging/memory-base.js';
import type { DataBlock, Triage } from './triage.js';

/** The pieces of virtual memory that a triage dump holds, the crashed thread's stack among them. */
export const triageBlocks = ({ dataBlocks, stack }: Triage): readonly DataBlock[] =>
  stack === null ? dataBlocks : [...dataBlocks, stack];

/** Reads what the data blocks cover; everything else is `not-in-dump`. */
export class TriageMemory extends MemoryBase {
  private readonly blocks: readonly DataBlock[];

  constructor(
    private readonly source: ByteSource,
    blocks: readonly DataBlock[],
    readonly pointerSize: 4 | 8 = 8,
  ) {
    super();
    this.blocks = blocks.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  translate(address: VirtualAddress): PhysicalAddress | Failure {
    return new Failure('not-in-dump', `a triage dump holds no page tables to translate ${hex(address)}`, { address });
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    if (length > MOST_BYTES) return new Failure('corrupt', `a read of ${length} bytes is refused`);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const at = plus(address, done);
      const block = this.find(at);
      if (block === null)
        return new Failure('not-in-dump', `no data block of the triage dump holds ${hex(at)}`, { address: at });
      const skip = Number(at - block.address);
      const count = Math.min(length - done, block.size - skip);
      this.source.read(fileOffset(block.offset + skip), bytes.subarray(done, done + count));
      done += count;
    }
    return bytes;
  }

  /** The block that holds `address`, or null. Blocks may overlap: the one that starts last before it is tried first. */
  private find(address: VirtualAddress): DataBlock | null {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.blocks[middle];
      if (block !== undefined && block.address <= address) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= Math.max(0, low - 16); i--) {
      const block = this.blocks[i];
      if (block !== undefined && address < block.address + BigInt(block.size)) return block;
    }
    return null;
  }
}
