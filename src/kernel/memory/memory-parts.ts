/**
 * Memory that is in no pool and that `!vm` counts: pages for MDLs, page tables of the system, locked memory of processes, and
 * what the memory manager keeps for itself. Counters of the memory manager, in pages; which kernel has which is told by its
 * symbols (reference: kernel-structures 6.2, 6.3). There is no counter of kernel stacks: `KernelStackPages` is the size of one.
 */

import { failed } from '../../../parsers/bytes/failure.js';
import { count, toNumber, type Pages } from '../../result/result.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';
import { readPlace } from './memory.js';
import { global, partition, state, type Place } from './memory-figures.js';

/** Where each part is counted, the newest first. */
const PARTS = {
  /** Physical pages that drivers allocated, contiguous ones among them (MmAllocatePagesForMdl and the like). */
  mdlPages: [state('Vs.MdlPagesAllocated'), partition('Vp.MdlPagesAllocated'), global('MmMdlPagesAllocated')],
  /** Physical pages in address spaces of processes that never leave memory: AWE, large pages. */
  awePages: [partition('Vp.VadPhysicalPages')],
  /** Page tables of the system's address space. */
  systemPageTables: [state('Vs.SystemPageTableCommit')],
  bootPages: [state('Vs.BootCommit')],
  pageFrames: [state('Vs.PfnDatabaseCommit')],
  smallPageTables: [state('Vs.SmallNonPagedPtesCommit')],
  pageFileHash: [state('Vs.PagefileHashPages')],
  lockedFilePages: [partition('Vp.ProcessLockedFilePages')],
  slabs: [partition('Vp.SlabAllocatorPages')],
} as const satisfies Readonly<Record<string, readonly Place[]>>;

export type PartField = keyof typeof PARTS;

/** Each part; null where no counter of it is known, or it cannot be read. */
export type MemoryParts = Readonly<Record<PartField, Pages | null>>;

/** More than this (4 PB) no machine has. */
const MOST_PAGES = 2 ** 40;

/** Read once; all null for a dump without memory to read. */
export const readMemoryParts = oncePerKernel((kernel: Kernel): MemoryParts => {
  const known = kernel.memory !== null && kernel.symbols !== null && kernel.dump.triage === null;
  const read = ([field, places]: [string, readonly Place[]]): [string, Pages | null] => [
    field,
    known ? readPart(places, kernel) : null,
  ];
  return Object.fromEntries(Object.entries(PARTS).map(read)) as Record<PartField, Pages | null>;
});

function readPart(places: readonly Place[], kernel: Kernel): Pages | null {
  for (const place of places) {
    const found = readPlace(place, kernel);
    if (failed(found)) continue;
    const pages = count(found.value);
    return toNumber(pages) > MOST_PAGES ? null : { pages, source: found.source };
  }
  return null;
}
