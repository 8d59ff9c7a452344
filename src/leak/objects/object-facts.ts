/** What the rules about objects are given: counters first, and who holds what when it is asked for. */

import type { Holders, ObjectTypeInfo, ProcessList, ProcessName } from '../../result/result.js';

/** A process and how many handles of those in question it has. */
export interface Holding extends ProcessName {
  readonly handles: number;
}

/** Ended processes that are still there. */
export interface EndedProcesses {
  readonly count: number;
  /** Most handles first; null where handles could not be read. */
  readonly heldBy: readonly Holding[] | null;
  /** To how many of them no handle leads; null where not all handles were read. */
  readonly withoutHandle: number | null;
}

/** Who holds the objects of one type. */
export interface HoldersReading {
  readonly holders: Holders;
  /** Handles that were found in the tables: fewer than `holders.handles` where some could not be read. */
  readonly handlesFound: number;
  /** Of the type Process alone. */
  readonly endedProcesses: EndedProcesses | null;
  /** Of the type Thread alone: ended threads that are still there; null where they could not be told. */
  readonly endedThreads: number | null;
}

/** The objects of a dumped kernel. */
export interface ObjectFacts {
  /** Counters of every type, read without looking at a handle. Null where they could not be read. */
  readonly types: readonly ObjectTypeInfo[] | null;
  /** Null where processes could not be read. */
  readonly processes: ProcessList | null;
  /** Threads of all live processes; null where a process does not tell. */
  readonly liveThreads: number | null;
  /** Reads every handle when it is first called, which takes time. Null where they could not be read. */
  holdersOf(type: string): HoldersReading | null;
}
