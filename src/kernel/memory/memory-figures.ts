/**
 * Where each `!vm` figure stands, by generation of Windows: for every figure a list of places, the newest first. Which
 * one answers is decided by what the kernel's symbols know, not by build numbers (reference: kernel-structures 6.1-6.3).
 */

import type { MemoryField } from '../../result/result.js';

/** A place that holds a figure. */
export type Place =
  /** A field of a kernel structure, by the symbol where an instance of `type` stands. */
  | {
      readonly kind: 'path';
      readonly symbol: string;
      readonly type: string;
      readonly path: string;
      readonly bytes?: boolean;
    }
  /** A plain variable, as wide as a pointer unless `width` says otherwise; `bytes` where it counts bytes, not pages. */
  | { readonly kind: 'global'; readonly symbol: string; readonly width?: 4 | 8; readonly bytes?: boolean }
  /** The sum of `Total` over an array of _MMPFNLIST. */
  | {
      readonly kind: 'lists';
      readonly symbol: string;
      readonly type: string | null;
      readonly path: string;
      readonly count: number;
    };

export const state = (path: string): Place => ({
  kind: 'path',
  symbol: 'MiState',
  type: '_MI_SYSTEM_INFORMATION',
  path,
});
export const partition = (path: string): Place => ({
  kind: 'path',
  symbol: 'MiSystemPartition',
  type: '_MI_PARTITION',
  path,
});
export const global = (symbol: string, options: { width?: 4 | 8; bytes?: boolean } = {}): Place => ({
  kind: 'global',
  symbol,
  ...options,
});
const pfnList = (symbol: string): Place => ({ kind: 'path', symbol, type: '_MMPFNLIST', path: 'Total' });
const pagedPool = (path: string): Place => ({
  kind: 'path',
  symbol: 'MmPagedPoolInfo',
  type: '_MM_PAGED_POOL_INFO',
  path,
});

/** The places of each figure, tried in order. A figure with no place has no known source on any system. */
export const MEMORY_PLACES: Readonly<Record<MemoryField, readonly Place[]>> = {
  physicalMemory: [partition('Vp.NumberOfPhysicalPages'), global('MmNumberOfPhysicalPages')],
  availablePages: [partition('Vp.AvailablePages'), global('MmAvailablePages')],
  residentAvailablePages: [partition('Vp.ResidentAvailablePages'), global('MmResidentAvailablePages')],
  lockedIoPages: [],
  freeSystemPtes: [
    state('Vs.SystemPteInfo.TotalFreeSystemPtes'),
    { kind: 'path', symbol: 'MiSystemPteInfo', type: '_MI_SYSTEM_PTE_TYPE', path: 'TotalFreeSystemPtes' },
    global('MmTotalFreeSystemPtes'),
  ],
  modifiedPages: [partition('Vp.ModifiedPageListHead.Total'), pfnList('MmModifiedPageListHead')],
  modifiedPageFilePages: [partition('Vp.TotalPagesForPagingFile'), global('MmTotalPagesForPagingFile')],
  modifiedNoWritePages: [partition('Vp.ModifiedNoWritePageListHead.Total'), pfnList('MmModifiedNoWritePageListHead')],
  zeroedPages: [partition('PageLists.ZeroedPageListHead.Total'), pfnList('MmZeroedPageListHead')],
  freePages: [partition('PageLists.FreePageListHead.Total'), pfnList('MmFreePageListHead')],
  standbyPages: [
    {
      kind: 'lists',
      symbol: 'MiSystemPartition',
      type: '_MI_PARTITION',
      path: 'PageLists.StandbyPageListByPriority',
      count: 8,
    },
    { kind: 'lists', symbol: 'MmStandbyPageListByPriority', type: null, path: '', count: 8 },
    pfnList('MmStandbyPageListHead'),
  ],
  nonPagedPoolUsage: [state('Pools.AllocatedNonPagedPool'), global('MmAllocatedNonPagedPool')],
  nonPagedPoolNxUsage: [],
  nonPagedPoolMaximum: [
    state('Vs.MaximumNonPagedPoolInPages'),
    global('MmMaximumNonPagedPoolInPages'),
    global('MmMaximumNonPagedPoolInBytes', { bytes: true }),
  ],
  pagedPoolUsage: [state('Vs.PagedPoolInfo.AllocatedPagedPool'), pagedPool('AllocatedPagedPool')],
  pagedPoolMaximum: [
    global('MmSizeOfPagedPoolInBytes', { bytes: true }),
    state('Vs.SizeOfPagedPoolInPages'),
    state('Vs.PagedPoolInfo.MaximumSize'),
    pagedPool('MaximumSize'),
  ],
  sessionCommit: [],
  sharedCommit: [partition('Vp.SharedCommit'), state('Vs.SharedCommit'), global('MmSharedCommit')],
  specialPool: [state('Vs.SpecialPagesInUse'), global('MmSpecialPagesInUse')],
  sharedProcess: [state('Vs.ProcessCommit'), global('MmProcessCommit')],
  pagedPoolCommit: [global('MmPagedPoolCommit'), pagedPool('PagedPoolCommit')],
  nonPagedPoolCommit: [state('Vs.NonPagedPoolCommit')],
  driverCommit: [state('Vs.DriverCommit'), global('MmDriverCommit', { width: 4 })],
  committedPages: [partition('Vp.TotalCommittedPages'), global('MmTotalCommittedPages')],
  commitLimit: [partition('Vp.TotalCommitLimit'), global('MmTotalCommitLimit')],
  peakCommitment: [partition('Commit.PeakCommitment'), global('MmPeakCommitment')],
};
