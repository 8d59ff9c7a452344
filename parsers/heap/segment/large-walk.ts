/** Allocations outside all segments: nodes of a red-black tree in the heap (_HEAP_LARGE_ALLOC_DATA). */

import { BlockKind, BlockState, type Block, type BlockSink } from '../blocks.js';
import { AddressSet } from '../address-set.js';
import type { HeapCounts } from './counts.js';
import { highWord, joinWords, lowWord, type HeapAddress, type PointerReader } from '../memory.js';
import type { SegmentHeap } from './open.js';

const PAGE = 0x1000;
const TWO_32 = 0x1_0000_0000;
/** More large allocations than any heap has. */
const MOST_NODES = 1 << 20;

/** Gives every large allocation of the heap. A node is believed when its address and pages can be. */
export function walkLarge(
  reader: PointerReader,
  heap: SegmentHeap,
  block: Block,
  sink: BlockSink,
  counts: HeapCounts,
): void {
  const committed = reader.count(heap.address + heap.shape.heap.largeCommittedPages);
  if (committed !== null) counts.largeCommittedPages = (counts.largeCommittedPages ?? 0) + committed;
  for (const node of largeNodes(reader, heap, counts)) emitNode(reader, heap, node, block, sink, counts);
}

/** The nodes of the heap's tree of large allocations, each once. They are blocks of another heap of the allocator. */
export function* largeNodes(
  reader: PointerReader,
  heap: SegmentHeap,
  counts: HeapCounts,
): Generator<HeapAddress, void> {
  const { pointerSize } = heap.shape;
  const tree = heap.address + heap.shape.heap.largeAllocMetadata;
  const root = reader.pointer(tree);
  const encoded = reader.u8(tree + pointerSize);
  if (root === null || encoded === null) {
    counts.largeCorrupt++;
    return;
  }
  const isEncoded = (encoded & 1) !== 0;
  const link = (stored: HeapAddress, at: HeapAddress): HeapAddress => {
    if (!isEncoded || stored === 0) return stored;
    const low = (lowWord(stored) ^ lowWord(at)) >>> 0;
    return pointerSize === 4 ? low : joinWords(low, highWord(stored) ^ highWord(at));
  };
  const seen = new AddressSet();
  const ahead: HeapAddress[] = [];
  const push = (node: HeapAddress): void => {
    if (node === 0) return;
    if (seen.size < MOST_NODES && lowWord(node) % pointerSize === 0 && seen.add(node)) ahead.push(node);
    else counts.largeCorrupt++;
  };
  push(link(root, tree));
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    const left = reader.pointer(node);
    const right = reader.pointer(node + pointerSize);
    if (left === null || right === null) {
      counts.largeCorrupt++;
      continue;
    }
    push(link(left, node));
    push(link(right, node));
    yield node;
  }
}

function emitNode(
  reader: PointerReader,
  heap: SegmentHeap,
  node: HeapAddress,
  block: Block,
  sink: BlockSink,
  counts: HeapCounts,
): void {
  const { large, pointerSize } = heap.shape;
  const address = reader.pointer(node + large.virtualAddress);
  const low = reader.u32(node + large.allocatedPages);
  const high = pointerSize === 8 ? reader.u32(node + large.allocatedPages + 4) : 0;
  if (address === null || low === null || high === null) {
    counts.largeCorrupt++;
    return;
  }
  // Addresses are multiples of 64 KB; the bits below count what was not asked for.
  const unused = lowWord(address) & 0xffff;
  const start = address - unused;
  const pages = (low >>> 12) + high * (TWO_32 / PAGE);
  if (start === 0 || pages === 0 || pages >= 2 ** 36 || unused > pages * PAGE) {
    counts.largeCorrupt++;
    return;
  }
  counts.large++;
  counts.largePages += pages;
  block.begin(BlockKind.Large, BlockState.Live, start, pages * PAGE);
  block.requested = block.size - unused;
  sink(block);
}
