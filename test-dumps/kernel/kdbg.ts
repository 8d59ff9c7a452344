/**
 * The debugger data block, KDDEBUGGER_DATA64: size and contents by build, plain or encoded, and KdVersionBlock beside it.
 * Most fields hold the address of a global; from Windows 10 on the memory manager's are null.
 */

import { canonical, getU32, getU64, latin1, putU16, putU32, putU64, putVa, type Va } from '../bytes.js';
import { offsetOf, pebOffset, rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { TableStyle } from './page-tables.js';

/** Bytes of the block in each build's kernel. */
export function kdbgSize(build: number): number {
  if (build < 2600) return 0x270;
  if (build < 3790) return 0x290;
  if (build < 6000) return 0x318;
  if (build < 7600) return build === 6000 ? 0x328 : 0x330;
  if (build <= 7601) return 0x340;
  if (build <= 10586) return 0x360;
  return build < 17763 ? 0x368 : 0x380;
}

/** Offsets of the fields that hold the address of the global of the same name, in every generation. */
const GLOBALS: readonly (readonly [offset: number, symbol: string])[] = [
  [0x048, 'PsLoadedModuleList'],
  [0x050, 'PsActiveProcessHead'],
  [0x058, 'PspCidTable'],
  [0x078, 'KeTimeIncrement'],
  [0x080, 'KeBugCheckCallbackListHead'],
  [0x098, 'ObpRootDirectoryObject'],
  [0x0a0, 'ObpTypeObjectType'],
  [0x0c0, 'MmPfnDatabase'],
  [0x140, 'MmSizeOfPagedPoolInBytes'],
  [0x1b8, 'PoolTrackTable'],
  [0x1c8, 'MmHighestUserAddress'],
  [0x1d0, 'MmSystemRangeStart'],
  [0x1e0, 'KdPrintCircularBuffer'],
  [0x208, 'NtBuildLab'],
  [0x218, 'KiProcessorBlock'],
  [0x220, 'MmUnloadedDrivers'],
  [0x228, 'MmLastUnloadedDriver'],
  [0x230, 'VerifierTriageActionTaken'],
  [0x238, 'MmSpecialPoolTag'],
  [0x248, 'MmVerifierData'],
  [0x268, 'CmNtCSDVersion'],
  [0x270, 'MmPhysicalMemoryBlock'],
  [0x308, 'IopNumTriageDumpDataBlocks'],
  [0x310, 'IopTriageDumpDataBlocks'],
];

/** The same, but null from Windows 10 on. */
const OLD_GLOBALS: readonly (readonly [offset: number, symbol: string])[] = [
  [0x068, 'ExpPagedPoolDescriptor'],
  [0x070, 'ExpNumberOfPagedPools'],
  [0x0e0, 'MmNumberOfPagingFiles'],
  [0x120, 'MmPagedPoolStart'],
  [0x128, 'MmPagedPoolEnd'],
  [0x0e8, 'MmLowestPhysicalPage'],
  [0x0f0, 'MmHighestPhysicalPage'],
  [0x0f8, 'MmNumberOfPhysicalPages'],
  [0x100, 'MmMaximumNonPagedPoolInBytes'],
  [0x130, 'MmPagedPoolInfo'],
  [0x148, 'MmTotalCommitLimit'],
  [0x150, 'MmTotalCommittedPages'],
  [0x158, 'MmSharedCommit'],
  [0x160, 'MmDriverCommit'],
  [0x168, 'MmProcessCommit'],
  [0x170, 'MmPagedPoolCommit'],
  [0x180, 'MmZeroedPageListHead'],
  [0x188, 'MmFreePageListHead'],
  [0x190, 'MmStandbyPageListHead'],
  [0x198, 'MmModifiedPageListHead'],
  [0x1a0, 'MmModifiedNoWritePageListHead'],
  [0x1a8, 'MmAvailablePages'],
  [0x1b0, 'MmResidentAvailablePages'],
  [0x1c0, 'NonPagedPoolDescriptor'],
  [0x250, 'MmAllocatedNonPagedPool'],
  [0x258, 'MmPeakCommitment'],
  [0x260, 'MmTotalCommitLimitMaximum'],
];

export interface KdbgFacts {
  base: Va;
  /** Where the list of debugger blocks begins: any two spare pointers. */
  listHead: Va;
  pteBase: Va;
  size: number;
  style: TableStyle;
  /** 32-bit kernels may fill the upper half of their 64-bit fields with the sign. */
  signExtended?: boolean;
  /** Offsets of fields of `_KTHREAD` and `_KPRCB` are filled in too. */
  threads?: boolean;
}

/** Flags at 0x36: PaeEnabled (always on x64) in bit 0, PagingLevels in bits 2 to 5, which x64 fills in from 22000 on only. */
function flags(kernel: KernelFacts, { architecture, levels }: TableStyle): number {
  if (architecture === 'arm64') return levels << 2;
  if (architecture === 'x86') return levels === 3 ? 1 : 0;
  return kernel.build >= 22000 ? (levels << 2) | 1 : 1;
}

/** The block in clear. */
export function kdbgBlock(kernel: KernelFacts, facts: KdbgFacts): Uint8Array {
  const { base, size } = facts;
  const full = new Uint8Array(Math.max(size, 0x400));
  const old = kernel.build < 10240;
  putVa(full, 0x00, facts.listHead);
  putVa(full, 0x08, facts.listHead);
  full.set(latin1('KDBG'), 0x10);
  putU32(full, 0x14, size);
  putVa(full, 0x18, base);
  putVa(full, 0x20, base + 0x1_4a40);
  putU16(full, 0x36, flags(kernel, facts.style));
  putVa(full, 0x38, base + 0x1_5c00);
  putU64(full, 0x138, 0x1000);
  for (const [at, symbol] of old ? [...GLOBALS, ...OLD_GLOBALS] : GLOBALS) {
    const rva = kernel.rva[symbol];
    if (rva !== undefined) putVa(full, at, base + rva);
  }
  if (!old) {
    // Not the paged-pool commitment any more: this is where newer kernels count failed system PTEs.
    const state = base + rvaOf(kernel, 'MiState') + offsetOf(kernel, '_MI_SYSTEM_INFORMATION', 'Vs');
    const ptes = state + offsetOf(kernel, '_MI_VISIBLE_STATE', 'SystemPteInfo');
    putVa(full, 0x170, ptes + offsetOf(kernel, '_MI_SYSTEM_PTE_TYPE', 'PteFailures'));
  }
  putU16(full, 0x2a8, kernel.structs['_EPROCESS']?.size ?? 0);
  putU16(full, 0x2aa, pebOffset(kernel));
  putU16(full, 0x2ac, kernel.structs['_EPROCESS']?.fields['InheritedFromUniqueProcessId'] ?? 0);
  putU16(full, 0x2ae, offsetOf(kernel, '_KPROCESS', 'DirectoryTableBase'));
  putU16(full, 0x2b4, 8);
  putU16(full, 0x2be, 0x24);
  putU16(full, 0x2c0, kernel.structs['_ETHREAD']?.size ?? 0);
  putU16(full, 0x2f4, 0x10);
  putU16(full, 0x2f6, 0x18);
  if (facts.threads === true) putThreadOffsets(full, kernel, facts.style);
  if (size >= 0x368) putVa(full, 0x360, facts.pteBase);
  if (facts.signExtended === true) signExtend(full);
  return full.slice(0, size);
}

/** Where this builder has the registers in `_KPRCB`, and the number of the processor. */
export const PRCB = { context: 0x140, number: 0x24, size: 0x800 } as const;

/** 16-bit offsets that debuggers find threads and processors by. */
function putThreadOffsets(full: Uint8Array, kernel: KernelFacts, { architecture }: TableStyle): void {
  const fields: readonly (readonly [at: number, field: string])[] = [
    [0x29a, 'Teb'], [0x29c, 'KernelStack'], [0x29e, 'InitialStack'], [0x2a2, 'State'],
  ]; // prettier-ignore
  for (const [at, field] of fields) putU16(full, at, kernel.structs['_KTHREAD']?.fields[field] ?? 0);
  const apcState = kernel.structs['_KTHREAD']?.fields['ApcState'] ?? 0;
  putU16(full, 0x2a0, apcState + (kernel.structs['_KAPC_STATE']?.fields['Process'] ?? 0));
  putU16(full, 0x2b4, architecture === 'x86' ? 4 : 8);
  putU16(full, 0x2bc, PRCB.context);
  putU16(full, 0x2be, PRCB.number);
}

/** Fields that hold a 32-bit kernel address get its sign; the others are left as they are. */
function signExtend(block: Uint8Array): void {
  for (const at of [0x00, 0x08, ...Array.from({ length: (0x290 - 0x18) / 8 }, (_, i) => 0x18 + i * 8)]) {
    if (getU32(block, at) >= 0x8000_0000 && getU32(block, at + 4) === 0) putU32(block, at + 4, 0xffff_ffff);
  }
}

const MASK = 0xffff_ffff_ffff_ffffn;

function swap(q: bigint): bigint {
  const bytes = new Uint8Array(8);
  putU64(bytes, 0, q);
  return getU64(bytes.reverse(), 0);
}

function rotateRight(q: bigint, by: bigint): bigint {
  const n = by % 64n;
  return ((q >> n) | (q << (64n - n))) & MASK;
}

/** Encodes the block as a running kernel keeps it: the inverse, step by step, of what a debugger does to decode it. */
export function encodeKdbg(block: Uint8Array, waitNever: bigint, waitAlways: bigint, encodedFlag: Va): Uint8Array {
  const out = block.slice();
  for (let at = 0; at + 8 <= out.length; at += 8) {
    let q = getU64(block, at) ^ waitAlways;
    q = swap(q) ^ canonical(encodedFlag);
    putU64(out, at, rotateRight(q, waitNever & 0xffn) ^ waitNever);
  }
  return out;
}

const MACHINES = { x64: 0x8664, arm64: 0xaa64, x86: 0x14c } as const;

/** DBGKD_GET_VERSION64: 0x28 bytes. */
export function versionBlock(kernel: KernelFacts, facts: KdbgFacts): Uint8Array {
  const out = new Uint8Array(0x28);
  putU16(out, 0, 0xf);
  putU16(out, 2, kernel.build);
  out[4] = 6;
  putU16(out, 6, 0x47);
  putU16(out, 8, MACHINES[facts.style.architecture]);
  putVa(out, 0x10, facts.base);
  putVa(out, 0x18, facts.base + rvaOf(kernel, 'PsLoadedModuleList'));
  putVa(out, 0x20, facts.listHead);
  return out;
}
