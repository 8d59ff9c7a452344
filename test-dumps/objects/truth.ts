/** What is true of a machine's processes, objects and handles. Times are FILETIMEs, addresses canonical. */

/** The stack of a thread that waits: from the innermost function on. */
export interface StackTruth {
  thread: bigint;
  kernelStack: bigint;
  state: 'whole' | 'paged-out' | 'absent' | 'broken';
  /** `stack`: where it stands in the function; `returns`: where its caller goes on, 0 of the outermost one. */
  frames: readonly { stack: bigint; instruction: bigint; returns: bigint }[];
}

export interface ObjectProcessTruth {
  pid: number;
  parentPid: number;
  name: string;
  /** Empty for the System process. */
  path: string;
  user: string;
  session: number | null;
  address: bigint;
  createTime: bigint;
  /** 0 while it runs. */
  exitTime: bigint;
  threads: number;
  endedThreads: number;
  quota: { paged: number; nonPaged: number; pagedPeak: number; nonPagedPeak: number };
  commit: number;
  /** In `PsActiveProcessHead`. */
  listed: boolean;
  /** References that no handle stands for. */
  references: number;
  /** Of its own handles; null for ended ones. */
  handles: HandlesTruth | null;
}

export interface HandlesTruth {
  table: bigint;
  level: 0 | 1 | 2;
  leaves: number;
  /** All of them, and those in leaves that the dump lacks. */
  count: number;
  absent: number;
  /** Entries that lead to no object. */
  wild: number;
  freed: number;
  /** Of the others that can be read. */
  byType: Record<string, number>;
  /** The first of them, in full. */
  first: HandleTruth[];
}

export interface HandleTruth {
  handle: number;
  type: string;
  /** Of the object's body. */
  object: bigint;
  access: number;
  /** As a report would name the object: a path, an image with its id, an account; null: it has no name. */
  name: string | null;
}

export interface ObjectTypeTruth {
  name: string;
  tag: string;
  index: number;
  /** Of the `_OBJECT_TYPE`. */
  address: bigint;
  pool: 'nonPaged' | 'paged';
  objects: number;
  handles: number;
  objectsHighWater: number;
  handlesHighWater: number;
  /** Objects without a handle. */
  withoutHandle: number;
}

export interface EndedGroupTruth {
  image: string;
  path: string;
  parentPid: number;
  session: number | null;
  count: number;
  listed: boolean;
  firstExit: bigint;
  lastExit: bigint;
  holders: { pid: number; handles: number }[];
  withoutHandle: number;
}

export interface TagHoldersTruth {
  tag: string;
  type: string;
  objects: number;
  bytes: number;
  handles: number;
  withoutHandle: number;
  /** Most handles first. */
  holders: { pid: number; name: string; handles: number; objects: number }[];
}

export interface ObjectsTruth {
  /** Only of machines with stacks. */
  stacks?: readonly StackTruth[];
  /** The thread that runs on each processor, and its process. */
  running?: readonly { thread: bigint; process: bigint }[];
  /** Mixed into type indexes from Windows 10 on; null before. */
  cookie: number | null;
  processes: ObjectProcessTruth[];
  ended: EndedGroupTruth[];
  endedThreads: number;
  types: ObjectTypeTruth[];
  /** Tags of types that have objects. */
  tags: TagHoldersTruth[];
  handles: number;
  /** Address of the table of ids, entries in it, and whether it can be read. */
  idTable: { address: bigint; entries: number; state: 'whole' | 'null' | 'absent' };
  /** The damage that the scenario asked for. */
  damage: string[];
}
