/** Driver Verifier: `MmVerifierData`, the tree of drivers under verification, and `MmSpecialPoolTag`. */

import { tagKey, va48, type Va } from '../bytes.js';
import { offsetOf, rvaOf, structOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from './kernel-space.js';
import type { Scenario } from '../scenario.js';
import type { Truth } from '../truth.js';

const AVL_TABLE_SIZE = 0x70;
const LINKS_SIZE = 0x20;

/** Writes level, counters and drivers. The tree leans to the right: each node has only a right child. */
export function writeVerifier(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  spec: Scenario['verifier'],
  baseOf: (module: string) => Va = () => 0,
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
  if (drivers.length > 0 && tree !== undefined)
    writeTree(space, kernel, base + tree, drivers, (driver, data) => {
      writeAllocations(
        space,
        kernel,
        data,
        (spec?.allocations ?? []).filter((row) => row.driver === driver),
        baseOf(driver),
      );
    });
  if (spec?.log) writeLog(space, kernel, base, spec.log, baseOf);
  return { level, drivers: [...drivers], specialPoolTag };
}

function writeTree(
  space: KernelSpace,
  kernel: KernelFacts,
  tree: Va,
  drivers: readonly string[],
  fill: (driver: string, data: Va) => void,
): void {
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
    fill(name, verified);
    parent = node;
  }
  space.pointer(table, table);
}

type Allocations = NonNullable<NonNullable<Scenario['verifier']>['allocations']>;

/** Offsets in _VF_TARGET_VERIFIED_DRIVER_DATA (x64): the list of pages, four counts, four sums of bytes, paged before nonpaged. */
function driverOffsets(build: number): { pages: number; counts: number; bytes: number } {
  if (build >= 20348) return { pages: 0x40, counts: 0x70, bytes: 0x80 };
  if (build >= 19041) return { pages: 0x40, counts: 0x68, bytes: 0x78 };
  if (build >= 17134) return { pages: 0x40, counts: 0x60, bytes: 0x70 };
  return { pages: 0x30, counts: 0x50, bytes: 0x60 };
}

/** Pages of _VI_POOL_ENTRY on the driver's list, and the counters that go with them. */
function writeAllocations(space: KernelSpace, kernel: KernelFacts, data: Va, rows: Allocations, base: Va): void {
  if (rows.length === 0) return;
  const offsets = driverOffsets(kernel.build);
  const size = space.width * 4;
  const perPage = 0x1000 / size - 1;
  const all = rows.flatMap((row) => Array.from({ length: row.count }, () => row));
  let before: Va = 0;
  let pages = 0;
  for (let first = 0; first < all.length; first += perPage) {
    const page = space.allocate('nonPagedPool', 0x1000, 0x1000);
    pages++;
    space.pointer(page, before);
    space.pointer(page + space.width, data);
    all.slice(first, first + perPage).forEach(({ tag, bytes, callerRva }, i) => {
      const at = page + (i + 1) * size;
      space.pointer(at, space.plan.nonPagedPool + 0x10_0000 + (first + i) * 0x1000);
      space.pointer(at + space.width, base + callerRva);
      space.word(at + 2 * space.width, bytes);
      space.word(at + 3 * space.width, tagKey(tag));
    });
    before = page;
  }
  const list = data + offsets.pages;
  space.u16(list, pages);
  space.pointer(list + (space.width === 8 ? 8 : 0), before);
  const bytes = all.reduce((sum, row) => sum + row.bytes, 0);
  space.u32(data + offsets.counts + 4, all.length);
  space.u32(data + offsets.counts + 12, all.length + 3);
  space.word(data + offsets.bytes + 8, bytes);
  space.word(data + offsets.bytes + 0x18, bytes + 0x300);
}

/** The ring of the latest allocations and frees. */
function writeLog(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  log: NonNullable<NonNullable<Scenario['verifier']>['log']>,
  baseOf: (module: string) => Va,
): void {
  const entries = 0x40;
  const frames = space.width === 8 && kernel.build >= 22000 ? 50 : 13;
  const size = space.width * (3 + frames);
  const table = space.allocate('nonPagedPool', entries * size, 0x1000);
  log.forEach(({ address, bytes, stack }, i) => {
    const at = table + i * size;
    space.pointer(at, va48(address));
    space.word(at + space.width, bytes);
    space.pointer(at + 2 * space.width, space.plan.nonPagedPool + 0x80);
    stack.forEach(({ module, rva }, frame) => {
      space.pointer(at + (3 + frame) * space.width, baseOf(module) + rva);
    });
  });
  space.pointer(base + rvaOf(kernel, 'VfPoolTraces'), table);
  space.u32(base + rvaOf(kernel, 'VfPoolTracesLength'), entries);
  space.u32(base + rvaOf(kernel, 'VfPoolTracesIndex'), log.length - 1);
}
