/** Loaded modules: PsLoadedModuleList (or a triage dump's driver list), with what the PE headers in memory say. */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex, type Failure } from '../../../parsers/bytes/failure.js';
import type { Triage } from '../../../parsers/dump/triage.js';
import { fetchPages, type VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { DIRECTORY, readCodeView, type CodeView, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { Signer } from '../../../parsers/pe/signature.js';
import { readVersion, type ImageVersion } from '../../../parsers/pe/version.js';
import type { Warning } from '../../result/result.js';
import { imageNames } from './image-names.js';
import { findImages, type FoundImage } from './image-scan.js';
import { fileName, isFileName, readListEntry, type ListEntry } from './list-entry.js';
import { open, settled, type ModuleDoubt } from './module-doubt.js';
import { readModuleEntries } from './module-list.js';
import { chooseName, takenNames, type IsTaken } from './module-name.js';
import { disjoint, placeOf, stampsOf, type ModulePlace } from './module-place.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';
import { sessionSpaces } from '../processes/sessions.js';

/** The file that a module was completed from. */
export interface DiskImage {
  readonly path: string;
  /** Pages (RVA / 4096) that come from it. */
  readonly pages: ReadonlySet<number>;
  /** Null for a file without an embedded signature. */
  readonly signer: Signer | null | Failure;
}

/** A module and the address space in which it can be read. */
export interface LoadedModule {
  readonly name: string;
  /** As a debugger calls it: without extension, `nt` for the kernel. */
  readonly moduleName: string;
  readonly path: string | null;
  readonly base: VirtualAddress;
  /** Bytes; 0 where the entry cannot be true. */
  readonly sizeOfImage: number;
  readonly timeDateStamp: number | null;
  readonly checkSum: number | null;
  readonly headers: ImageHeaders | null;
  readonly codeView: CodeView | null;
  readonly version: ImageVersion | null;
  /** Null where no page of it can be translated: its session's page tables are missing, or there are none at all. */
  readonly memory: VirtualMemory | null;
  /** Pages of the image that the dump holds; null in dumps without page tables. */
  readonly pagesPresent: number | null;
  readonly pagesTotal: number;
  /** The file that pages come from which the dump lacks; left out where none was used. */
  readonly disk?: DiskImage;
  /** Where what the dump says of it contradicts itself; left out where nothing does. */
  readonly doubts?: readonly ModuleDoubt[];
}

export interface ModuleList {
  readonly modules: readonly LoadedModule[];
  /** False where the list is damaged so that modules may be missing. */
  readonly complete: boolean;
  readonly warnings: readonly Warning[];
}

/** All modules, read once. What is missing of one costs only its own fields. */
export const readModules = oncePerKernel((kernel): ModuleList => {
  if (kernel.dump.triage !== null) {
    const modules = triageModules(kernel.dump.triage, kernel);
    return { modules, complete: true, warnings: contradictions(modules) };
  }
  const { memory, symbols } = kernel;
  const head = symbols?.address('PsLoadedModuleList')?.value ?? kernel.dump.header.psLoadedModuleList;
  if (memory === null || head === null) return { modules: [], complete: true, warnings: [] };
  const { entries: addresses, gapAt, warnings: listWarnings } = readModuleEntries(memory, head);
  const warnings: Warning[] = [...listWarnings];
  const layout = symbols?.layout('_KLDR_DATA_TABLE_ENTRY')?.value;
  const space = (address: VirtualAddress): VirtualMemory | null =>
    spaceOf(memory, address, () => sessionSpaces(kernel));
  const entries: ListEntry[] = [];
  let [insertAt, missing] = [0, 0];
  for (const [i, address] of addresses.entries()) {
    if (i === gapAt) insertAt = entries.length;
    const entry = readListEntry(memory, address, layout);
    if (failed(entry) || (entry.base === 0n && placeOf(entry, space).base === 0n)) {
      const why = failed(entry) ? entry.message : `the entry at ${hex(address)} has no base`;
      warnings.push({ code: 'module-unreadable', where: 'modules', message: `a module entry is missing: ${why}` });
      missing++;
    } else entries.push(entry);
  }
  if (gapAt !== null && gapAt >= addresses.length) insertAt = entries.length;
  fetchPages(memory, entries.map(({ base }) => base)); // prettier-ignore
  const { modules, isPlaced } = describeEntries(entries, kernel, space);
  if (gapAt === null && missing === 0 && isPlaced) {
    return { modules, complete: true, warnings: [...warnings, ...contradictions(modules)] };
  }
  const found = findImages(memory, modules, kernel.dump.header.machineImageType).map((image) =>
    describeImage(image, memory, kernel),
  );
  modules.splice(gapAt === null ? modules.length : insertAt, 0, ...found);
  if (found.length > 0) warnings.push(foundByHeader(found));
  return { modules, complete: false, warnings: [...warnings, ...contradictions(modules)] };
});

/** Describes all entries. `isPlaced`: nothing is doubtful of where any of them lies. */
function describeEntries(
  entries: readonly ListEntry[],
  kernel: Kernel,
  space: (address: VirtualAddress) => VirtualMemory | null,
): { modules: LoadedModule[]; isPlaced: boolean } {
  const places = entries.map((entry) => placeOf(entry, space));
  fetchDirectories(places);
  const { sizes, doubts } = disjoint(places);
  const isTaken = takenNames(entries);
  const isPlaced = doubts.size === 0 && places.every((place) => place.doubts.every((doubt) => doubt.settled));
  const modules = entries.map((entry, i) => {
    const place = places[i] ?? placeOf(entry, space);
    const overlap = doubts.get(i);
    return describeEntry(
      entry,
      { ...place, size: sizes[i] ?? 0, doubts: [...place.doubts, ...(overlap === undefined ? [] : [overlap])] },
      isTaken,
      kernel,
    );
  });
  return { modules, isPlaced };
}

/** Brings the pages near in which an image says what it is. */
function fetchDirectories(places: readonly ModulePlace[]): void {
  const wanted = new Map<VirtualMemory, VirtualAddress[]>();
  for (const { memory, base, headers } of places) {
    if (memory === null || headers === null) continue;
    const addresses = wanted.get(memory) ?? [];
    wanted.set(memory, addresses);
    for (const number of [DIRECTORY.debug, DIRECTORY.resource, DIRECTORY.export]) {
      const rva = headers.directories[number]?.rva ?? 0;
      if (rva !== 0) addresses.push(plus(base, rva));
    }
  }
  for (const [memory, addresses] of wanted) fetchPages(memory, addresses);
}

function describeEntry(entry: ListEntry, place: ModulePlace, isTaken: IsTaken, kernel: Kernel): LoadedModule {
  const { memory, base, headers, size } = place;
  const isKernel = base === kernel.image?.base;
  const { codeView, version, names } = namesIn(memory, base, headers);
  const stamps = stampsOf(entry, place);
  const chosen = isKernel ? kernelName(entry) : null;
  const { name, path, doubts } = chosen ?? chooseName(entry, names, isTaken);
  const all = [...place.doubts, ...doubts, ...stamps.doubts];
  return {
    name,
    moduleName: isKernel ? 'nt' : debuggerName(name),
    path,
    base,
    sizeOfImage: size,
    timeDateStamp: stamps.timeDateStamp,
    checkSum: stamps.checkSum,
    headers,
    codeView,
    version,
    memory,
    pagesPresent: memory === null ? 0 : memory.countPages(base, size),
    pagesTotal: Math.ceil(size / PAGE_SIZE),
    ...(all.length > 0 ? { doubts: all } : {}),
  };
}

/** The kernel goes by the name that the loader gives it, whatever its file is called (`ntkrnlpa.exe`). */
function kernelName({ baseName, fullName }: ListEntry): { name: string; path: string | null; doubts: [] } | null {
  const tail = fullName.text === null ? null : fileName(fullName.text);
  const ofKernel = (text: string | null): boolean => text === null || /^nt\w+\.exe$/i.test(text);
  if (baseName.text === null || baseName.wrong !== null || fullName.wrong !== null) return null;
  return ofKernel(baseName.text) && ofKernel(tail) ? { name: baseName.text, path: fullName.text, doubts: [] } : null;
}

/** What the image itself tells of who it is. */
function namesIn(
  memory: VirtualMemory | null,
  base: VirtualAddress,
  headers: ImageHeaders | null,
): { codeView: CodeView | null; version: ImageVersion | null; names: ReturnType<typeof imageNames> } {
  if (memory === null || headers === null) return { codeView: null, version: null, names: [] };
  const codeView = orNull(readCodeView(memory, base, headers));
  const version = orNull(readVersion(memory, base, headers));
  return { codeView, version, names: imageNames(memory, base, headers, codeView, version) };
}

/** An image that no entry of the list leads to. */
function describeImage({ base, headers }: FoundImage, memory: VirtualMemory, kernel: Kernel): LoadedModule {
  const { codeView, version, names } = namesIn(memory, base, headers);
  const isKernel = base === kernel.image?.base;
  const [best] = names.filter(({ text }) => isFileName(text));
  const name = best?.text ?? 'unknown';
  const { sizeOfImage, timeDateStamp, checkSum } = headers;
  return {
    ...{ name, path: null, base, sizeOfImage, timeDateStamp, checkSum, headers, codeView, version, memory },
    moduleName: isKernel ? 'nt' : debuggerName(name),
    pagesPresent: memory.countPages(base, sizeOfImage),
    pagesTotal: Math.ceil(sizeOfImage / PAGE_SIZE),
    doubts: [
      best === undefined
        ? open('no entry of the module list leads to it, and its image tells no name')
        : settled(`no entry of the module list leads to it; its name is from ${best.from.replace(/^its /, 'the ')}`),
    ],
  };
}

function foundByHeader(found: readonly LoadedModule[]): Warning {
  return {
    code: 'modules-found-by-header',
    where: 'modules',
    message: `the broken module list does not name these; they were found by their image headers: ${listed(found, ({ name, base }) => `${name} at ${hex(base)}`)}`,
  };
}

/** Modules that a warning names; more are counted. */
const MOST_NAMED = 12;

function listed(modules: readonly LoadedModule[], say: (module: LoadedModule) => string, between = ', '): string {
  const more = modules.length > MOST_NAMED ? `, and ${modules.length - MOST_NAMED} more` : '';
  return `${modules.slice(0, MOST_NAMED).map(say).join(between)}${more}`;
}

/** Contradictions that are told of one module, at most. */
const MOST_DOUBTS = 2;

/** What contradicts itself in entries of the list; images that it does not name are told of by themselves. */
function contradictions(modules: readonly LoadedModule[]): Warning[] {
  const contradicted = modules.filter(
    ({ doubts }) => doubts?.some(({ message }) => !message.startsWith('no entry of')) === true,
  );
  if (contradicted.length === 0) return [];
  const say = ({ name, base, doubts }: LoadedModule): string =>
    `${name} at ${hex(base)}: ${(doubts ?? []).slice(0, MOST_DOUBTS).map(({ message }) => message).join('; ')}`; // prettier-ignore
  return [
    {
      code: 'module-contradicted',
      where: 'modules',
      message: `what the dump says of ${contradicted.length} module${contradicted.length === 1 ? '' : 's'} contradicts itself: ${listed(contradicted, say, '. ')}`,
    },
  ];
}

const orNull = <T>(value: T | Failure): T | null => (failed(value) ? null : value);

/** `dump_storport.sys` -> `dump_storport`; characters that an expression could not hold become `_`. */
export function debuggerName(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).replace(/[^\p{L}\p{N}_]/gu, '_');
}

/**
 * The address space that maps a module: the kernel's, else that of a process in a session (win32k and friends live in
 * session space). Null where none maps it.
 */
function spaceOf(memory: VirtualMemory, base: VirtualAddress, sessions: () => VirtualMemory[]): VirtualMemory | null {
  if (isMapped(memory, base)) return memory;
  return sessions().find((space) => isMapped(space, base)) ?? null;
}

/** A header page that is paged out or left out of the dump still shows that the range is mapped here. */
function isMapped(memory: VirtualMemory, base: VirtualAddress): boolean {
  const address = memory.translate(base);
  return !failed(address) || address.code === 'paged-out' || !failed(memory.translate(plus(base, PAGE_SIZE)));
}

function triageModules(triage: Triage, kernel: Kernel): LoadedModule[] {
  const places = triage.drivers.map(({ base, sizeOfImage }) => ({ base, size: sizeOfImage, isConfirmed: false }));
  const { sizes, doubts } = disjoint(places);
  return triage.drivers.map((driver, i) => {
    const tail = fileName(driver.path ?? '').toWellFormed();
    const name = isFileName(tail) ? tail : 'unknown';
    const size = sizes[i] ?? 0;
    const doubt = doubts.get(i);
    return {
      name,
      moduleName: driver.base === kernel.image?.base ? 'nt' : debuggerName(name),
      path: driver.path?.toWellFormed() ?? null,
      base: driver.base,
      sizeOfImage: size,
      timeDateStamp: driver.timeDateStamp === 0 ? null : driver.timeDateStamp,
      checkSum: driver.checkSum === 0 ? null : driver.checkSum,
      headers: null,
      codeView: null,
      version: null,
      memory: null,
      pagesPresent: null,
      pagesTotal: Math.ceil(size / PAGE_SIZE),
      ...(doubt === undefined ? {} : { doubts: [doubt] }),
    };
  });
}
