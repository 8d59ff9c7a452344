/**
 * The address spaces of processes where no layout of `_EPROCESS` is known (32-bit, ARM64, kernels without symbols). One
 * place tells itself: where a process keeps its directory table base, for that must map the kernel as the kernel's own
 * does.
 */

import { physical, plus, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { walkList } from '../../../parsers/kernel/structures.js';
import type { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import { X86Memory } from '../../../parsers/paging/x86.js';
import type { Kernel } from '../open/open-kernel.js';

const MOST_PROCESSES = 100_000;
/**
 * By pointer size: `_KPROCESS.DirectoryTableBase` on every build (from 2003 on the debugger block says so too), and
 * where `_EPROCESS.ActiveProcessLinks` may stand: 0xA0 (2195) to 0xE8 on x86, 0xE0 (3790) to 0x448 on x64 and ARM64.
 */
const PLACES = {
  4: { directoryTableBase: 0x18, firstLinks: 0x40, lastLinks: 0x200 },
  8: { directoryTableBase: 0x28, firstLinks: 0x80, lastLinks: 0x600 },
} as const;
/** Processes of which one must prove it: the first is the system process. */
const PROBES = 4;

/** A process, and the physical address of its top-level table. */
export interface ProcessPlace {
  /** Of its `_EPROCESS`. */
  readonly address: VirtualAddress;
  readonly root: PhysicalAddress;
}

/** The distinct address spaces of all processes whose page tables are in the dump; empty where nothing proves them. */
export function processSpaces(kernel: Kernel, memory: TranslatedMemory): TranslatedMemory[] {
  return processPlaces(kernel, memory).map(({ root }) => memory.rootedAt(root));
}

/** The same with the processes: the first of each address space. */
export function processPlaces(kernel: Kernel, memory: TranslatedMemory): ProcessPlace[] {
  const head = kernel.symbols?.address('PsActiveProcessHead')?.value ?? kernel.dump.header.psActiveProcessHead;
  const landmark = kernel.image?.base ?? head;
  if (head === null || landmark === null) return [];
  const home = memory.translate(landmark);
  if (failed(home)) return [];
  const { directoryTableBase, firstLinks, lastLinks } = PLACES[memory.pointerSize];
  const inBlock = Number(kernel.debuggerData?.value('OffsetEprocessDirectoryTableBase') ?? 0n);
  const base = inBlock === 0 ? directoryTableBase : inBlock;
  const { entries } = walkList(memory, head, MOST_PROCESSES);
  const rootAt = (entry: VirtualAddress, links: number): PhysicalAddress | null => {
    const stored = memory.readPointer(plus(entry, base - links));
    if (failed(stored) || stored === 0n) return null;
    const root = rootOf(memory, stored);
    return root !== null && memory.rootedAt(root).translate(landmark) === home ? root : null;
  };
  for (let links: number = firstLinks; links <= lastLinks; links += memory.pointerSize) {
    // Page tables of some processes may be missing; that a wrong place holds even one is out of the question.
    if (entries.slice(0, PROBES).every((entry) => rootAt(entry, links) === null)) continue;
    const places = new Map<PhysicalAddress, ProcessPlace>();
    for (const entry of entries) {
      const root = rootAt(entry, links);
      if (root !== null && !places.has(root)) places.set(root, { address: plus(entry, -links), root });
    }
    return [...places.values()];
  }
  return [];
}

/** The address of a table in a stored CR3: with PCID bits on 64-bit systems; null for what can be none. */
function rootOf(memory: TranslatedMemory, stored: bigint): PhysicalAddress | null {
  if (memory.pointerSize === 8) return stored >> 52n === 0n ? physical(Number(stored - (stored & 0xfffn))) : null;
  const unit = memory instanceof X86Memory && memory.options.pae ? 32n : 4096n;
  return stored % unit === 0n ? physical(Number(stored)) : null;
}
