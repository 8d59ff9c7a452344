/**
 * The analysis result: one object that text, JSON, CSV and every later report are functions of.
 * Field names are a published contract (docs/result.md). Any field may be null: unknown is never 0 and never missing.
 * Addresses, codes and hashes are lower-case hex strings with `0x`; sizes are bytes unless the name ends in `Pages`;
 * counts past 2^53 - 1 are decimal strings.
 */

import type { FigureSource } from '../../symbols/kernel-symbols.js';

export type { FigureSource };

/** Lower-case hexadecimal with `0x`. */
export type Hex = string;
/** A count or a size in bytes: a number, or a decimal string past 2^53 - 1. */
export type Count = number | string;

export const SCHEMA_VERSION = '1.0';

export type DumpType =
  | 'full' | 'kernel' | 'bitmap-full' | 'bitmap-kernel' | 'automatic' | 'triage' | 'header'
  | 'rdmp-kernel' | 'rdmp-kernel-user' | 'rdmp-full'; // prettier-ignore
export type Architecture = 'x64' | 'x86' | 'x86-pae' | 'arm64';
export type PoolKind = 'nonpaged' | 'paged';
export type Confidence = 'high' | 'medium' | 'low';

/** A figure in pages with its origin. */
export interface Pages {
  pages: Count;
  source: FigureSource;
}

/** Something the reader of the report must know: a code for programs, a sentence for people. */
export interface Note {
  code: string;
  message: string;
}

export interface Warning extends Note {
  /** What it concerns: `dump`, `symbols`, `modules`, `memory`, `poolTags`, `suspects`. */
  where: string;
}

/** Nothing counted the tags: pool tagging was not turned on, as is usual on Windows 2000 and XP. */
export function taggingIsOff(warnings: readonly Warning[]): boolean {
  return warnings.some(({ code }) => code === 'pool-tagging-off');
}

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

export interface MemoryFlag extends Note {
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

export type EvidenceKind =
  | 'bugcheck' | 'code-immediate' | 'code-immediate-pair' | 'data' | 'string' | 'tag-rule' | 'pooltag-file'
  | 'verifier' | 'allocation-content' | 'disk-image'; // prettier-ignore

export interface Evidence {
  kind: EvidenceKind;
  address: Hex | null;
  /** From the module's base. */
  offset: Hex | null;
  /** Sixteen bytes from the hit on, or fewer where the next page is missing. */
  bytes: string | null;
  ascii: string | null;
  section: string | null;
  executable: boolean | null;
  symbol: string | null;
  instruction: string | null;
  callsAllocator: boolean | null;
  /** The call that gets the tag, where code was followed to it; null elsewhere. */
  call: EvidenceCall | null;
  /** The function that the code is part of, where its bounds could be told. */
  function: EvidenceFunction | null;
  /** Why this counts as it does, for people. */
  note: string | null;
}

/** A call of a documented function that gets the tag. */
export interface EvidenceCall {
  address: Hex;
  /** The documented function: `ExAllocatePoolWithTag`. */
  allocator: string;
  /** What that function does with the tag. */
  kind: 'allocate' | 'free' | 'lookaside' | 'other';
  instruction: string | null;
  /** Functions of the driver between the call and the documented function, outermost first: `acme!AcmeAllocate` by PDB or export, else `acme+0x1400`. */
  through: string[];
}

/** The bounds of a function. */
export interface EvidenceFunction {
  start: Hex;
  /** The first byte behind it. */
  end: Hex;
  /** What tells where it begins. */
  source: 'exception-table' | 'export' | 'call-target' | 'padding' | 'synchronized';
}

export interface SuspectDriver {
  module: string;
  confidence: Confidence;
  evidence: Evidence[];
}

/** How much of the modules could be searched for the tag. */
export interface Searched {
  modules: number;
  /** Modules of which no page could be translated: session images without a process of their session, and the like. */
  notTranslatable: number;
  pagesPresent: number;
  pagesMissing: number;
  /** Of `pagesPresent`, those that the dump lacks and an image on disk has; null or missing where none was given. */
  pagesFromDisk?: number | null;
}

/** A tag whose outstanding allocations go with those of a suspect: a hint that changes no confidence. */
export interface RelatedTag {
  tag: string;
  pool: PoolKind;
  outstanding: Count;
  /** Its outstanding allocations by the suspect's, three decimals. */
  ratio: number;
}

/** What is known of a leak of this tag from a file of known issues. */
export interface KnownIssue {
  /** Null for an entry about the tag alone. */
  driver: string | null;
  known: string;
  fix: string | null;
  /** Where that stands. */
  source: string;
  /** The user's file that it comes from; null for the built-in ones. */
  file: string | null;
}

export interface Suspect {
  tag: string;
  pool: PoolKind;
  bytes: Count;
  outstanding: Count;
  averageBytes: number | null;
  /** Of the pool's usage; null where that is unknown. */
  shareOfPool: number | null;
  /** Of physical memory. */
  shareOfMemory: number | null;
  confidence: Confidence;
  reasons: Note[];
  against: Note[];
  /** Best first; empty when no module holds the tag. */
  drivers: SuspectDriver[];
  searched: Searched | null;
  /** Nearest to a whole ratio first; empty where no tag goes with it. Results of earlier versions have none. */
  related?: RelatedTag[] | null;
  /** Entries of known issues that fit; missing in results of earlier versions. */
  knownIssues?: KnownIssue[] | null;
}

export interface Verdict {
  leakSuspected: boolean;
  headline: string;
  nextSteps: string[];
}

export interface AnalysisResult {
  schemaVersion: string;
  run: RunInfo;
  dump: DumpInfo;
  system: SystemInfo | null;
  memory: MemoryInfo | null;
  poolTags: PoolTags | null;
  modules: ModuleInfo[] | null;
  unloadedModules: UnloadedModule[] | null;
  suspects: Suspect[];
  verdict: Verdict;
  warnings: Warning[];
}

/** A 64-bit count as the contract writes it. */
export function count(value: bigint): Count {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
}

/** The nearest number to a count, for shares and comparisons. */
export function toNumber(value: Count): number {
  return Number(value);
}
