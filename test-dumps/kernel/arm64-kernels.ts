/**
 * ARM64 kernels. Of 26100 the memory manager's own structures are published: their members stand elsewhere than on x64,
 * for cache lines have 128 bytes (reference: kernel-structures 6.3). Of other builds nothing but what is the same on both
 * is known, and the dump has x64's. Addresses are invented.
 */

import type { KernelFacts, StructFacts } from '../kernel-facts.js';

/** Sizes, and the members that stand elsewhere than on x64; null: not known to any reader. */
const MEMBERS: Readonly<Record<string, { size: number; fields: Readonly<Record<string, number | null>> }>> = {
  _MI_SYSTEM_INFORMATION: { size: 0xd680, fields: { Vs: 0xb800 } },
  _MI_PARTITION: { size: 0x6100, fields: { PageLists: 0xb80, Commit: 0x4280, Vp: 0x4a00 } },
  _MI_VISIBLE_PARTITION: {
    size: 0x1700,
    fields: {
      AvailablePages: 0x100,
      ResidentAvailablePages: 0x180,
      TotalCommittedPages: 0x480,
      ModifiedPageListHead: 0x580,
      ModifiedNoWritePageListHead: 0x600,
      TotalCommitLimit: 0x658,
      SharedCommit: 0x678,
      TotalPagesForPagingFile: null,
    },
  },
};
const CACHE_LINE = 128;

/** An x64 kernel's facts with what ARM64 has of its own. */
export function arm64Facts(kernel: KernelFacts): KernelFacts {
  const { build, structs, rva } = kernel;
  const [state, partition] = [rva['MiState'], rva['MiSystemPartition']];
  if (build < 26100 || state === undefined || partition === undefined) return kernel;
  const own: Record<string, StructFacts> = {};
  for (const [type, { size, fields }] of Object.entries(MEMBERS)) {
    const all = { ...structs[type]?.fields, ...fields };
    const known = Object.entries(all).filter((field): field is [string, number] => field[1] !== null);
    own[type] = { size, fields: Object.fromEntries(known) };
  }
  const end = state + (own['_MI_SYSTEM_INFORMATION']?.size ?? 0);
  const next = Math.ceil(Math.max(partition, end) / CACHE_LINE) * CACHE_LINE;
  return { ...kernel, rva: { ...rva, MiSystemPartition: next }, structs: { ...structs, ...own } };
}
