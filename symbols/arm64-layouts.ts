/**
 * Layouts of ARM64 kernels. The memory manager's structures align members to cache lines of 128 bytes there, so nothing
 * of x64 may be used for them; structures without such members are the same on both (confirmed for the pool tracker of
 * 16299, 17134 and 18885; reference: kernel-structures sections 5 to 7). Of 26100 (24H2, Server 2025) the published
 * types of an ARM64 kernel give the places of the memory figures.
 */

import type { FieldLayout, StructLayout } from '../parsers/kernel/layout.js';
import { releaseFamily } from './generations.js';
import type { Release } from './nearest.js';

/** Structures that ARM64 lays out as x64 of the same build does. */
export const SAME_AS_X64: ReadonlySet<string> = new Set([
  '_POOL_TRACKER_TABLE', '_POOL_TRACKER_BIG_PAGES', '_KLDR_DATA_TABLE_ENTRY', '_UNICODE_STRING', '_LIST_ENTRY',
  '_UNLOADED_DRIVERS', '_PHYSICAL_MEMORY_DESCRIPTOR', '_PHYSICAL_MEMORY_RUN', '_DBGKD_GET_VERSION64',
]); // prettier-ignore

const wide = (offset: number): FieldLayout => ({ offset, type: 'unsigned long long' });
const narrow = (offset: number): FieldLayout => ({ offset, type: 'unsigned long' });

/** By build: structures with their nested fields spelled out. `Total` stands first in a page list. */
const OWN: ReadonlyMap<number, readonly StructLayout[]> = new Map([
  [
    26100,
    [
      {
        name: '_MI_SYSTEM_INFORMATION',
        size: 0xd680,
        fields: {
          'Pools.MaximumNonPagedPoolThreshold': wide(0x0),
          'Pools.AllocatedNonPagedPool': wide(0x8),
          'Pools.AllocatedSecureNonPagedPool': wide(0x10),
          'Vs.PagedPoolInfo.MaximumSize': wide(0xb808),
          'Vs.PagedPoolInfo.AllocatedPagedPool': wide(0xb810),
          'Vs.MaximumNonPagedPoolInPages': wide(0xb818),
          'Vs.SystemPteInfo.TotalFreeSystemPtes': wide(0xb880),
          'Vs.NonPagedPoolCommit': wide(0xb888),
          'Vs.ProcessCommit': wide(0xb8a8),
          'Vs.DriverCommit': narrow(0xb8b0),
        },
      },
      {
        name: '_MI_PARTITION',
        size: 0x6100,
        fields: {
          'PageLists.ZeroedPageListHead.Total': wide(0xb80),
          'PageLists.FreePageListHead.Total': wide(0xc00),
          'Commit.PeakCommitment': wide(0x4280),
          'Commit.TotalCommitLimitMaximum': wide(0x4288),
          'Vp.LowestPhysicalPage': wide(0x4a00),
          'Vp.HighestPhysicalPage': wide(0x4a08),
          'Vp.NumberOfPhysicalPages': wide(0x4a10),
          'Vp.NumberOfPagingFiles': narrow(0x4a18),
          'Vp.AvailablePages': wide(0x4b00),
          'Vp.ResidentAvailablePages': wide(0x4b80),
          'Vp.TotalCommittedPages': wide(0x4e80),
          'Vp.ModifiedPageListHead.Total': wide(0x4f80),
          'Vp.ModifiedNoWritePageListHead.Total': wide(0x5000),
          'Vp.TotalCommitLimit': wide(0x5058),
          'Vp.SharedCommit': wide(0x5078),
        },
      },
    ],
  ],
]);

/** The version whose published types the layouts are, by build. */
const VERSIONS: ReadonlyMap<number, string> = new Map([[26100, '10.0.26100.0 on ARM64']]);

/** The releases of a build whose own layouts are known on ARM64; none for most. */
export function arm64Releases(buildNumber: number): readonly Release[] {
  const version = VERSIONS.get(releaseFamily(buildNumber));
  return version === undefined ? [] : [{ version, layout: (type) => arm64Layout(type, buildNumber) }];
}

/** A layout that is ARM64's own, of exactly this build's binaries; null where none is known. */
export function arm64Layout(type: string, buildNumber: number): StructLayout | null {
  return OWN.get(releaseFamily(buildNumber))?.find(({ name }) => name === type) ?? null;
}
