/**
 * Since which builds the layouts of kernel structures hold. Each number begins a generation that lasts to the next one.
 *
 * From the published types of 3790 to 26100: pool tracker, big pages and descriptors, paged-pool info, page lists, page files,
 * loader entries, verifier counters. A build between two known ones belongs to the generation of the earlier.
 * Types that change in almost every build (_EPROCESS, the _MI_ types) have no place here: there a neighbour proves nothing.
 */

interface Generations {
  /** First builds of the generations, ascending. */
  readonly since: readonly number[];
  /** The first build that has the type no more. */
  readonly until?: number;
}

const X64: ReadonlyMap<string, Generations> = new Map<string, Generations>([
  ['_POOL_TRACKER_TABLE', { since: [3790, 16299, 20348] }],
  ['_POOL_TRACKER_BIG_PAGES', { since: [3790, 6000, 10240, 20348, 26100] }],
  ['_POOL_DESCRIPTOR', { since: [3790, 6000, 7600, 14393, 18326], until: 19041 }],
  ['_POOL_HEADER', { since: [3790, 9600] }],
  ['_MM_PAGED_POOL_INFO', { since: [3790, 6000, 9200, 9600, 10240, 18326] }],
  ['_MMPFNLIST', { since: [3790, 7600, 20348, 26100] }],
  ['_MMPAGING_FILE', { since: [3790, 6000, 7600, 9200, 9600, 10240, 10586, 19041, 26100] }],
  ['_KLDR_DATA_TABLE_ENTRY', { since: [3790, 10240] }],
  ['_UNLOADED_DRIVERS', { since: [3790] }],
  ['_UNICODE_STRING', { since: [3790] }],
  ['_LIST_ENTRY', { since: [3790] }],
  ['_PHYSICAL_MEMORY_DESCRIPTOR', { since: [3790] }],
  ['_PHYSICAL_MEMORY_RUN', { since: [3790] }],
  ['_DBGKD_GET_VERSION64', { since: [3790] }],
  ['_MM_DRIVER_VERIFIER_DATA', { since: [3790, 6001, 7600, 10240, 14393, 17134, 20348, 26100] }],
  ['_VF_POOL_TRACE', { since: [6000, 22000] }],
  ['_VI_POOL_ENTRY', { since: [3790] }],
  ['_VI_POOL_ENTRY_INUSE', { since: [3790] }],
  ['_VI_POOL_PAGE_HEADER', { since: [3790] }],
]);

/** From the published types of 2600 to 19045, and what is known of Windows 2000 (2195). */
const X86: ReadonlyMap<string, Generations> = new Map<string, Generations>([
  ['_POOL_TRACKER_TABLE', { since: [2195, 16299] }],
  ['_POOL_DESCRIPTOR', { since: [2195, 2600, 3790, 6000, 7600, 14393, 18362], until: 19041 }],
  ['_MM_PAGED_POOL_INFO', { since: [2600, 3790, 6000, 9200, 9600, 10240, 18362] }],
  ['_MMPFNLIST', { since: [2195, 2600, 7600] }],
  ['_MMPAGING_FILE', { since: [2600, 3790, 6000, 9200, 9600, 10240, 10586, 19041] }],
  ['_KLDR_DATA_TABLE_ENTRY', { since: [2195, 10240] }],
  ['_MM_DRIVER_VERIFIER_DATA', { since: [2600, 6001, 7600, 10240, 14393, 17134] }],
]);

/** By type; those of ARM64 are in no table. */
export const GENERATIONS = { x64: X64, x86: X86 } as const;

/**
 * Since which builds kernels behave so, where neither a layout nor a symbol tells it: the only place that has the numbers.
 * Known from systems and published symbols of the builds on both sides, 2195 to 26200.
 */
const CHANGES = {
  /** Tags are counted on every system, not only where tagging was turned on: Windows Server 2003. */
  countsTagsAlways: 3790,
  /** Some kernels have a tag table for each processor: Windows Server 2003 with SP2. */
  mayCountTagsByProcessor: 3790,
  /** All have: Windows Vista. */
  countsTagsByProcessor: 6000,
  /** PoolType of a header is bits, InUse among them, and no longer the type plus one. */
  hasPoolTypeBits: 6000,
  /** Prototype PTEs without PAE hold addresses, not distances from the start of paged pool. */
  hasPrototypeAddresses: 6000,
  /** Nonpaged pool that is not executable is apart, in descriptors of its own: Windows 8. */
  hasNonExecutablePool: 9200,
  /** Headers of objects have an index in the place of the pointer to their type: Windows 7. */
  hasTypeIndexes: 7600,
  /** Entries of handle tables hold the object in fewer bits than an address: Windows 8, and otherwise again since 8.1. */
  packsHandles: 9200,
  packsHandlesAsNow: 9600,
  /** The pool may be made of segment heaps, which 1809 had turned on or not; and always is: 1903. */
  mayHavePoolHeaps: 17135,
  hasPoolHeaps: 18362,
  /** Driver Verifier may keep allocations in trees (ViPoolInfoAvl) whose nodes no published type tells: Server 2022. */
  mayTrackPoolInTrees: 20348,
  /** The memory manager keeps its figures in MiState and MiSystemPartition: Windows 10. */
  hasMemoryState: 10240,
  /** Event tracing tells of pool, and Driver Verifier has a log of it: Windows Vista. */
  tracesPool: 6000,
  /** Stacks of a 64-bit system are traced without a setting: Windows 8. */
  tracesStacksAtOnce: 9200,
  /** wpr is a part of Windows: Windows 10. */
  hasWpr: 10240,
  /** The debugger calls what the kernel was built from its edition's build lab: Windows 10 2004. */
  hasEditionBuildLab: 19041,
  /** The pool log of Driver Verifier keeps 50 frames of a stack on 64-bit systems, 13 before: Windows 11. */
  logsLongStacks: 22000,
} as const;

/** Whether a build behaves so; false for 0, which stands for a build that is not known. */
export function kernelDoes(change: keyof typeof CHANGES, buildNumber: number): boolean {
  return buildNumber >= CHANGES[change];
}

/** Releases that ship the binaries of an earlier build and differ from it by switches: 19045 is 19041, 26200 is 26100. */
const SAME_BINARIES: readonly (readonly [from: number, to: number, build: number])[] = [
  [6003, 6003, 6002],
  [18363, 18363, 18362],
  [19042, 19045, 19041],
  [22631, 22631, 22621],
  [26200, 26200, 26100],
];

/** The build whose binaries this build ships: itself, or the one that it enables features of. */
export function releaseFamily(buildNumber: number): number {
  return SAME_BINARIES.find(([from, to]) => buildNumber >= from && buildNumber <= to)?.[2] ?? buildNumber;
}
