/** The kernel's globals that belong to no other subject: version strings, processor count, debugger data, shared data. */

import { canonical, getU64, type Va } from './bytes.js';
import { buildLab } from './build-labs.js';
import { encodeKdbg, kdbgBlock, kdbgSize, versionBlock, type KdbgFacts } from './kdbg.js';
import { rvaOf, type KernelFacts } from './kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { TableStyle } from './page-tables.js';
import type { MemoryRun } from './physical-memory.js';
import type { Prng } from './prng.js';
import type { Scenario } from './scenario.js';
import type { Truth } from './truth.js';

export interface SystemFacts {
  style: TableStyle;
  processors: number;
  runs: readonly MemoryRun[];
  physicalPages: number;
  productType: number;
  suiteMask: number;
  systemTime: bigint;
  upTime: bigint;
  halBase: Va;
}

/** Writes them, and the debugger block as the scenario wants it. Gives the block's truth and its clear text. */
export function writeSystemGlobals(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  facts: SystemFacts,
  kdbg: Scenario['kdbg'],
  random: Prng,
): { truth: Truth['kdbg']; block: Uint8Array } {
  const at = (symbol: string): Va => base + rvaOf(kernel, symbol);
  space.ascii(at('NtBuildLab'), buildLab(kernel.build));
  space.ascii(at('NtBuildLabEx'), buildLab(kernel.build));
  space.u32(at('NtBuildNumber'), 0xf0000000 + kernel.build);
  space.u32(at('CmNtCSDVersion'), kernel.build === 7601 ? 0x100 : 0);
  space.u32(at('KeNumberProcessors'), facts.processors);
  space.u32(at('KeMaximumProcessors'), Math.max(64, facts.processors));
  space.u32(at('KeTimeIncrement'), 156250);
  space.pointer(at('PsNtosImageBase'), base);
  space.pointer(at('PsHalImageBase'), facts.halBase);
  space.pointer(at('MmPfnDatabase'), space.plan.pfnDatabase);
  space.pointer(at('MmSystemRangeStart'), 0x8000_0000_0000);
  space.u64(at('MmHighestUserAddress'), 0x7fff_fffe_ffffn);
  const pteBase = kernel.rva['MmPteBase'];
  if (pteBase !== undefined) space.pointer(base + pteBase, space.plan.pteBase);
  writePhysicalMemoryBlock(space, at('MmPhysicalMemoryBlock'), facts);
  writeSharedUserData(space, kernel, facts);

  const waitNever = getU64(random.bytes(8), 0);
  const waitAlways = getU64(random.bytes(8), 0);
  space.u64(at('KiWaitNever'), waitNever);
  space.u64(at('KiWaitAlways'), waitAlways);
  const listHead = space.allocate('nonPagedPool', 16);
  const address = at('KdDebuggerDataBlock');
  space.pointer(listHead, address);
  space.pointer(listHead + 8, address);
  const block = kdbg?.size ?? kdbgSize(kernel.build);
  const blockFacts: KdbgFacts = { base, listHead, pteBase: space.plan.pteBase, size: block, style: facts.style };
  const clear = kdbgBlock(kernel, blockFacts);
  const flag = at('KdpDataBlockEncoded');
  const encoded = kdbg?.encoded ?? false;
  space.write(flag, Uint8Array.of(encoded ? 1 : 0));
  if (kdbg?.absent !== true) space.write(address, encoded ? encodeKdbg(clear, waitNever, waitAlways, flag) : clear);
  space.write(at('KdVersionBlock'), versionBlock(kernel, blockFacts));
  return { truth: { address: canonical(address), size: block, encoded }, block: clear };
}

/** `MmPhysicalMemoryBlock` points at a `_PHYSICAL_MEMORY_DESCRIPTOR`. */
function writePhysicalMemoryBlock(space: KernelSpace, variable: Va, facts: SystemFacts): void {
  const block = space.allocate('nonPagedPool', 16 + facts.runs.length * 16);
  space.u32(block, facts.runs.length);
  space.u64(block + 8, facts.physicalPages);
  facts.runs.forEach((run, i) => {
    space.u64(block + 16 + i * 16, run.basePage);
    space.u64(block + 24 + i * 16, run.pageCount);
  });
  space.pointer(variable, block);
}

/** The page at 0xFFFFF780`00000000 that every process sees. */
function writeSharedUserData(space: KernelSpace, kernel: KernelFacts, facts: SystemFacts): void {
  const page = space.plan.sharedUserData;
  space.mapPage(page, space.memory.allocate());
  space.u64(page + 0x08, facts.upTime);
  space.u64(page + 0x14, facts.systemTime);
  const [major = 10, minor = 0] = kernel.version.split('.').map(Number);
  if (kernel.build >= 10240) space.u32(page + 0x260, kernel.build);
  space.u32(page + 0x264, facts.productType);
  space.u32(page + 0x26c, major);
  space.u32(page + 0x270, minor);
  space.u32(page + 0x2d0, facts.suiteMask);
  space.u32(page + 0x2e8, facts.physicalPages);
}
