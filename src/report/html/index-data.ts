/** What the index page of many dumps is made of. Times are ISO 8601 in UTC; unknown is null. */

import type { Judgement } from '../../growth/judge/judge.js';
import type { Architecture, Confidence, Count, DumpType, PoolKind } from '../../result/result.js';

/** A dump that was read. */
export interface IndexDump {
  /** Of this dump in this index: groups and machines refer to it. */
  id: string;
  path: string;
  /** The end of the path that tells it from the other dumps. */
  label: string;
  /** Id of its machine; null where that is not known. */
  machine: string | null;
  systemName: string | null;
  buildNumber: number | null;
  type: DumpType;
  architecture: Architecture | null;
  systemTime: string | null;
  /** Null where the dump cannot tell. */
  leakSuspected: boolean | null;
  headline: string;
  /** Of the first suspect, as are `tag`, `pool`, `bytes`; null where none is. */
  confidence: Confidence | null;
  tag: string | null;
  pool: PoolKind | null;
  bytes: Count | null;
  /** The best driver of the first suspect: null where none is named. */
  driver: string | null;
  driverVersion: string | null;
  /** The image of the process that is accused; null where none is. */
  process: string | null;
  /** The dump's own page, relative to the index with `/`; null where there is none. */
  page: string | null;
}

/** Growth between the dumps of a group's machine that has most of them. */
export interface IndexGrowth {
  /** Bytes an hour. */
  perHour: number | null;
  judgement: Judgement;
  /** Milliseconds since 1970 and bytes, in order of time. */
  points: readonly (readonly [time: number, bytes: number])[];
}

/** Dumps with the same cause. */
export interface IndexGroup {
  id: string;
  tag: string;
  pool: PoolKind;
  driver: string | null;
  driverVersion: string | null;
  process: string | null;
  /** Who made the driver. */
  company: string | null;
  confidence: Confidence;
  /** Dumps. */
  count: number;
  /** Ids of machines. */
  machines: readonly string[];
  firstSeen: string | null;
  lastSeen: string | null;
  growth: IndexGrowth | null;
  /** Ids of dumps. */
  dumps: readonly string[];
}

/** A file that could not be read. */
export interface IndexFailure {
  path: string;
  code: string;
  message: string;
}

/** A machine that dumps came from. */
export interface IndexMachine {
  id: string;
  /** For people; several machines may share one. Null where the dumps tell none. */
  name: string | null;
  /** Ids of dumps. */
  dumps: readonly string[];
  firstSeen: string | null;
  lastSeen: string | null;
}

/** All of a batch. */
export interface BatchIndex {
  generatedAt: string;
  tool: { version: string };
  dumps: readonly IndexDump[];
  /** Worst first. */
  groups: readonly IndexGroup[];
  failures: readonly IndexFailure[];
  machines: readonly IndexMachine[];
  /** What would tell more; null for nothing. */
  advice: string | null;
}
