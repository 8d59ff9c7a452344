/** The processes of the dumped system: names, ids, and the page tables that map what only their session sees. */

import { physical, plus, type PhysicalAddress, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type ReadFailure } from '../../../parsers/bytes/failure.js';
import { asciiz } from '../../../parsers/bytes/fields.js';
import { scalar, walkList } from '../../../parsers/kernel/structures.js';
import { resolvePath } from '../../../symbols/paths.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';

const MOST_PROCESSES = 100_000;

/** One `_EPROCESS`. */
export interface Process {
  readonly address: VirtualAddress;
  readonly id: number;
  /** At most 15 characters. */
  readonly name: string;
  readonly directoryTableBase: PhysicalAddress;
  /** `_EPROCESS.Session`; null for processes outside of any session. */
  readonly session: VirtualAddress | null;
}

/** `broken` tells where the list ended badly. */
interface ProcessList {
  readonly processes: readonly Process[];
  readonly broken: ReadFailure | null;
}

/** Every process of PsActiveProcessHead that can be read: walked once. */
export const readProcesses = oncePerKernel(walkProcesses);

function walkProcesses(kernel: Kernel): ProcessList {
  const { memory, symbols } = kernel;
  const head = symbols?.address('PsActiveProcessHead')?.value ?? kernel.dump.header.psActiveProcessHead;
  if (memory === null || symbols === null || head === null) return { processes: [], broken: null };
  const at = (path: string): { offset: number; type: string } | null => resolvePath(symbols, '_EPROCESS', path);
  const links = at('ActiveProcessLinks');
  const id = at('UniqueProcessId');
  const name = at('ImageFileName');
  const root = at('Pcb.DirectoryTableBase');
  const session = at('Session');
  if (links === null || root === null) return { processes: [], broken: null };
  const { entries, broken } = walkList(memory, head, MOST_PROCESSES);
  const processes: Process[] = [];
  for (const entry of entries) {
    const address = plus(entry, -links.offset);
    const value = (field: { offset: number; type: string } | null): bigint | null => {
      if (field === null) return null;
      const bytes = memory.read(plus(address, field.offset), 8);
      return failed(bytes) ? null : scalar(bytes, 0, field.type, memory.pointerSize);
    };
    const base = value(root);
    if (base === null) continue;
    const text = name === null ? null : memory.read(plus(address, name.offset), 15);
    const sessionAddress = value(session);
    processes.push({
      address,
      id: Number(value(id) ?? 0n),
      name: text === null || failed(text) ? '' : asciiz(text, 0, text.length),
      directoryTableBase: physical(Number(base & (memory.pointerSize === 4 ? 0xffffffe0n : 0x000ffffffffff000n))),
      session: sessionAddress === null || sessionAddress === 0n ? null : (sessionAddress as VirtualAddress),
    });
  }
  return { processes, broken };
}
