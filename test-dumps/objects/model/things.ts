/** The machine's objects before they have addresses: what each is, who has handles to it, and what else refers to it. */

import type { Va } from '../../bytes.js';
import type { Kind } from './kinds.js';

/** What stands in a body besides what all of its type have. */
export type Detail =
  | { kind: 'process'; process: ProcessModel }
  | { kind: 'thread'; thread: ThreadModel }
  | { kind: 'token'; user: string; session: number; primary: boolean; inUse: boolean }
  | { kind: 'file'; device: string; path: string; related: Thing | null }
  | { kind: 'key'; path: string; opener: number }
  | { kind: 'section'; file: Thing | null }
  | { kind: 'alpc'; owner: ProcessModel | null; connection: Thing | null }
  | { kind: 'link'; target: string }
  | { kind: 'device'; driver: string }
  | { kind: 'driver'; module: string }
  | { kind: 'type'; of: Kind }
  | { kind: 'job'; members: number };

/** One object. */
export class Thing {
  /** Of its `_OBJECT_HEADER`; 0 until it is written. */
  header: Va = 0;
  body: Va = 0;
  /** Handles in all tables. */
  handles = 0;
  /** Sum of the reference counts in its handle entries, which its pointer count holds besides. */
  inverse = 0;
  /** References that belong to no handle. */
  references = 0;
  /** Processes with handles, where the type keeps them. */
  holders: Map<ProcessModel, number> | null = null;
  /** `_OBJECT_HEADER_NAME_INFO` is there. */
  named: string | null = null;
  directory: Thing | null = null;
  permanent = false;
  /** The only process that may have handles to it. */
  exclusive: ProcessModel | null = null;

  constructor(
    readonly kind: Kind,
    readonly detail: Detail | null = null,
  ) {}
}

export interface ThreadModel {
  id: number;
  process: ProcessModel;
  thing: Thing;
  createTime: bigint;
  exitTime: bigint;
}

export interface ProcessModel {
  pid: number;
  parentPid: number;
  name: string;
  path: string;
  user: string;
  session: number | null;
  createTime: bigint;
  /** 0 while it runs. */
  exitTime: bigint;
  commit: number;
  quota: { paged: number; nonPaged: number; pagedPeak: number; nonPagedPeak: number };
  thing: Thing;
  token: Thing | null;
  /** The file that its image was mapped from, and the section; null for the System process and for ended ones. */
  image: Thing | null;
  section: Thing | null;
  threads: ThreadModel[];
  /** In `PsActiveProcessHead`. */
  listed: boolean;
  /** Targets of its handles; null for ended ones, which have no table any more. */
  handles: HandleModel | null;
}

/** The handles of one process in the order of their values. */
export class HandleModel {
  readonly targets: Thing[] = [];
  /** Granted access by position. */
  readonly access: number[] = [];
  /** Inverse reference count by position. */
  readonly inverse: number[] = [];
  /** Entry numbers by position; set when the table is written. */
  numbers: number[] = [];
  /** Positions whose entries do not lead to their object: damage. */
  readonly damaged = new Map<number, 'wild' | 'freed'>();
  table: Va = 0;
  leaves = 0;
  level: 0 | 1 | 2 = 0;
  /** Positions in leaves that the dump does not hold. */
  absent = 0;
}
