/** Builds the dumped machine from a scenario: RAM with everything in it, and what is true about it. */

import { arm64Facts } from './kernel/arm64-kernels.js';
import { canonical, putU64, putVa, utf16, va48, type Va } from './bytes.js';
import { defaultDrivers, defaultRows } from './defaults.js';
import { kernelFacts, rvaOf, structOf, type KernelFacts } from './kernel-facts.js';
import { addressPlan, addressPlanX86, KernelSpace } from './kernel/kernel-space.js';
import { MemoryCounters } from './kernel/memory-counters.js';
import { memoryFigures } from './kernel/memory-figures.js';
import { dataOf, framesInRuns, placeKernel, placeModule, type Placement } from './images/module-pages.js';
import {
  choosePageStates, driverModule, exportsOf, kernelExports, kernelModule, ModulePlaces, writeModuleList, type BuiltModule,
} from './images/modules.js'; // prettier-ignore
import { objectKernel } from './objects/facts.js';
import { writeThreadStacks } from './objects/thread-stacks.js';
import { writeObjects } from './objects/write.js';
import { PageTables, type AddressTables } from './kernel/page-tables.js';
import { PAGE, PhysicalMemory, typicalRuns } from './physical-memory.js';
import { writePoolTables } from './kernel/pool-tables.js';
import { poolKernel } from './pool-blocks/kernel-globals.js';
import { writePoolBlocks } from './pool-blocks/write.js';
import { Prng } from './prng.js';
import { DEFAULT_PROCESSES, sessionsOf, writeProcesses, writeSessions } from './kernel/processes.js';
import type { HeaderSpec, Scenario, TagRowSpec } from './scenario.js';
import { plantSwitchCode } from './kernel/switch-code.js';
import { writeSystemGlobals } from './kernel/system-globals.js';
import type { Truth } from './truth.js';
import { writeUnloaded } from './kernel/unloaded.js';
import { writeVerifier } from './kernel/verifier.js';
import { x86Facts } from './kernel/x86-kernels.js';
import { X86PageTables } from './kernel/x86-page-tables.js';

const GIGABYTE = 0x4000_0000;
/** 2026-03-02 11:41:17 UTC as a FILETIME. */
const DEFAULT_TIME = 134_169_252_770_000_000n;
const DEFAULT_UP_TIME = 9n * 864_000_000_000n + 51_230_000_000n;

/** The finished machine, before it is cut into a file. */
export interface Machine {
  kernel: KernelFacts;
  base: Va;
  /** Frame numbers of some invalid PTEs are mixed with `InvalidPteMask`. */
  masked: boolean;
  memory: PhysicalMemory;
  space: KernelSpace;
  /** In list order. */
  modules: BuiltModule[];
  /** How many of them a walk of the list finds. */
  listed: number;
  /** Frames that a dump shall not hold. */
  absent: Set<number>;
  /** Frames of user memory: only complete dumps, and those of type 9, hold them. */
  userFrames: readonly number[];
  /** The tables that session modules are mapped in: of a process of a session; null without any. */
  sessionTables: AddressTables | null;
  processors: number;
  kdbgBlock: Uint8Array;
  bugCheckCode: number;
  bugCheckParameters: readonly bigint[];
  systemTime: bigint;
  upTime: bigint;
  productType: number;
  suiteMask: number;
  truth: Pick<
    Truth,
    | 'kdbg' | 'unloadedDrivers' | 'processes' | 'pool' | 'memory' | 'nonPagedPools' | 'pagedPools' | 'pageFiles'
    | 'poolAllocationFailures' | 'sessions' | 'verifier' | 'objects' | 'poolBlocks'
  >; // prettier-ignore
}

function wideFacts(scenario: Scenario): KernelFacts {
  const facts = kernelFacts(scenario.kernel ?? '10.0.19041.804');
  return scenario.architecture === 'arm64' ? arm64Facts(facts) : facts;
}

export function buildMachine(scenario: Scenario): Machine {
  const seed = scenario.seed ?? 1;
  const random = new Prng(seed);
  const paging = scenario.paging ?? {};
  const memorySpec = scenario.memory ?? {};
  const narrow = scenario.architecture === 'x86';
  const processors = scenario.processors ?? (narrow ? 2 : 8);
  const pae = paging.pae ?? true;
  const plain = narrow
    ? x86Facts(scenario.kernel ?? '7601', { pae, multiprocessor: processors > 1 })
    : wideFacts(scenario);
  const known = scenario.objects ? objectKernel(plain, scenario.architecture) : plain;
  const kernel = scenario.poolBlocks ? poolKernel(known, scenario.architecture) : known;
  const ram = memorySpec.bytes ?? (narrow ? 2 : 8) * GIGABYTE;
  const runs = memorySpec.runs ?? typicalRuns(Math.floor(ram / PAGE));
  const memory = new PhysicalMemory(runs, random.fork('frames'));
  // Bit 45, as on machines whose processors address 46 bits of memory.
  const masked = '_MI_HARDWARE_STATE' in kernel.structs && (scenario.architecture ?? 'x64') === 'x64';
  const plan = narrow ? addressPlanX86(kernel.build) : addressPlan(kernel.build);
  const tables = narrow
    ? new X86PageTables(memory, pae, kernel.build < 6000 ? { pagedPoolStart: plan.pagedPool } : 'upper-half')
    : new PageTables(
        memory,
        { low: 0, high: masked ? 0x2000 : 0 },
        { architecture: scenario.architecture ?? 'x64', levels: paging.levels ?? 4 },
      );
  const { style } = tables;
  const base = scenario.kernelBase === undefined ? plan.kernel : va48(scenario.kernelBase);
  const space = new KernelSpace(memory, tables, plan, paging.poolPages, narrow ? 4 : 8);
  if (paging.selfMap !== false) tables.mapSelf(plan.pteBase);
  const absent = new Set<number>();
  const to: Placement = {
    space,
    tables,
    absent,
    random: random.fork('pages'),
    swizzle: (paging.swizzle ?? true) && masked,
    frames: framesInRuns(memory, random.fork('runs'), paging.modulePages ?? 1),
  };

  const nt = kernelModule(kernel, scenario, base, random.fork('nt'));
  const state = structSizes(kernel);
  for (const [symbol, size] of state)
    for (let at = 0; at <= size; at += PAGE) nt.image.writablePage(Math.floor((rvaOf(kernel, symbol) + at) / PAGE));
  const waits =
    scenario.objects?.stacks && style.architecture !== 'arm64'
      ? plantSwitchCode(nt.image, kernelExports(kernel, scenario.kernelExports))
      : [];
  placeKernel(nt, to, paging.largeKernel ?? kernel.build >= 10240);
  const specs = scenario.modules ?? defaultDrivers(kernel.build);
  const exports = Object.fromEntries(
    Object.entries(kernelExports(kernel, scenario.kernelExports)).map(([name, rva]) => [name, base + rva]),
  );
  const places = new ModulePlaces(specs, plan.drivers, plan.session, kernel.build >= 10240 ? 0x10000 : PAGE);
  let processSpecs = scenario.processes ?? DEFAULT_PROCESSES;
  const inSessions = processSpecs.some((p) => p.session !== undefined);
  const sessionTables = inSessions ? tables.fresh() : null;
  const bases = specs.map((spec) => places.take(spec));
  const otherExports = exportsOf(specs, (place) => bases[place] ?? 0);
  const drivers = specs.map((spec, place) => {
    const module = driverModule(
      spec,
      bases[place] ?? 0,
      exports,
      random.fork(`image ${spec.name}`),
      style.architecture,
      otherExports,
    );
    choosePageStates(module, scenario, random.fork(`states ${spec.name}`));
    if (spec.session !== true) placeModule(module, to);
    else if (sessionTables) placeModule(module, { ...to, tables: sessionTables });
    return module;
  });
  const modules = [nt, ...drivers];
  writeModuleList(space, kernel, base, modules, scenario);

  const header = scenario.header ?? {};
  const systemTime = header.systemTime ?? DEFAULT_TIME;
  const upTime = header.upTime ?? DEFAULT_UP_TIME;
  const productType = header.productType ?? 1;
  const suiteMask = header.suiteMask ?? 0x110;
  // The objects first: the tag tables count them.
  const objects = scenario.objects
    ? writeObjects({
        ...{ space, kernel, base, systemTime, upTime, levels: style.levels, spec: scenario.objects },
        modules: modules.map((module) => ({ name: module.name, base: module.base, size: module.image.size })),
        processes: processSpecs,
        random: random.fork('objects'),
      })
    : null;
  processSpecs = objects?.processes ?? processSpecs;
  for (const va of objects?.absent ?? []) absent.add(space.frameOf(va) ?? -1);
  const baseOf = (name: string): Va => modules.find((module) => module.name === name)?.base ?? 0;
  const bodies =
    objects?.bodies ?? (scenario.poolBlocks ? processBodies(space, kernel, processSpecs.length) : undefined);
  const blocks = scenario.poolBlocks
    ? writePoolBlocks({
        ...{
          space,
          kernel,
          base,
          spec: scenario.poolBlocks,
          processes: bodies ?? [],
          random: random.fork('pool blocks'),
        },
        baseOf,
        dataOf: (name) => dataOf(modules, name, space),
        architecture: scenario.architecture ?? 'x64',
        codeOf: kernelExports(kernel)['ExFreePool'] ?? 0,
      })
    : null;
  for (const va of blocks?.absent ?? []) absent.add(space.frameOf(va) ?? -1);
  const rows = withRows(scenario.pool?.rows ?? (blocks ? [] : defaultRows()), [
    ...(objects?.rows ?? []),
    ...(blocks?.rows ?? []),
  ]);
  const stacks =
    objects && scenario.objects?.stacks
      ? writeThreadStacks({
          ...{ space, kernel, base, processors, code: waits, threads: objects.threads, spec: scenario.objects.stacks },
          ...{ architecture: scenario.architecture ?? 'x64', crash: crashPlace(base, plan.systemPtes) },
          processorBlock: base + rvaOf(kernel, 'KiProcessorBlock'),
          random: random.fork('stacks'),
        })
      : null;
  for (const va of stacks?.absent ?? []) absent.add(space.frameOf(va) ?? -1);
  const pool = writePoolTables(space, kernel, base, processors, { ...scenario.pool, rows }, random.fork('pool'));
  for (const va of pool.absent) absent.add(space.frameOf(va) ?? -1);
  const sessionSpecs = sessionsOf(processSpecs, scenario.sessions);
  const sessions = writeSessions(space, kernel, sessionSpecs);
  const figures = memoryFigures(kernel, memorySpec, memory.pageCount, pool.truth.totals, sessionSpecs);
  const counters = new MemoryCounters(space, kernel, base, figures, masked ? 0x2000_0000_0000n : 0n);
  counters.write();
  const unloadedDrivers = writeUnloaded(space, kernel, base, scenario.unloaded ?? [], systemTime);
  const verifier = writeVerifier(space, kernel, base, scenario.verifier, baseOf);
  const facts = {
    style, processors, runs: memory.runs, physicalPages: memory.pageCount, productType, suiteMask, systemTime, upTime,
    threads: stacks !== null,
    halBase: drivers.find((m) => m.name === 'hal.dll')?.base ?? base,
  }; // prettier-ignore
  const kdbg = writeSystemGlobals(space, kernel, base, facts, scenario.kdbg, random.fork('kdbg'));
  const processes = writeProcesses(
    space,
    kernel,
    base,
    processSpecs,
    sessions,
    sessionTables,
    paging.pcid ?? 0,
    paging.selfMap !== false,
    scenario.machineName ?? null,
    bodies,
  );
  objects?.finish(new Map(sessions.map((session) => [session.id, session.address])));
  if (scenario.startBlock === true) writeStartBlock(memory, base, tables.root * PAGE);
  for (const frame of processes.absentRoots) absent.add(frame);
  for (const module of drivers)
    if (module.spec.pageTableAbsent === true) {
      absent.add(tableOver(module.spec.session === true ? (sessionTables ?? tables) : tables, module.base));
    }
  const sessionProcess = processSpecs.findIndex((p) => p.session !== undefined && p.rootAbsent !== true);
  const { loopAfter, breakAfter } = scenario.moduleList ?? {};
  return {
    kernel, base, masked, memory, space, modules, absent, processors,
    userFrames: processes.userFrames,
    listed: Math.min(modules.length, loopAfter ?? Infinity, breakAfter ?? Infinity),
    sessionTables: processes.tables[sessionProcess] ?? null,
    kdbgBlock: kdbg.block,
    bugCheckCode: header.bugCheckCode ?? 0xe2,
    bugCheckParameters: bugCheckParameters(space, header),
    systemTime, upTime, productType, suiteMask,
    truth: {
      kdbg: kdbg.truth, unloadedDrivers, processes: processes.truth, pool: pool.truth, verifier,
      ...(objects ? { objects: { ...objects.truth, ...(stacks ? { stacks: stacks.truth, running: stacks.running } : {}) } } : {}),
      ...(blocks ? { poolBlocks: blocks.truth } : {}),
      ...counters.truth(sessions.length > 0),
      sessions: sessions.map((s) => ({ id: s.id, address: canonical(s.address), committedPages: s.committedPages })),
    },
  }; // prettier-ignore
}

/** Where the processor that crashed stands. */
export function crashPlace(base: Va, systemPtes: Va): { instructionPointer: Va; stackPointer: Va } {
  return { instructionPointer: base + 0x1_4a40, stackPointer: systemPtes + 0x7ff8 };
}

/** Places for `_EPROCESS`es, for blocks that are charged to them. */
function processBodies(space: KernelSpace, kernel: KernelFacts, count: number): Va[] {
  return Array.from({ length: count }, () => space.allocate('nonPagedPool', structOf(kernel, '_EPROCESS').size));
}

/** Rows of objects take the place of others under their tags. */
function withRows(rows: readonly TagRowSpec[], objects: readonly TagRowSpec[]): TagRowSpec[] {
  const tags = new Set(objects.map((row) => row.tag));
  return [...rows.filter((row) => !tags.has(row.tag)), ...objects];
}

/** PROCESSOR_START_BLOCK in low memory: a near jump, the flag at +4, the entry in long mode, CR3. */
function writeStartBlock(memory: PhysicalMemory, base: Va, root: number): void {
  let frame = 0x13;
  while (memory.pages.has(frame)) frame++;
  const page = memory.writable(frame);
  page.set([0xe9, 0x4d, 0x06, 0x00, 0x01, 0x00, 0x00, 0x00]);
  putVa(page, 0x70, base + 0x2_1000);
  putU64(page, 0xa0, root);
}

/** The parameters, one of them perhaps the address of a driver's name. */
function bugCheckParameters(space: KernelSpace, header: HeaderSpec): bigint[] {
  const values = [...(header.bugCheckParameters ?? [0n, 0n, 0n, 0n])];
  const named = header.bugCheckDriver;
  if (!named) return values;
  const at = space.allocate('nonPagedPool', 16 + (named.name.length + 1) * 2);
  if (named.encoding === 'ascii') space.ascii(at, named.name);
  else if (named.encoding === 'utf16') space.write(at, utf16(`${named.name}\0`));
  else space.unicode(at, named.name);
  values[named.parameter - 1] = canonical(at);
  return values;
}

/** Globals that are structures or arrays, whose pages begin as zeros. */
function structSizes(kernel: KernelFacts): [string, number][] {
  const sizes: [string, number][] = [['KiProcessorBlock', kernel.tagTablesCapacity * 8]];
  if ('ObTypeIndexTable' in kernel.rva) sizes.push(['ObTypeIndexTable', 0x800]);
  if ('ExPoolTagTables' in kernel.rva) sizes.push(['ExPoolTagTables', kernel.tagTablesCapacity * 8]);
  const pairs = {
    MiState: '_MI_SYSTEM_INFORMATION',
    MiSystemPartition: '_MI_PARTITION',
    MmVerifierData: '_MM_DRIVER_VERIFIER_DATA',
  };
  for (const [symbol, type] of Object.entries(pairs)) {
    if (symbol in kernel.rva) sizes.push([symbol, kernel.structs[type]?.size ?? PAGE]);
  }
  if ('ExPoolStateNode0End' in kernel.rva)
    sizes.push(['ExPoolState', rvaOf(kernel, 'ExPoolStateNode0End') - rvaOf(kernel, 'ExPoolState')]);
  if ('NonPagedPoolDescriptor' in kernel.rva)
    sizes.push(['NonPagedPoolDescriptor', structOf(kernel, '_POOL_DESCRIPTOR').size]);
  return sizes;
}

/** The frame of the last-level table that translates an address, or -1. */
function tableOver(tables: AddressTables, va: Va): number {
  const walk = tables.walk(va);
  return walk.tables[tables.style.levels - 1] ?? -1;
}
