/** What the readers of processes and objects start from, in one dump. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { TranslatedMemory } from '../../../parsers/paging/translated-memory.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { KernelArchitecture, KernelSymbols, Sourced } from '../../../symbols/kernel-symbols.js';
import type { Kernel } from '../open/open-kernel.js';

/** A kernel's memory and what is known of it without having read a process. */
export interface ObjectRoots {
  readonly memory: VirtualMemory;
  readonly symbols: Pick<KernelSymbols, 'address' | 'layout'>;
  readonly architecture: KernelArchitecture;
  readonly buildNumber: number;
  /** Levels of page tables; 5 changes how handle table entries are written. */
  readonly pagingLevels: number;
  /** `sizeof(_EPROCESS)` as the debugger block has it; null where it does not say. */
  readonly sizeOfProcess: number | null;
  /** Fields of `_EPROCESS` in bytes from its start, as the debugger block has them. */
  readonly knownOffsets: ReadonlyMap<string, number>;
  /** `_KPROCESS.DirectoryTableBase` in bytes from `_EPROCESS`, as the debugger block or the rule for its processor has it. */
  readonly directoryTableBase: number;
  /** `PsActiveProcessHead`. */
  readonly processListHead: Sourced<VirtualAddress> | null;
}

/** The roots of a dump; null where its memory cannot be addressed, as in triage dumps, which hold no lists. */
export function rootsOf(kernel: Kernel): ObjectRoots | null {
  return kernel.dump.triage === null ? rootsWithin(kernel) : null;
}

/** The same for whatever the dump holds: pieces of a triage dump, too. */
export function rootsWithin(kernel: Kernel): ObjectRoots | null {
  const { memory, symbols, identity, debuggerData, dump } = kernel;
  if (memory === null || symbols === null) return null;
  const fromHeader = dump.header.psActiveProcessHead;
  const value = (name: string): number | null => {
    const found = Number(debuggerData?.value(name) ?? 0n);
    return found === 0 ? null : found;
  };
  return {
    memory,
    symbols,
    architecture: identity.architecture ?? 'x64',
    buildNumber: identity.buildNumber,
    pagingLevels: memory instanceof TranslatedMemory ? memory.levels : 4,
    sizeOfProcess: value('SizeEProcess'),
    knownOffsets: new Map(
      [
        ['Peb', value('OffsetEprocessPeb')],
        ['InheritedFromUniqueProcessId', value('OffsetEprocessParentCID')],
      ].filter((pair): pair is [string, number] => pair[1] !== null),
    ),
    directoryTableBase: value('OffsetEprocessDirectoryTableBase') ?? (memory.pointerSize === 8 ? 0x28 : 0x18),
    processListHead:
      symbols.address('PsActiveProcessHead') ?? (fromHeader === null ? null : { value: fromHeader, source: 'header' }),
  };
}

/** The value of a global that is a pointer, such as `PspCidTable`; null where it is not known, cannot be read, or is null. */
export function pointerAt(roots: ObjectRoots, name: string): Sourced<VirtualAddress> | null {
  const place = roots.symbols.address(name);
  if (place === null) return null;
  const value = roots.memory.readPointer(place.value);
  return failed(value) || value === 0n ? null : { value, source: place.source };
}

/** True for an address of the kernel half. */
export function inKernel(roots: Pick<ObjectRoots, 'memory'>, address: bigint): boolean {
  return roots.memory.pointerSize === 8 ? address >> 56n === 0xffn : address >= 0x80000000n && address < 0x100000000n;
}
