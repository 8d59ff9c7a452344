/** Processes and threads that have ended and are still there, in groups, with who holds handles to them. */

import { plus, small } from '../../../parsers/addresses.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { ObjectDescriber } from './names/describe.js';
import type { HandleCensus } from './handles/handle-census.js';
import type { ObjectLayouts } from './layouts.js';
import { NOWHERE, readMany } from './many.js';
import type { Process, ThreadPlace } from './process-list.js';
import type { ObjectRoots } from './roots.js';

/** A process that holds handles to ended ones. */
export interface ZombieHolder {
  readonly process: Process;
  /** Handles to ended processes of the group. */
  readonly handles: number;
}

/** Ended processes of one image, parent and session. */
export interface EndedProcesses {
  readonly image: string;
  readonly path: string | null;
  readonly parentPid: number | null;
  /** Null where the parent is gone: its id may be another process' by now. */
  readonly parentImage: string | null;
  readonly sessionId: number | null;
  readonly count: number;
  /** Milliseconds since 1970; null where no time is known. */
  readonly firstExit: number | null;
  readonly lastExit: number | null;
  /** The one with the most handles first; null where handles could not be read. */
  readonly heldBy: readonly ZombieHolder[] | null;
  /** To how many of them no handle leads; null where not all handles were read. */
  readonly withoutHandle: number | null;
}

/** Ended threads of one process that are still there. */
export interface EndedThreads {
  readonly pid: number;
  /** Null where the process is not there. */
  readonly image: string | null;
  readonly processEnded: boolean | null;
  readonly count: number;
}

/** What has ended and is still there. */
export interface Zombies {
  /** The largest group first. */
  readonly processes: readonly EndedProcesses[];
  /** Null where the table of ids could not be read. */
  readonly threads: readonly EndedThreads[] | null;
}

const MOST_SESSION = 0xffff;

interface Group {
  readonly first: Process;
  readonly parent: Process | null;
  readonly sessionId: number | null;
  readonly members: Process[];
}

/** Groups what has ended. */
export function readZombies(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  processes: readonly Process[],
  threads: readonly ThreadPlace[] | null,
  census: HandleCensus | null,
  describer: ObjectDescriber,
): Zombies {
  const byPid = new Map<number, Process[]>();
  for (const process of processes) {
    const same = byPid.get(process.pid);
    if (same === undefined) byPid.set(process.pid, [process]);
    else same.push(process);
  }
  const groups = new Map<string, Group>();
  const ended = processes.filter((process) => process.ended);
  const sessions = sessionsOf(roots, layouts, ended);
  for (const [i, process] of ended.entries()) {
    const parent = parentOf(process, byPid);
    const sessionId = sessions[i] ?? null;
    const key = JSON.stringify([process.image, process.parentPid, parent === null, sessionId]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: process, parent, sessionId, members: [process] });
    else group.members.push(process);
  }
  const bodyOffset = layouts.offset('_OBJECT_HEADER', 'Body') ?? 0;
  const held = census === null ? null : new HeldObjects(census);
  const rows = [...groups.values()].map(({ first, parent, sessionId, members }): EndedProcesses => {
    const times = members.flatMap(({ exitedAt }) => exitedAt ?? []);
    const objects = members.map(({ address }) => census?.objects.find(small(address) - bodyOffset) ?? -1);
    return {
      image: first.image,
      path: describer.imagePath(first),
      parentPid: first.parentPid,
      parentImage: parent?.image ?? null,
      sessionId,
      count: members.length,
      firstExit: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)),
      lastExit: times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b)),
      heldBy: held?.holdersOf(objects) ?? null,
      withoutHandle: census?.complete === true ? objects.filter((object) => object < 0).length : null,
    };
  });
  rows.sort((a, b) => b.count - a.count || (a.image < b.image ? -1 : a.image > b.image ? 1 : 0));
  return { processes: rows, threads: threads === null ? null : endedThreads(roots, layouts, threads, byPid) };
}

/** A process with the parent's id that was there before its child. */
function parentOf(process: Process, byPid: ReadonlyMap<number, readonly Process[]>): Process | null {
  const { parentPid, createdAt } = process;
  if (parentPid === null) return null;
  const same = byPid.get(parentPid) ?? [];
  return same.find((p) => p.createdAt === null || createdAt === null || p.createdAt <= createdAt) ?? null;
}

/** The session of each process' token. An address in no page stands for a token that is not known. */
function sessionsOf(roots: ObjectRoots, layouts: ObjectLayouts, processes: readonly Process[]): (number | null)[] {
  const at = layouts.offset('_TOKEN', 'SessionId');
  if (at === null) return [];
  const sessions: (number | null)[] = [];
  const places = processes.map(({ token }) => (token === null ? NOWHERE : plus(token, at)));
  readMany(roots.memory, places, 4, (i, bytes) => {
    const session = bytes === null || processes[i]?.token === null ? null : u32(bytes, 0);
    sessions.push(session === null || session > MOST_SESSION ? null : session);
  });
  return sessions;
}

/** Handles by object: one pass over the census, in lists without a value a handle. */
class HeldObjects {
  /** By object: its first handle; by handle: the next one to the same object. -1 ends. */
  private readonly firstOf: Int32Array;
  private readonly next: Int32Array;
  /** The first handle of each table, ascending. */
  private readonly starts: readonly number[];

  constructor(private readonly census: HandleCensus) {
    this.firstOf = new Int32Array(census.objects.count).fill(-1);
    this.next = new Int32Array(census.handles).fill(-1);
    for (let k = census.handles - 1; k >= 0; k--) {
      const object = census.object[k] ?? 0;
      this.next[k] = this.firstOf[object] ?? -1;
      this.firstOf[object] = k;
    }
    this.starts = census.tables.map(({ first }) => first);
  }

  holdersOf(objects: readonly number[]): ZombieHolder[] {
    const counts = new Map<Process, number>();
    for (const object of objects) {
      if (object < 0) continue;
      for (let k = this.firstOf[object] ?? -1; k >= 0; k = this.next[k] ?? -1) {
        const process = this.ownerOf(k);
        if (process !== null) counts.set(process, (counts.get(process) ?? 0) + 1);
      }
    }
    const holders = [...counts].map(([process, handles]) => ({ process, handles }));
    return holders.sort((a, b) => b.handles - a.handles || a.process.pid - b.process.pid);
  }

  private ownerOf(handle: number): Process | null {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= handle) low = middle;
      else high = middle - 1;
    }
    return this.census.tables[low]?.process ?? null;
  }
}

function endedThreads(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  threads: readonly ThreadPlace[],
  byPid: ReadonlyMap<number, readonly Process[]>,
): EndedThreads[] | null {
  const cid = layouts.offset('_ETHREAD', 'Cid');
  if (cid === null) return null;
  const counts = new Map<number, number>();
  const places = threads.map(({ address }) => address);
  readMany(roots.memory, places, cid + 4, (_, bytes) => {
    if (bytes === null || u32(bytes, 4) !== 1) return;
    const pid = u32(bytes, cid);
    if (pid % 4 === 0) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  });
  const rows = [...counts].map(([pid, count]) => {
    const process = byPid.get(pid)?.[0] ?? null;
    return { pid, image: process?.image ?? null, processEnded: process?.ended ?? null, count };
  });
  return rows.sort((a, b) => b.count - a.count || a.pid - b.pid);
}
