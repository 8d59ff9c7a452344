/** Blocks that the allocator keeps for itself: nobody's allocations, though they are in use. */

import { AddressSet } from '../address-set.js';
import { heapCounts } from './counts.js';
import { largeNodes } from './large-walk.js';
import type { HeapLayout } from './layouts.js';
import type { PointerReader } from '../memory.js';
import type { SegmentHeap } from './open.js';

/**
 * The nodes of large allocations, and the record that UserContext of a heap of 26100 names: it links the heaps, and is
 * believed when it names its heap in turn. They lie in heaps of the process, one of which is the allocator's own.
 */
export function ownRecords(reader: PointerReader, heaps: readonly SegmentHeap[], layout: HeapLayout): AddressSet {
  const own = new AddressSet();
  const counts = heapCounts();
  for (const heap of heaps) {
    for (const node of largeNodes(reader, heap, counts)) own.add(node);
    const record = reader.pointer(heap.address + layout.userContext);
    if (record !== null && record !== 0 && reader.pointer(record + 2 * reader.pointerSize) === heap.address) {
      own.add(record);
    }
  }
  return own;
}
