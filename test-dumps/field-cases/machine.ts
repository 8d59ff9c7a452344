/** The machines around field cases: a system of that build with drivers and processes that have nothing to do with the case. */

import { systemDrivers } from '../catalogue.js';
import type { ObjectsSpec } from '../objects/spec.js';
import { decoy, GB, MB, processes } from '../machines/scenario-parts.js';
import type { CounterSpec, ModuleSpec, ProcessSpec, Scenario, TagRowSpec } from '../scenario.js';
import { outstanding, tagRows } from '../tag-rows.js';

/** A driver that was loaded besides, as far as its case tells of it. */
export type Drivers = Readonly<Record<string, Partial<ModuleSpec>>>;

export interface MachineParts {
  readonly name: string;
  readonly seed: number;
  /** Default Windows 10 22H2, x64. */
  readonly kernel?: string;
  readonly architecture?: Scenario['architecture'];
  /** Bytes. Default 16 GB. */
  readonly ram?: number;
  /** Rows of the case. */
  readonly rows?: readonly TagRowSpec[];
  /** Bytes of all other rows. Default 310 MB nonpaged, 420 MB paged. */
  readonly otherNonPaged?: number;
  readonly otherPaged?: number;
  readonly modules?: Drivers;
  /** Besides some forty ordinary ones. */
  readonly processes?: readonly ProcessSpec[];
  readonly objects?: ObjectsSpec;
  readonly figures?: NonNullable<Scenario['memory']>['figures'];
  readonly more?: Partial<Scenario>;
  /** Of the memory: pages of page files and failures. */
  readonly memory?: Partial<NonNullable<Scenario['memory']>>;
}

/** Innocents of other makers: each allocates a little under a tag of its own. Those that filter files say so by imports. */
const INNOCENTS: Readonly<Record<string, { tag: string; imports?: ModuleSpec['imports'] }>> = {
  'northfs.sys': { tag: 'NfsX' },
  'vantagemon.sys': {
    tag: 'VntM',
    imports: { 'ntoskrnl.exe': ['PsSetCreateProcessNotifyRoutine', 'CmRegisterCallback'] },
  },
  'orbitav.sys': { tag: 'Orbt', imports: { 'fltmgr.sys': ['FltRegisterFilter', 'FltAllocateContext'] } },
  'lumengfx.sys': { tag: 'Lumn' },
  'relayvpn.sys': { tag: 'RvPn', imports: { 'fwpkclnt.sys': ['FwpsCalloutRegister1'] } },
  'quarrybk.sys': { tag: 'QbCx', imports: { 'fltmgr.sys': ['FltRegisterFilter'] } },
  'acmenet.sys': { tag: 'AcNb', imports: { 'ndis.sys': ['NdisFRegisterFilterDriver'] } },
};

/** What the parts of Windows that others are registered with export, by file. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  'fltmgr.sys': ['FltRegisterFilter', 'FltAllocateContext', 'FltStartFiltering'],
  'fwpkclnt.sys': ['FwpsCalloutRegister0', 'FwpsCalloutRegister1', 'FwpsCalloutRegister2', 'FwpsCalloutRegister3'],
  'ndis.sys': ['NdisFRegisterFilterDriver', 'NdisRegisterProtocolDriver', 'NdisMRegisterMiniportDriver'],
  'WDFLDR.SYS': ['WdfVersionBind', 'WdfVersionUnbind'],
};
const KERNEL_EXPORTS = [
  ...['CmRegisterCallback', 'CmRegisterCallbackEx', 'ObRegisterCallbacks', 'IoRegisterFsRegistrationChange'],
  ...['PsSetCreateProcessNotifyRoutine', 'PsSetCreateProcessNotifyRoutineEx', 'PsSetLoadImageNotifyRoutine'],
];
/** Filters of Windows itself that every such system has. */
const WINDOWS_FILTERS = [
  'fileinfo.sys',
  'wcifs.sys',
  'cldflt.sys',
  'WdFilter.sys',
  'luafv.sys',
  'storqosflt.sys',
  'bindflt.sys',
];
const ORDINARY = ['svchost.exe', 'RuntimeBroker.exe', 'explorer.exe'];

/** Counters of something that leaks: so many blocks outstanding, and few of those that were ever made were freed. */
export function leaked(count: number, bytes: number, freed = Math.floor(count / 90)): CounterSpec {
  return { allocs: count + freed, frees: freed, bytes: Math.floor(bytes) };
}

/** A machine with the rows, drivers, processes and objects of a case among ordinary ones. */
export function fieldMachine(parts: MachineParts): Scenario {
  const { rows = [], otherNonPaged = 310 * MB, otherPaged = 420 * MB, kernel = '10.0.19041.804' } = parts;
  const build = Number(kernel.split('.').at(2) ?? kernel);
  const own = Object.values(INNOCENTS).map(({ tag }): TagRowSpec => ({
    tag,
    nonPaged: outstanding(310, 2 * MB, 9),
    paged: outstanding(90, MB, 4),
  }));
  const named = [...rows, ...own.filter(({ tag }) => !rows.some((row) => row.tag === tag))];
  const sum = (of: 'nonPaged' | 'paged'): number =>
    named.reduce((total, row) => total + Number(row[of]?.bytes ?? 0), 0);
  const all = tagRows({
    seed: parts.seed,
    count: 640,
    named,
    nonPagedBytes: sum('nonPaged') + otherNonPaged,
    pagedBytes: sum('paged') + otherPaged,
    largest: Math.floor(otherNonPaged / 9),
  });
  const others = processes(ORDINARY, 34, 1);
  return {
    name: parts.name,
    seed: parts.seed,
    kernel,
    ...(parts.architecture === undefined ? {} : { architecture: parts.architecture }),
    processors: 4,
    memory: {
      bytes: parts.ram ?? 16 * GB,
      ...(parts.figures === undefined ? {} : { figures: parts.figures }),
      ...parts.memory,
    },
    modules: driversOf(build, parts),
    kernelExports: KERNEL_EXPORTS,
    processes: [...others, ...(parts.processes ?? [])],
    unloaded: [{ name: 'dump_storport.sys' }, { name: 'cdrom.sys' }],
    pool: { rows: all },
    ...(parts.objects === undefined ? {} : { objects: { ordinaryHandles: 40, ...parts.objects } }),
    ...parts.more,
  };
}

function driversOf(build: number, { rows = [], modules = {} }: MachineParts): ModuleSpec[] {
  const tempting = rows.map(({ tag }) => tag).filter((tag) => /^[A-Za-z]{4}$/.test(tag));
  const list = systemDrivers(build).map((spec): ModuleSpec => {
    const innocent = INNOCENTS[spec.name];
    const isFilter = WINDOWS_FILTERS.includes(spec.name);
    return {
      ...spec,
      // What is searched takes time, and sizes say nothing here.
      size: Math.min(spec.size ?? 0x1_0000, 0x8_0000),
      importNamesIn: '.rdata',
      ...(EXPORTS[spec.name] === undefined ? {} : { exports: EXPORTS[spec.name] ?? [] }),
      ...(isFilter ? { imports: { 'fltmgr.sys': ['FltRegisterFilter'] } } : {}),
      ...(innocent === undefined
        ? {}
        : {
            imports: innocent.imports ?? {},
            // Text that holds the tags of the case accuses nobody.
            tags: [
              { tag: innocent.tag, style: 'alloc' as const },
              ...(spec.name === 'vantagemon.sys' ? tempting.slice(0, 2).map((tag) => decoy(tag)) : []),
            ],
          }),
      ...modules[spec.name],
    };
  });
  const known = new Set(list.map(({ name }) => name));
  const added = Object.entries(modules)
    .filter(([name]) => !known.has(name))
    .map(([name, spec]): ModuleSpec => ({ name, size: 0x3_0000, importNamesIn: '.rdata', ...spec }));
  return [...list, ...added];
}
