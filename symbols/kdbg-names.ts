/**
 * Which field of KDDEBUGGER_DATA64 holds the address of which kernel global. Fields that are values (`KernBase`, `PteBase`,
 * `MmPageSize`, the offsets), code, or of unclear meaning are not here and are never taken for an address.
 *
 * Most names are the same. Those that differ were compared with the symbols of a real 19041.804 dump: there `NtBuildLab` holds the
 * address of nt!NtBuildLabEx, `MmTriageActionTaken` that of nt!VerifierTriageActionTaken, and `KdPrintCircularBuffer` the
 * buffer itself (the variable stands in `KdPrintCircularBufferPtr`). Many fields are null from Windows 10 on.
 */

interface KdbgName {
  readonly field: string;
  /** The first build for which this holds; default: all. */
  readonly from?: number;
  /** The first build for which this no longer holds. */
  readonly until?: number;
}

const SAME_NAME = [
  'PsLoadedModuleList PsActiveProcessHead PspCidTable ExpSystemResourcesList ExpPagedPoolDescriptor ExpNumberOfPagedPools',
  'KeTimeIncrement KeBugCheckCallbackListHead KiBugcheckData IopErrorLogListHead ObpRootDirectoryObject ObpTypeObjectType',
  'MmSystemCacheStart MmSystemCacheEnd MmSystemCacheWs MmPfnDatabase MmSystemPtesStart MmSystemPtesEnd MmSubsectionBase',
  'MmNumberOfPagingFiles MmLowestPhysicalPage MmHighestPhysicalPage MmNumberOfPhysicalPages MmMaximumNonPagedPoolInBytes',
  'MmNonPagedSystemStart MmNonPagedPoolStart MmNonPagedPoolEnd MmPagedPoolStart MmPagedPoolEnd MmSizeOfPagedPoolInBytes',
  'MmTotalCommitLimit MmTotalCommittedPages MmSharedCommit MmDriverCommit MmProcessCommit MmExtendedCommit',
  'MmZeroedPageListHead MmFreePageListHead MmStandbyPageListHead MmModifiedPageListHead MmModifiedNoWritePageListHead',
  'MmAvailablePages MmResidentAvailablePages PoolTrackTable NonPagedPoolDescriptor MmHighestUserAddress MmSystemRangeStart',
  'MmUserProbeAddress KiProcessorBlock MmUnloadedDrivers MmLastUnloadedDriver MmSpecialPoolTag KernelVerifier MmVerifierData',
  'MmAllocatedNonPagedPool MmPeakCommitment MmTotalCommitLimitMaximum CmNtCSDVersion MmPhysicalMemoryBlock KdPrintBufferSize',
  'KeLoaderBlock IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks MmBadPagesDetected EtwpDebuggerData',
]
  .join(' ')
  .split(' ');

const NAMES: ReadonlyMap<string, KdbgName> = new Map<string, KdbgName>([
  ...SAME_NAME.map((name): [string, KdbgName] => [name, { field: name }]),
  ['MmPagedPoolInfo', { field: 'MmPagedPoolInformation' }],
  // From 9200 no kernel has this global; on Windows 10 the field points into MiState.Vs.SystemPteInfo.
  ['MmPagedPoolCommit', { field: 'MmPagedPoolCommit', until: 9200 }],
  ['NtBuildLab', { field: 'NtBuildLab', until: 6000 }],
  ['NtBuildLabEx', { field: 'NtBuildLab', from: 6000 }],
  ['MmTriageActionTaken', { field: 'MmTriageActionTaken', until: 6000 }],
  ['VerifierTriageActionTaken', { field: 'MmTriageActionTaken', from: 6000 }],
  ['KdPrintCircularBuffer', { field: 'KdPrintCircularBufferPtr' }],
]);

/**
 * Globals that every generation's debugger block names, by the names of symbols: what a candidate profile is checked with.
 * A dump header knows four of them too.
 */
export const CHECKABLE_SYMBOLS: readonly string[] = [
  'PsLoadedModuleList',
  'PsActiveProcessHead',
  'PoolTrackTable',
  'MmPfnDatabase',
  'KdDebuggerDataBlock',
  'PspCidTable',
  'KiProcessorBlock',
  'MmUnloadedDrivers',
  'MmLastUnloadedDriver',
  'MmPhysicalMemoryBlock',
];

/** The field that holds the address of the global `symbol` in a kernel of this build, or `null`. */
export function kdbgField(symbol: string, buildNumber: number): string | null {
  const name = NAMES.get(symbol);
  if (name === undefined || buildNumber < (name.from ?? 0) || buildNumber >= (name.until ?? Infinity)) return null;
  return name.field;
}
