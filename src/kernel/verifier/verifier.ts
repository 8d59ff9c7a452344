/** Driver Verifier and special pool: whether they were on when the dump was made, and for which drivers. */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { readUnicodeString } from '../../../parsers/kernel/structures.js';
import { resolvePath } from '../../../symbols/paths.js';
import type { Kernel } from '../open/open-kernel.js';
import type { VerifierState } from '../state.js';

const MOST_DRIVERS = 4096;
const MOST_TABLES = 64;
const DEEPEST = 64;

/** Reads what the dump tells; every part is null or empty on its own where it cannot be read. */
export function readVerifier(kernel: Kernel): VerifierState | null {
  const { memory, symbols } = kernel;
  if (memory === null || symbols === null) return null;
  const data = symbols.address('MmVerifierData');
  const level = data === null ? null : memory.readU32(data.value);
  const special = symbols.address('MmSpecialPoolTag');
  const tag = special === null ? null : memory.readU32(special.value);
  const known = level === null || failed(level) ? null : level;
  return {
    level: known,
    drivers: known === null || known === 0 ? [] : verifiedDrivers(kernel),
    specialPoolTag: tag === null || failed(tag) ? null : tag,
  };
}

/**
 * Names from the AVL trees of nt!ViTargetDriversAvl (Vista and later): _VF_AVL_TREE.Tables points at
 * _VF_AVL_TABLE entries that begin with an _RTL_AVL_TABLE; each node is a _VF_TARGET_DRIVER. A tree that does not look
 * like one gives no names.
 */
function verifiedDrivers(kernel: Kernel): string[] {
  const { memory, symbols } = kernel;
  const root = symbols?.address('ViTargetDriversAvl') ?? null;
  if (memory === null || symbols === null || root === null) return [];
  const tables = resolvePath(symbols, '_VF_AVL_TREE', 'Tables');
  const number = resolvePath(symbols, '_VF_AVL_TREE', 'TablesNo');
  const verified = resolvePath(symbols, '_VF_TARGET_DRIVER', 'VerifiedData');
  const suspect = resolvePath(symbols, '_VF_TARGET_VERIFIED_DRIVER_DATA', 'SuspectDriverEntry');
  const name = resolvePath(symbols, '_VF_SUSPECT_DRIVER_ENTRY', 'BaseName');
  if (tables === null || number === null || verified === null || suspect === null || name === null) return [];
  const array = memory.readPointer(plus(root.value, tables.offset));
  const count = memory.readU32(plus(root.value, number.offset));
  if (failed(array) || failed(count) || count === 0 || count > MOST_TABLES) return [];
  const names: string[] = [];
  const nodes = collectNodes(kernel, array);
  for (const node of nodes) {
    const data = memory.readPointer(plus(node, verified.offset));
    const entry = failed(data) || data === 0n ? null : memory.readPointer(plus(data, suspect.offset));
    if (entry === null || failed(entry) || entry === 0n) continue;
    const bytes = memory.read(plus(entry, name.offset), 2 * memory.pointerSize);
    const text = failed(bytes) ? bytes : readUnicodeString(memory, bytes, 0);
    if (!failed(text) && text !== '') names.push(text.toWellFormed());
  }
  return names;
}

/**
 * Nodes of the first table's tree. The balanced links (Parent, LeftChild, RightChild, Balance) head each node; the user
 * data follows these four pointers' worth, and _VF_TARGET_DRIVER is that data.
 */
function collectNodes(kernel: Kernel, table: VirtualAddress): VirtualAddress[] {
  const { memory } = kernel;
  if (memory === null) return [];
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
