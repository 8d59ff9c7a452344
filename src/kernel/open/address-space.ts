/**
 * The kernel's address space in a dump: which page tables translate the addresses that the header gives. Normally those
 * at the header's own directory table base; where they do not, other places that know a base are tried.
 */

import { plus, virtual, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import { MACHINE, zerosAtEnd, type Dump } from '../../../parsers/dump/open-dump.js';
import { PhysicalMemory } from '../../../parsers/dump/physical-memory.js';
import type { DebuggerData } from '../../../parsers/kernel/debugger-data.js';
import { Arm64Memory } from '../../../parsers/paging/arm64.js';
import { DEFAULT_OPTIONS } from '../../../parsers/paging/table-memory.js';
import type { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import { X64Memory } from '../../../parsers/paging/x64.js';
import { X86Memory } from '../../../parsers/paging/x86.js';
import type { KernelIdentity } from '../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../result/result.js';
import { otherTableBases } from '../find/find-table-base.js';

/** The ways in which a processor may read a top-level table, the usual one first. */
type Readings = (memory: PhysicalMemory, root: PhysicalAddress) => TranslatedMemory[];

function readingsOf(dump: Dump): Readings | null {
  const { machineImageType: machine, paeEnabled } = dump.header;
  switch (machine) {
    case MACHINE.AMD64:
      return (memory, root) => [
        new X64Memory(memory, root),
        new X64Memory(memory, root, { ...DEFAULT_OPTIONS, levels: 5 }),
      ];
    case MACHINE.ARM64:
      return (memory, root) => [new Arm64Memory(memory, root)];
    case MACHINE.I386:
      // The header's word on PAE first; it may be wrong.
      return (memory, root) =>
        [paeEnabled ?? true, !(paeEnabled ?? true)].map(
          (pae) => new X86Memory(memory, root, { pae, prototypes: 'unknown' }),
        );
    default:
      return null;
  }
}

/** The kernel's address space, or null with a warning that says why there is none. */
export function openAddressSpace(dump: Dump, warnings: Warning[]): TranslatedMemory | null {
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'dump', message });
  };
  const { pages, header } = dump;
  if (pages === null) return null;
  const readings = readingsOf(dump);
  if (readings === null) {
    warn(
      'processor-not-supported',
      'memory of this processor cannot be translated by this version: only the header is read',
    );
    return null;
  }
  const memory = new PhysicalMemory(dump.source, pages);
  const root = header.directoryTableBase;
  const own = root === null ? null : best(readings(memory, root), dump);
  // Without a list to test another base by, there is nothing better than the header's.
  const isTestable = header.psLoadedModuleList !== null || header.psActiveProcessHead !== null;
  if (own !== null && (own.score > 0 || !isTestable)) return own.memory;
  for (const other of otherTableBases(dump, memory)) {
    const found = best(readings(memory, other.root), dump);
    // Here chance must be ruled out: only a list that closes is proof.
    if (found === null || found.score < LIST_CLOSES) continue;
    const given = root === null ? 'The header holds no directory table base' : `The header's directory table base (${hex(root)}) translates nothing`; // prettier-ignore
    warn('directory-table-searched', `${given}; ${hex(other.root)} is used, from ${other.from}`);
    return found.memory;
  }
  if (own === null) {
    warn('no-directory-table', 'the header holds no directory table base, so virtual memory cannot be translated');
    return null;
  }
  warn(
    'directory-table-unusable',
    `the header's directory table base (${hex(root ?? 0)}) translates none of the kernel's addresses, and no other was found`,
  );
  const zeros = zerosAtEnd(dump.source);
  if (zeros > MUCH) {
    warn(
      'zeros-at-end',
      `only zeros stand in the last ${Math.floor(zeros * 100)} % of the file: it was probably not written or copied to its end`,
    );
  }
  return own.memory;
}

/** So much of a file at its end may be zeros by chance. */
const MUCH = 0.1;

/** What a module list whose links lead back is worth, over any number of single addresses. */
const LIST_CLOSES = 16;

/** The reading that translates most of what the header points at; the first that leads along a list is enough. */
function best(candidates: readonly TranslatedMemory[], dump: Dump): { memory: TranslatedMemory; score: number } | null {
  let chosen: { memory: TranslatedMemory; score: number } | null = null;
  for (const memory of candidates) {
    const score = judge(memory, dump);
    if (chosen === null || score > chosen.score) chosen = { memory, score };
    if (score >= LIST_CLOSES) break;
  }
  return chosen;
}

const SHARED_USER_DATA = virtual(0xfffff78000000000n);

function judge(memory: TranslatedMemory, dump: Dump): number {
  const { psLoadedModuleList, psActiveProcessHead, kdDebuggerDataBlock, pfnDataBase } = dump.header;
  let score = 0;
  for (const head of [psLoadedModuleList, psActiveProcessHead]) {
    if (head !== null && closes(memory, head)) score += LIST_CLOSES;
  }
  if (score > 0) return score;
  const known = [psLoadedModuleList, psActiveProcessHead, kdDebuggerDataBlock, pfnDataBase].filter((a) => a !== null);
  // The page that user mode shares is at the same address in every 64-bit system.
  for (const address of known.length > 0 ? known : [SHARED_USER_DATA]) {
    if (failed(memory.translate(address))) continue;
    score += failed(memory.readPointer(address)) ? 1 : 2;
  }
  return score;
}

/** A list's first entry links back to its head. */
function closes(memory: TranslatedMemory, head: VirtualAddress): boolean {
  const first = memory.readPointer(head);
  if (failed(first) || first === head || first === 0n) return false;
  const back = memory.readPointer(plus(first, memory.pointerSize));
  return !failed(back) && back === head;
}

/** The kernel that Windows starts where five levels of paging are on. */
const FIVE_LEVEL_KERNEL = /^ntkrla57\./i;

/** A warning where the kernel's own word, in its name or its debugger block, is not how its page tables are read. */
export function levelDoubt(memory: TranslatedMemory, identity: KernelIdentity, block: DebuggerData | null): Warning[] {
  if (!(memory instanceof X64Memory)) return [];
  const named = identity.pdb === null ? null : FIVE_LEVEL_KERNEL.test(identity.pdb.name) ? 5 : 4;
  const told = block?.pagingLevels ?? named;
  if (told === null || told === memory.levels) return [];
  return [
    {
      code: 'paging-levels',
      where: 'dump',
      message: `the kernel says that it uses ${told} levels of paging, but its page tables are read with ${memory.levels}`,
    },
  ];
}
