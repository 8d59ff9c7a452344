/** Tells the truth about a written machine. */

import { canonical } from '../bytes.js';
import type { Thing, ProcessModel } from './model/things.js';
import type { People } from './model/people.js';
import type { Plan } from './model/plan.js';
import type { EndedGroup } from './model/populate.js';
import type { ObjectsDamage } from './spec.js';
import type {
  EndedGroupTruth, HandlesTruth, HandleTruth, ObjectProcessTruth, ObjectsTruth, ObjectTypeTruth, TagHoldersTruth,
} from './truth.js'; // prettier-ignore

/** Handles of a process that are told in full. */
const IN_FULL = 64;

export interface Written {
  plan: Plan;
  people: People;
  ended: readonly EndedGroup[];
  cookie: number | null;
  perLeaf: number;
  /** Positions in leaves that the dump lacks, by process. */
  absent: ReadonlyMap<ProcessModel, ReadonlySet<number>>;
  /** Bytes of all blocks under a tag. */
  bytesOf(tag: string): number;
  typeObject(kind: string): Thing;
  idTable: ObjectsTruth['idTable'];
  damage: ObjectsDamage;
}

/** How a report names an object. */
function nameOf(thing: Thing, plan: Plan): string | null {
  const { detail } = thing;
  switch (detail?.kind) {
    case 'process':
      return `${detail.process.name} (${detail.process.pid})`;
    case 'thread':
      return `${detail.thread.process.name} (${detail.thread.process.pid}) ${detail.thread.id}`;
    case 'token':
      return detail.user;
    case 'file':
      return detail.related
        ? `${nameOf(detail.related, plan) ?? ''}\\${detail.path}`
        : `${detail.device}${detail.path}`;
    case 'key':
      return detail.path;
    case 'section':
      if (detail.file) return nameOf(detail.file, plan);
  }
  return thing.named === null ? null : pathOf(thing);
}

function pathOf(thing: Thing): string {
  if (thing.directory === null) return '\\';
  const above = pathOf(thing.directory);
  return `${above === '\\' ? '' : above}\\${thing.named ?? ''}`;
}

function handlesOf(process: ProcessModel, written: Written): HandlesTruth | null {
  const { handles } = process;
  if (!handles) return null;
  const absent = written.absent.get(process);
  const byType: Record<string, number> = {};
  const first: HandleTruth[] = [];
  const damaged = { wild: 0, freed: 0 };
  handles.targets.forEach((target, position) => {
    const number = handles.numbers[position] ?? 0;
    if (absent?.has(Math.floor(number / written.perLeaf)) === true) return;
    const damage = handles.damaged.get(position);
    if (damage) {
      damaged[damage]++;
      return;
    }
    byType[target.kind.name] = (byType[target.kind.name] ?? 0) + 1;
    if (first.length >= IN_FULL) return;
    const access = handles.access[position] ?? 0;
    first.push({
      handle: number * 4,
      type: target.kind.name,
      object: canonical(target.body),
      access,
      name: nameOf(target, written.plan),
    });
  });
  return {
    table: canonical(handles.table),
    level: handles.level,
    leaves: handles.leaves,
    count: handles.targets.length,
    absent: handles.absent,
    ...damaged,
    byType,
    first,
  };
}

function processOf(process: ProcessModel, written: Written): ObjectProcessTruth {
  const ended = process.threads.filter((thread) => thread.exitTime !== 0n).length;
  const { pid, parentPid, name, path, user, session, createTime, exitTime, quota, commit, listed } = process;
  return {
    ...{ pid, parentPid, path, user, session, createTime, exitTime, quota, commit, listed },
    name: name.slice(0, 15),
    address: canonical(process.thing.body),
    threads: process.threads.length - ended,
    endedThreads: ended,
    references: process.thing.references,
    handles: handlesOf(process, written),
  };
}

function groupOf({ spec, members }: EndedGroup, holders: ReadonlyMap<Thing, number[]>): EndedGroupTruth {
  const times = members.map((one) => one.exitTime);
  const [first] = members;
  const by = new Map<number, number>();
  for (const { thing } of members) for (const pid of holders.get(thing) ?? []) by.set(pid, (by.get(pid) ?? 0) + 1);
  return {
    image: spec.image,
    path: first?.path ?? '',
    parentPid: spec.parentPid,
    session: first?.session ?? null,
    count: members.length,
    listed: spec.unlisted !== true,
    firstExit: times.reduce((a, b) => (b < a ? b : a), times[0] ?? 0n),
    lastExit: times.reduce((a, b) => (b > a ? b : a), 0n),
    holders: [...by].map(([pid, handles]) => ({ pid, handles })).sort((a, b) => b.handles - a.handles || a.pid - b.pid),
    withoutHandle: members.filter((one) => one.thing.handles === 0).length,
  };
}

/** High-water marks are a little above what there is. */
export function highWater(count: number): number {
  return count + Math.ceil(count / 50) + 3;
}

function tagsOf(written: Written, types: readonly ObjectTypeTruth[]): TagHoldersTruth[] {
  const by = new Map<string, Map<ProcessModel, { handles: number; objects: Set<Thing> }>>();
  for (const process of written.plan.processes) {
    for (const target of process.handles?.targets ?? []) {
      const holders = by.get(target.kind.name) ?? new Map<ProcessModel, { handles: number; objects: Set<Thing> }>();
      by.set(target.kind.name, holders);
      let entry = holders.get(process);
      if (!entry) holders.set(process, (entry = { handles: 0, objects: new Set() }));
      entry.handles++;
      entry.objects.add(target);
    }
  }
  return types
    .filter((type) => type.objects > 0)
    .map((type) => ({
      ...{
        tag: type.tag,
        type: type.name,
        objects: type.objects,
        handles: type.handles,
        withoutHandle: type.withoutHandle,
      },
      bytes: written.bytesOf(type.tag),
      holders: [...(by.get(type.name) ?? [])]
        .map(([{ pid, name }, { handles, objects }]) => ({ pid, name, handles, objects: objects.size }))
        .sort((a, b) => b.handles - a.handles || a.pid - b.pid),
    }));
}

export function describeObjects(written: Written): ObjectsTruth {
  const { plan } = written;
  const counts = new Map<string, { objects: number; handles: number; withoutHandle: number }>();
  for (const thing of plan.things) {
    let count = counts.get(thing.kind.name);
    if (!count) counts.set(thing.kind.name, (count = { objects: 0, handles: 0, withoutHandle: 0 }));
    count.objects++;
    count.handles += thing.handles;
    if (thing.handles === 0) count.withoutHandle++;
  }
  const types = [...plan.kinds.values()].map((kind): ObjectTypeTruth => {
    const count = counts.get(kind.name) ?? { objects: 0, handles: 0, withoutHandle: 0 };
    return {
      ...{ name: kind.name, tag: kind.tag, index: kind.index, ...count },
      address: canonical(written.typeObject(kind.name).body),
      pool: kind.pool === 'pagedPool' ? 'paged' : 'nonPaged',
      objectsHighWater: highWater(count.objects),
      handlesHighWater: highWater(count.handles),
    };
  });
  const holders = new Map<Thing, number[]>();
  const members = new Set(written.ended.flatMap((group) => group.members.map((one) => one.thing)));
  for (const process of plan.processes) {
    for (const target of process.handles?.targets ?? []) {
      if (!members.has(target)) continue;
      const known = holders.get(target);
      if (known) known.push(process.pid);
      else holders.set(target, [process.pid]);
    }
  }
  const { damage } = written;
  return {
    cookie: written.cookie,
    processes: plan.processes.map((process) => processOf(process, written)),
    ended: written.ended.map((group) => groupOf(group, holders)),
    endedThreads: plan.processes.reduce((sum, p) => sum + p.threads.filter((t) => t.exitTime !== 0n).length, 0),
    types,
    tags: tagsOf(written, types),
    handles: plan.processes.reduce((sum, process) => sum + (process.handles?.targets.length ?? 0), 0),
    idTable: written.idTable,
    damage: Object.keys(damage),
  };
}
