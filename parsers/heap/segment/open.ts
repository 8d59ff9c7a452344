/**
 * Opening a _SEGMENT_HEAP: its two segment contexts, proven by what points back at the heap, and the list of its segments.
 * No keys are needed for this.
 */

import { AddressSet } from '../address-set.js';
import type { HeapCounts } from './counts.js';
import { HEAP_LAYOUTS, HEAP_SIGNATURE, type HeapShape } from './layouts.js';
import { lowWord, type HeapAddress, type PointerReader } from '../memory.js';

/** More segments than any heap has: 256 GB in segments of 1 MB. */
const MOST_SEGMENTS = 1 << 18;
/** Contexts of a heap. */
const CONTEXTS = 2;

/** _HEAP_SEG_CONTEXT: segments of one size. */
export interface SegContext {
  readonly address: HeapAddress;
  /** Bytes of a segment and log2 of the bytes of a unit. */
  readonly segmentSize: number;
  readonly unitShift: number;
  readonly firstDescriptor: number;
  /** 0 where the context has none. */
  readonly lfhContext: HeapAddress;
  readonly vsContext: HeapAddress;
  readonly segmentCount: number;
}

/** A heap whose contexts name it. */
export interface SegmentHeap {
  readonly address: HeapAddress;
  readonly shape: HeapShape;
  /** Offset of SegContexts, which tells some generations apart. */
  readonly segContexts: number;
  /** One or two: a damaged one is left out. */
  readonly contexts: readonly SegContext[];
}

/** The heap at `address`, or null when there is none, or it is too damaged to be told from one. */
export function openSegmentHeap(reader: PointerReader, address: HeapAddress): SegmentHeap | null {
  const tried = new Set<string>();
  for (const { shape, segContexts } of HEAP_LAYOUTS) {
    const key = `${shape.pointerSize}:${segContexts}`;
    if (shape.pointerSize !== reader.pointerSize || tried.has(key)) continue;
    tried.add(key);
    if (reader.u32(address + shape.heap.signature) !== HEAP_SIGNATURE) continue;
    const contexts: SegContext[] = [];
    for (let i = 0; i < CONTEXTS; i++) {
      const context = readContext(reader, address, address + segContexts + i * shape.segContext.size, shape);
      if (context !== null) contexts.push(context);
    }
    if (contexts.length > 0) return { address, shape, segContexts, contexts };
  }
  return null;
}

function readContext(
  reader: PointerReader,
  heap: HeapAddress,
  address: HeapAddress,
  shape: HeapShape,
): SegContext | null {
  const fields = shape.segContext;
  if (reader.pointer(address + fields.heap) !== heap) return null;
  const mask = reader.u32(address + fields.segmentMask);
  const unitShift = reader.u8(address + fields.unitShift);
  const firstDescriptor = reader.u8(address + fields.firstDescriptorIndex);
  const lfhContext = reader.pointer(address + fields.lfhContext);
  const vsContext = reader.pointer(address + fields.vsContext);
  const segmentCount = reader.count(address + fields.segmentCount);
  if (mask === null || unitShift === null || firstDescriptor === null) return null;
  if (lfhContext === null || vsContext === null || segmentCount === null) return null;
  const segmentSize = (~mask >>> 0) + 1;
  if (unitShift < 12 || unitShift > 20 || segmentSize !== 2 ** (unitShift + 8)) return null;
  // The context of the large segments names no suballocators: all its ranges are plain pages.
  const near = (at: HeapAddress): boolean => at === 0 || (at > heap && at < heap + 0x2000);
  if (firstDescriptor === 0 || !near(lfhContext) || !near(vsContext)) return null;
  return { address, segmentSize, unitShift, firstDescriptor, lfhContext, vsContext, segmentCount };
}

/** The segments of a heap: where each begins and which context (an index into `heap.contexts`) has it. */
export interface SegmentList {
  readonly address: readonly HeapAddress[];
  readonly context: readonly number[];
}

/** Follows the lists of segments from both sides. Where a list is broken, `counts` says so, and what both sides reach is given. */
export function listSegments(
  reader: PointerReader,
  heap: SegmentHeap,
  counts: HeapCounts,
): { readonly address: HeapAddress[]; readonly context: number[] } {
  const address: number[] = [];
  const context: number[] = [];
  heap.contexts.forEach((one, index) => {
    counts.segmentsExpected += Math.min(one.segmentCount, MOST_SEGMENTS);
    const head = one.address + heap.shape.segContext.segmentListHead;
    const seen = new AddressSet();
    const follow = (link: number): boolean => {
      let at = reader.pointer(head + link);
      let before = head;
      while (at !== null && at !== head) {
        if (lowWord(at) % one.segmentSize !== 0 || at === 0) {
          counts.segmentsCorrupt++;
          return false;
        }
        if (address.length >= MOST_SEGMENTS || !seen.add(at)) return false;
        address.push(at);
        context.push(index);
        // The link back must name where we come from, else this is no member, or the one before is not.
        const back = reader.pointer(at + reader.pointerSize - link);
        if (back !== null && back !== before) counts.segmentsCorrupt++;
        before = at;
        at = reader.pointer(at + link);
      }
      return at === head;
    };
    if (follow(0)) return;
    counts.listsBroken++;
    follow(reader.pointerSize);
  });
  return { address, context };
}
