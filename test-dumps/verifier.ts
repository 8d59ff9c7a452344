/** Driver Verifier: `MmVerifierData`, the tree of drivers under verification, and `MmSpecialPoolTag`. */

import type { Va } from './bytes.js';
import { offsetOf, rvaOf, structOf, type KernelFacts } from './kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { Scenario } from './scenario.js';
import type { Truth } from './truth.js';

const AVL_TABLE_SIZE = 0x70;
const LINKS_SIZE = 0x20;

/** Writes level, counters and drivers. The tree leans to the right: each node has only a right child. */
export function writeVerifier(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  spec: Scenario['verifier'],
): Truth['verifier'] {
  const level = spec?.level ?? 0;
  const drivers = spec?.drivers ?? [];
  const specialPoolTag = spec?.specialPoolTag ?? 0;
  const data = base + rvaOf(kernel, 'MmVerifierData');
  const field = (name: string): Va => data + offsetOf(kernel, '_MM_DRIVER_VERIFIER_DATA', name);
  space.u32(data, level);
  if (level !== 0) {
    space.u32(field('AllocationsAttempted'), 482113);
    space.u32(field('AllocationsSucceeded'), 482101);
    space.u32(field('Loads'), drivers.length);
    space.u32(field('CurrentNonPagedPoolAllocations'), 9120);
    space.word(field('NonPagedBytes'), 12582912);
  }
  space.u32(base + rvaOf(kernel, 'MmSpecialPoolTag'), specialPoolTag);
  const tree = kernel.rva['ViTargetDriversAvl'];
  if (drivers.length > 0 && tree !== undefined) writeTree(space, kernel, base + tree, drivers);
  return { level, drivers: [...drivers], specialPoolTag };
}

function writeTree(space: KernelSpace, kernel: KernelFacts, tree: Va, drivers: readonly string[]): void {
  const { fields } = structOf(kernel, '_VF_AVL_TREE');
  const table = space.allocate('nonPagedPool', AVL_TABLE_SIZE);
  space.u64(tree + (fields['NodeCount'] ?? 0), drivers.length);
  space.pointer(tree + (fields['Tables'] ?? 0), table);
  space.u32(tree + (fields['TablesNo'] ?? 0), 1);
  space.u32(table + 0x2c, drivers.length);
  space.u32(table + 0x30, drivers.length);
  let parent = table;
  for (const name of drivers) {
    const node = space.allocate('nonPagedPool', LINKS_SIZE + structOf(kernel, '_VF_TARGET_DRIVER').size);
    const verified = space.allocate('nonPagedPool', structOf(kernel, '_VF_TARGET_VERIFIED_DRIVER_DATA').size);
    const suspect = space.allocate('nonPagedPool', structOf(kernel, '_VF_SUSPECT_DRIVER_ENTRY').size);
    space.pointer(node, parent);
    space.pointer(parent + 0x10, node);
    space.pointer(node + LINKS_SIZE + offsetOf(kernel, '_VF_TARGET_DRIVER', 'VerifiedData'), verified);
    space.pointer(verified + offsetOf(kernel, '_VF_TARGET_VERIFIED_DRIVER_DATA', 'SuspectDriverEntry'), suspect);
    space.u64(verified + offsetOf(kernel, '_VF_TARGET_VERIFIED_DRIVER_DATA', 'NonPagedBytes'), 4194304);
    space.u32(suspect + offsetOf(kernel, '_VF_SUSPECT_DRIVER_ENTRY', 'Loads'), 1);
    space.unicode(suspect + offsetOf(kernel, '_VF_SUSPECT_DRIVER_ENTRY', 'BaseName'), name);
    parent = node;
  }
  space.pointer(table, table);
}
