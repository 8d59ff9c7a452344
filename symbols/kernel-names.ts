/**
 * What is taken out of a kernel's PDB: the globals and structures that the built-in tables keep (a test compares them), and a few
 * globals that older or 32-bit kernels have.
 */

const words = (lines: readonly string[]): readonly string[] => lines.join(' ').split(' ');

/** Globals, by name. No kernel has them all. */
export const KERNEL_SYMBOLS: readonly string[] = words([
  'PoolTrackTable PoolTrackTableSize PoolTrackTableMask PoolTrackTableExpansion PoolTrackTableExpansionSize',
  'ExPoolTagTables ExpSessionPoolTrackTable ExpSessionPoolTrackTableSize ExpSessionPoolTrackTableMask',
  'PoolBigPageTable PoolBigPageTableSize ExpPoolBigEntriesInUse PoolVector NonPagedPoolDescriptor',
  'ExpNonPagedPoolDescriptor ExpPagedPoolDescriptor ExpNumberOfPagedPools ExpNumberOfNonPagedPools ExPoolState',
  'ExPoolFailures ExpPoolFlags ExpHeapBackedPoolEnabledState ExpPoolQuotaCookie PoolHitTag KiSuspectPoolTag MiState',
  'MiVisibleState MiSystemPartition RtlpHpHeapGlobals PsLoadedModuleList PsActiveProcessHead PsInitialSystemProcess',
  'KdDebuggerDataBlock KdVersionBlock KdpDataBlockEncoded KiWaitNever KiWaitAlways KiProcessorBlock',
  'KeNumberProcessors NtBuildLab NtBuildLabEx NtBuildNumber CmNtCSDVersion MmUnloadedDrivers MmLastUnloadedDriver',
  'MmPfnDatabase MmPhysicalMemoryBlock MmPteBase MmVerifierData MmSizeOfPagedPoolInBytes MmSpecialPoolTag',
  'VerifierTriageActionTaken IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks VfPoolTraces VfPoolTracesIndex',
  'VfPoolTracesLength ObTypeIndexTable ObHeaderCookie ObpRootDirectoryObject PspCidTable ObpInfoMaskToOffset',
  'ObpTypeObjectType IoFileObjectType PsProcessType PsThreadType KeBugCheckCallbackListHead KdPrintCircularBuffer',
  'KeMaximumProcessors MmBadPointer ViTargetDriversAvl ViVerifierDriverAddedThunkListHead KeTimeIncrement',
  'PsNtosImageBase PsHalImageBase ExpSessionPoolLookaside MmSystemRangeStart MmHighestUserAddress InitSafeBootMode',
  'HvlpHypervisorVersion EtwpHostSiloState MmMaximumNonPagedPoolInBytes MmMaximumNonPagedPoolInPages',
  'MmAllocatedNonPagedPool MmPagedPoolInfo MmTotalCommitLimit MmTotalCommitLimitMaximum MmTotalCommittedPages',
  'MmPeakCommitment MmSharedCommit MmDriverCommit MmProcessCommit MmAvailablePages MmResidentAvailablePages',
  'MmNumberOfPhysicalPages MmLowestPhysicalPage MmHighestPhysicalPage MmNumberOfPagingFiles MmPagingFile',
  'MmZeroedPageListHead MmFreePageListHead MmStandbyPageListHead MmStandbyPageListByPriority MmModifiedPageListHead',
  'MmModifiedNoWritePageListHead MmBadPageListHead MmPoolFailures MmPoolFailureReasons MmSpecialPagesInUse',
  'MmMdlPagesAllocated MmTotalSystemCodePages MmTotalSystemDriverPages MmTotalNonPagedPoolQuota',
  'MmTotalPagedPoolQuota MmSystemCacheWs MmPagedPoolWs MmSystemPtesWs MmTotalPagesForPagingFile MiSystemPteInfo',
  'MiSessionWsList MmSizeOfNonPagedPoolInBytes MmPagedPoolCommit MmKernelStackPages MmTotalFreeSystemPtes',
  'MmExtendedCommit MmPagedPoolStart MmPagedPoolEnd MmNonPagedPoolStart MmNonPagedPoolEnd MmSpecialPoolStart',
  'MmSpecialPoolEnd KiBugcheckData KeLoaderBlock MmSubsectionBase MmTriageActionTaken',
]);

/** Structures, by name. No kernel has them all. */
export const KERNEL_TYPES: readonly string[] = words([
  '_POOL_TRACKER_TABLE _POOL_TRACKER_BIG_PAGES _POOL_DESCRIPTOR _POOL_HEADER _EX_POOL_HEAP_MANAGER_STATE',
  '_EX_HEAP_POOL_NODE _SEGMENT_HEAP _HEAP_RUNTIME_MEMORY_STATS _HEAP_SEG_CONTEXT _HEAP_PAGE_SEGMENT',
  '_HEAP_PAGE_RANGE_DESCRIPTOR _HEAP_VS_CONTEXT _HEAP_VS_SUBSEGMENT _HEAP_VS_CHUNK_HEADER',
  '_HEAP_VS_CHUNK_HEADER_SIZE _HEAP_LFH_CONTEXT _HEAP_LFH_SUBSEGMENT _HEAP_LFH_SUBSEGMENT_ENCODED_OFFSETS',
  '_HEAP_LARGE_ALLOC_DATA _RTLP_HP_HEAP_GLOBALS _MI_SYSTEM_INFORMATION _MI_POOL_STATE _MI_POOL_FAILURE_REASONS',
  '_MI_VISIBLE_STATE _MM_PAGED_POOL_INFO _MI_SYSTEM_PTE_TYPE _MI_SYSTEM_PTE_STATE _MI_HARDWARE_STATE',
  '_MI_PARTITION_STATE _MI_PARTITION _MI_PARTITION_CORE _MI_VISIBLE_PARTITION _MI_PARTITION_COMMIT',
  '_MI_PARTITION_PAGE_LISTS _MMPFNLIST _MMPAGING_FILE _MM_SESSION_SPACE _KLDR_DATA_TABLE_ENTRY',
  '_LDR_DATA_TABLE_ENTRY _UNICODE_STRING _LIST_ENTRY _EX_FAST_REF _EPROCESS _KPROCESS _HANDLE_TABLE',
  '_HANDLE_TABLE_ENTRY _OBJECT_HEADER _OBJECT_HEADER_NAME_INFO _OBJECT_HEADER_CREATOR_INFO',
  '_OBJECT_HEADER_QUOTA_INFO _OBJECT_HEADER_PROCESS_INFO _OBJECT_HEADER_HANDLE_INFO _OBJECT_TYPE',
  '_OBJECT_TYPE_INITIALIZER _FILE_OBJECT _DEVICE_OBJECT _DRIVER_OBJECT _OBJECT_NAME_INFORMATION',
  '_SE_AUDIT_PROCESS_CREATION_INFO _MM_DRIVER_VERIFIER_DATA _VF_TARGET_DRIVER _VF_TARGET_VERIFIED_DRIVER_DATA',
  '_VF_SUSPECT_DRIVER_ENTRY _VF_POOL_TRACE _VI_POOL_ENTRY _VI_POOL_ENTRY_INUSE _VI_POOL_PAGE_HEADER _VF_AVL_TREE',
  '_VF_AVL_TREE_NODE _RTL_AVL_TABLE _RTL_BALANCED_LINKS _MMPTE _MMPTE_HARDWARE _MMPTE_SOFTWARE _MMPTE_TRANSITION',
  '_MMPTE_PROTOTYPE _MMPTE_SUBSECTION _MMPFN _PHYSICAL_MEMORY_DESCRIPTOR _PHYSICAL_MEMORY_RUN _DBGKD_GET_VERSION64',
  '_UNLOADED_DRIVERS',
]);

/** Of these large structures only the fields that the built-in tables keep are taken; of all others, every field. */
export const KEPT_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    _EPROCESS: words([
      'Pcb UniqueProcessId ActiveProcessLinks Flags2 ProcessVerifierTarget Flags CreateTime ProcessQuotaUsage',
      'ProcessQuotaPeak PeakVirtualSize VirtualSize Token NumberOfPrivatePages Job SectionObject',
      'InheritedFromUniqueProcessId Peb Session QuotaBlock ObjectTable WoW64Process ImageFilePointer ImageFileName',
      'PriorityClass SeAuditProcessCreationInfo ThreadListHead ActiveThreads CommitCharge CommitChargePeak Vm',
      'ExitStatus ExitTime Flags3 SharedCommitCharge SharedCommitLinks WorkingSetPage Wow64Process',
    ]),
    _KPROCESS: words([
      'Header ProfileListHead DirectoryTableBase ThreadListHead ProcessFlags BasePriority StackCount',
      'UserDirectoryTableBase',
    ]),
  }).map(([type, fields]) => [type, new Set(fields)]),
);
