/** Offsets of each generation of the segment heap, from the reference. The product has its own. */

export type SegmentFamily = 'x64-17763' | 'x64-20348' | 'x64-26100' | 'x64-26100.4061' | 'x86-18362';

export interface SegmentOffsets {
  readonly pointer: 4 | 8;
  readonly signature: number;
  readonly largeTree: number;
  readonly largeCommitted: number;
  readonly contexts: number;
  readonly contextBytes: number;
  readonly vsContext: number;
  readonly lfhContext: number;
  readonly vsConfig: number;
  /** Of a segment: its signature, bytes of a descriptor, first descriptor of small segments, and whether the constant is used. */
  readonly segmentSignature: number;
  readonly descriptor: number;
  readonly first: number;
  readonly constant: boolean;
  readonly flags: number;
  readonly unitSize: number;
  readonly unitOffset: number;
  readonly vs: {
    readonly commit: number;
    readonly size: number;
    readonly signature: number;
    readonly slot: number | null;
    readonly first: number;
    readonly unit: number;
  };
  readonly lfh: {
    readonly free: number;
    readonly count: number;
    readonly withheld: number;
    readonly offsets: number;
    readonly bitmap: number;
    readonly split: boolean;
  };
}

const X64: SegmentOffsets = {
  pointer: 8,
  signature: 0x10,
  largeTree: 0x48,
  largeCommitted: 0x60,
  contexts: 0x100,
  contextBytes: 0xc0,
  vsContext: 0x280,
  lfhContext: 0x340,
  vsConfig: 0xb0,
  segmentSignature: 0x10,
  descriptor: 0x20,
  first: 2,
  constant: true,
  flags: 0x18,
  unitSize: 0x1f,
  unitOffset: 0x1f,
  vs: { commit: 0x10, size: 0x20, signature: 0x22, slot: null, first: 0x30, unit: 16 },
  lfh: { free: 0x20, count: 0x22, withheld: 0x27, offsets: 0x28, bitmap: 0x30, split: false },
};
const X64_20348: SegmentOffsets = { ...X64, contexts: 0x140, vsContext: 0x2c0, lfhContext: 0x380 };
const X64_26100: SegmentOffsets = {
  ...X64_20348,
  constant: false,
  unitOffset: 0x1a,
  vsConfig: 0xb8,
  lfh: { free: 0x20, count: 0x22, withheld: 0x25, offsets: 0x28, bitmap: 0x40, split: true },
};

export const SEGMENT_OFFSETS: Record<SegmentFamily, SegmentOffsets> = {
  'x64-17763': X64,
  'x64-20348': X64_20348,
  'x64-26100': X64_26100,
  'x64-26100.4061': {
    ...X64_26100,
    lfhContext: 0x340,
    vsConfig: 4,
    vs: { ...X64_26100.vs, signature: 0x24, slot: 0x22 },
  },
  'x86-18362': {
    pointer: 4,
    signature: 8,
    largeTree: 0x44,
    largeCommitted: 0x50,
    contexts: 0x100,
    contextBytes: 0x80,
    vsContext: 0x200,
    lfhContext: 0x2c0,
    vsConfig: 0x98,
    segmentSignature: 8,
    descriptor: 0x10,
    first: 1,
    constant: true,
    flags: 0xc,
    unitSize: 0xf,
    unitOffset: 0xf,
    vs: { commit: 8, size: 0x14, signature: 0x16, slot: null, first: 0x18, unit: 8 },
    lfh: { free: 0x10, count: 0x12, withheld: 0x17, offsets: 0x18, bitmap: 0x20, split: false },
  },
};
