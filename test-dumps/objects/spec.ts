/** What a machine's processes, objects and handles are built from: plain data, every part optional. */

/** Some handles of one process, all to objects of one type. */
export interface HandleSpec {
  /** Name of the object type: `Event`, `File`, `Key`, ... */
  type: string;
  /** Handles. */
  count: number;
  /** Objects behind them, each reached by as many handles as comes out even. Default: one each. */
  objects?: number;
  /**
   * Names in turn; `#` becomes the number of the object. Of files a path behind `\Device\...`, of keys one behind
   * `\REGISTRY`, of all others one in the name space. Without names most objects have none.
   */
  names?: readonly string[];
  /** References of the kernel or of a driver that each of these objects has besides. Default 0. */
  references?: number;
  /** Tokens: the account they stand for. Default: that of the process. */
  user?: string;
  /** Processes that have a handle to each of these objects too, as after `DuplicateHandle`. */
  sharedWith?: readonly number[];
}

/** More about a live process of the scenario. */
export interface ProcessDetails {
  pid: number;
  /** `\Device\HarddiskVolume3\...`; made from the image's name when missing. */
  path?: string;
  /** `DOMAIN\name`. Default: SYSTEM in session 0, the user of the session elsewhere. */
  user?: string;
  threads?: number;
  /** FILETIME. */
  createTime?: bigint;
  /** Bytes charged. */
  quota?: { paged: number; nonPaged: number };
  /** Besides the few dozen that every process has. */
  handles?: readonly HandleSpec[];
  /** So many handles of the ordinary kinds; default by the seed, 20 to 90. */
  ordinaryHandles?: number;
}

/** Ended processes of one image that are still there. */
export interface EndedGroupSpec {
  image: string;
  path?: string;
  count: number;
  parentPid: number;
  session?: number;
  user?: string;
  /** Who has a handle to each of them, or to the first part of them. */
  holders?: readonly { pid: number; share?: number }[];
  /** References of the kernel or of a driver to each. Default 0, or 1 where no process has a handle. */
  references?: number;
  /** Ended threads of each that are still there, held by the holders too. Default 0. */
  threads?: number;
  /** Exit times are spread over so many seconds before the dump. Default 6 hours. */
  overSeconds?: number;
  /** Not in `PsActiveProcessHead`, only in `PspCidTable`. */
  unlisted?: boolean;
}

/** Ended threads of a live process. */
export interface EndedThreadsSpec {
  pid: number;
  count: number;
  holders?: readonly { pid: number; share?: number }[];
  references?: number;
}

/** Objects that no process has a handle to. */
export interface UnheldSpec {
  type: string;
  count: number;
  /** Of each. Default 1. */
  references?: number;
  names?: readonly string[];
  user?: string;
}

/** What is broken or missing. */
export interface ObjectsDamage {
  /** After so many entries `PsActiveProcessHead` jumps back to its first one, or into unmapped memory. */
  activeList?: { loopAfter?: number; breakAfter?: number };
  /** The thread list of this process never ends. */
  threadListLoop?: { pid: number };
  /** So many of the last handles of a process point into unmapped memory, or at memory that is no object any more. */
  wildHandles?: { pid: number; count: number };
  freedHandles?: { pid: number; count: number };
  /** Leaves of a process's handle table (by number) that the dump does not hold. */
  absentLeaves?: { pid: number; leaves: readonly number[] }[];
  /** `PspCidTable` is null, or its table is not in the dump. */
  cidTable?: 'null' | 'absent';
  /** `ObHeaderCookie` holds another value than the headers have. */
  cookie?: 'wrong';
  /** `ObTypeIndexTable` holds nulls only. */
  typeTable?: 'empty';
}

/** Kernel stacks of live threads, by their place among them; every third one runs, as long as there are processors. */
export interface StacksSpec {
  /** Stacks that are in the page file, or whose pages the dump does not hold. */
  pagedOut?: readonly number[];
  absent?: readonly number[];
  /** The place that the switch of threads returns to is none that anything calls from. */
  broken?: readonly number[];
}

export interface ObjectsSpec {
  /** Without it threads have no stacks, and processors run none. */
  stacks?: StacksSpec;
  processes?: readonly ProcessDetails[];
  ended?: readonly EndedGroupSpec[];
  endedThreads?: readonly EndedThreadsSpec[];
  unheld?: readonly UnheldSpec[];
  damage?: ObjectsDamage;
  /** The byte that headers are mixed with from Windows 10 on. Default by the seed. */
  cookie?: number;
  /** Handles of the ordinary kinds in each process that does not say. Default 20 to 90 by the seed. */
  ordinaryHandles?: number;
  /** Bytes outstanding under a tag, when they shall not be those of the blocks. */
  tagBytes?: Readonly<Record<string, number>>;
}
