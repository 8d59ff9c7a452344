/** The machine's memory figures in pages: those the scenario gives, and for the rest ones that fit RAM and pool. */

import type { MemorySpec, PageFileSpec, SessionSpec } from '../scenario.js';
import type { KernelFacts } from '../kernel-facts.js';
import type { MemoryField, Truth } from '../truth.js';
import { PAGE } from '../physical-memory.js';

export interface Figures {
  pages: Record<MemoryField, number>;
  pageFiles: PageFileSpec[];
  /** Pages of each paged pool. */
  pagedPools: number[];
  /** Pages of each node's nonpaged pool: executable and NX. */
  nonPagedPools: { pages: number; nxPages: number }[];
  failures: number;
  parts: NonNullable<MemorySpec['parts']>;
}

/** Windows 8 and later have pools for memory that cannot be executed. */
function hasNx(kernel: KernelFacts): boolean {
  return kernel.build >= 9200;
}

/** Kernels that count pool pages in `_POOL_DESCRIPTOR`s. */
export function hasDescriptors(kernel: KernelFacts): boolean {
  return '_POOL_DESCRIPTOR' in kernel.structs && 'NonPagedPoolDescriptor' in kernel.rva;
}

function defaultPageFiles(ram: number): PageFileSpec[] {
  const current = Math.min(0x40000, Math.ceil(ram / 4));
  return [
    {
      path: '\\??\\C:\\pagefile.sys',
      currentPages: current,
      freePages: current - Math.ceil(current * 0.03),
      minimumPages: current,
      maximumPages: current * 4,
    },
  ];
}

/** Parts that add up to `total`. */
function split(total: number, shares: readonly number[]): number[] {
  const sum = shares.reduce((a, b) => a + b, 0);
  const parts = shares.map((share) => Math.floor((total * share) / sum));
  parts[0] = (parts[0] ?? 0) + total - parts.reduce((a, b) => a + b, 0);
  return parts;
}

/** `ram` counts pages; the totals come from the pool rows. */
export function memoryFigures(
  kernel: KernelFacts,
  spec: MemorySpec,
  ram: number,
  totals: Truth['pool']['totals'],
  sessions: readonly SessionSpec[],
): Figures {
  const given = spec.figures ?? {};
  const pageFiles = spec.pageFiles ?? defaultPageFiles(ram);
  const fileLimit = pageFiles.reduce((sum, file) => sum + file.currentPages, 0);
  const ofBytes = (bytes: bigint, slack: number): number =>
    Math.ceil((Number(bytes < 0n ? 0n : bytes) * slack) / PAGE) + 64;
  const nonPaged = given.nonPagedPoolUsage ?? Math.min(ram, ofBytes(totals.nonPagedBytes, 1.02));
  const paged = given.pagedPoolUsage ?? ofBytes(totals.pagedBytes, 1.03);
  const committed = given.committedPages ?? Math.ceil(ram * 0.3) + nonPaged + paged;
  const limit = given.commitLimit ?? ram + fileLimit;
  const free = Math.ceil(ram * 0.02);
  const zeroed = Math.ceil(ram * 0.08);
  const standby = Math.max(0, Math.ceil(ram * 0.4) - Math.ceil(nonPaged / 2));
  const modified = given.modifiedPages ?? Math.ceil(ram * 0.01);
  const nx = given.nonPagedPoolNxUsage ?? (hasNx(kernel) ? nonPaged - Math.min(nonPaged, 200) : 0);
  // The address space of 32-bit systems bounds their pools.
  const narrow = kernel.pointerSize === 4;
  const pages: Record<MemoryField, number> = {
    physicalMemory: ram,
    availablePages: free + zeroed + standby,
    residentAvailablePages: Math.max(0, Math.ceil(ram * 0.85) - nonPaged),
    lockedIoPages: 0,
    freeSystemPtes: kernel.build <= 7601 ? 33533355 : 4294000000,
    modifiedPages: modified,
    modifiedPageFilePages: Math.max(0, modified - 6),
    modifiedNoWritePages: 12,
    zeroedPages: zeroed,
    freePages: free,
    standbyPages: standby,
    nonPagedPoolUsage: nonPaged,
    nonPagedPoolNxUsage: nx,
    nonPagedPoolMaximum: narrow ? 0x6_0000 : kernel.build <= 7601 ? Math.floor(ram * 0.745) : 0x1_0000_0000,
    pagedPoolUsage: paged,
    pagedPoolMaximum: narrow ? 0x7_0000 : kernel.build <= 7601 ? 0x200_0000 : 0x1_0000_0000,
    sessionCommit: sessions.reduce((sum, session) => sum + session.committedPages, 0),
    sharedCommit: Math.ceil(ram * 0.015),
    specialPool: 0,
    sharedProcess: Math.ceil(ram * 0.012),
    pagedPoolCommit: paged + 2,
    nonPagedPoolCommit: nonPaged + 30,
    driverCommit: 2458,
    committedPages: committed,
    commitLimit: limit,
    peakCommitment: committed + 5000,
    ...given,
  };
  const nodes = Math.max(1, spec.nonPagedNodes ?? 1);
  const shares = Array.from({ length: nodes }, (_, i) => nodes - i);
  const perNode = split(nonPaged - nx, shares);
  const perNodeNx = split(pages.nonPagedPoolNxUsage, shares);
  return {
    pages,
    pageFiles,
    pagedPools: spec.pagedPools ?? split(paged, [83, 12, 2, 1, 2]),
    nonPagedPools: perNode.map((count, i) => ({ pages: count, nxPages: perNodeNx[i] ?? 0 })),
    failures: spec.poolAllocationFailures ?? 0,
    parts: spec.parts ?? {},
  };
}
