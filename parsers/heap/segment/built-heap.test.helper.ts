/** Built segment heaps of every generation, opened and proven. */

import { expect } from 'chai';
import { Prng } from '../../../test-dumps/prng.js';
import { HEADER_SIZES, type HeaderFamily } from '../../../test-dumps/pool-blocks/headers.js';
import { MemoryImage, type TrueBlock } from '../../../test-dumps/pool-blocks/image.js';
import { buildSegmentHeap, type SegmentHeapOptions } from '../../../test-dumps/pool-blocks/segment-heap.js';
import type { SegmentFamily } from '../../../test-dumps/pool-blocks/segment-layouts.js';
import { at, BuiltMemory } from '../built-memory.test.helper.js';
import { PointerReader, type HeapAddress } from '../memory.js';
import { POOL_HEADER_X64, POOL_HEADER_X86, type PoolHeaderLayout } from '../pool-header.js';
import { openSegmentHeap, type SegmentHeap } from './open.js';

export const FAMILIES: readonly SegmentFamily[] = [
  'x64-17763',
  'x64-20348',
  'x64-26100',
  'x64-26100.4061',
  'x86-18362',
];
export const TAGS = ['Leak', 'File', 'Irp ', 'NtfF', 'Thre', 'MmSt'];
export const PROCESSES = [0x8f00_1234_5080, 0x8f00_2222_1040, 0x8f01_0000_a0c0, 0x8f01_0100_3080, 0x8f02_0000_7040];

/** A built heap, and where its parts stand. */
export interface BuiltHeap {
  readonly image: MemoryImage;
  readonly memory: BuiltMemory;
  readonly blocks: TrueBlock[];
  readonly options: SegmentHeapOptions;
  readonly heapAt: HeapAddress;
  /** The pool header that walks must be told of; null for a plain heap. */
  readonly pool: PoolHeaderLayout | null;
  readonly headerBytes: number;
}

/** A heap with a random content. */
export function builtHeap(
  family: SegmentFamily,
  seed: number,
  changes: Partial<SegmentHeapOptions> & { readonly plain?: boolean } = {},
): BuiltHeap {
  const { plain = false, ...rest } = changes;
  const wide = family.startsWith('x64');
  const prng = new Prng(seed);
  const image = new MemoryImage(wide ? 8 : 4);
  const header: HeaderFamily | null = plain ? null : wide ? 'x64-nt6' : 'x86-nt6';
  const key = (): bigint => (BigInt(prng.u32()) << 32n) | BigInt(prng.u32());
  const options: SegmentHeapOptions = {
    family,
    header,
    heapAt: wide ? 0x9c8a_1230_0000 : 0x8530_0000,
    recordsAt: wide ? 0x9c8a_1400_0000 : 0x8540_0000,
    segmentsAt: wide ? 0x9c8b_fe00_0000 : 0x9100_0000,
    segments: 3,
    heapKey: wide ? key() : BigInt(prng.u32()),
    lfhKey: wide ? key() : BigInt(prng.u32()),
    tags: TAGS,
    paged: seed % 2 === 1,
    processes: PROCESSES,
    cookie: key(),
    pageAligned: !plain,
    withhold: seed % 3 === 0,
    large: seed % 6,
    ...rest,
  };
  const blocks = buildSegmentHeap(image, prng, options);
  return {
    image,
    memory: new BuiltMemory(image),
    blocks,
    options,
    heapAt: at(image, options.heapAt),
    pool: plain ? null : wide ? POOL_HEADER_X64 : POOL_HEADER_X86,
    headerBytes: header === null ? 0 : HEADER_SIZES[header].header,
  };
}

/** The heap of a build, opened. */
export function opened(built: BuiltHeap): SegmentHeap {
  const heap = openSegmentHeap(new PointerReader(built.memory), built.heapAt);
  expect(heap, 'the heap opens').to.not.equal(null);
  return heap!;
}
