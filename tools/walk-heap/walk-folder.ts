/** Every live block of the segment heaps in a saved memory, found and proven without symbols. */

import { failed } from '../../parsers/bytes/failure.js';
import { KIND_NAMES, BlockState, type Block } from '../../parsers/heap/blocks.js';
import { proveHeaps, type HeapProof } from '../../parsers/heap/segment/prove.js';
import type { HeapCounts } from '../../parsers/heap/segment/counts.js';
import { PointerReader, toVirtual } from '../../parsers/heap/memory.js';
import { openSegmentHeap, type SegmentHeap } from '../../parsers/heap/segment/open.js';
import { ownRecords } from '../../parsers/heap/segment/own-records.js';
import { SegmentHeapWalk } from '../../parsers/heap/segment/walk.js';
import { BadFolder, type SavedMemory } from './saved-memory.js';

/** A line of output. */
export interface LiveBlock {
  /** Hexadecimal with 0x. */
  readonly address: string;
  /** Bytes that were asked for; of a block whose own count of them is missing, the bytes of the block. */
  readonly size: number;
  readonly kind: string;
}

/** One heap and what its walk met. */
export interface WalkedHeap {
  readonly heap: SegmentHeap;
  readonly proof: HeapProof;
  readonly counts: HeapCounts;
}

/** Walks every segment heap of the memory. Throws BadFolder when there is none, or none that can be decoded. */
export function walkFolder(saved: SavedMemory, line: (block: LiveBlock) => void): WalkedHeap[] {
  const { memory, heaps } = findHeaps(saved);
  const proof = proveHeaps(memory, heaps, { find: (low, high) => memory.find(low, high) });
  if (failed(proof)) throw new BadFolder(`heaps stand at ${names(heaps)}, but ${proof.message}`);
  const sink = (block: Block): void => {
    if (block.state !== BlockState.Live) return;
    line({
      address: `0x${toVirtual(block.address).toString(16)}`,
      size: block.requested < 0 ? block.size : block.requested,
      kind: KIND_NAMES[block.kind] ?? 'unknown',
    });
  };
  const own = ownRecords(new PointerReader(memory), heaps, proof.layout);
  return heaps.map((heap) => {
    const walk = new SegmentHeapWalk(memory, heap, proof, { own });
    walk.walk(sink);
    return { heap, proof, counts: walk.counts };
  });
}

const names = (heaps: readonly SegmentHeap[]): string =>
  heaps.map((heap) => `0x${toVirtual(heap.address).toString(16)}`).join(', ');

function findHeaps(saved: SavedMemory): { memory: SavedMemory; heaps: SegmentHeap[] } {
  for (const memory of saved.fits32 ? [saved.as(4), saved] : [saved]) {
    const reader = new PointerReader(memory);
    const heaps: SegmentHeap[] = [];
    for (const page of memory.pages()) {
      const heap = openSegmentHeap(reader, page);
      if (heap !== null) heaps.push(heap);
    }
    if (heaps.length > 0) return { memory, heaps };
  }
  throw new BadFolder('no _SEGMENT_HEAP was found in the regions');
}
