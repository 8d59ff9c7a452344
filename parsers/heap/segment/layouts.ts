/**
 * Where things stand in a segment heap, as data: one table of generations. Which one a heap is, is never told by a build
 * number but by what decodes (`prove.ts`). Offsets in bytes; the names are those of the PDBs. Sources: public symbols of x64
 * kernels 17763 to 26200, x86 18362 to 19045, ARM64 26100 (which is as x64); see docs/pool-blocks.md for what was run on
 * real memory.
 */

/** Signature of a _SEGMENT_HEAP. */
export const HEAP_SIGNATURE = 0xddeeddee;
/** TreeSignature of the first descriptor of a range that is allocated. */
export const RANGE_SIGNATURE = 0xccddccdd;
/** Signature ^ Size of a _HEAP_VS_SUBSEGMENT, in its low 15 bits. */
export const VS_SIGNATURE = 0x2bed;
/** Each half of the constant in the signature of a segment, before 26100. */
export const SEGMENT_CONSTANT = 0xa2e64ead;
/** Descriptors of a segment. */
export const DESCRIPTORS = 256;

/** RangeFlags of the first unit of a range. */
export const RANGE_ALLOCATED = 1;
export const RANGE_FIRST = 2;
export const RANGE_PAGES = 0x03;
export const RANGE_LFH = 0x0b;
export const RANGE_VS = 0x0f;

/** What is the same in all generations of one pointer size. */
export interface HeapShape {
  readonly pointerSize: 4 | 8;
  readonly heap: {
    readonly signature: number;
    readonly largeAllocMetadata: number;
    readonly largeReservedPages: number;
    readonly largeCommittedPages: number;
    readonly memStats: number;
  };
  readonly segContext: {
    readonly size: number;
    readonly segmentMask: number;
    readonly unitShift: number;
    readonly firstDescriptorIndex: number;
    readonly maxAllocationSize: number;
    readonly lfhContext: number;
    readonly vsContext: number;
    readonly heap: number;
    readonly segmentListHead: number;
    readonly segmentCount: number;
  };
  readonly segment: { readonly signature: number };
  readonly descriptor: {
    readonly size: number;
    readonly treeSignature: number;
    readonly unusedBytes: number;
    readonly rangeFlags: number;
    /** Bits of RangeFlags in its byte. */
    readonly flagBits: number;
    readonly unitSize: number;
  };
  readonly vs: {
    readonly commitBitmap: number;
    readonly size: number;
    /** Where the first chunk stands in its subsegment. */
    readonly firstChunk: number;
    /** Bytes of a chunk header, which is also the unit of sizes. */
    readonly header: number;
  };
  readonly large: { readonly virtualAddress: number; readonly allocatedPages: number };
}

const SHAPE_64: HeapShape = {
  pointerSize: 8,
  heap: {
    signature: 0x10,
    largeAllocMetadata: 0x48,
    largeReservedPages: 0x58,
    largeCommittedPages: 0x60,
    memStats: 0x80,
  },
  segContext: {
    size: 0xc0,
    segmentMask: 0,
    unitShift: 8,
    firstDescriptorIndex: 0xa,
    maxAllocationSize: 0x10,
    lfhContext: 0x18,
    vsContext: 0x20,
    heap: 0x38,
    segmentListHead: 0x48,
    segmentCount: 0x58,
  },
  segment: { signature: 0x10 },
  descriptor: { size: 0x20, treeSignature: 0, unusedBytes: 4, rangeFlags: 0x18, flagBits: 0xff, unitSize: 0x1f },
  vs: { commitBitmap: 0x10, size: 0x20, firstChunk: 0x30, header: 0x10 },
  large: { virtualAddress: 0x18, allocatedPages: 0x20 },
};

const SHAPE_32: HeapShape = {
  pointerSize: 4,
  heap: { signature: 8, largeAllocMetadata: 0x44, largeReservedPages: 0x4c, largeCommittedPages: 0x50, memStats: 0x80 },
  segContext: {
    size: 0x80,
    segmentMask: 0,
    unitShift: 4,
    firstDescriptorIndex: 6,
    maxAllocationSize: 0xc,
    lfhContext: 0x14,
    vsContext: 0x18,
    heap: 0x24,
    segmentListHead: 0x44,
    segmentCount: 0x4c,
  },
  segment: { signature: 8 },
  descriptor: { size: 0x10, treeSignature: 0, unusedBytes: 4, rangeFlags: 0xc, flagBits: 0x1f, unitSize: 0xf },
  vs: { commitBitmap: 8, size: 0x14, firstChunk: 0x18, header: 8 },
  large: { virtualAddress: 0xc, allocatedPages: 0x10 },
};

/** One generation. */
export interface HeapLayout {
  /** For reports: the builds that were seen to have it. */
  readonly name: string;
  readonly shape: HeapShape;
  /** _SEGMENT_HEAP.SegContexts. */
  readonly segContexts: number;
  /** _SEGMENT_HEAP.UserContext: a record of the heap manager, where there is one. */
  readonly userContext: number;
  /** Whether the signature of a segment takes the constant. */
  readonly segmentConstant: boolean;
  /** _HEAP_PAGE_RANGE_DESCRIPTOR.UnitOffset, of units that are not the first. */
  readonly unitOffset: number;
  /** _HEAP_VS_CONTEXT.Config, whose bit 0 is PageAlignLargeAllocs. */
  readonly vsConfig: number;
  /** Where Signature stands in a _HEAP_VS_SUBSEGMENT. */
  readonly vsSignature: number;
  /** Lists of chunks that wait to be freed: one in the context, or one a slot, named by OwnerSlotRef (units of 0x40). */
  readonly vsDelayFree:
    | { readonly in: 'context'; readonly list: number }
    | {
        readonly in: 'slots';
        readonly ownerSlotRef: number;
        readonly list: number;
        readonly slotMapRef: number;
        readonly affinityMask: number;
      };
  readonly lfh: LfhLayout;
}

/** _HEAP_LFH_SUBSEGMENT. */
export interface LfhLayout {
  readonly blockCount: number;
  readonly freeCount: number;
  readonly witheldBlockCount: number;
  readonly blockOffsets: number;
  readonly blockBitmap: number;
  /** `pairs`: two bits a block. `split`: words of 64 bits, of which the low half is busy bits, the high one unused-byte bits. */
  readonly bitmap: 'pairs' | 'split';
  /** What BlockOffsets is encoded by beside the key: the low word shifted, or the low word of the shifted address. */
  readonly mask: 'low' | 'full';
  /** DelayFreeList and DelayFreeCount, where freed blocks stay busy on such a list. */
  readonly delayFree: number | null;
  /** The byte whose bit 0 is PrivateFormat, where there is one. */
  readonly privateFormat: number | null;
  /** Bits of the unused-byte count at the end of a block. */
  readonly unusedBits: number;
}

const LFH_PAIRS_64: LfhLayout = {
  freeCount: 0x20,
  blockCount: 0x22,
  witheldBlockCount: 0x27,
  blockOffsets: 0x28,
  blockBitmap: 0x30,
  bitmap: 'pairs',
  mask: 'low',
  delayFree: null,
  privateFormat: null,
  unusedBits: 0x3fff,
};

const LFH_SPLIT_64: LfhLayout = {
  freeCount: 0x20,
  blockCount: 0x22,
  witheldBlockCount: 0x25,
  blockOffsets: 0x28,
  blockBitmap: 0x40,
  bitmap: 'split',
  mask: 'full',
  delayFree: 0x10,
  privateFormat: 0x33,
  unusedBits: 0x3ff,
};

const LFH_PAIRS_32: LfhLayout = {
  freeCount: 0x10,
  blockCount: 0x12,
  witheldBlockCount: 0x17,
  blockOffsets: 0x18,
  blockBitmap: 0x20,
  bitmap: 'pairs',
  mask: 'low',
  delayFree: null,
  privateFormat: null,
  unusedBits: 0x3fff,
};

/** Every generation. A new one is one more row. */
export const HEAP_LAYOUTS: readonly HeapLayout[] = [
  {
    name: 'x64 17763 to 19045',
    shape: SHAPE_64,
    segContexts: 0x100,
    userContext: 0x28,
    segmentConstant: true,
    unitOffset: 0x1f,
    vsConfig: 0xb0,
    vsSignature: 0x22,
    vsDelayFree: { in: 'context', list: 0x40 },
    lfh: LFH_PAIRS_64,
  },
  {
    name: 'x64 20348 to 22631',
    shape: SHAPE_64,
    segContexts: 0x140,
    userContext: 0x28,
    segmentConstant: true,
    unitOffset: 0x1f,
    vsConfig: 0xb0,
    vsSignature: 0x22,
    vsDelayFree: { in: 'context', list: 0x40 },
    lfh: LFH_PAIRS_64,
  },
  {
    name: 'x64 and ARM64 26100 to 26100.2454',
    shape: SHAPE_64,
    segContexts: 0x140,
    userContext: 0x38,
    segmentConstant: false,
    unitOffset: 0x1a,
    vsConfig: 0xb8,
    vsSignature: 0x22,
    vsDelayFree: { in: 'context', list: 0x40 },
    lfh: LFH_SPLIT_64,
  },
  {
    name: 'x64 26100.4061 and later',
    shape: SHAPE_64,
    segContexts: 0x140,
    userContext: 0x38,
    segmentConstant: false,
    unitOffset: 0x1a,
    vsConfig: 4,
    vsSignature: 0x24,
    vsDelayFree: { in: 'slots', ownerSlotRef: 0x22, list: 0x40, slotMapRef: 0, affinityMask: 2 },
    lfh: LFH_SPLIT_64,
  },
  {
    name: 'x86 18362 to 19045',
    shape: SHAPE_32,
    segContexts: 0x100,
    userContext: 0x1c,
    segmentConstant: true,
    unitOffset: 0xf,
    vsConfig: 0x98,
    vsSignature: 0x16,
    vsDelayFree: { in: 'context', list: 0x40 },
    lfh: LFH_PAIRS_32,
  },
];
