/** The kernel's globals that belong to no other subject: version strings, processor count, debugger data, shared data. */

import { canonical, getU64, type Va } from '../bytes.js';
import { buildLab } from './build-labs.js';
import { encodeKdbg, kdbgBlock, kdbgSize, versionBlock, type KdbgFacts } from './kdbg.js';
import { rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { TableStyle } from './page-tables.js';
import type { MemoryRun } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import type { Scenario } from '../scenario.js';
import type { Truth } from '../truth.js';

/** `CmNtCSDVersion` by build, or by build and revision: the service pack in the second byte. */
const SERVICE_PACKS: Readonly<Record<string, number>> = {
  '2195.7376': 0x400, '2600.5512': 0x300, '3790.3959': 0x200, '6002.18005': 0x200, 7601: 0x100,
}; // prettier-ignore

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
  /** Threads have stacks, processors run some. */
  threads: boolean;
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
  const put = (symbol: string, write: (address: Va) => void): void => {
    if (symbol in kernel.rva) write(at(symbol));
  };
  const u32 = (symbol: string, value: number): void => {
    put(symbol, (a) => {
      space.u32(a, value);
    });
  };
  const pointer = (symbol: string, target: Va): void => {
    put(symbol, (a) => {
      space.pointer(a, target);
    });
  };
  const narrow = space.width === 4;
  for (const name of ['NtBuildLab', 'NtBuildLabEx']) {
    put(name, (a) => {
      space.ascii(a, buildLab(kernel.build, narrow));
    });
  }
  u32('NtBuildNumber', 0xf0000000 + kernel.build);
  u32(
    'CmNtCSDVersion',
    SERVICE_PACKS[kernel.version.split('.').slice(2).join('.')] ?? SERVICE_PACKS[kernel.build] ?? 0,
  );
  u32('KeNumberProcessors', facts.processors);
  u32('KeMaximumProcessors', Math.max(64, facts.processors));
  u32('KeTimeIncrement', 156250);
  pointer('PsNtosImageBase', base);
  pointer('PsHalImageBase', facts.halBase);
  pointer('MmPfnDatabase', space.plan.pfnDatabase);
  pointer('MmSystemRangeStart', narrow ? 0x8000_0000 : 0x8000_0000_0000);
  space.word(at('MmHighestUserAddress'), narrow ? 0x7ffe_ffffn : 0x7fff_fffe_ffffn);
  pointer('MmPteBase', space.plan.pteBase);
  pointer('MmPagedPoolStart', space.plan.pagedPool);
  pointer('MmPagedPoolEnd', space.plan.pagedPool + 0x0fff_ffff);
  writePhysicalMemoryBlock(space, at('MmPhysicalMemoryBlock'), facts);
  writeSharedUserData(space, kernel, facts);

  const waitNever = getU64(random.bytes(8), 0);
  const waitAlways = getU64(random.bytes(8), 0);
  if (!narrow) {
    space.u64(at('KiWaitNever'), waitNever);
    space.u64(at('KiWaitAlways'), waitAlways);
  }
  const listHead = space.allocate('nonPagedPool', 16);
  const address = at('KdDebuggerDataBlock');
  space.pointer(listHead, address);
  space.pointer(listHead + space.width, address);
  const block = kdbg?.size ?? kdbgSize(kernel.build);
  const blockFacts: KdbgFacts = {
    ...{ base, listHead, pteBase: space.plan.pteBase, size: block, style: facts.style },
    ...{ signExtended: kdbg?.signExtended ?? false, threads: facts.threads },
  };
  const clear = kdbgBlock(kernel, blockFacts);
  const encoded = kdbg?.encoded ?? false;
  const flag = narrow ? 0 : at('KdpDataBlockEncoded');
  if (!narrow) space.write(flag, Uint8Array.of(encoded ? 1 : 0));
  if (kdbg?.absent !== true) space.write(address, encoded ? encodeKdbg(clear, waitNever, waitAlways, flag) : clear);
  space.write(at('KdVersionBlock'), versionBlock(kernel, blockFacts));
  return { truth: { address: canonical(address), size: block, encoded }, block: clear };
}

/** `MmPhysicalMemoryBlock` points at a `_PHYSICAL_MEMORY_DESCRIPTOR`. */
function writePhysicalMemoryBlock(space: KernelSpace, variable: Va, facts: SystemFacts): void {
  const { width } = space;
  const block = space.allocate('nonPagedPool', (2 + facts.runs.length * 2) * width);
  space.u32(block, facts.runs.length);
  space.word(block + width, facts.physicalPages);
  facts.runs.forEach((run, i) => {
    space.word(block + (2 + i * 2) * width, run.basePage);
    space.word(block + (3 + i * 2) * width, run.pageCount);
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
