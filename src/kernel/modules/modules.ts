/** Loaded modules: PsLoadedModuleList (or a triage dump's driver list), with what the PE headers in memory say. */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex, type ReadFailure } from '../../../parsers/bytes/failure.js';
import type { Triage } from '../../../parsers/dump/triage.js';
import { commonKldr } from '../../../parsers/kernel/kldr.js';
import { field, readUnicodeString } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { readCodeView, readImageHeaders, type CodeView, type ImageHeaders } from '../../../parsers/pe/image.js';
import { readVersion, type ImageVersion } from '../../../parsers/pe/version.js';
import type { Warning } from '../../result/result.js';
import type { DiskImage } from './disk-image.js';
import { findImages, readModuleEntries } from './module-list.js';
import type { Kernel } from '../open/open-kernel.js';
import { sessionSpaces } from '../processes/sessions.js';

/** A module larger than this is a damaged entry. */
const LARGEST_MODULE = 1 << 30;

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
}

export interface ModuleList {
  readonly modules: readonly LoadedModule[];
  /** False where the list is damaged so that modules may be missing. */
  readonly complete: boolean;
  readonly warnings: readonly Warning[];
}

/** Reads all modules. What is missing of one costs only its own fields. */
export function readModules(kernel: Kernel): ModuleList {
  if (kernel.dump.triage !== null) {
    return { modules: triageModules(kernel.dump.triage, kernel), complete: true, warnings: [] };
  }
  const { memory, symbols } = kernel;
  const head = symbols?.address('PsLoadedModuleList')?.value ?? kernel.dump.header.psLoadedModuleList;
  if (memory === null || head === null) return { modules: [], complete: true, warnings: [] };
  const kldr = commonKldr(memory.pointerSize);
  const layout = symbols?.layout('_KLDR_DATA_TABLE_ENTRY')?.value ?? kldr;
  const stamp = layout.fields['TimeDateStamp'];
  const entrySize = Math.max(kldr.size, stamp === undefined ? 0 : stamp.offset + 4);
  const { entries, gapAt, warnings: listWarnings } = readModuleEntries(memory, head);
  const warnings: Warning[] = [...listWarnings];
  const sessions = (): VirtualMemory[] => sessionSpaces(kernel);
  const modules: LoadedModule[] = [];
  let insertAt: number | null = null;
  for (const [i, entry] of entries.entries()) {
    if (i === gapAt) insertAt = modules.length;
    const bytes = memory.read(entry, entrySize);
    if (failed(bytes)) {
      warnings.push({
        code: 'module-unreadable',
        where: 'modules',
        message: `a module entry is missing: ${bytes.message}`,
      });
      continue;
    }
    const name = readUnicodeString(memory, bytes, kldr.fields['BaseDllName']?.offset ?? 0);
    const path = readUnicodeString(memory, bytes, kldr.fields['FullDllName']?.offset ?? 0);
    const base = virtual(field(bytes, kldr, 'DllBase', memory.pointerSize) ?? 0n);
    if (base === 0n) continue;
    modules.push(
      describeModule({
        name: failed(name) ? fileName(failed(path) ? '' : path) : name,
        path: failed(path) ? null : path,
        base,
        size: Number(field(bytes, kldr, 'SizeOfImage') ?? 0n),
        checkSum: Number(field(bytes, kldr, 'CheckSum') ?? 0n),
        timeDateStamp: Number(field(bytes, layout, 'TimeDateStamp') ?? 0n),
        memory: spaceOf(memory, base, sessions),
        isKernel: base === kernel.image?.base,
      }),
    );
  }
  if (gapAt === null) return { modules, complete: true, warnings };
  const found = unlisted(kernel, memory, modules);
  modules.splice(insertAt ?? modules.length, 0, ...found);
  if (found.length > 0) warnings.push(foundByHeader(found));
  return { modules, complete: false, warnings };
}

function foundByHeader(found: readonly LoadedModule[]): Warning {
  const names = found.slice(0, 12).map((module) => `${module.name} at ${hex(module.base)}`);
  const more = found.length > names.length ? `, and ${found.length - names.length} more` : '';
  return {
    code: 'modules-found-by-header',
    where: 'modules',
    message: `the broken module list does not name these; they were found by their image headers: ${names.join(', ')}${more}`,
  };
}

/** The modules that a broken list does not reach, found by their headers. */
function unlisted(kernel: Kernel, memory: VirtualMemory, listed: readonly LoadedModule[]): LoadedModule[] {
  const images = findImages(memory, listed, kernel.dump.header.machineImageType);
  return images.map(({ base, headers, name }) =>
    describeModule({
      ...{ name: name ?? '', path: null, base, memory, isKernel: base === kernel.image?.base },
      ...{ size: headers.sizeOfImage, checkSum: headers.checkSum, timeDateStamp: headers.timeDateStamp },
    }),
  );
}

interface Entry {
  name: string;
  path: string | null;
  base: VirtualAddress;
  size: number;
  checkSum: number;
  /** From the list; 0 on systems whose entries hold none. */
  timeDateStamp: number;
  memory: VirtualMemory | null;
  isKernel: boolean;
}

function describeModule(entry: Entry): LoadedModule {
  const { memory, base } = entry;
  const size = entry.size > LARGEST_MODULE ? 0 : entry.size;
  const headers = memory === null ? null : orNull(readImageHeaders(memory, base));
  const codeView = memory === null || headers === null ? null : orNull(readCodeView(memory, base, headers));
  const version = memory === null || headers === null ? null : orNull(readVersion(memory, base, headers));
  const name = entry.name === '' ? 'unknown' : entry.name.toWellFormed();
  return {
    name,
    moduleName: entry.isKernel ? 'nt' : debuggerName(name),
    path: entry.path?.toWellFormed() ?? null,
    base,
    sizeOfImage: size,
    timeDateStamp: headers?.timeDateStamp ?? (entry.timeDateStamp === 0 ? null : entry.timeDateStamp),
    checkSum: headers?.checkSum ?? (entry.checkSum === 0 ? null : entry.checkSum),
    headers,
    codeView,
    version,
    memory,
    pagesPresent: memory === null ? 0 : memory.countPages(base, size),
    pagesTotal: Math.ceil(size / PAGE_SIZE),
  };
}

const orNull = <T>(value: T | ReadFailure): T | null => (failed(value) ? null : value);

/** `dump_storport.sys` -> `dump_storport`; characters that an expression could not hold become `_`. */
export function debuggerName(name: string): string {
  const dot = name.lastIndexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).replace(/[^\p{L}\p{N}_]/gu, '_');
}

const fileName = (path: string): string => path.split('\\').at(-1) ?? '';

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
  return !failed(address) || address.reason === 'paged-out' || !failed(memory.translate(plus(base, PAGE_SIZE)));
}

function triageModules(triage: Triage, kernel: Kernel): LoadedModule[] {
  return triage.drivers.map((driver) => {
    const name = fileName(driver.path ?? '').toWellFormed() || 'unknown';
    return {
      name,
      moduleName: driver.base === kernel.image?.base ? 'nt' : debuggerName(name),
      path: driver.path?.toWellFormed() ?? null,
      base: driver.base,
      sizeOfImage: driver.sizeOfImage,
      timeDateStamp: driver.timeDateStamp === 0 ? null : driver.timeDateStamp,
      checkSum: driver.checkSum === 0 ? null : driver.checkSum,
      headers: null,
      codeView: null,
      version: null,
      memory: null,
      pagesPresent: null,
      pagesTotal: Math.ceil(driver.sizeOfImage / PAGE_SIZE),
    };
  });
}
