/** Builds the objects of a machine: plans them, places them in pool, writes them and all that leads to them. */

import { canonical, putU64, type Va } from '../bytes.js';
import { rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import type { ProcessSpec, TagRowSpec } from '../scenario.js';
import { outstanding } from '../tag-rows.js';
import { Bodies, type ModulePlace } from './bodies.js';
import { describeObjects, highWater } from './describe.js';
import { EntryStyle, HandleTables } from './handle-tables.js';
import { ObjectHeaders } from './headers.js';
import { keyOf } from './model/kinds.js';
import type { ProcessModel, Thing, ThreadModel } from './model/things.js';
import { writeDirectories } from './name-space.js';
import { People } from './model/people.js';
import { Piece } from './piece.js';
import { Plan } from './model/plan.js';
import { PoolPages } from './pool-pages.js';
import { Population, withIds, type Times } from './model/populate.js';
import { ProcessBodies } from './process-bodies.js';
import type { ObjectsSpec } from './spec.js';
import type { ObjectsTruth } from './truth.js';

export interface ObjectsInput extends Times {
  space: KernelSpace;
  kernel: KernelFacts;
  base: Va;
  modules: readonly ModulePlace[];
  levels: number;
  spec: ObjectsSpec;
  processes: readonly ProcessSpec[];
  random: Prng;
}

export interface BuiltObjects {
  /** The scenario's processes with their ids, and where each body stands. */
  processes: ProcessSpec[];
  bodies: Va[];
  /** What the pool counts for objects, names and tables. */
  rows: TagRowSpec[];
  /** Pages that the dump shall not hold. */
  absent: Va[];
  /** Those that live. */
  threads: ThreadModel[];
  truth: ObjectsTruth;
  /** Ends the work when all processes are written: sessions, and the list of all processes. */
  finish(sessions: ReadonlyMap<number, Va>): void;
}

/** References taken from an entry's stock and not yet given back: none most of the time. */
const SPENT = [0, 0, 0, 1, 2, 7];
const ATTRIBUTES = [0, 0, 1, 2, 3, 4];
const FREED_BLOCK = 0x60;

class Writer {
  readonly plan: Plan;
  readonly pool: PoolPages;
  readonly people = new People();
  readonly tables: HandleTables;
  readonly headers: ObjectHeaders;
  readonly bodies: Bodies;
  readonly processBodies: ProcessBodies;
  readonly population: Population;
  readonly absent: Va[] = [];
  readonly absentLeaves = new Map<ProcessModel, Set<number>>();
  readonly processes: ProcessSpec[];
  readonly cookie: number | null;
  idTable: ObjectsTruth['idTable'] = { address: 0n, entries: 0, state: 'whole' };

  constructor(private readonly input: ObjectsInput) {
    const { space, kernel, spec, random, levels } = input;
    this.cookie = kernel.build < 10240 ? null : (spec.cookie ?? random.fork('cookie').int(1, 255));
    this.pool = new PoolPages(space, kernel);
    this.tables = new HandleTables(space, kernel, this.pool, levels);
    this.plan = new Plan(kernel, new EntryStyle(kernel, levels).perLeaf, random.fork('plan'));
    this.headers = new ObjectHeaders(kernel, this.pool, this.cookie ?? 0);
    this.bodies = new Bodies(space, kernel, this.pool, this.plan, this.people, input.modules);
    this.processBodies = new ProcessBodies(space, kernel, this.pool);
    this.processes = withIds(this.plan, input.processes);
    this.population = new Population(this.plan, spec, input);
    this.population.fill(this.processes);
  }

  run(): void {
    const { plan, headers, bodies } = this;
    for (const thing of plan.things) headers.place(thing, bodies.extra(thing));
    this.writeTables();
    this.writeBodies();
    this.writeTypes();
    writeDirectories(this.input.space, this.input.kernel, this.pool, plan);
    this.writeIdTable();
    this.writeGlobals();
    this.pool.finish();
  }

  /** Handles first: they decide the pointer counts. */
  private writeTables(): void {
    const { input, plan } = this;
    const random = input.random.fork('handles');
    const { style } = this.tables;
    const damage = input.spec.damage ?? {};
    for (const process of plan.processes) {
      const { handles } = process;
      if (!handles) continue;
      handles.numbers = this.tables.numbersFor(handles.targets.length, random);
      const last = handles.targets.length - 1;
      const { wildHandles: wild, freedHandles: freed } = damage;
      if (wild?.pid === process.pid) for (let i = 0; i < wild.count; i++) handles.damaged.set(last - i, 'wild');
      if (freed?.pid === process.pid)
        for (let i = 0; i < freed.count; i++)
          handles.damaged.set(last - i - (wild?.pid === freed.pid ? wild.count : 0), 'freed');
      const ruin = this.freedBlock();
      const table = this.tables.write(
        {
          numbers: handles.numbers,
          put: (position, bytes, at) => {
            const target = handles.targets[position];
            const count = Math.max(0, style.stock - random.pick(SPENT));
            const damaged = handles.damaged.get(position);
            if (target && damaged === undefined) target.inverse += count;
            const header =
              damaged === 'wild'
                ? input.space.plan.nowhere + position * 0x40
                : damaged === 'freed'
                  ? ruin
                  : (target?.header ?? 0);
            style.put(bytes, at, header, handles.access[position] ?? 0, random.pick(ATTRIBUTES), count);
          },
        },
        { process: process.thing.body, pid: process.pid },
        random.int(1, 40),
      );
      handles.table = table.address;
      handles.leaves = table.leaves.length;
      handles.level = table.level;
      const lost = damage.absentLeaves?.find((one) => one.pid === process.pid);
      if (lost) {
        const leaves = new Set(lost.leaves.filter((leaf) => leaf < table.leaves.length));
        for (const leaf of leaves) this.absent.push(table.leaves[leaf] ?? 0);
        this.absentLeaves.set(process, leaves);
        handles.absent = handles.numbers.filter((number) => leaves.has(Math.floor(number / style.perLeaf))).length;
      }
    }
  }

  private ruin: Va | null = null;

  /** Memory that was an object once: a header of nonsense. */
  private freedBlock(): Va {
    if (this.ruin !== null) return this.ruin;
    const block = this.pool.allocate('nonPagedPool', 'Ruin', FREED_BLOCK);
    block.bytes.fill(0xdd, block.va % PAGE, (block.va % PAGE) + FREED_BLOCK);
    putU64(block.bytes, block.va % PAGE, 0xdddd_dddd_dddd_ddddn);
    return (this.ruin = block.va);
  }

  private writeBodies(): void {
    const { plan, headers, bodies, processBodies, input } = this;
    const quota = processBodies.quotaBlock('NT AUTHORITY\\SYSTEM');
    for (const thing of plan.things) {
      const bytes = input.space.page(thing.header);
      const { detail } = thing;
      if (detail?.kind === 'process') processBodies.process(detail.process, bytes);
      else if (detail?.kind === 'thread') processBodies.thread(detail.thread, bytes);
      else if (detail?.kind !== 'type') bodies.write(thing, bytes);
      headers.write(thing, bytes, this.typeObject(thing.kind.name).body, quota);
    }
    const loop = input.spec.damage?.threadListLoop?.pid;
    for (const process of plan.processes) processBodies.linkThreads(process, process.pid === loop);
  }

  typeObject(name: string): Thing {
    const thing = this.plan.nameSpace.get(`\\ObjectTypes\\${name}`);
    if (!thing) throw new Error(`no type object ${name}`);
    return thing;
  }

  /** The type objects, their table and their list. */
  private writeTypes(): void {
    const { plan, input, headers } = this;
    const { space, kernel, base } = input;
    const counts = new Map<string, { objects: number; handles: number }>();
    for (const thing of plan.things) {
      const count = counts.get(thing.kind.name) ?? { objects: 0, handles: 0 };
      counts.set(thing.kind.name, { objects: count.objects + 1, handles: count.handles + thing.handles });
    }
    const table = kernel.rva['ObTypeIndexTable'];
    const indexed = table !== undefined && kernel.build >= 7600 && input.spec.damage?.typeTable !== 'empty';
    if (indexed) space.word(base + table + space.width, 0xbad0_b0b0);
    for (const kind of plan.kinds.values()) {
      const thing = this.typeObject(kind.name);
      const { objects, handles } = counts.get(kind.name) ?? { objects: 0, handles: 0 };
      const type = new Piece(kernel, '_OBJECT_TYPE', space.page(thing.body), thing.body);
      type.emptyList('TypeList');
      type.unicode('Name', kind.name.length, this.bodies.text('ObNm', kind.name));
      if (kernel.build >= 7600) type.u8('Index', kind.index);
      else type.u32('Index', kind.index);
      type.u32('TotalNumberOfObjects', objects);
      type.u32('TotalNumberOfHandles', handles);
      type.u32('HighWaterNumberOfObjects', highWater(objects));
      type.u32('HighWaterNumberOfHandles', highWater(handles));
      type.u32('Key', keyOf(kind));
      const info = type.inner('TypeInfo', '_OBJECT_TYPE_INITIALIZER');
      info.u16('Length', kernel.structs['_OBJECT_TYPE_INITIALIZER']?.size ?? 0);
      if (kind.maintainsHandleCount) info.flag('MaintainHandleCount');
      if (kind.name === 'Type') info.flag('MaintainTypeList');
      info.u32('PoolType', kind.pool === 'pagedPool' ? 1 : kernel.build >= 9200 ? 0x200 : 0);
      info.u32(kind.pool === 'pagedPool' ? 'DefaultPagedPoolCharge' : 'DefaultNonPagedPoolCharge', kind.size);
      if (indexed) space.pointer(base + table + kind.index * space.width, thing.body);
      const variable = kernel.rva[POINTERS[kind.name] ?? ''];
      if (variable !== undefined) space.pointer(base + variable, thing.body);
    }
    const types = [...plan.kinds.values()].map((kind) => headers.typeListEntry(this.typeObject(kind.name)));
    const root = this.typeObject('Type');
    const list = kernel.structs['_OBJECT_TYPE']?.fields['TypeList'] ?? 0;
    space.link(root.body + list, types);
  }

  /** Processes and threads by their ids. */
  private writeIdTable(): void {
    const { plan, tables, input } = this;
    const ids = plan.processes
      .flatMap((process) => [
        { id: process.pid, body: process.thing.body },
        ...process.threads.map((thread) => ({ id: thread.id, body: thread.thing.body })),
      ])
      .sort((a, b) => a.id - b.id);
    const table = tables.write(
      {
        numbers: ids.map(({ id }) => id / 4),
        put: (position, bytes, at) => {
          tables.style.put(bytes, at, ids[position]?.body ?? 0, 0, 0, tables.style.stock);
        },
      },
      null,
      5,
    );
    const state = input.spec.damage?.cidTable ?? 'whole';
    if (state === 'absent') this.absent.push(...table.leaves);
    this.idTable = { address: canonical(table.address), entries: ids.length, state };
    input.space.pointer(input.base + rvaOf(input.kernel, 'PspCidTable'), state === 'null' ? 0 : table.address);
  }

  private writeGlobals(): void {
    const { input, tables, plan } = this;
    const { space, kernel, base } = input;
    const at = (name: string): Va | null => (kernel.rva[name] === undefined ? null : base + kernel.rva[name]);
    space.pointer(base + rvaOf(kernel, 'ObpRootDirectoryObject'), plan.directory('\\').body);
    space.pointer(base + rvaOf(kernel, 'ObpTypeObjectType'), this.typeObject('Type').body);
    const head = at('HandleTableListHead');
    if (head !== null) space.link(head, tables.links);
    const system = plan.processes.find((process) => process.pid === 4);
    const kernelTable = at('ObpKernelHandleTable');
    if (kernelTable !== null) space.pointer(kernelTable, system?.handles?.table ?? 0);
    const cookie = at('ObHeaderCookie');
    if (cookie !== null && this.cookie !== null)
      space.write(cookie, Uint8Array.of(this.cookie ^ (input.spec.damage?.cookie === 'wrong' ? 0x5a : 0)));
    this.bodies.writeLogonSessions(at('SepLogonSessions'));
  }

  /** What the pool tag tables shall count. */
  rows(): TagRowSpec[] {
    const { tagBytes = {} } = this.input.spec;
    return [...this.pool.usage.values()].map(({ pool, tag, blocks, bytes }) => {
      const counters = outstanding(blocks, tagBytes[tag] ?? bytes, 3);
      return { tag, ...(pool === 'pagedPool' ? { paged: counters } : { nonPaged: counters }) };
    });
  }

  bytesOf(tag: string): number {
    return [...this.pool.usage.values()].filter((one) => one.tag === tag).reduce((sum, one) => sum + one.bytes, 0);
  }

  /** The active list in the order of creation, ended ones between the others, and sessions of those that have ended. */
  finish(sessions: ReadonlyMap<number, Va>): void {
    const { space, kernel, base, spec } = this.input;
    const { fields = {} } = kernel.structs['_EPROCESS'] ?? {};
    const offset = (name: string): number => fields[name] ?? 0;
    const listed = this.plan.processes.filter((process) => process.listed);
    const entries = listed.map((process) => process.thing.body + offset('ActiveProcessLinks'));
    space.link(base + rvaOf(kernel, 'PsActiveProcessHead'), entries);
    const { loopAfter, breakAfter } = spec.damage?.activeList ?? {};
    const [first = 0] = entries;
    if (loopAfter !== undefined) space.pointer(entries[loopAfter - 1] ?? first, first);
    if (breakAfter !== undefined) space.pointer(entries[breakAfter - 1] ?? first, space.plan.nowhere + 0x1448);
    for (const process of this.plan.processes) {
      const session = process.session === null ? undefined : sessions.get(process.session);
      if (process.exitTime !== 0n && session !== undefined && 'Session' in fields)
        space.pointer(process.thing.body + offset('Session'), session);
    }
  }
}

/** Globals that point at a type object. */
const POINTERS: Readonly<Record<string, string>> = {
  Process: 'PsProcessType', Thread: 'PsThreadType', Job: 'PsJobType', File: 'IoFileObjectType', Event: 'ExEventObjectType',
  Semaphore: 'ExSemaphoreObjectType', Mutant: 'ExMutantObjectType', Timer: 'ExTimerObjectType', Token: 'SeTokenObjectType',
  Key: 'CmKeyObjectType', Section: 'MmSectionObjectType', 'ALPC Port': 'AlpcPortObjectType', Driver: 'IoDriverObjectType',
  Device: 'IoDeviceObjectType', Directory: 'ObpDirectoryObjectType', SymbolicLink: 'ObpSymbolicLinkObjectType',
}; // prettier-ignore

/** Writes everything but what `finish` leaves. Sessions and page tables of processes come later. */
export function writeObjects(input: ObjectsInput): BuiltObjects {
  const writer = new Writer(input);
  writer.run();
  const { plan, people, population } = writer;
  const truth = describeObjects({
    plan,
    people,
    ended: population.ended,
    cookie: writer.cookie,
    perLeaf: writer.tables.style.perLeaf,
    absent: writer.absentLeaves,
    bytesOf: (tag) => writer.bytesOf(tag),
    typeObject: (name) => writer.typeObject(name),
    idTable: writer.idTable,
    damage: input.spec.damage ?? {},
  });
  const live = plan.processes.filter((process) => process.exitTime === 0n);
  return {
    processes: writer.processes,
    bodies: live.map((process) => process.thing.body),
    rows: writer.rows(),
    absent: writer.absent,
    threads: live.flatMap((process) => process.threads.filter((thread) => thread.exitTime === 0n)),
    truth,
    finish: (sessions) => {
      writer.finish(sessions);
    },
  };
}
