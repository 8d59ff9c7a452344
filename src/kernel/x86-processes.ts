/**
 * The address spaces of a 32-bit system's processes. No layout of `_EPROCESS` is known for these kernels, but one place
 * tells itself: where a process keeps its directory table base, for that must map the kernel as the kernel's own does.
 */

import { physical, plus, type PhysicalAddress, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { walkList } from '../../parsers/kernel/structures.js';
import type { X86Memory } from '../../parsers/paging/x86.js';
import type { Kernel } from './open-kernel.js';

const MOST_PROCESSES = 100_000;
/** `_KPROCESS.DirectoryTableBase` on every 32-bit build; from 2003 on the debugger block says so too. */
const DIRECTORY_TABLE_BASE = 0x18;
/** Where `_EPROCESS.ActiveProcessLinks` may stand, from 2195 (0xA0) to 19045. */
const FIRST_LINKS = 0x40;
const LAST_LINKS = 0x200;
/** Processes of which one must prove it: the first is the system process. */
const PROBES = 4;

/** The distinct address spaces of all processes whose page tables are in the dump; empty where nothing proves them. */
export function processSpaces(kernel: Kernel, memory: X86Memory): X86Memory[] {
  const head = kernel.symbols?.address('PsActiveProcessHead')?.value ?? kernel.dump.header.psActiveProcessHead;
  const landmark = kernel.image?.base ?? head;
  if (head === null || landmark === null) return [];
  const home = memory.translate(landmark);
  if (failed(home)) return [];
  const inBlock = Number(kernel.debuggerData?.value('OffsetEprocessDirectoryTableBase') ?? 0n);
  const base = inBlock === 0 ? DIRECTORY_TABLE_BASE : inBlock;
  const { entries } = walkList(memory, head, MOST_PROCESSES);
  const rootAt = (entry: VirtualAddress, links: number): PhysicalAddress | null => {
    const root = memory.readU32(plus(entry, base - links));
    if (failed(root) || root === 0 || root % (memory.options.pae ? 32 : 4096) !== 0) return null;
    return memory.rootedAt(physical(root)).translate(landmark) === home ? physical(root) : null;
  };
  for (let links = FIRST_LINKS; links <= LAST_LINKS; links += 4) {
    // Page tables of some processes may be missing; that a wrong place holds even one is out of the question.
    if (entries.slice(0, PROBES).every((entry) => rootAt(entry, links) === null)) continue;
    const roots = new Set(entries.map((entry) => rootAt(entry, links)).filter((root) => root !== null));
    return [...roots].map((root) => memory.rootedAt(root));
  }
  return [];
}
