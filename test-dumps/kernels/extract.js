/**
 * Picks from a table of kernel facts (x64.json: symbol addresses and structure layouts of real kernels, by PDB identity)
 * what the dump builder writes, and saves one small JSON a kernel beside this script.
 * Usage: node test-dumps/kernels/extract.js PATH/TO/x64.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

const VERSIONS = [
  '6.1.7601.24540',
  '6.3.9600.21620',
  '10.0.14393.5582',
  '10.0.17763.4644',
  '10.0.18362.836',
  '10.0.19041.388',
  '10.0.19041.804',
  '10.0.20348.2400',
  '10.0.22000.2538',
];

/** Pointers that `ExPoolTagTables` can hold: the gap to the next symbol in kernels of that build. */
const TAG_TABLES = {
  7601: 256,
  9600: 640,
  14393: 640,
  17763: 1280,
  18362: 1280,
  19041: 1280,
  20348: 2048,
  22000: 2048,
};

const SYMBOLS = `
PoolTrackTable PoolTrackTableSize PoolTrackTableMask PoolTrackTableExpansion PoolTrackTableExpansionSize ExPoolTagTables
ExpSessionPoolTrackTableSize ExpSessionPoolTrackTableMask PoolBigPageTable PoolBigPageTableSize
NonPagedPoolDescriptor ExpNonPagedPoolDescriptor ExpNumberOfNonPagedPools ExpPagedPoolDescriptor ExpNumberOfPagedPools
PoolVector ExPoolFailures MiState MiSystemPartition MiVisibleState PsLoadedModuleList PsActiveProcessHead
PsInitialSystemProcess PsNtosImageBase PsHalImageBase KdDebuggerDataBlock KdVersionBlock KdpDataBlockEncoded KiWaitNever
KiWaitAlways KiProcessorBlock KeNumberProcessors KeMaximumProcessors KeTimeIncrement KeBugCheckCallbackListHead
KdPrintCircularBuffer NtBuildLab NtBuildLabEx NtBuildNumber CmNtCSDVersion PspCidTable ObpRootDirectoryObject
ObpTypeObjectType IopNumTriageDumpDataBlocks IopTriageDumpDataBlocks MmUnloadedDrivers MmLastUnloadedDriver MmPfnDatabase
MmPhysicalMemoryBlock MmPteBase MmVerifierData ViTargetDriversAvl VerifierTriageActionTaken MmSpecialPoolTag
MmSystemRangeStart MmHighestUserAddress MmSizeOfPagedPoolInBytes MmMaximumNonPagedPoolInBytes MmMaximumNonPagedPoolInPages
MmSizeOfNonPagedPoolInBytes MmAllocatedNonPagedPool MmPagedPoolInfo MmPagedPoolCommit MmTotalCommitLimit
MmTotalCommitLimitMaximum MmTotalCommittedPages MmPeakCommitment MmSharedCommit MmDriverCommit MmProcessCommit
MmAvailablePages MmResidentAvailablePages MmNumberOfPhysicalPages MmLowestPhysicalPage MmHighestPhysicalPage
MmNumberOfPagingFiles MmPagingFile MmZeroedPageListHead MmFreePageListHead MmStandbyPageListHead
MmStandbyPageListByPriority MmModifiedPageListHead MmModifiedNoWritePageListHead MmBadPageListHead
MmTotalPagesForPagingFile MmSpecialPagesInUse MmMdlPagesAllocated MiSystemPteInfo VfPoolTraces VfPoolTracesIndex VfPoolTracesLength
`
  .trim()
  .split(/\s+/);

const STRUCTS = {
  _POOL_TRACKER_TABLE: '*',
  _POOL_DESCRIPTOR:
    'PoolType PoolIndex PoolTypeCopy RunningAllocs RunningDeAllocs RunningDeallocs TotalPages TotalBigPages TotalBytes PagesAllocated PagesDeallocated BigPagesAllocated BigPagesDeallocated BytesAllocated BytesDeallocated',
  _MM_PAGED_POOL_INFO: 'MaximumSize PagedPoolCommit AllocatedPagedPool',
  _MI_SYSTEM_PTE_TYPE: 'PteFailures TotalSystemPtes TotalFreeSystemPtes',
  _MMPFNLIST: 'Total ListName',
  _MMPAGING_FILE: 'Size MaximumSize MinimumSize FreeSpace PeakUsage PageFileName',
  _MI_SYSTEM_INFORMATION: 'Pools Vs Hardware',
  _MI_POOL_STATE: 'MaximumNonPagedPoolThreshold AllocatedNonPagedPool AllocatedSecureNonPagedPool PoolFailures',
  _MI_VISIBLE_STATE:
    'PagedPoolInfo MaximumNonPagedPoolInPages SizeOfPagedPoolInPages SystemPteInfo NonPagedPoolCommit SpecialPagesInUse ProcessCommit SharedCommit DriverCommit MdlPagesAllocated PagingLevels SystemPageTableCommit BootCommit PfnDatabaseCommit SmallNonPagedPtesCommit PagefileHashPages',
  _MI_HARDWARE_STATE: 'InvalidPteMask',
  _MI_PARTITION: 'PageLists Commit Vp',
  _MI_PARTITION_PAGE_LISTS:
    'ZeroedPageListHead FreePageListHead StandbyPageListHead StandbyPageListByPriority BadPageListHead',
  _MI_PARTITION_COMMIT: 'PeakCommitment TotalCommitLimitMaximum',
  _MI_VISIBLE_PARTITION:
    'LowestPhysicalPage HighestPhysicalPage NumberOfPhysicalPages NumberOfPagingFiles PagingFile AvailablePages ResidentAvailablePages TotalCommittedPages TotalCommitLimit SharedCommit ModifiedPageListHead ModifiedNoWritePageListHead TotalPagesForPagingFile VadPhysicalPages ProcessLockedFilePages SlabAllocatorPages',
  _EPROCESS:
    'Pcb UniqueProcessId ActiveProcessLinks InheritedFromUniqueProcessId Session ImageFileName CommitCharge CommitChargePeak Peb',
  _KPROCESS: 'DirectoryTableBase',
  _KLDR_DATA_TABLE_ENTRY: 'TimeDateStamp SizeOfImageNotRounded',
  _MM_SESSION_SPACE: 'ReferenceCount SessionId ProcessList CommittedPages',
  _MM_DRIVER_VERIFIER_DATA:
    'Level AllocationsAttempted AllocationsSucceeded AllocationsSucceededSpecialPool Loads CurrentPagedPoolAllocations CurrentNonPagedPoolAllocations PagedBytes NonPagedBytes',
  _VF_AVL_TREE: 'NodeRangeSize NodeCount Tables TablesNo',
  _VF_TARGET_DRIVER: 'TreeNode VerifiedData',
  _VF_TARGET_VERIFIED_DRIVER_DATA: 'SuspectDriverEntry PagedBytes NonPagedBytes',
  _VF_SUSPECT_DRIVER_ENTRY: 'Links Loads Unloads BaseName',
};

const source = process.argv[2];
if (!source) throw new Error('usage: node extract.js PATH/TO/x64.json');
const { layouts, kernels } = JSON.parse(readFileSync(source, 'utf8'));

for (const version of VERSIONS) {
  const [key, kernel] = Object.entries(kernels).find(([, k]) => k.version === version) ?? [];
  if (!kernel) throw new Error(`${version} is not in ${source}`);
  const build = Number(version.split('.')[2]);
  const rva = Object.fromEntries(SYMBOLS.filter((s) => s in kernel.rva).map((s) => [s, kernel.rva[s]]));
  const structs = {};
  for (const [name, wanted] of Object.entries(STRUCTS)) {
    const index = kernel.structs[name];
    if (index === undefined) continue;
    const layout = layouts[name][index];
    const names = wanted === '*' ? Object.keys(layout.fields) : wanted.split(' ').filter((f) => f in layout.fields);
    structs[name] = { size: layout.size, fields: Object.fromEntries(names.map((f) => [f, layout.fields[f][0]])) };
  }
  const facts = {
    version,
    build,
    pdb: { name: 'ntkrnlmp.pdb', guid: key.slice(0, 32), age: parseInt(key.slice(32), 16) },
    timeDateStamp: kernel.timeDateStamp,
    sizeOfImage: kernel.sizeOfImage,
    /** Of all known symbols: the image reaches at least so far. */
    lastRva: Math.max(...Object.values(kernel.rva)),
    tagTablesCapacity: TAG_TABLES[build],
    rva,
    structs,
  };
  writeFileSync(new URL(`${version}.json`, import.meta.url), `${JSON.stringify(facts, null, 1)}\n`);
}
