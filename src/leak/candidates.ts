/**
 * Who could be behind a tag of Windows that works for others: drivers that filter files, the network, the registry or
 * processes, by the functions that they import. To be loaded accuses nobody: this names whom to look at first.
 */

import type { Candidate, CandidateArea, CandidateRole, Candidates, ModuleInfo, PoolTagRow } from '../result/result.js';
import { printable } from '../../parsers/text-safety.js';
import { isWindowsBinary } from '../../symbols/tags/windows-binaries.js';
import { documentedBinary, isKernelImage, splitBinaries } from './tags/windows-tags.js';

/** What of the loaded modules is asked. */
export interface FunctionImports {
  /** By the place of a module in the list; null for one that cannot be read. */
  functionsOf(module: number): { readonly names: ReadonlySet<string>; readonly complete: boolean } | null;
}

/** Drivers in a result, and modules that could not be read; more are counted. */
const MOST_CANDIDATES = 64;
const MOST_UNREAD = 32;

/** Functions that a driver registers with, and what it is then. From the public documentation of the driver kit. */
const ROLE_FUNCTIONS: Readonly<Record<CandidateRole, readonly string[]>> = {
  'file-system-filter': ['FltRegisterFilter'],
  'legacy-file-system-filter': ['IoRegisterFsRegistrationChange', 'IoRegisterFsRegistrationChangeMountAware'],
  'wfp-callout': [0, 1, 2, 3].map((version) => `FwpsCalloutRegister${version}`),
  'ndis-filter': ['NdisFRegisterFilterDriver'],
  'ndis-protocol': ['NdisRegisterProtocolDriver', 'NdisRegisterProtocol'],
  'ndis-miniport': ['NdisMRegisterMiniportDriver', 'NdisMRegisterMiniport'],
  'registry-callback': ['CmRegisterCallback', 'CmRegisterCallbackEx'],
  'process-callback': ['', 'Ex', 'Ex2'].map((end) => `PsSetCreateProcessNotifyRoutine${end}`),
  'thread-callback': ['', 'Ex'].map((end) => `PsSetCreateThreadNotifyRoutine${end}`),
  'image-callback': ['', 'Ex'].map((end) => `PsSetLoadImageNotifyRoutine${end}`),
  'object-callback': ['ObRegisterCallbacks'],
};

/** Who can be behind the tags of which parts of Windows. */
const AREAS: Readonly<Record<CandidateArea, { owners: readonly string[]; roles: readonly CandidateRole[] }>> = {
  'file-system': {
    owners: ['fltmgr', 'ntfs', 'refs', 'fastfat', 'exfat', 'luafv', 'fileinfo', 'nt!fsrtl', 'nt!cc'],
    roles: ['file-system-filter', 'legacy-file-system-filter'],
  },
  network: {
    owners: ['netio', 'afd', 'tcpip', 'ndis', 'fwpkclnt', 'tdx', 'netbt'],
    roles: ['wfp-callout', 'ndis-filter', 'ndis-protocol', 'ndis-miniport'],
  },
  registry: { owners: ['nt!cm'], roles: ['registry-callback'] },
  processes: {
    owners: ['nt!ps', 'nt!se'],
    roles: ['process-callback', 'thread-callback', 'image-callback', 'object-callback'],
  },
};

/** The part of Windows that a tag belongs to, as far as others make it allocate; null for other tags. */
export function areaOf(row: Pick<PoolTagRow, 'tag' | 'binary' | 'tagSource'>): CandidateArea | null {
  const binary = documentedBinary(row);
  if (binary === null) return null;
  const owners = splitBinaries(binary);
  for (const [area, { owners: own }] of Object.entries(AREAS) as [CandidateArea, { owners: readonly string[] }][]) {
    if (owners.some((name) => own.includes(name))) return area;
  }
  return null;
}

/**
 * The drivers that could be behind a tag of an area, best first: those with a reason of their own, then those that are no
 * known part of Windows, each in the order of the module list.
 *
 * @param reasonFor what else leads to a driver, for people; null where nothing does.
 */
export function candidatesOf(
  area: CandidateArea,
  modules: readonly ModuleInfo[],
  imports: FunctionImports,
  reasonFor: (module: ModuleInfo) => string | null = () => null,
): Candidates {
  const { roles: wanted } = AREAS[area];
  const found: Candidate[] = [];
  const unread: string[] = [];
  for (const [place, module] of modules.entries()) {
    if (isKernelImage(module.name)) continue;
    const functions = imports.functionsOf(place);
    const roles = functions === null ? [] : rolesOf(functions.names);
    if (roles.some((role) => wanted.includes(role))) {
      found.push({
        module: printable(module.name),
        base: module.base,
        company: module.version?.companyName ?? null,
        version: module.version?.fileVersion ?? null,
        windows: isWindowsBinary(module.name),
        roles,
        altitude: null,
        instances: null,
        because: reasonFor(module),
      });
    } else if (functions?.complete !== true && !isWindowsBinary(module.name)) unread.push(printable(module.name));
  }
  found.sort(
    (a, b) => Number(a.because === null) - Number(b.because === null) || Number(a.windows) - Number(b.windows),
  );
  return {
    area,
    drivers: found.slice(0, MOST_CANDIDATES),
    unread: unread.slice(0, MOST_UNREAD),
    unreadCount: unread.length,
  };
}

/** What a driver is by the functions that it imports, in a fixed order. */
function rolesOf(names: ReadonlySet<string>): CandidateRole[] {
  return (Object.keys(ROLE_FUNCTIONS) as CandidateRole[]).filter((role) =>
    ROLE_FUNCTIONS[role].some((name) => names.has(name)),
  );
}
