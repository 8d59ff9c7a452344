/**
 * The records of the result that processes and objects give (schema 2): object types, processes, holders. Pure: objects
 * in, plain records out. Unknown is null, and a count that is not whole is no count.
 */

import { tagText } from '../../../parsers/kernel/tag.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import type { ProcessHandles } from './handles/handle-census.js';
import type { Holders } from './holders.js';
import type { Objects } from './objects.js';
import type { Process } from './process-list.js';
import type { EndedProcesses } from './zombies.js';

/** One row of `objectTypes`. */
export interface ObjectTypeRecord {
  type: string;
  /** As text, and as the number that it is. */
  tag: string | null;
  key: string | null;
  pool: 'nonpaged' | 'paged' | null;
  objects: number | null;
  handles: number | null;
  objectsHighWater: number | null;
  handlesHighWater: number | null;
  source: FigureSource;
}

/** One row of `processes.rows`. */
export interface ProcessRecord {
  address: string;
  pid: number;
  parentPid: number | null;
  image: string;
  path: string | null;
  sessionId: number | null;
  /** `DOMAIN\name`, or the SID where names are not in the dump. */
  user: string | null;
  createdAt: string | null;
  exitedAt: string | null;
  ended: boolean;
  threads: number | null;
  /** Handles that were found; null where none of the table could be read. */
  handles: number | null;
  /** Handles to objects whose headers are not in the dump; null where pages of the table are missing, too. */
  handlesUnreadable: number | null;
  handleTypes: { type: string; count: number }[];
  quota: { pagedBytes: number; nonPagedBytes: number; pagedPeakBytes: number; nonPagedPeakBytes: number } | null;
  commitBytes: number | null;
}

/** `processes`: all that run; those that have ended are in `ended` groups of holders. */
export interface ProcessesRecord {
  complete: boolean;
  live: number;
  ended: number;
  source: FigureSource;
  rows: ProcessRecord[];
}

/** One row of `suspects[].holders.ended`. */
export interface EndedRecord {
  image: string;
  parentImage: string | null;
  parentPid: number | null;
  sessionId: number | null;
  count: number;
  firstExit: string | null;
  lastExit: string | null;
  /** To how many of them no handle leads; null where not all handles were read. */
  withoutHandle: number | null;
}

/** `suspects[].holders`. */
export interface HoldersRecord {
  type: string;
  objects: number | null;
  handles: number | null;
  withoutHandle: number | null;
  unreadable: number;
  complete: boolean;
  processes: {
    pid: number;
    image: string;
    handles: number;
    objects: number;
    share: number;
    targets: { name: string; count: number }[];
    /** How many of its objects the targets are of. */
    targetsOf: number;
  }[];
  ended: EndedRecord[];
  references: { objects: number; beyondHandles: number } | null;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());
/** Shares with three digits: what more there is says nothing. */
const rounded = (share: number): number => Math.round(share * 1000) / 1000;

/** `objectTypes`, the most objects first; null where no type could be read. */
export function objectTypeRecords(objects: Objects): ObjectTypeRecord[] | null {
  const read = objects.types();
  if (read === null || read.types.length === 0) return null;
  const source = read.source ?? 'derived';
  return read.types
    .map((type) => ({
      type: type.name,
      tag: type.key === null ? null : tagText(type.key),
      key: type.key === null ? null : hex(type.key),
      pool: type.pool,
      objects: type.objects,
      handles: type.handles,
      objectsHighWater: type.objectsHighWater,
      handlesHighWater: type.handlesHighWater,
      source,
    }))
    .sort((a, b) => (b.objects ?? 0) - (a.objects ?? 0) || (a.type < b.type ? -1 : 1));
}

/** `processes`; null where no process could be read. */
export function processRecords(objects: Objects): ProcessesRecord | null {
  const list = objects.processes();
  const describer = objects.describer();
  if (list === null || describer === null || list.processes.length === 0) return null;
  const tables = new Map(objects.census()?.tables.map((table) => [table.process.address, table]));
  const live = list.processes.filter((process) => !process.ended);
  return {
    complete: list.complete,
    live: live.length,
    ended: list.processes.length - live.length,
    source: list.source,
    rows: live.map((process) => processRecord(objects, process, tables.get(process.address) ?? null)),
  };
}

/** One process, running or ended. */
export function processRecord(objects: Objects, process: Process, table: ProcessHandles | null): ProcessRecord {
  const describer = objects.describer();
  const token = describer?.tokenOf(process) ?? null;
  const counts = table === null ? null : objects.counts(table);
  const types = objects.decoder()?.types ?? [];
  const nothing = table === null || (table.first === table.end && !table.complete);
  return {
    address: hex(process.address),
    pid: process.pid,
    parentPid: process.parentPid,
    image: process.image,
    path: describer?.imagePath(process) ?? null,
    sessionId: token?.sessionId ?? null,
    user: token?.account ?? token?.user ?? null,
    createdAt: iso(process.createdAt),
    exitedAt: iso(process.exitedAt),
    ended: process.ended,
    threads: process.threads,
    handles: nothing ? null : table.end - table.first,
    handlesUnreadable: counts === null || table?.complete !== true ? null : counts.unreadable,
    handleTypes: types
      .map(({ name }, i) => ({ type: name, count: counts?.handles[i] ?? 0 }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1)),
    quota: process.quota === null ? null : { ...process.quota },
    commitBytes: process.commitBytes,
  };
}

/** `suspects[].holders` of a pool tag; null where the tag is no object type's, or handles could not be read. */
export function holdersRecord(objects: Objects, key: number): HoldersRecord | null {
  const holders = objects.holdersOfTag(key);
  if (holders === null) return null;
  const ended = holders.type.name === 'Process' ? (objects.zombies()?.processes ?? []) : [];
  return holdersAsRecord(holders, ended);
}

function holdersAsRecord(holders: Holders, ended: readonly EndedProcesses[]): HoldersRecord {
  return {
    type: holders.type.name,
    objects: holders.objects,
    handles: holders.handles,
    withoutHandle: holders.withoutHandle,
    unreadable: holders.unreadable,
    complete: holders.complete,
    processes: holders.processes.map((holder) => ({
      pid: holder.process.pid,
      image: holder.process.image,
      handles: holder.handles,
      objects: holder.objects,
      share: rounded(holder.share),
      targets: holder.targets.map((target) => ({ ...target })),
      targetsOf: holder.looked,
    })),
    ended: ended.map((group) => ({
      image: group.image,
      parentImage: group.parentImage,
      parentPid: group.parentPid,
      sessionId: group.sessionId,
      count: group.count,
      firstExit: iso(group.firstExit),
      lastExit: iso(group.lastExit),
      withoutHandle: group.withoutHandle,
    })),
    references: holders.references === null ? null : { ...holders.references },
  };
}
