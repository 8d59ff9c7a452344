/** Kernel modules: image plans from specifications, their pages in memory, and the `PsLoadedModuleList` entries. */

import { va48, type Va } from '../bytes.js';
import { driverSections, kernelImageSize, kernelSections } from './image-layout.js';
import { rvaOf, type KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { loadedSize, loadFile } from '../drivers/load.js';
import { PeImage } from './pe-image.js';
import { PAGE } from '../physical-memory.js';
import { Prng } from '../prng.js';
import type { Architecture, ModuleSpec, PageState, PdbSpec, Scenario } from '../scenario.js';
import { TagPlanter } from './tag-uses.js';

/** A module with its image and its place. */
export interface BuiltModule {
  spec: ModuleSpec;
  name: string;
  path: string;
  base: Va;
  image: PeImage;
  planter: TagPlanter;
  /** State of each page that is not `valid`. */
  states: Map<number, PageState>;
  /** Frames of pages as mapped; pages without a frame are missing. */
  frames: Map<number, number>;
}

const KERNEL_EXPORTS = [
  'DbgPrint', 'ExAllocatePool2', 'ExAllocatePoolWithTag', 'ExFreePool', 'ExFreePoolWithTag', 'IoCreateDevice',
  'IoDeleteDevice', 'IofCompleteRequest', 'KeBugCheckEx', 'KeWaitForSingleObject', 'MmMapIoSpace', 'ObfDereferenceObject',
  'PsCreateSystemThread', 'RtlInitUnicodeString', 'ZwClose',
] as const; // prettier-ignore
const DRIVER_IMPORTS = [
  'ExAllocatePoolWithTag',
  'ExFreePoolWithTag',
  'IoCreateDevice',
  'IofCompleteRequest',
  'KeBugCheckEx',
];

/** Addresses of what ntoskrnl.exe exports; `more` are names that only this scenario wants. */
export function kernelExports(kernel: KernelFacts, more: readonly string[] = []): Record<string, number> {
  const text = kernelSections(kernel)[1];
  if (!text) throw new Error('no .text');
  const step = Math.floor(text.size / (KERNEL_EXPORTS.length + 2) / 16) * 16;
  const last = text.rva + (KERNEL_EXPORTS.length + 1) * step;
  return {
    ...Object.fromEntries(more.map((name, i) => [name, last + i * 32])),
    ...Object.fromEntries(KERNEL_EXPORTS.map((name, i) => [name, text.rva + (i + 1) * step])),
  };
}

/** Identity of the image as it will stand in memory, real or hidden. */
export function kernelIdentity(
  kernel: KernelFacts,
  scenario: Scenario,
): { pdb: PdbSpec; timeDateStamp: number; sizeOfImage: number } {
  const hide = scenario.hideIdentity;
  if (scenario.architecture === 'arm64' || scenario.paging?.levels === 5) return foreignIdentity(kernel, scenario);
  const unknownGuid = hide === 'unknown-guid' || hide === 'unknown-all';
  const unknownTime = hide === 'unknown-timestamp' || hide === 'unknown-all';
  // Kernels whose real timestamp no table gives get one that is as invented as their size.
  const time = kernel.timeDateStamp ?? 0x5c000000 + kernel.build;
  return {
    pdb: unknownGuid ? { ...kernel.pdb, guid: '0123456789ABCDEF0123456789ABCDEF' } : kernel.pdb,
    timeDateStamp: unknownTime ? 0x12345678 : time,
    sizeOfImage: kernelImageSize(kernel),
  };
}

/** Identities of kernels that no table has: ARM64's, and ntkrla57.exe's. */
function foreignIdentity(kernel: KernelFacts, scenario: Scenario): ReturnType<typeof kernelIdentity> {
  const five = scenario.paging?.levels === 5;
  const guid = `${five ? '57' : '64'}${kernel.pdb.guid.slice(2)}`;
  const name = five ? 'ntkrla57.pdb' : kernel.pdb.name;
  return {
    pdb: { name, guid, age: 1 },
    timeDateStamp: 0x3a57_0000 + kernel.build,
    sizeOfImage: kernelImageSize(kernel),
  };
}

export function kernelModule(kernel: KernelFacts, scenario: Scenario, base: Va, random: Prng): BuiltModule {
  const identity = kernelIdentity(kernel, scenario);
  const exports = kernelExports(kernel, scenario.kernelExports);
  const image = new PeImage({
    name: 'ntoskrnl.exe',
    size: identity.sizeOfImage,
    sections: kernelSections(kernel),
    timeDateStamp: identity.timeDateStamp,
    checkSum: 0x550a29 + kernel.build,
    pdb: identity.pdb,
    version: { fileVersion: kernel.version, fileDescription: 'NT Kernel & System' },
    exports,
    architecture: scenario.architecture ?? 'x64',
  });
  // Pages with globals begin as zeros, also those in code sections of old kernels.
  for (const rva of Object.values(kernel.rva)) image.pages.set(Math.floor(rva / PAGE), new Uint8Array(PAGE));
  const wrapper = exports['ExAllocatePool2'] ?? PAGE;
  const planter = new TagPlanter(image, random, {
    wrapper,
    allocate: exports['ExAllocatePoolWithTag'] ?? wrapper,
    free: exports['ExFreePoolWithTag'] ?? wrapper,
    base,
  });
  for (const use of scenario.kernelTags ?? []) planter.plant(use);
  const spec: ModuleSpec = { name: 'ntoskrnl.exe', ...(scenario.kernelTags ? { tags: scenario.kernelTags } : {}) };
  const states = new Map<number, PageState>();
  if (scenario.hideIdentity === 'codeview-page-missing') states.set(1, 'absent');
  if (scenario.hideIdentity === 'headers-missing') states.set(0, 'absent');
  return {
    spec,
    name: spec.name,
    path: '\\SystemRoot\\system32\\ntoskrnl.exe',
    base,
    image,
    planter,
    states,
    frames: new Map(),
  };
}

/** Bytes of a driver's image: as specified, or from its name. */
export function moduleSize(spec: ModuleSpec): number {
  if (spec.file !== undefined) return loadedSize(spec.file);
  const wanted = spec.size ?? new Prng(0).fork(spec.name).int(8, 60) * PAGE;
  return Math.max(2, Math.ceil(wanted / PAGE)) * PAGE;
}

/** Addresses of what modules export, by their lower-case file names. */
export type ExportsByModule = ReadonlyMap<string, Readonly<Record<string, Va>>>;

/** RVAs of what a driver exports: in its code, past the wrapper of the allocator. */
function driverExports(spec: ModuleSpec): Record<string, number> {
  const text = driverSections(moduleSize(spec) / PAGE)[0]?.rva ?? PAGE;
  return Object.fromEntries((spec.exports ?? []).map((name, i) => [name, text + 0x100 + i * 32]));
}

/** What the drivers of a scenario export. `baseOf` gives the place of each. */
export function exportsOf(specs: readonly ModuleSpec[], baseOf: (place: number) => Va): ExportsByModule {
  return new Map(
    specs.map((spec, i) => [
      spec.name.toLowerCase(),
      Object.fromEntries(Object.entries(driverExports(spec)).map(([name, rva]) => [name, baseOf(i) + rva])),
    ]),
  );
}

/** A driver of the scenario; `exports` are addresses in ntoskrnl.exe, `others` what other modules export. */
export function driverModule(
  spec: ModuleSpec,
  base: Va,
  exports: Record<string, Va>,
  random: Prng,
  architecture: Architecture = 'x64',
  others: ExportsByModule = new Map(),
): BuiltModule {
  const size = moduleSize(spec);
  const loaded =
    spec.file === undefined ? null : loadFile(spec.file, { base, exports, discardImports: spec.importNames !== true });
  const stem = spec.name.replace(/\.[^.]*$/, '');
  const guid = Array.from(random.bytes(16), (b) => b.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
  const { 'ntoskrnl.exe': ntImports, ...otherImports } = spec.imports ?? {};
  const image = new PeImage({
    name: spec.name,
    size,
    sections: loaded?.sections ?? driverSections(size / PAGE),
    timeDateStamp: spec.timeDateStamp ?? loaded?.timeDateStamp ?? random.int(0x4a000000, 0x62000000),
    checkSum: spec.checkSum ?? loaded?.checkSum ?? size + random.int(0, 0xffff),
    pdb: loaded !== null ? null : spec.pdb === undefined ? { name: `${stem}.pdb`, guid, age: 1 } : spec.pdb,
    version: loaded !== null ? null : spec.version === undefined ? { fileVersion: '10.0.1.1' } : spec.version,
    imports: loaded !== null ? {} : importsFrom([...DRIVER_IMPORTS, ...(ntImports ?? [])], exports),
    importsFrom: Object.fromEntries(
      Object.entries(otherImports).map(([name, wanted]) => [
        name,
        importsFrom(wanted, others.get(name.toLowerCase()) ?? {}),
      ]),
    ),
    importNames: spec.importNamesIn ?? 'INIT',
    exports: loaded !== null ? {} : driverExports(spec),
    isDll: /\.dll$/i.test(spec.name),
    architecture,
  });
  for (let at = 0; loaded !== null && at < size; at += PAGE) {
    image.pages.set(at / PAGE, loaded.memory.subarray(at, at + PAGE));
  }
  const planter = new TagPlanter(image, random, { wrapper: (image.section('.text')?.rva ?? PAGE) + 0x40, base });
  for (const use of spec.tags ?? []) planter.plant(use);
  const path = spec.path ?? `\\SystemRoot\\System32\\drivers\\${spec.name}`;
  return { spec, name: spec.name, path, base, image, planter, states: new Map(), frames: new Map() };
}

function importsFrom(names: readonly string[], exports: Readonly<Record<string, Va>>): Record<string, Va> {
  return Object.fromEntries(names.map((name) => [name, exports[name] ?? 0]));
}

/** Decides the state of every page of a driver: what its specification says, else by section and chance. */
export function choosePageStates(module: BuiltModule, scenario: Scenario, random: Prng): void {
  const paging = scenario.paging ?? {};
  const limits: [PageState, number][] = [
    ['paged-out', paging.pagedOut ?? 0.2],
    ['transition', paging.transition ?? 0.08],
    ['prototype', paging.prototype ?? 0.03],
    ['absent', paging.absent ?? 0],
  ];
  for (let page = 0; page < module.image.size / PAGE; page++) {
    const state = module.spec.allPages ?? chance(module, page, limits, paging.discardInit ?? true, random);
    if (state !== 'valid') module.states.set(page, state);
  }
  for (const { use, rva, pair } of module.planter.planted) {
    // Uses that ask for nothing stay readable, whatever chance gave their pages.
    const state = use.page ?? 'valid';
    for (const page of new Set([rva, pair?.secondRva ?? rva + 3].map((at) => Math.floor(at / PAGE)))) {
      if (
        use.page !== undefined ||
        (module.spec.allPages === undefined && !READABLE_BY_CHANCE.has(module.states.get(page)))
      ) {
        module.states.set(page, state);
      }
    }
  }
  for (const [page, state] of Object.entries(module.spec.pages ?? {})) module.states.set(Number(page), state);
}

const READABLE_BY_CHANCE: ReadonlySet<PageState | undefined> = new Set([undefined, 'valid', 'transition', 'prototype']);

function chance(
  module: BuiltModule,
  page: number,
  limits: [PageState, number][],
  discard: boolean,
  random: Prng,
): PageState {
  const name = module.image.sectionAt(page * PAGE)?.name;
  if (discard && (name === 'INIT' || name === '.reloc')) return 'discarded';
  if (name !== 'PAGE' && name !== '.rsrc') return 'valid';
  let roll = random.float();
  for (const [state, share] of limits) {
    if (roll < share) return state;
    roll -= share;
  }
  return 'valid';
}

/** `_KLDR_DATA_TABLE_ENTRY` by size of a pointer. */
const KLDR = {
  4: {
    ...{ size: 0x5c, base: 0x18, entryPoint: 0x1c, sizeOfImage: 0x20, fullName: 0x24, baseName: 0x2c },
    ...{ flags: 0x34, loadCount: 0x38, checkSum: 0x40 },
  },
  8: {
    ...{ size: 0xa0, base: 0x30, entryPoint: 0x38, sizeOfImage: 0x40, fullName: 0x48, baseName: 0x58 },
    ...{ flags: 0x68, loadCount: 0x6c, checkSum: 0x78 },
  },
} as const;

/** Writes the `_KLDR_DATA_TABLE_ENTRY` of each module and links them behind `PsLoadedModuleList`. */
export function writeModuleList(
  space: KernelSpace,
  kernel: KernelFacts,
  base: Va,
  modules: readonly BuiltModule[],
  scenario: Scenario,
): void {
  const hasTimestamp = kernel.structs['_KLDR_DATA_TABLE_ENTRY']?.fields['TimeDateStamp'];
  const at = KLDR[space.width];
  const entries = modules.map((module) => {
    const entry = space.allocate('nonPagedPool', at.size);
    const { plan } = module.image;
    space.pointer(entry + at.base, module.base);
    space.pointer(entry + at.entryPoint, module.base + (module.image.section('.text')?.rva ?? PAGE) + 0x10);
    space.u32(entry + at.sizeOfImage, plan.size);
    space.unicode(entry + at.fullName, module.path, 'nonPagedPool');
    space.unicode(entry + at.baseName, module.name);
    space.u32(entry + at.flags, 0x49104000);
    space.u16(entry + at.loadCount, 1);
    space.u32(entry + at.checkSum, plan.checkSum);
    if (hasTimestamp !== undefined) space.u32(entry + hasTimestamp, plan.timeDateStamp);
    return entry;
  });
  const head = base + rvaOf(kernel, 'PsLoadedModuleList');
  space.link(head, entries);
  const { loopAfter, breakAfter, breakBefore } = scenario.moduleList ?? {};
  const first = entries[0];
  if (loopAfter !== undefined && first !== undefined) space.pointer(entries[loopAfter - 1] ?? head, first);
  const { nowhere } = space.plan;
  if (breakAfter !== undefined) space.pointer(entries[breakAfter - 1] ?? head, nowhere);
  if (breakBefore !== undefined) space.pointer((entries[breakBefore] ?? head) + space.width, nowhere);
}

/** Bases for modules without one: after each other with a gap, session images in their own region. */
export class ModulePlaces {
  private next: Va;
  private nextSession: Va;
  private readonly fixed: { start: Va; end: Va }[] = [];

  constructor(
    specs: readonly ModuleSpec[],
    start: Va,
    session: Va,
    private readonly unit: number,
  ) {
    this.next = start;
    this.nextSession = session;
    for (const spec of specs) {
      if (spec.base !== undefined) {
        const at = va48(spec.base);
        this.fixed.push({ start: at, end: at + moduleSize(spec) });
      }
    }
  }

  take(spec: ModuleSpec): Va {
    if (spec.base !== undefined) return va48(spec.base);
    let base = spec.session === true ? this.nextSession : this.next;
    const bytes = moduleSize(spec);
    for (const { start, end } of this.fixed) if (base < end && start < base + bytes) base = end;
    const after = Math.ceil((base + bytes) / this.unit) * this.unit + (this.unit > PAGE ? 0 : 2 * PAGE);
    if (spec.session === true) this.nextSession = after;
    else this.next = after;
    return base;
  }
}
