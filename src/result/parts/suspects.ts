/** The parts of the result that accuse: evidence, suspects with their drivers and holders, the culprit, the next step, the verdict. */

import type { EvidenceKind } from '../evidence-kinds.js';
import type { TagOwner } from './machine.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import type { Confidence, Count, Hex, Note, PoolKind } from './values.js';

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
