/** Globals and layouts of the pool in kernels that blocks are built for: ExPoolState and what stands in it. */

import type { KernelFacts } from '../kernel-facts.js';
import type { Architecture } from '../scenario.js';

/** RVAs that the facts of kernels lack, from public symbols. */
const RVAS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  '10.0.14393.5582': { ExpPoolQuotaCookie: 0x3aa518, ExpPoolBigEntriesInUse: 0x3be100 },
  '10.0.17763.4644': {
    ExPoolState: 0x43f200,
    RtlpHpHeapGlobals: 0x40cfc0,
    ExpPoolQuotaCookie: 0x540630,
    ExpPoolBigEntriesInUse: 0x559100,
  },
  '10.0.18362.836': {
    ExPoolState: 0x46e140,
    RtlpHpHeapGlobals: 0x4387a0,
    ExpPoolQuotaCookie: 0x5748d8,
    ExpPoolBigEntriesInUse: 0x58d100,
  },
  '10.0.19041.388': {
    ExPoolState: 0xc545c0,
    RtlpHpHeapGlobals: 0xc1dcc0,
    ExpPoolQuotaCookie: 0xcfb9d0,
    ExpPoolBigEntriesInUse: 0xd22100,
  },
  '10.0.19041.804': {
    ExPoolState: 0xc54600,
    RtlpHpHeapGlobals: 0xc1dd60,
    ExpPoolQuotaCookie: 0xcfc9d0,
    ExpPoolBigEntriesInUse: 0xd23100,
  },
  '10.0.20348.2400': {
    ExPoolState: 0xc64f40,
    RtlpHpHeapGlobals: 0xc644c0,
    ExpPoolQuotaCookie: 0xd10e18,
    ExpPoolBigEntriesInUse: 0xd3b100,
  },
  '10.0.22000.2538': {
    ExPoolState: 0xc5b180,
    RtlpHpHeapGlobals: 0xc5a600,
    ExpPoolQuotaCookie: 0xd06e00,
    ExpPoolBigEntriesInUse: 0xd31100,
  },
  '6.1.7601.24540': { ExpPoolBigEntriesInUse: 0x2a01c0 },
  '6.3.9600.21620': { ExpPoolQuotaCookie: 0x34f4e0, ExpPoolBigEntriesInUse: 0x347200 },
};

/** Offsets in _EX_POOL_HEAP_MANAGER_STATE. */
export interface PoolStateOffsets {
  readonly numberOfPools: number;
  readonly poolNode: number;
}

/** By the first build that has them; x86 has its own, and ARM64, whose lines of cache are twice as long. */
export function poolStateOffsets({ build, pointerSize }: KernelFacts, architecture: Architecture): PoolStateOffsets {
  if (architecture === 'arm64' && build >= 26100) return { numberOfPools: 0x3910, poolNode: 0x3980 };
  if (pointerSize === 4) return { numberOfPools: 0x1c70, poolNode: 0x1c80 };
  if (build >= 26100) return { numberOfPools: 0x3910, poolNode: 0x3940 };
  if (build >= 20348) return { numberOfPools: 0x38e0, poolNode: 0x3900 };
  if (build >= 18362) return { numberOfPools: 0x38d0, poolNode: 0x3900 };
  return { numberOfPools: 0x30c8, poolNode: 0x3100 };
}

/** Bytes of one node; ARM64 has the largest ones. */
const NODE_BYTES = 0x4180;

/** The facts with the pool's globals: at their real places where those are known, else behind all others. */
export function poolKernel(kernel: KernelFacts, architecture: Architecture = 'x64'): KernelFacts {
  const rva: Record<string, number> = { ...kernel.rva, ...RVAS[kernel.version] };
  let next = Math.ceil((Math.max(kernel.lastRva, ...Object.values(rva)) + 0x100) / 0x100) * 0x100;
  const place = (name: string, size: number): void => {
    if (name in rva) return;
    rva[name] = next;
    next += Math.ceil(size / 0x40) * 0x40;
  };
  place('PoolBigPageTable', 8);
  place('PoolBigPageTableSize', 8);
  place('ExpPoolBigEntriesInUse', 4);
  if (kernel.build >= 9200) place('ExpPoolQuotaCookie', 8);
  if (kernel.build >= 17763) {
    place('RtlpHpHeapGlobals', 0x40);
    place('ExPoolState', 0);
    // Only what is written of it, so that the image's data reaches so far.
    rva['ExPoolStateNode0End'] =
      (rva['ExPoolState'] ?? 0) + poolStateOffsets(kernel, architecture).poolNode + NODE_BYTES;
  }
  return { ...kernel, lastRva: Math.max(next, ...Object.values(rva)), rva };
}
