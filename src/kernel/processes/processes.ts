/** The processes of the dumped system: names, ids, and the page tables that map what only their session sees. */

import { physical, plus, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type ReadFailure } from '../../../parsers/bytes/failure.js';
import { asciiz } from '../../../parsers/bytes/fields.js';
import { walkList } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { weakest, type Sourced } from '../../../symbols/kernel-symbols.js';
import type { KernelObject } from '../open/kernel-object.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';

const MOST_PROCESSES = 100_000;
/** Characters of `ImageFileName`. */
const LONGEST_NAME = 15;

/** One `_EPROCESS`. */
export interface Process {
  readonly address: VirtualAddress;
  readonly id: number;
  /** At most 15 characters. */
  readonly name: string;
  readonly directoryTableBase: PhysicalAddress;
  /** `_EPROCESS.Session`; null for processes outside of any session. */
  readonly session: Sourced<VirtualAddress> | null;
}

/** `broken` tells where the list ended badly. */
interface ProcessList {
  readonly processes: readonly Process[];
  readonly broken: ReadFailure | null;
}

/** Every process of PsActiveProcessHead that can be read: walked once. */
export const readProcesses = oncePerKernel(walkProcesses);

function walkProcesses(kernel: Kernel): ProcessList {
  const { memory } = kernel;
  const known = kernel.addressOf('PsActiveProcessHead');
  const head = failed(known) ? headOf(kernel) : known;
  const links = kernel.field(EPROCESS, 'ActiveProcessLinks');
  if (memory === null || head === null || failed(links) || failed(kernel.field(EPROCESS, DIRECTORY_TABLE_BASE))) {
    return { processes: [], broken: null };
  }
  const { entries, broken } = walkList(memory, head.value, MOST_PROCESSES);
  const processes = entries.flatMap((entry) => {
    const address = { value: plus(entry, -links.offset), source: weakest(head.source, links.source) };
    return readProcess(kernel.objectAt(address, EPROCESS), memory) ?? [];
  });
  return { processes, broken };
}

const EPROCESS = '_EPROCESS';
const DIRECTORY_TABLE_BASE = 'Pcb.DirectoryTableBase';

function headOf({ dump }: Kernel): Sourced<VirtualAddress> | null {
  const head = dump.header.psActiveProcessHead;
  return head === null ? null : { value: head, source: 'header' };
}

/** Null where the process' page tables are not known: nothing of it can be used then. */
function readProcess(process: KernelObject, memory: VirtualMemory): Process | null {
  const base = process.at(DIRECTORY_TABLE_BASE);
  if (failed(base) || failed(process.place)) return null;
  const id = process.at('UniqueProcessId');
  const name = process.placeOf('ImageFileName');
  const text = failed(name) ? name : memory.read(name.value, LONGEST_NAME);
  const session = process.pointer('Session');
  return {
    address: process.place.value,
    id: failed(id) ? 0 : Number(id.value),
    name: failed(text) ? '' : asciiz(text, 0, text.length),
    directoryTableBase: physical(Number(base.value & (memory.pointerSize === 4 ? 0xffffffe0n : 0x000ffffffffff000n))),
    session: failed(session) || session.value === 0n ? null : session,
  };
}
