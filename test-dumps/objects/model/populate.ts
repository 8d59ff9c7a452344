/** Fills a plan from a scenario: live processes with threads, tokens and handles, ended ones, and objects without handles. */

import type { ProcessSpec } from '../../scenario.js';
import { HandleModel, type ProcessModel, type ThreadModel } from './things.js';
import { openOrdinary } from './ordinary.js';
import type { Plan } from './plan.js';
import type { EndedGroupSpec, HandleSpec, ObjectsSpec, ProcessDetails } from '../spec.js';

const SECOND = 10_000_000n;
const SYSTEM_FOLDER = '\\Device\\HarddiskVolume3\\Windows\\System32\\';
const IN_SYSTEM32 = new Set(
  'smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe svchost.exe cmd.exe conhost.exe'.split(' '),
);

export interface Times {
  systemTime: bigint;
  upTime: bigint;
}

/** A group of ended processes as it came to be. */
export interface EndedGroup {
  spec: EndedGroupSpec;
  members: ProcessModel[];
}

/** Gives every process of a scenario an id, the same that the rest of the builder writes. */
export function withIds(plan: Plan, specs: readonly ProcessSpec[]): ProcessSpec[] {
  const fixed = new Map(
    specs.flatMap((spec, i) => (spec.pid === undefined ? [] : [[i, plan.claimId(spec.pid, true)]])),
  );
  return specs.map((spec, i) => ({ ...spec, pid: fixed.get(i) ?? plan.claimId(400 + i * 148, false) }));
}

function pathOf(name: string): string {
  if (name === 'System') return '';
  if (name === 'explorer.exe') return '\\Device\\HarddiskVolume3\\Windows\\explorer.exe';
  if (IN_SYSTEM32.has(name)) return SYSTEM_FOLDER + name;
  return `\\Device\\HarddiskVolume3\\Program Files\\${name.replace(/\.exe$/i, '')}\\${name}`;
}

function userOf(name: string, session: number | undefined, index: number): string {
  if (session === undefined || session === 0) {
    if (name !== 'svchost.exe') return 'NT AUTHORITY\\SYSTEM';
    return ['NT AUTHORITY\\SYSTEM', 'NT AUTHORITY\\LOCAL SERVICE', 'NT AUTHORITY\\NETWORK SERVICE'][index % 3] ?? '';
  }
  return name === 'csrss.exe' || name === 'winlogon.exe' ? 'NT AUTHORITY\\SYSTEM' : `CONTOSO\\user${session}`;
}

export class Population {
  readonly ended: EndedGroup[] = [];
  private readonly byPid = new Map<number, ProcessModel>();

  constructor(
    private readonly plan: Plan,
    private readonly spec: ObjectsSpec,
    private readonly times: Times,
  ) {}

  /** All that the scenario asks for. `specs` have their ids. */
  fill(specs: readonly ProcessSpec[]): void {
    const { plan, spec } = this;
    const details = new Map((spec.processes ?? []).map((one) => [one.pid, one]));
    for (const pid of details.keys())
      if (!specs.some((one) => one.pid === pid)) throw new Error(`no process ${pid} to tell more about`);
    specs.forEach((one, i) => {
      this.live(one, i, details.get(one.pid ?? 0));
    });
    for (const group of spec.ended ?? []) this.endedGroup(group);
    for (const group of spec.endedThreads ?? []) {
      const process = this.process(group.pid);
      const ended = Array.from({ length: group.count }, () => this.thread(process, true));
      for (const thread of ended) thread.thing.references = group.references ?? 0;
      this.hold(
        group.holders,
        ended.map((thread) => thread.thing),
        (process, thing) => {
          plan.open(process, thing);
        },
      );
      for (const { thing } of ended) if (thing.handles === 0) thing.references ||= 1;
    }
    for (const process of this.byPid.values()) {
      const more = details.get(process.pid);
      const ordinary = more?.ordinaryHandles ?? spec.ordinaryHandles ?? plan.random.int(20, 90);
      openOrdinary(plan, process, ordinary);
      for (const handles of more?.handles ?? []) this.openMany(process, handles);
    }
    const system = this.process(4);
    for (const group of spec.unheld ?? []) {
      for (let i = 0; i < group.count; i++) {
        const thing =
          group.type === 'Token'
            ? plan.thing('Token', plan.tokenOf(system, group.user ?? null, false, false))
            : plan.make(group.type, nameOf(group.names, i), system);
        thing.references = group.references ?? 1;
      }
    }
  }

  private process(pid: number): ProcessModel {
    const process = this.byPid.get(pid);
    if (!process) throw new Error(`no live process ${pid}`);
    return process;
  }

  private live(spec: ProcessSpec, index: number, more: ProcessDetails | undefined): void {
    const { plan, times } = this;
    const pid = spec.pid ?? 0;
    const created = more?.createTime ?? times.systemTime - times.upTime + BigInt(index + 1) * 3n * SECOND;
    const quota = more?.quota ?? { paged: plan.random.int(40, 900) * 1024, nonPaged: plan.random.int(4, 90) * 1024 };
    const process = this.newProcess({
      ...{ pid, parentPid: spec.parentPid ?? (index === 0 ? 0 : 4), name: spec.name, createTime: created },
      path: more?.path ?? pathOf(spec.name),
      user: more?.user ?? userOf(spec.name, spec.session, index),
      session: spec.session ?? null,
      exitTime: 0n,
      commit: spec.commit ?? 100,
      quota: { ...quota, pagedPeak: quota.paged + 8192, nonPagedPeak: quota.nonPaged + 2048 },
      listed: true,
      handles: new HandleModel(),
    });
    this.byPid.set(pid, process);
    const threads = more?.threads ?? plan.random.int(1, 14);
    for (let i = 0; i < threads; i++) this.thread(process, false);
    process.thing.references = 1 + threads;
    if (process.path === '') return;
    process.image = plan.sharedFile(process.path);
    process.section = plan.thing('Section', { kind: 'section', file: process.image });
    process.section.references = 1;
  }

  private newProcess(parts: Omit<ProcessModel, 'thing' | 'token' | 'threads' | 'image' | 'section'>): ProcessModel {
    const { plan } = this;
    const process = { ...parts, token: null, image: null, section: null, threads: [] } as unknown as ProcessModel;
    process.thing = plan.thing('Process', { kind: 'process', process });
    process.token = plan.thing('Token', plan.tokenOf(process, null, true, true));
    // The process's own reference, and those that its fast pointer keeps in stock.
    process.token.references = 1 + FAST_REFERENCES;
    plan.processes.push(process);
    return process;
  }

  private thread(process: ProcessModel, ended: boolean): ThreadModel {
    const { plan, times } = this;
    const lived = BigInt(plan.random.int(1, 900_000)) * 10_000n;
    const exitTime = ended ? times.systemTime - BigInt(plan.random.int(1, 20_000)) * SECOND : 0n;
    const thread = {
      id: plan.takeId(),
      process,
      exitTime,
      createTime: ended ? exitTime - lived : process.createTime + lived,
    } as ThreadModel;
    thread.thing = plan.thing('Thread', { kind: 'thread', thread });
    thread.thing.references = ended ? 0 : 1;
    process.threads.push(thread);
    return thread;
  }

  private endedGroup(spec: EndedGroupSpec): void {
    const { plan, times } = this;
    const span = BigInt(spec.overSeconds ?? 6 * 3600) * SECOND;
    const parent = this.byPid.get(spec.parentPid);
    const members: ProcessModel[] = [];
    for (let i = 0; i < spec.count; i++) {
      const exitTime = times.systemTime - 5n * SECOND - span + (span * BigInt(i + 1)) / BigInt(spec.count);
      const process = this.newProcess({
        ...{ pid: plan.takeId(), parentPid: spec.parentPid, name: spec.image, path: spec.path ?? pathOf(spec.image) },
        user: spec.user ?? parent?.user ?? 'NT AUTHORITY\\SYSTEM',
        session: spec.session ?? parent?.session ?? null,
        exitTime,
        createTime: exitTime - BigInt(plan.random.int(30, 900)) * 10_000n,
        commit: 0,
        quota: { paged: 0, nonPaged: 0, pagedPeak: 60_000, nonPagedPeak: 9000 },
        listed: spec.unlisted !== true,
        handles: null,
      });
      process.thing.references = spec.references ?? 0;
      for (let t = 0; t < (spec.threads ?? 0); t++) {
        const thread = this.thread(process, true);
        thread.createTime = process.createTime;
        thread.exitTime = exitTime;
        // A thread keeps its process.
        process.thing.references++;
      }
      members.push(process);
    }
    this.hold(spec.holders, members, (holder, member) => {
      plan.open(holder, member.thing);
      for (const thread of member.threads) plan.open(holder, thread.thing);
    });
    for (const member of members) {
      if (member.thing.handles === 0) member.thing.references ||= 1;
      for (const { thing } of member.threads) if (thing.handles === 0) thing.references = 1;
    }
    this.ended.push({ spec, members });
  }

  private hold<T>(
    holders: EndedGroupSpec['holders'],
    all: readonly T[],
    open: (process: ProcessModel, one: T) => void,
  ): void {
    for (const { pid, share = 1 } of holders ?? []) {
      const process = this.process(pid);
      for (const one of all.slice(0, Math.round(all.length * share))) open(process, one);
    }
  }

  private openMany(process: ProcessModel, spec: HandleSpec): void {
    const { plan } = this;
    const objects = Math.min(spec.objects ?? spec.count, spec.count);
    const things = Array.from({ length: objects }, (_, i) => {
      const thing =
        spec.type === 'Token'
          ? plan.thing('Token', plan.tokenOf(process, spec.user ?? null, false, false))
          : plan.make(spec.type, nameOf(spec.names, i), process);
      thing.references += spec.references ?? 0;
      return thing;
    });
    for (let i = 0; i < spec.count; i++) {
      const thing = things[i % objects];
      if (thing) plan.open(process, thing);
    }
    for (const pid of spec.sharedWith ?? []) for (const thing of things) plan.open(this.process(pid), thing);
  }
}

/** References that a process's fast pointer to its token holds in advance. */
export const FAST_REFERENCES = 5;

function nameOf(names: readonly string[] | undefined, i: number): string | null {
  const name = names?.[i % names.length];
  return name === undefined ? null : name.replace('#', String(i));
}
