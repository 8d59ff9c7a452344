/** What a dump is built from: plain data, every part optional. Defaults make a healthy 8 GB Windows 10 machine. */

import type { MemoryRun } from './physical-memory.js';
import type { ObjectsSpec } from './objects/spec.js';
import type { PoolBlocksSpec } from './pool-blocks/spec.js';
import type { MemoryField } from './truth.js';

export type DumpKind =
  | 'full' | 'kernel' | 'bitmap-full' | 'bitmap-kernel' | 'automatic' | 'triage' | 'header'
  | 'rdmp-kernel' | 'rdmp-kernel-user' | 'rdmp-full'; // prettier-ignore
/** Whose machine it is. */
export type Architecture = 'x64' | 'arm64' | 'x86';
/** How pages are stored, whatever `DumpType` says. */
export type BodyLayout = 'runs' | 'summary' | 'bitmap' | 'rdmp' | 'triage' | 'none';

/**
 * What the page tables and the dump say of one page of a module.
 * `absent`: mapped, but the frame is not in the dump. `discarded`: no PTE, as INIT sections after start.
 */
export type PageState =
  | 'valid'
  | 'absent'
  | 'transition'
  | 'transition-absent'
  | 'prototype'
  | 'prototype-transition'
  | 'prototype-absent'
  | 'paged-out'
  | 'demand-zero'
  | 'discarded';

/**
 * A use of four tag bytes in a module. Genuine: `alloc` (`mov r8d, tag` before a call of the allocator), `free`,
 * `notmyfault` (its code, byte for byte), `local-call` (a direct call of a wrapper), `data` (a field of a structure),
 * `filter-context` (a row of FLT_CONTEXT_REGISTRATION, the only one of its array).
 * Decoys: `text` (inside longer ASCII), `utf16` (no hit in bytes), `tag-table` (a list of many tags).
 * On ARM64 all uses in code build the tag by MOVZ and MOVK; only there is `literal`, four bytes that code loads.
 */
export interface TagUse {
  tag: string;
  style:
    | 'alloc'
    | 'free'
    | 'notmyfault'
    | 'local-call'
    | 'literal'
    | 'data'
    | 'filter-context'
    | 'text'
    | 'utf16'
    | 'tag-table';
  /** Where the four bytes stand; chosen by the seed when missing. */
  rva?: number;
  /** Section to put it in: by default `.text` for code, `.data` and `.rdata` for the others. */
  section?: string;
  /** Of a filter context: ContextType, 1 volume, 2 instance, 4 file, 8 stream, 0x10 stream handle. Default 8. */
  contextType?: number;
  /** What an allocation asks for. Default nonpaged. */
  pool?: 'nonpaged' | 'paged';
  /** The text around the tag, which it must contain. */
  text?: string;
  /** ARM64: instructions between the two halves, and which half comes first. By chance up to 3, low first. */
  between?: number;
  order?: 'low-first' | 'high-first';
  /** So many of the four bytes stand before a page border; on ARM64 the border lies between the two halves. */
  straddle?: 1 | 2 | 3;
  /** The fourth byte carries the PROTECTED_POOL bit. */
  protectedBit?: boolean;
  /** State of the page (of both when it straddles). */
  page?: PageState;
}

export interface PdbSpec {
  name: string;
  /** 32 hex digits as symbol stores spell it. */
  guid: string;
  age: number;
}

export interface VersionSpec {
  /** `10.0.19041.804`. */
  fileVersion: string;
  companyName?: string;
  productName?: string;
  fileDescription?: string;
}

export interface ModuleSpec {
  name: string;
  /** Bytes; rounded up to pages. */
  size?: number;
  path?: string;
  /** Canonical address. */
  base?: bigint;
  timeDateStamp?: number;
  checkSum?: number;
  /** Null: the image has no CodeView record. */
  pdb?: PdbSpec | null;
  /** Null: no version resource. */
  version?: VersionSpec | null;
  /** A PE file of this driver: loaded as the kernel loads it, in place of an invented image. */
  file?: Uint8Array;
  /** Of `file`: keep the names of its imports, which kernels discard after loading. */
  importNames?: boolean;
  /** Functions that it imports besides the usual ones of the kernel, by the file that exports them. */
  imports?: Readonly<Record<string, readonly string[]>>;
  /** The section of the names of its imports. Default `INIT`, which is discarded once a driver runs. */
  importNamesIn?: 'INIT' | '.rdata';
  /** Functions that it exports. */
  exports?: readonly string[];
  /** Lives in session space: mapped in the page tables of session processes only. */
  session?: boolean;
  tags?: TagUse[];
  /** By page number from the base. */
  pages?: Record<number, PageState>;
  /** State of all pages that `pages` does not name. Default: by section, from `paging`. */
  allPages?: PageState;
  /** Leave the page table over this module out of the dump. Hides neighbours in the same 2 MB too. */
  pageTableAbsent?: boolean;
}

/** Lifetime counters of one pool; `bytes` outstanding. */
export interface CounterSpec {
  allocs: number | bigint;
  frees: number | bigint;
  bytes: number | bigint;
}

export interface TagRowSpec {
  tag: string;
  nonPaged?: CounterSpec;
  paged?: CounterSpec;
  /** The key in the tables carries the PROTECTED_POOL bit. */
  protected?: boolean;
  /** Default `hash`: where the tag's hash puts it. */
  place?: 'hash' | 'expansion' | 'overflow';
}

export interface PoolSpec {
  rows?: TagRowSpec[];
  /** Slots of one table: a power of two plus one. Default 2049 before Windows 10, else 4097. */
  tableSize?: number;
  /** Slots of the expansion table; 0 = none. Raised to hold the rows placed there, and those that find the table full. */
  expansionSize?: number;
  /** Processor numbers whose pointer in `ExPoolTagTables` is null. */
  absentProcessors?: number[];
  /** PoolTrackTable is null, as on Windows 2000 and XP where pool tagging was not turned on. */
  taggingOff?: boolean;
  /** Processor 0 uses the table at `PoolTrackTable` (default) or one of its own. */
  processorZero?: 'shared' | 'own';
  /** One page of one processor's table that the dump does not hold. */
  absentPage?: { processor: number; page: number };
  /** Pointers into unmapped memory instead of tables, for these processors. */
  wildProcessors?: number[];
  /** Pages of tables (0 = the one at `PoolTrackTable`) that hold something else, and the dump has as they are. */
  damagedPages?: { table: number; page: number; by: 'zeros' | 'noise' | 'another-page' }[];
  /** `ExPoolTagTables` holds nulls only, as damage leaves it: the tables of the processors cannot be found. */
  arrayEmpty?: boolean;
}

export interface PageFileSpec {
  path: string;
  /** All in pages. */
  currentPages: number;
  freePages: number;
  minimumPages: number;
  maximumPages: number;
}

/** Counters of memory in no pool: pages for MDLs, AWE and large pages, page tables of the system, page frame database, boot. */
export type MemoryPartField = 'mdlPages' | 'awePages' | 'systemPageTables' | 'pageFrames' | 'bootPages';

export interface MemorySpec {
  /** RAM in bytes, laid out in typical runs; ignored when `runs` is given. Default 8 GB. */
  bytes?: number;
  runs?: MemoryRun[];
  /** Figures in pages; the rest follows from the pool rows and the RAM. */
  figures?: Partial<Record<MemoryField, number>>;
  /** Memory in no pool, in pages, where the kernel counts it; 0 otherwise. */
  parts?: Partial<Record<MemoryPartField, number>>;
  /** Pages of each paged pool (kernels with pool descriptors). */
  pagedPools?: number[];
  /** Nodes with a nonpaged pool descriptor each (kernels with pool descriptors). */
  nonPagedNodes?: number;
  pageFiles?: PageFileSpec[];
  poolAllocationFailures?: number;
}

export interface PagingSpec {
  /** Levels of page tables; five with the kernel image and PDB `ntkrla57`, which no table knows. Default 4. */
  levels?: 4 | 5;
  /** Top-level tables point at themselves, as Windows needs it. Default true; real dumps never lack it. */
  selfMap?: boolean;
  /** x86: three levels of 8-byte entries. Default true. */
  pae?: boolean;
  /** Low bits of the header's DirectoryTableBase. Default 0. */
  pcid?: number;
  /** Map nt with 2 MB pages. Default from Windows 10 on. */
  largeKernel?: boolean;
  /** Pages of a driver that may stand side by side in RAM, at most: by chance so many or fewer. Default 1. */
  modulePages?: number;
  /** Page size of the nonpaged pool that holds tables and lists. Default `4k`. */
  poolPages?: '4k' | '2m' | '1g';
  /** Mix frame numbers of some transition PTEs with `InvalidPteMask`, where the build has one. Default true. */
  swizzle?: boolean;
  /** Shares of pageable module pages by state. */
  pagedOut?: number;
  transition?: number;
  prototype?: number;
  absent?: number;
  /** INIT sections of drivers are gone. Default true. */
  discardInit?: boolean;
}

export interface ProcessSpec {
  name: string;
  pid?: number;
  parentPid?: number;
  /** Session number; none for system processes. */
  session?: number;
  /** Pages. */
  commit?: number;
  /** Leave the root page table out of the dump. */
  rootAbsent?: boolean;
  /** COMPUTERNAME of its environment, which is in user memory. Default: the machine's name; null for none. */
  computerName?: string | null;
}

export interface SessionSpec {
  id: number;
  committedPages: number;
}

export interface UnloadedSpec {
  name: string;
  start?: bigint;
  size?: number;
  /** FILETIME. */
  time?: bigint;
}

export interface HeaderSpec {
  bugCheckCode?: number;
  bugCheckParameters?: [bigint, bigint, bigint, bigint];
  /**
   * A driver's name that one of the parameters (1 to 4) points at, as 0xC4 with 0x62 and 0xD8 have it. Default encoding:
   * a `_UNICODE_STRING`.
   */
  bugCheckDriver?: { name: string; parameter: 1 | 2 | 3 | 4; encoding?: 'unicode-string' | 'utf16' | 'ascii' };
  /** FILETIME: 100 ns since 1601 UTC. */
  systemTime?: bigint;
  /** 100 ns. */
  upTime?: bigint;
  /** 1 workstation, 2 domain controller, 3 server. */
  productType?: number;
  suiteMask?: number;
  comment?: string;
  versionUser?: string;
  attributes?: number;
  bootId?: number;
  writerStatus?: number;
  miniDumpFields?: number;
  secondaryDataState?: number;
  exceptionCode?: number;
  /** The directory table base: `wrong` is the address of a page that is no page table. Default `right`. */
  directoryTableBase?: 'right' | 'zero' | 'wrong';
  /** x86: PaeEnabled, when it differs from what the page tables are; null leaves the filler. */
  paeEnabled?: boolean | null;
  /** Where the debugger block pointer goes. Default `right`. */
  kdbgPointer?: 'right' | 'null' | 'wrong';
  /** Leave PhysicalMemoryBlock as filler, as triage dumps have it. Default by kind. */
  physicalMemoryBlock?: boolean;
  /** Raw bytes put over the finished header: hex by offset. */
  patches?: Record<number, string>;
}

export interface Scenario {
  name?: string;
  seed?: number;
  /**
   * Default x64. ARM64 machines have x64's kernel structures here, where the kernel's own are not known, and identities
   * that no table knows.
   */
  architecture?: Architecture;
  /** `10.0.19041.804` or a build number such as `19041`. */
  kernel?: string;
  kind?: DumpKind;
  /** `DumpType` when it shall differ from the kind. */
  dumpType?: number;
  /** Body when it shall differ from the kind. */
  body?: BodyLayout;
  processors?: number;
  kernelBase?: bigint;
  header?: HeaderSpec;
  memory?: MemorySpec;
  paging?: PagingSpec;
  /** `signExtended`: 32-bit kernels may fill the upper halves of its pointers with their sign. */
  kdbg?: { encoded?: boolean; size?: number; absent?: boolean; signExtended?: boolean };
  /**
   * Makes the kernel hard to recognise: its CodeView page or its headers left out, or identities that no table knows.
   * Addresses and layouts stay those of the real kernel.
   */
  hideIdentity?: 'codeview-page-missing' | 'headers-missing' | 'unknown-guid' | 'unknown-timestamp' | 'unknown-all';
  /** After ntoskrnl.exe, which is always first. Default: a plain set of system drivers. */
  modules?: ModuleSpec[];
  /** Tag uses in ntoskrnl.exe itself. */
  kernelTags?: TagUse[];
  /** More functions that ntoskrnl.exe exports: what the `file` of a module imports. */
  kernelExports?: string[];
  /**
   * Damage of the module list: after so many entries it jumps back to its first one, or into unmapped memory; walked
   * from its end, it leads into unmapped memory before the entry of this number (from 0).
   */
  moduleList?: { loopAfter?: number; breakAfter?: number; breakBefore?: number };
  unloaded?: UnloadedSpec[];
  processes?: ProcessSpec[];
  /** Objects, object types and handle tables. Without it the processes are bare `_EPROCESS`es, and nothing else is there. */
  objects?: ObjectsSpec;
  /** What the environment of every process but the first has as COMPUTERNAME; without it no process has user memory. */
  machineName?: string;
  sessions?: SessionSpec[];
  pool?: PoolSpec;
  /** Blocks of pool, whose rows take the place of the default ones; rows in `pool` are kept beside them. */
  poolBlocks?: PoolBlocksSpec;
  /** `MmVerifierData.Level` and the drivers under verification; `MmSpecialPoolTag`. */
  verifier?: {
    level?: number;
    drivers?: string[];
    specialPoolTag?: number;
    /** Outstanding allocations of these drivers; `callerRva` is in the driver. */
    allocations?: { driver: string; tag: string; count: number; bytes: number; callerRva: number }[];
    /** The log of allocations and frees, oldest first; at most 64. */
    log?: { address: bigint; bytes: number; stack: { module: string; rva: number }[] }[];
  };
  /** x86 triage dumps: bytes of an entry in the table of data blocks; both are seen. Default 16. */
  dataBlockSize?: 12 | 16;
  /** Tags whose every occurrence in modules the truth shall list, besides those of tag uses. */
  watchTags?: string[];
  /** More frames to store in kernel kinds: pages of zeros, as of pools whose contents do not matter. */
  fillerPages?: number;
  /** Secondary (tagged) data after everything else: GUIDs in the usual spelling, contents in hex. */
  secondaryData?: { guid: string; hex: string }[];
  /** PROCESSOR_START_BLOCK in the first megabyte, with CR3 (x64). Default false. */
  startBlock?: boolean;
  /** Cut the file to so many bytes. */
  truncateTo?: number;
}
