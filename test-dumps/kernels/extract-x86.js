/**
 * Picks from a collection of structure layouts (kernel-structures.json: several published type listings) what the dump
 * builder writes for 32-bit kernels, and saves one small JSON a kernel in the folder x86 beside this script.
 * Usage: node test-dumps/kernels/extract-x86.js PATH/TO/kernel-structures.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** Version, and the places of three fields of `_EPROCESS`, which the collection lacks. */
const KERNELS = [
  ['5.0.2195.7376', { size: 0x290, UniqueProcessId: 0x9c, ActiveProcessLinks: 0xa0, ImageFileName: 0x1fc }],
  ['5.1.2600.5512', { size: 0x260, UniqueProcessId: 0x84, ActiveProcessLinks: 0x88, ImageFileName: 0x174 }],
  ['5.2.3790.3959', { size: 0x278, UniqueProcessId: 0x94, ActiveProcessLinks: 0x98, ImageFileName: 0x164 }],
  ['6.0.6002.18005', { size: 0x270, UniqueProcessId: 0x9c, ActiveProcessLinks: 0xa0, ImageFileName: 0x14c }],
  ['6.1.7601.17514', { size: 0x2c0, UniqueProcessId: 0xb4, ActiveProcessLinks: 0xb8, ImageFileName: 0x16c }],
  ['6.2.9200.16384', { size: 0x2f0, UniqueProcessId: 0xb4, ActiveProcessLinks: 0xb8, ImageFileName: 0x170 }],
  ['6.3.9600.17415', { size: 0x2f8, UniqueProcessId: 0xb4, ActiveProcessLinks: 0xb8, ImageFileName: 0x170 }],
  ['10.0.10240.16384', { size: 0x330, UniqueProcessId: 0xb4, ActiveProcessLinks: 0xb8, ImageFileName: 0x174 }],
  ['10.0.19041.928', { size: 0x460, UniqueProcessId: 0xe4, ActiveProcessLinks: 0xe8, ImageFileName: 0x1ac }],
];

const STRUCTS = {
  _POOL_TRACKER_TABLE: '*',
  _POOL_DESCRIPTOR:
    'PoolType PoolIndex PoolTypeCopy RunningAllocs RunningDeAllocs RunningDeallocs TotalPages TotalBigPages TotalBytes PagesAllocated PagesDeallocated BigPagesAllocated BigPagesDeallocated BytesAllocated BytesDeallocated',
  _MM_PAGED_POOL_INFO: 'MaximumSize PagedPoolCommit AllocatedPagedPool',
  _MMPFNLIST: 'Total ListName',
  _MMPAGING_FILE: 'Size MaximumSize MinimumSize FreeSpace PeakUsage PageFileName',
  _KLDR_DATA_TABLE_ENTRY: 'TimeDateStamp SizeOfImageNotRounded',
  _MM_DRIVER_VERIFIER_DATA:
    'Level AllocationsAttempted AllocationsSucceeded AllocationsSucceededSpecialPool Loads CurrentPagedPoolAllocations CurrentNonPagedPoolAllocations PagedBytes NonPagedBytes',
  _MI_SYSTEM_INFORMATION: 'Pools Vs Hardware',
  _MI_POOL_STATE: 'AllocatedNonPagedPool',
  _MI_VISIBLE_STATE:
    'PagedPoolInfo MaximumNonPagedPoolInPages SizeOfPagedPoolInPages SystemPteInfo NonPagedPoolCommit SpecialPagesInUse ProcessCommit SharedCommit DriverCommit',
  _MI_SYSTEM_PTE_TYPE: 'PteFailures TotalSystemPtes TotalFreeSystemPtes',
  _MI_HARDWARE_STATE: 'InvalidPteMask',
  _MI_PARTITION: 'PageLists Commit Vp',
  _MI_PARTITION_PAGE_LISTS: 'ZeroedPageListHead FreePageListHead StandbyPageListHead StandbyPageListByPriority',
  _MI_PARTITION_COMMIT: 'PeakCommitment TotalCommitLimitMaximum',
  _MI_VISIBLE_PARTITION:
    'LowestPhysicalPage HighestPhysicalPage NumberOfPhysicalPages NumberOfPagingFiles PagingFile AvailablePages ResidentAvailablePages TotalCommittedPages TotalCommitLimit SharedCommit ModifiedPageListHead ModifiedNoWritePageListHead TotalPagesForPagingFile',
};

/** Windows 2000, of whose structures only these are described. */
const WINDOWS_2000 = {
  _POOL_TRACKER_TABLE: {
    size: 0x1c,
    fields: { Key: 0, NonPagedAllocs: 4, NonPagedFrees: 8, NonPagedBytes: 12, PagedAllocs: 16, PagedFrees: 20, PagedBytes: 24 },
  },
  _POOL_DESCRIPTOR: {
    size: 0x420,
    fields: { PoolType: 0, PoolIndex: 4, RunningAllocs: 8, RunningDeAllocs: 12, TotalPages: 16, TotalBigPages: 20 },
  },
  _MMPFNLIST: { size: 0x10, fields: { Total: 0, ListName: 4 } },
};

const source = process.argv[2];
if (!source) throw new Error('usage: node extract-x86.js PATH/TO/kernel-structures.json');
const known = JSON.parse(readFileSync(source, 'utf8')).structs;

function structsOf(version) {
  const structs = {};
  for (const [name, wanted] of Object.entries(STRUCTS)) {
    // Before Windows 10 the memory manager keeps its figures in plain globals.
    if (name.startsWith('_MI_') && !version.startsWith('10.')) continue;
    const layout = known[name].x86.find(({ size, builds }) => size > 0 && builds.includes(version));
    if (layout === undefined) continue;
    const fields = layout.fields.filter((f) => wanted === '*' || wanted.split(' ').includes(f.name));
    structs[name] = { size: layout.size, fields: Object.fromEntries(fields.map((f) => [f.name, f.off])) };
  }
  return structs;
}

for (const [version, { size, ...fields }] of KERNELS) {
  const structs = version.startsWith('5.0.') ? { ...WINDOWS_2000 } : structsOf(version);
  structs._EPROCESS = { size, fields: { Pcb: 0, ...fields } };
  structs._KPROCESS = { size: 0x80, fields: { DirectoryTableBase: 0x18 } };
  const facts = { version, build: Number(version.split('.')[2]), structs };
  writeFileSync(new URL(`x86/${version}.json`, import.meta.url), `${JSON.stringify(facts, null, 1)}\n`);
}
