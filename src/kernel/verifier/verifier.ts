/** Driver Verifier and special pool: whether they were on when the dump was made, and for which drivers. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { Found } from '../open/kernel-object.js';
import type { Kernel } from '../open/open-kernel.js';
import type { VerifierState } from '../state.js';

const MOST_DRIVERS = 4096;
const MOST_TABLES = 64;
const DEEPEST = 64;

/** Reads what the dump tells; every part is null or empty on its own where it cannot be read. */
export function readVerifier(kernel: Kernel): VerifierState | null {
  if (kernel.memory === null || kernel.symbols === null) return null;
  const level = numberOf(kernel.variable('MmVerifierData', 'unsigned long'));
  return {
    level,
    drivers: level === null || level === 0 ? [] : verifiedDrivers(kernel, kernel.memory),
    specialPoolTag: numberOf(kernel.variable('MmSpecialPoolTag', 'unsigned long')),
  };
}

const numberOf = (found: Found<bigint>): number | null => (failed(found) ? null : Number(found.value));

/**
 * Names from the AVL trees of nt!ViTargetDriversAvl (Vista and later): _VF_AVL_TREE.Tables points at
 * _VF_AVL_TABLE entries that begin with an _RTL_AVL_TABLE; each node is a _VF_TARGET_DRIVER. A tree that does not look
 * like one gives no names.
 */
function verifiedDrivers(kernel: Kernel, memory: VirtualMemory): string[] {
  const root = kernel.object('ViTargetDriversAvl', '_VF_AVL_TREE');
  const tables = root.pointer('Tables');
  const count = root.at('TablesNo', 'unsigned long');
  if (failed(tables) || failed(count) || count.value === 0n || count.value > BigInt(MOST_TABLES)) return [];
  return collectNodes(memory, tables.value).flatMap((node) => {
    const name = kernel
      .objectAt({ value: node, source: tables.source }, '_VF_TARGET_DRIVER')
      .follow('VerifiedData', '_VF_TARGET_VERIFIED_DRIVER_DATA')
      .follow('SuspectDriverEntry', '_VF_SUSPECT_DRIVER_ENTRY')
      .text('BaseName');
    return failed(name) || name.value === '' ? [] : [name.value.toWellFormed()];
  });
}

/**
 * Nodes of the first table's tree. The balanced links (Parent, LeftChild, RightChild, Balance) head each node; the user
 * data follows these four pointers' worth, and _VF_TARGET_DRIVER is that data.
 */
function collectNodes(memory: VirtualMemory, table: VirtualAddress): VirtualAddress[] {
  const width = memory.pointerSize;
  const found: VirtualAddress[] = [];
  const seen = new Set<bigint>();
  const visit = (node: VirtualAddress, depth: number): void => {
    if (node === 0n || depth > DEEPEST || found.length >= MOST_DRIVERS || seen.has(node)) return;
    seen.add(node);
    const left = memory.readPointer(plus(node, width));
    const right = memory.readPointer(plus(node, 2 * width));
    if (failed(left) || failed(right)) return;
    visit(left, depth + 1);
    found.push(plus(node, 4 * width));
    visit(right, depth + 1);
  };
  const top = memory.readPointer(plus(table, 2 * width));
  if (!failed(top)) visit(top, 0);
  return found;
}
