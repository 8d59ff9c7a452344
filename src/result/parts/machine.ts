/** The parts of the result that tell of the run, the dump and the machine: memory, pool tags, modules, objects, processes. */

import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import type { Architecture, Confidence, Count, DumpType, Hex, Note, Pages, PoolKind } from './values.js';

export interface RunInfo {
  tool: 'dumpleak';
  version: string;
  startedAt: string;
  elapsedMs: number;
  bytesRead: number;
  options: Record<string, unknown>;
}

export interface BugCheck {
  code: Hex;
  /** Null where the code is in no table. */
  name: string | null;
  parameters: Hex[];
}

export interface DumpInfo {
  path: string;
  fileBytes: Count;
  container: string | null;
  format: 'PAGEDU64' | 'PAGEDUMP';
  type: DumpType;
  typeCode: number | null;
  live: boolean;
  truncated: boolean;
  encrypted: boolean;
  architecture: Architecture | null;
  pagingLevels: number | null;
  directoryTableBase: Hex | null;
  processors: number | null;
  pagesPresent: Count | null;
  physicalPages: Count | null;
  runs: number | null;
  bugCheck: BugCheck | null;
  systemTime: string | null;
  upTimeSeconds: number | null;
}

export interface PdbIdentity {
  name: string;
  guid: string;
  age: number;
}

export interface SystemInfo {
  buildNumber: number | null;
  version: string | null;
  name: string | null;
  productType: 'workstation' | 'domain-controller' | 'server' | null;
  buildLab: string | null;
  machineName: string | null;
  kernelBase: Hex | null;
  kernelPdb: PdbIdentity | null;
  symbols: { source: FigureSource; detail: string } | null;
}

export interface PageFile {
  path: string | null;
  currentPages: Count | null;
  freePages: Count | null;
  minimumPages: Count | null;
  maximumPages: Count | null;
}

/** Pool near its limit or past it, other memory short, and figures that cannot be true. */
export type MemoryFlagCode =
  | `${'implausible' | 'high' | 'excessive'}-${PoolKind}-pool`
  | 'implausible-commit'
  | 'commit-near-limit'
  | 'implausible-available-memory'
  | 'low-available-memory'
  | 'low-system-ptes'
  | 'system-ptes-exhausted'
  | 'implausible-tag-bytes';

export interface MemoryFlag extends Note<MemoryFlagCode> {
  /** Pages, as compared. */
  value: Count;
  limit: Count;
  /** value / limit * 100, one decimal. */
  percent: number;
  /** What the limit is: `nonpaged pool maximum`, `physical memory`, `paged pool maximum`, `commit limit`, ... */
  basis: string;
}

/**
 * The `!vm` figures that are one number of pages each. `nonPagedPoolUsage` is all nonpaged pool in use;
 * `nonPagedPoolNxUsage` is the part of it that is not executable, where the kernel tells (Windows 8 and later).
 */
export const MEMORY_FIELDS = [
  'physicalMemory', 'availablePages', 'residentAvailablePages', 'lockedIoPages', 'freeSystemPtes',
  'modifiedPages', 'modifiedPageFilePages', 'modifiedNoWritePages', 'zeroedPages', 'freePages', 'standbyPages',
  'nonPagedPoolUsage', 'nonPagedPoolNxUsage', 'nonPagedPoolMaximum', 'pagedPoolUsage', 'pagedPoolMaximum',
  'sessionCommit', 'sharedCommit', 'specialPool', 'sharedProcess', 'pagedPoolCommit', 'nonPagedPoolCommit',
  'driverCommit', 'committedPages', 'commitLimit', 'peakCommitment',
] as const; // prettier-ignore
export type MemoryField = (typeof MEMORY_FIELDS)[number];

export type MemoryInfo = Record<MemoryField, Pages | null> & {
  nonPagedPools: { node: number; pages: Count | null; nxPages: Count | null; source: FigureSource }[] | null;
  pagedPools: { index: number; pages: Count; source: FigureSource }[] | null;
  pageFiles: PageFile[] | null;
  poolAllocationFailures: { count: Count; source: FigureSource } | null;
  flags: MemoryFlag[];
};

/** One pool's counters of a tag. Lifetime `allocs` and `frees`; `outstanding` = allocs - frees; `bytes` outstanding. */
export interface PoolCounters {
  allocs: Count;
  frees: Count;
  outstanding: Count;
  bytes: Count;
}

/** Who is named for a tag, and on what ground. */
export interface TagOwner {
  /** File name of the module. */
  module: string;
  base: Hex | null;
  confidence: Confidence;
  basis: 'code' | 'data' | 'list' | 'object-type' | 'rule' | 'bugcheck';
}

export interface PoolTagRow {
  /** Four characters; bytes that cannot be printed stand as `.`. */
  tag: string;
  /** The raw key, little-endian, without the protected bit. */
  hex: Hex;
  /** The key carried the PROTECTED_POOL bit in a table. */
  protected: boolean;
  nonPaged: PoolCounters;
  paged: PoolCounters;
  description: string | null;
  binary: string | null;
  tagSource: 'pooltag.txt' | 'localtag.txt' | 'built-in' | null;
  /** Null where nobody is named. */
  owner?: TagOwner | null;
}

export interface PoolTotals {
  nonPagedAllocs: Count;
  nonPagedBytes: Count;
  pagedAllocs: Count;
  pagedBytes: Count;
}

export interface Reconciliation {
  tagBytes: Count;
  poolBytes: Count;
  /** poolBytes - tagBytes; negative where the tags hold more than the pool counter says. */
  unexplainedBytes: Count;
}

export interface PoolTags {
  /** Tables that were read and summed. */
  tables: number;
  /** Slots in one hashed table. */
  entries: number;
  source: FigureSource;
  complete: boolean;
  reconciliation: { nonPaged: Reconciliation | null; paged: Reconciliation | null };
  /** Outstanding allocations and bytes over all rows. */
  totals: PoolTotals;
  /** By nonpaged plus paged bytes, largest first. */
  rows: PoolTagRow[];
}

export interface VersionInfo {
  fileVersion: string | null;
  productName: string | null;
  companyName: string | null;
  fileDescription: string | null;
  productVersion?: string | null;
  /** What the file was called when it was built. */
  originalFilename?: string | null;
  /** Language and code page of these strings, eight hexadecimal digits: `040904b0`. */
  language?: string | null;
}

/** The embedded signature of an image on disk, as far as its certificate tells. It is not verified. */
export interface SignatureInfo {
  /** False: the file has none, and may still be signed by a catalog. */
  embedded: boolean;
  signer: string | null;
  organization: string | null;
  issuer: string | null;
  /** What that says of the maker, for people. */
  note: string;
}

export interface ModuleInfo {
  /** File name: `myfault.sys`. */
  name: string;
  /** As the debugger names it: `myfault`. */
  moduleName: string;
  path: string | null;
  base: Hex;
  end: Hex;
  sizeOfImage: number;
  timeDateStamp: Hex | null;
  checkSum: Hex | null;
  pdb: PdbIdentity | null;
  version: VersionInfo | null;
  pagesPresent: number | null;
  pagesTotal: number;
  /** What the time stamp is: `date`, `hash` (a reproducible build), `impossible`; null where that is not known. */
  timeStampKind?: 'date' | 'hash' | 'impossible' | null;
  /** When it was linked; null unless the time stamp is a date. */
  builtAt?: string | null;
  /** The image on disk that completes it; null where none was given or fitted. */
  image?: { path: string; pagesFilled: number } | null;
  /** Null where no image on disk was read. */
  signature?: SignatureInfo | null;
}

export interface UnloadedModule {
  name: string;
  start: Hex | null;
  end: Hex | null;
  unloadedAt: string | null;
}

/** A type of kernel objects with its counters and the tag that its objects are allocated under. */
export interface ObjectTypeInfo {
  type: string;
  tag: string;
  /** The tag's key, as `hex` of its row. */
  key: Hex;
  pool: PoolKind | null;
  objects: Count;
  handles: Count;
  objectsHighWater: Count | null;
  handlesHighWater: Count | null;
  source: FigureSource;
}

/** What the kernel charged a process for pool, in bytes. */
export interface ProcessQuota {
  pagedBytes: Count;
  nonPagedBytes: Count;
  pagedPeakBytes: Count;
  nonPagedPeakBytes: Count;
}

export interface ProcessInfo {
  /** Of its EPROCESS. */
  address: Hex;
  pid: Count;
  parentPid: Count | null;
  /** As the kernel keeps it: fifteen characters where the whole name was not found. */
  image: string;
  path: string | null;
  /** Whose token it has: an account where the logon session tells it, else a SID. */
  user?: string | null;
  sessionId: number | null;
  createdAt: string | null;
  exitedAt: string | null;
  ended: boolean;
  threads: Count | null;
  handles: Count | null;
  handlesUnreadable: Count | null;
  /** By count, largest first; null where the handle table was not walked. */
  handleTypes: { type: string; count: Count }[] | null;
  quota: ProcessQuota | null;
  commitBytes: Count | null;
}

export interface ProcessList {
  /** The list was walked to its end. */
  complete: boolean;
  live: Count;
  /** Ended processes whose object is still there; null where they were not looked for. */
  ended: Count | null;
  source: FigureSource;
  rows: ProcessInfo[];
}

/** Physical memory or commit that one thing holds. The rows of each add up to it. */
export interface MemoryPart {
  of: 'physical memory' | 'commit';
  what: string;
  /** Null: no counter of it is known. Of `unexplained`: negative where parts are counted twice, null where one is unknown. */
  pages: Count | null;
  source: FigureSource | null;
}
