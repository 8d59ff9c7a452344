/**
 * The analysis result: one object that text, JSON, CSV and every later report are functions of.
 * Field names are a published contract (docs/result.md). Any field may be null: unknown is never 0 and never missing.
 * Addresses, codes and hashes are lower-case hex strings with `0x`; sizes are bytes unless the name ends in `Pages`;
 * counts past 2^53 - 1 are decimal strings.
 *
 * A field is added here and in shape.ts, and nowhere else: order, redaction, schema, CSV and the tables of docs/result.md
 * follow from there. Fields that results of an earlier version lack are optional.
 */

import type { FigureSource } from '../../symbols/kernel-symbols.js';
import type { EvidenceKind } from './evidence-kinds.js';
import type { WarningCode, WarningPlace } from './warning-codes.js';

export type { EvidenceKind, FigureSource, WarningCode };

/** Lower-case hexadecimal with `0x`. */
export type Hex = string;
/** A count or a size in bytes: a number, or a decimal string past 2^53 - 1. */
export type Count = number | string;

export const SCHEMA_VERSION = '2.0';

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
export interface Note<Code extends string = string> {
  code: Code;
  message: string;
}

export interface Warning extends Note<WarningCode> {
  /** What it concerns. */
  where: WarningPlace;
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

export interface Evidence {
  kind: EvidenceKind;
  /** Where it was read: in the dump, or in a file beside it; null where it was read in neither (a rule, a list). */
  from?: 'dump' | 'file' | null;
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
  /** Where they begin: what they are named by, in the same order. */
  throughStarts?: Hex[] | undefined;
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
  /** Of its image: what joins it with `modules`. Null for one that is no longer loaded. */
  base?: Hex | null;
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

/** Tags in lock step: as many outstanding allocations, or a whole number of times as many, and hardly any freed. */
export interface TagCluster {
  members: {
    key: Hex;
    tag: string;
    pool: PoolKind;
    outstanding: Count;
    /** Its outstanding allocations by the suspect's. */
    ratio: number;
    owner: TagOwner | null;
  }[];
  /** Who makes the others allocate; null where no one member stands out. */
  culprit: { module: string; base: Hex | null; confidence: Confidence; because: string } | null;
}

/** The part of Windows that allocates for those who are registered with it. */
export type CandidateArea = 'file-system' | 'network' | 'registry' | 'processes';

/** What a driver registers itself as, by the functions that it imports. */
export type CandidateRole =
  | 'file-system-filter'
  | 'legacy-file-system-filter'
  | 'wfp-callout'
  | 'ndis-filter'
  | 'ndis-protocol'
  | 'ndis-miniport'
  | 'registry-callback'
  | 'process-callback'
  | 'thread-callback'
  | 'image-callback'
  | 'object-callback';

/** A driver that could make a part of Windows allocate. To stand here accuses nobody. */
export interface Candidate {
  module: string;
  base: Hex;
  company: string | null;
  version: string | null;
  /** A known part of Windows. */
  windows: boolean;
  roles: CandidateRole[];
  /** Of a file system filter, where the filter manager's symbols tell: the higher, the earlier it is called. */
  altitude: string | null;
  /** Volumes that such a filter is attached to; null where that is not known. */
  instances: Count | null;
  /** What leads to this one besides what it is registered as; null where nothing does. */
  because: string | null;
}

/** Who could be behind a tag of Windows. */
export interface Candidates {
  area: CandidateArea;
  /** Best first. */
  drivers: Candidate[];
  /** Drivers that are no known part of Windows and whose imports are not in the dump: what they are is not known. */
  unread: string[];
  /** All of these; `unread` has the first. */
  unreadCount: number;
}

/** A process, as far as a suspect names it. */
export interface ProcessName {
  pid: Count;
  image: string;
}

/** Who holds the objects under a tag that is an object type's. */
export interface Holders {
  /** Of the objects. */
  type: string;
  objects: Count;
  handles: Count;
  withoutHandle: Count | null;
  /** Handles whose table entry or object could not be read. */
  unreadable: Count;
  /** Every handle of every process was read. False: others may hold more than is said here. */
  complete: boolean;
  processes: (ProcessName & {
    handles: Count;
    objects: Count | null;
    /** Of all handles to objects of the type. */
    share: number;
    /** Of so many of its handles it was looked at what they lead to: the counts of `targets` are of these. */
    looked: Count;
    targets: { name: string; count: Count }[];
  })[];
  ended: {
    image: string;
    parentImage: string | null;
    parentPid: Count | null;
    count: Count;
    firstExit: string | null;
    lastExit: string | null;
  }[];
  references: { objects: Count; beyondHandles: Count } | null;
}

/** What stands in blocks of a tag, by a sample of them. */
export interface BlockContents {
  sampled: Count;
  sizes: { bytes: Count; count: Count }[];
  pointers: { offset: number; module: string; moduleOffset: Hex; symbol: string | null; count: Count }[];
  strings: { text: string | null; count: Count }[];
  kinds: {
    kind: string;
    count: Count;
    looked: Count;
    detail: string | null;
    /** What the blocks lead to, most first; results of earlier versions have none. */
    leads?: { how: string; name: string; count: Count }[] | null;
    /** Of the layout; null where the block itself told enough, or a published declaration was proved. */
    source?: FigureSource | null;
  }[];
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
  /** `hex` of the tag's row: what joins them. Null in a result of version 1 whose rows do not tell it. */
  key?: Hex | null;
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
  /** Null where no tag goes with it. */
  cluster?: TagCluster | null;
  /** Who could be behind a tag of file systems, the network, the registry or processes; null for other tags. */
  candidates?: Candidates | null;
  /** Null where the tag is no object type's. */
  holders?: Holders | null;
  /** Null where no block was looked at. */
  contents?: BlockContents | null;
  /** Processes that were charged for the blocks, largest first; null where that is not known. */
  billed?: (ProcessName & { bytes: Count; blocks: Count })[] | null;
}

/** Who is behind the leak that the verdict speaks of. */
export interface Culprit {
  /** `none`: no leak is suspected. `unknown`: nobody can be named, or the dump cannot tell. */
  kind: 'driver' | 'process' | 'kernel-references' | 'not-pool' | 'unknown' | 'none';
  /** File name; null unless a driver is behind it. */
  module: string | null;
  base: Hex | null;
  process: ProcessName | null;
  /** Null where nobody is named. */
  confidence: Confidence | null;
  because: string[];
}

/** How to get the stacks of allocations under a tag. */
export interface Recipe {
  tag: string;
  key: Hex;
  /** That it is for; null: any. */
  build: number | null;
  /** The most useful first. */
  steps: RecipeStep[];
}

export interface RecipeStep {
  id: 'poolmon' | 'handles' | 'object-references' | 'wpr' | 'xperf' | 'verifier' | 'pool-hit-tag';
  title: string;
  /** What it costs the machine. */
  cost: string;
  where: 'command prompt' | 'debugger';
  /** In order, to paste one by one. */
  commands: string[];
  note: string;
}

export interface Verdict {
  /** Null where this dump cannot tell. */
  leakSuspected: boolean | null;
  headline: string;
  nextSteps: string[];
  /** Null in results of version 1, and where only parts were read. */
  culprit?: Culprit | null;
  /** How to get the stacks of the first suspect; null where no tag is suspected. */
  recipe?: Recipe | null;
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
  objectTypes?: ObjectTypeInfo[] | null;
  processes?: ProcessList | null;
  /** Two tables, each adds up to its total with what is unexplained. */
  whereMemoryIs?: MemoryPart[] | null;
  suspects: Suspect[];
  verdict: Verdict;
  warnings: Warning[];
}

/** A dump of a batch that could not be analyzed. */
export interface BatchFailure {
  dump: { path: string };
  error: { code: string; message: string };
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
