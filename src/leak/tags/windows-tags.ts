/** What is known of a tag before anything is counted: a default that drivers share, a tag of Windows, a cache. */

import type { ModuleInfo, PoolTagRow } from '../../result/result.js';
import { builtInTags } from '../../../symbols/tags/built-in.js';
import { isWindowsBinary } from '../../../symbols/tags/windows-binaries.js';

/** Tags that many unrelated drivers use without choosing them: such a tag never names a driver. */
const SHARED_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['None', 'the tag of allocations made without any'],
  ['Ddk ', 'a default of the driver kit headers'],
  ['Wdm ', 'a default of the driver kit headers'],
  ['FxDr', 'the default of the driver framework (WDF) for drivers that set no tag'],
  ['Ovfl', 'the overflow row, which collects tags that found no slot of their own'],
  ['    ', 'a blank tag'],
]);

/**
 * Tags that the kernel itself uses but that the lists of tags name no binary for: the object manager tags an object
 * with the first four letters of its type's name, the I/O manager its packets with the names of theirs.
 */
const KERNEL_TAGS: ReadonlySet<string> = new Set([
  'File', 'Even', 'Sema', 'Muta', 'Key ', 'Driv', 'Devi', 'Sect', 'Symb', 'Dire', 'Port', 'Job ', 'Prof', 'Keye',
  'IoCo', 'TpWo', 'Adap', 'Type', 'Call', 'Desk', 'Wind', 'Thre', 'Proc', 'Toke', 'Sess', 'Part', 'Debu', 'WmiG',
  'Irp ', 'Mdl ', 'Pool', 'Ustr',
]); // prettier-ignore

/** Kernel objects that live as long as a handle to them is open: a process that leaks handles makes these grow. */
const HANDLE_OBJECTS: ReadonlySet<string> = new Set([
  'File', 'Even', 'Sema', 'Muta', 'Key ', 'Sect', 'Port', 'Job ', 'Thre', 'Proc', 'Toke', 'IoCo', 'ALPC', 'EtwR',
]); // prettier-ignore

/** Windows caches: they grow with the load and shrink when memory is short. Exact tags and a prefix. */
const CACHES: ReadonlySet<string> = new Set(['MmSt', 'MmCi', 'MmCa', 'Ntff', 'NtfF', 'NtFs', 'FMfn', 'FMsl', 'CcSc']);
const REGISTRY = 'CM';

type TagFacts = Pick<PoolTagRow, 'tag' | 'binary' | 'tagSource'>;

/** Why a tag is shared by drivers that have nothing in common; null for a tag that somebody chose. */
export function sharedDefault(tag: string): string | null {
  return SHARED_DEFAULTS.get(tag) ?? null;
}

/**
 * True when the tag is documented as one that a part of Windows uses: by the binary of its row, else by the built-in
 * list, else as a tag of the kernel's own objects. A localtag.txt documents nothing: it lists what driver files hold.
 * A wildcard (`Ip??`) catches the tags of others as well: it counts only where the driver that it names is loaded.
 *
 * @param modules null where they are not known: then all documented drivers count.
 */
export function isWindowsTag(row: TagFacts, modules: readonly ModuleInfo[] | null): boolean {
  if (KERNEL_TAGS.has(row.tag)) return true;
  const binary = documentedBinary(row);
  if (binary === null || !isWindowsBinary(binary)) return false;
  return builtInTags().lookupExact(row.tag) !== null || !isAbsent(binary, modules);
}

/** The binary that a list of tags names for the tag, whether loaded or not; null for none. */
export function documentedBinary(row: TagFacts): string | null {
  if (row.binary !== null && row.tagSource !== 'localtag.txt') return row.binary;
  return builtInTags().lookup(row.tag)?.binaries.join(' or ') ?? null;
}

/** Names a driver file, or several, and none of them is loaded. */
function isAbsent(binary: string, modules: readonly ModuleInfo[] | null): boolean {
  const files = binary.split(/ or |[/,]/).every((name) => /^[^!]+\.sys$/i.test(name.trim()));
  return modules !== null && files && ownerModules(binary, modules).length === 0;
}

/** True for tags of Windows caches, which may fill a healthy machine's pool. */
export function isCacheTag(tag: string): boolean {
  return CACHES.has(tag) || tag.startsWith(REGISTRY);
}

/** True for tags of kernel objects that handles keep alive. */
export function isHandleObjectTag(tag: string): boolean {
  return HANDLE_OBJECTS.has(tag);
}

/** True for the images that carry the kernel itself. */
export function isKernelImage(name: string): boolean {
  return /^(?:ntoskrnl|ntkrnl\w*|ntkr\w+|hal\w*)\.(?:exe|dll)$/i.test(name);
}

/**
 * The loaded modules that a documented binary means: `nt!mm` is the kernel, `a.sys or b.sys` both where loaded,
 * `win32k!CreateProp` win32k.sys. Indexes into `modules`.
 */
export function ownerModules(binary: string, modules: readonly ModuleInfo[]): number[] {
  const wanted = new Set(
    binary
      .split(/ or | and |[/,]/)
      .map((name) => baseName(name.trim().replace(/!.*$/s, '')))
      .filter((name) => name !== '' && !name.startsWith('<')),
  );
  const found: number[] = [];
  const names = baseNames(modules);
  modules.forEach((module, index) => {
    const name = names[index] ?? '';
    const kernel = (wanted.has('nt') || wanted.has('ntoskrnl')) && name.startsWith('nt') && isKernelImage(module.name);
    if (kernel || wanted.has(name)) found.push(index);
  });
  return found;
}

/** The binaries of a list's line, each as `ntfs` or, for parts of the kernel, `nt!cm`: lower-case, without extension. */
export function splitBinaries(binary: string): string[] {
  return binary
    .split(/ or | and |[/,]/)
    .map((name) => name.trim().toLowerCase())
    .map((name) => (name.startsWith('nt!') ? name : baseName(name.replace(/!.*$/s, ''))))
    .filter((name) => name !== '');
}

const namesOf = new WeakMap<readonly ModuleInfo[], string[]>();

/** Asked for every tag of a table: made once a list. */
function baseNames(modules: readonly ModuleInfo[]): string[] {
  const known = namesOf.get(modules);
  if (known?.length === modules.length) return known;
  const names = modules.map(({ name }) => baseName(name));
  namesOf.set(modules, names);
  return names;
}

function baseName(name: string): string {
  return name.toLowerCase().replace(/\.(?:sys|dll|exe)$/, '');
}
