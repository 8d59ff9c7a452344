/** What a correct analysis of a built dump finds. Addresses and counters are bigint, sizes in bytes and pages numbers. */

import type { PoolBlocksTruth } from './pool-blocks/spec.js';
import type { ObjectsTruth } from './objects/truth.js';
import type { DumpKind, PageFileSpec, PageState, PdbSpec, TagUse, VersionSpec } from './scenario.js';

/** The names of the analysis result's memory fields, all in pages. */
export const MEMORY_FIELDS = [
  'physicalMemory', 'availablePages', 'residentAvailablePages', 'lockedIoPages', 'freeSystemPtes',
  'modifiedPages', 'modifiedPageFilePages', 'modifiedNoWritePages', 'zeroedPages', 'freePages', 'standbyPages',
  'nonPagedPoolUsage', 'nonPagedPoolNxUsage', 'nonPagedPoolMaximum', 'pagedPoolUsage', 'pagedPoolMaximum',
  'sessionCommit', 'sharedCommit', 'specialPool', 'sharedProcess', 'pagedPoolCommit', 'nonPagedPoolCommit',
  'driverCommit', 'committedPages', 'commitLimit', 'peakCommitment',
] as const; // prettier-ignore
export type MemoryField = (typeof MEMORY_FIELDS)[number];

export interface CountersTruth {
  /** Lifetime counts as summed over tables; modulo 2^32 where the kernel's counters have 32 bits. */
  allocs: bigint;
  frees: bigint;
  outstanding: bigint;
  bytes: bigint;
}

export interface TagRowTruth {
  tag: string;
  /** Without the protected bit. */
  key: number;
  protected: boolean;
  nonPaged: CountersTruth;
  paged: CountersTruth;
}

export interface TagHitTruth {
  tag: string;
  module: string;
  rva: number;
  address: bigint;
  section: string | null;
  /** The use it was planted as; `accident` for bytes in names and other texts. */
  style: TagUse['style'] | 'accident';
  genuine: boolean;
  protectedBit: boolean;
  straddles: boolean;
  /** All four bytes can be read from the dump. */
  readable: boolean;
  /** Why not. */
  hidden: string | null;
  /** ARM64: where the second of the two instructions that build the tag stands. */
  second?: bigint;
}

export interface ModuleTruth {
  name: string;
  path: string;
  base: bigint;
  size: number;
  timeDateStamp: number;
  checkSum: number;
  /** As in the image, readable or not. */
  pdb: PdbSpec | null;
  version: VersionSpec | null;
  session: boolean;
  headersReadable: boolean;
  codeViewReadable: boolean;
  versionReadable: boolean;
  pagesTotal: number;
  pagesPresent: number;
  /** By RVA of the page. */
  pagesMissing: { rva: number; state: PageState; why: string }[];
  sections: { name: string; rva: number; size: number; executable: boolean }[];
}

export interface Truth {
  scenario: string;
  seed: number;
  kind: DumpKind;
  dumpType: number;
  body: string;
  kernel: {
    version: string;
    build: number;
    base: bigint;
    pdb: PdbSpec;
    timeDateStamp: number;
    sizeOfImage: number;
    /** Null where the debugger block does not name it. */
    buildLab: string | null;
    /** The image's identity is that of the real kernel. */
    genuine: boolean;
  };
  header: {
    directoryTableBase: bigint;
    psLoadedModuleList: bigint;
    psActiveProcessHead: bigint;
    kdDebuggerDataBlock: bigint;
    processors: number;
    bugCheckCode: number;
    bugCheckParameters: bigint[];
    systemTime: bigint;
    upTime: bigint;
    productType: number;
    runs: { basePage: number; pageCount: number }[];
  };
  kdbg: { address: bigint; size: number; encoded: boolean };
  /** Pages stored in the file, and in RAM. */
  pagesPresent: number;
  physicalPages: number;
  fileBytes: number;
  modules: ModuleTruth[];
  unloadedDrivers: { name: string; start: bigint; end: bigint; time: bigint }[];
  processes: { name: string; pid: number; directoryTableBase: bigint; session: number | null; address: bigint }[];
  /** Of scenarios with pool blocks. */
  poolBlocks?: PoolBlocksTruth;
  pool: {
    tableAddress: bigint;
    /** Distinct hashed tables that `PoolTrackTable` and `ExPoolTagTables` reach, and those that can be read whole. */
    tables: number;
    tablesReadable: number;
    tableAddresses: bigint[];
    entries: number;
    expansionEntries: number;
    recordSize: number;
    rows: TagRowTruth[];
    totals: { nonPagedAllocs: bigint; nonPagedBytes: bigint; pagedAllocs: bigint; pagedBytes: bigint };
    /** Counters of single tables that are negative on their own. */
    negativeCounters: number;
    complete: boolean;
  };
  /** Null where this kernel has no such figure. */
  memory: Record<MemoryField, number | null>;
  nonPagedPools: { node: number; pages: number; nxPages: number | null }[] | null;
  pagedPools: number[] | null;
  pageFiles: PageFileSpec[] | null;
  poolAllocationFailures: number | null;
  sessions: { id: number; address: bigint; committedPages: number }[];
  tagHits: TagHitTruth[];
  /** Of machines that have objects. */
  objects?: ObjectsTruth;
  verifier: { level: number; drivers: string[]; specialPoolTag: number };
}
