/**
 * What the commands about objects show (`processes`, `handles`, `objects`, `holders`): parts beside those of the result.
 * A field is added here and in shape-objects.ts.
 */

import type { Count, Hex, Holders, PoolKind, ProcessName } from './result.js';

/** What the debugger's `!process 0 0` and `!handle` say of a process beside what the result has. */
export interface ProcessBlock extends ProcessName {
  /** Of its EPROCESS. */
  address: Hex;
  parentPid: Count | null;
  sessionId: number | null;
  ended: boolean;
  peb: Hex | null;
  directoryTableBase: Hex | null;
  /** Of its handle table; null where it has none. */
  objectTable: Hex | null;
  /** Null where the table could not be read whole. */
  handles: Count | null;
}

/** Ended processes of one program, parent and session. */
export interface EndedGroup {
  image: string;
  path: string | null;
  parentImage: string | null;
  parentPid: Count | null;
  sessionId: number | null;
  count: Count;
  firstExit: string | null;
  lastExit: string | null;
  /** Null where handles could not be read. */
  heldBy: (ProcessName & { handles: Count })[] | null;
  withoutHandle: Count | null;
}

/** The handles of one process. */
export interface ProcessHandleCounts extends ProcessName {
  ended: boolean;
  /** That were found, of those that were asked for. */
  handles: Count;
  /** All of its table was read. */
  complete: boolean;
  pagesMissing: Count;
  types: { type: string; handles: Count; objects: Count }[];
}

/** One handle. */
export interface HandleRow extends ProcessName {
  handle: Hex;
  /** Of the object's body, and of its header. */
  object: Hex;
  header: Hex;
  /** Null where the header is not in the dump. */
  type: string | null;
  typeAddress: Hex | null;
  access: Hex;
  /** Where the entry stands in the table. */
  entry: Hex | null;
  handleCount: Count | null;
  pointerCount: Count | null;
  name: string | null;
}

export interface HandlesPart {
  /** Every handle of every process that was asked for was read. */
  complete: boolean;
  found: Count;
  processes: ProcessHandleCounts[];
  /** What the handles lead to, commonest first; null where that was not asked for. */
  targets: { type: string; name: string; count: Count }[] | null;
  /** Null where they were not asked for. */
  rows: HandleRow[] | null;
}

/** One object to which handles lead. */
export interface ObjectRow {
  object: Hex;
  header: Hex;
  name: string | null;
  handles: Count;
  pointerCount: Count;
  /** Null where not all its handles are known. */
  beyondHandles: Count | null;
}

export interface ObjectsPart {
  type: string;
  /** To which handles lead; others are not looked for. */
  found: Count;
  complete: boolean;
  /** Commonest first. */
  names: { name: string; objects: Count; handles: Count }[];
  unnamed: Count;
  /** How many were looked at for their names. */
  looked: Count;
  /** Most handles first. */
  rows: ObjectRow[];
}

/** Who holds the objects under a tag. */
export interface TagHolders {
  tag: string;
  key: Hex;
  pool: PoolKind | null;
  /** What that tells of who keeps them, in one sentence. */
  says: string;
  holders: Holders;
}

/** What the header of one object says, and what a directory or a symbolic link holds. */
export interface ObjectPart {
  /** Of the object's body, and of its header. */
  object: Hex;
  header: Hex;
  type: string;
  typeAddress: Hex;
  handleCount: Count;
  /** As it is stored: from Windows 8.1 on with what handles keep ahead. */
  pointerCount: Count;
  name: string | null;
  /** The directory that the name stands in. */
  directory: Hex | null;
  /** The name with those of the directories above it. */
  path: string | null;
  /** Optional headers, nearest first; null before Windows 7. */
  optionalHeaders: { name: string; address: Hex }[] | null;
  /** Of a directory, else null. */
  entries: { bucket: number; object: Hex; type: string | null; name: string | null }[] | null;
  /** False where not all of a directory could be read or shown. */
  complete: boolean;
  /** Of a symbolic link, else null. */
  target: string | null;
}
