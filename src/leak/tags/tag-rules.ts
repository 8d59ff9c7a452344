/**
 * Tags that a rule gives instead of a programmer: the default tags of the driver framework (WDF), and tags under which
 * Driver Verifier or a part of Windows allocates on behalf of drivers. A rule is a hint at a driver, never proof.
 *
 * The rule for WDF is that of the documentation of WDF_DRIVER_CONFIG: a driver that sets no tag gets the first four
 * characters of its service's name; of a name that begins with WDF (in any letter case) the four after that; FxDr where
 * fewer than four are left.
 */

import { tagInWords } from '../../result/tag.js';
import type { Confidence, ModuleInfo, PoolTagRow } from '../../result/result.js';
import { isWindowsBinary } from '../../../symbols/tags/windows-binaries.js';
import { list } from '../wording.js';
import { documentedBinary, isHandleObjectTag, ownerModules } from './windows-tags.js';

/** What the rules ask of the loaded modules, by their place in the list. */
export interface ModuleLinks {
  /** Lower-case names of the modules that it imports from; null where its import table cannot be read. */
  importsOf(module: number): ReadonlySet<string> | null;
  /** Whether it is a driver of the kernel-mode driver framework; null where that cannot be told. */
  usesFramework(module: number): boolean | null;
}

/** A rule that leads from a tag to a loaded module. */
export interface TagRule {
  /** Place in the module list. */
  module: number;
  /** At most medium. */
  strength: Confidence;
  note: string;
}

/** What a framework gives a driver that sets no tag, by the name of its service. */
export function frameworkTag(service: string): string {
  const name = /^wdf/i.test(service) ? service.slice(3) : service;
  return name.length < 4 ? 'FxDr' : name.slice(0, 4);
}

/**
 * The loaded drivers that get this tag from the framework if they set none. Medium for the one driver that spells it
 * exactly and is known to use the framework; low for all others. The name of a service usually is that of its file, and
 * more is not known. Drivers that are known not to use the framework are left out.
 */
export function frameworkRules(tag: string, modules: readonly ModuleInfo[], links: ModuleLinks | null): TagRule[] {
  const found: { module: number; exact: boolean; uses: boolean | null }[] = [];
  for (const { module, given } of givenTags(modules).get(tag.toLowerCase()) ?? []) {
    const exact = given === tag;
    const uses = links?.usesFramework(module) ?? null;
    if (uses !== false) found.push({ module, exact, uses });
  }
  const sure = found.filter(({ exact, uses }) => exact && uses === true);
  return found.map(({ module, exact, uses }) => ({
    module,
    strength: sure.length === 1 && found.length === 1 && tag !== 'FxDr' ? 'medium' : 'low',
    note: frameworkNote(tag, exact, uses),
  }));
}

/** A driver, by its place in the module list, and what the framework gives it. */
interface GivenTag {
  readonly module: number;
  readonly given: string;
}

const givenOf = new WeakMap<
  readonly ModuleInfo[],
  { readonly count: number; readonly byTag: Map<string, GivenTag[]> }
>();

/** By tag in lower case; asked for every tag of a table: made once a list. */
function givenTags(modules: readonly ModuleInfo[]): ReadonlyMap<string, readonly GivenTag[]> {
  const known = givenOf.get(modules);
  if (known?.count === modules.length) return known.byTag;
  const byTag = new Map<string, GivenTag[]>();
  for (const [module, { name }] of modules.entries()) {
    if (!/\.sys$/i.test(name)) continue;
    const given = frameworkTag(name.replace(/\.sys$/i, ''));
    const key = given.toLowerCase();
    byTag.set(key, [...(byTag.get(key) ?? []), { module, given }]);
  }
  givenOf.set(modules, { count: modules.length, byTag });
  return byTag;
}

/** True when a driver that is no longer loaded is documented to use the tag, or gets it from the framework by its name. */
export function fitsUnloaded(row: Pick<PoolTagRow, 'tag' | 'binary' | 'tagSource'>, name: string): boolean {
  const service = name.replace(/\.sys$/i, '');
  if (row.tag !== 'FxDr' && frameworkTag(service).toLowerCase() === row.tag.toLowerCase()) return true;
  const binary = documentedBinary(row);
  return binary !== null && isOwner(binary, name.toLowerCase());
}

function frameworkNote(tag: string, exact: boolean, uses: boolean | null): string {
  const rule =
    tag === 'FxDr'
      ? 'a driver of the framework (WDF) that sets no tag gets FxDr where the name of its service is too short'
      : `a driver of the framework (WDF) that sets no tag gets the first four characters of its service's name${exact ? '' : ', here but for the letter case'}`;
  const use =
    uses === true ? 'this driver uses the framework' : 'whether this driver uses the framework could not be read';
  return `a rule, not a finding: ${rule}; ${use}. The framework makes the allocations, so the tag need not stand in the driver`;
}

/** What a tag says of those behind it, where its owner is not the one to look for. */
export interface TagMeaning {
  code: 'verifier-tag' | 'framework-tag' | 'object-tag';
  message: string;
}

/** Tags that Driver Verifier puts in the place of those of the I/O manager, and its own. */
const VERIFIER_TAGS: ReadonlyMap<string, string> = new Map([
  ['VMdl', 'memory descriptor lists (MDLs) that verified drivers made'],
  ['Vfwi', 'work items that verified drivers queued'],
]);

/** Parts of Windows that allocate under their own tags what drivers ask them for, and what those drivers are. */
const FRAMEWORKS: ReadonlyMap<string, string> = new Map([
  ['ndis.sys', 'network drivers (adapters, filters and protocols)'],
  ['netio.sys', 'the network stack and drivers that filter it'],
  ['fwpkclnt.sys', 'drivers that filter network traffic (callouts)'],
  ['storport.sys', 'storage adapter drivers (miniports)'],
  ['scsiport.sys', 'storage adapter drivers (miniports)'],
  ['ataport.sys', 'storage adapter drivers (miniports)'],
  ['classpnp.sys', 'disk, CD-ROM and tape drivers'],
  ['fltmgr.sys', 'file system filters (minifilters)'],
  ['wdf01000.sys', 'drivers of the driver framework (WDF)'],
  ['portcls.sys', 'audio drivers'],
  ['ks.sys', 'audio and video streaming drivers'],
  ['hidclass.sys', 'input device drivers'],
  ['usbport.sys', 'USB drivers'],
  ['usbhub.sys', 'USB drivers'],
  ['ucx01000.sys', 'USB drivers'],
  ['videoprt.sys', 'display drivers'],
  ['dxgkrnl.sys', 'display drivers and the programs that draw'],
  ['rdbss.sys', 'network file systems (redirectors)'],
]);

/** Clients of a framework that are named; more are counted. */
const MOST_CLIENTS = 8;

/** Why the owner of a tag is not the one to look for; null where nothing says so. */
export function tagMeaning(
  row: Pick<PoolTagRow, 'tag' | 'binary' | 'tagSource'>,
  modules: readonly ModuleInfo[] | null,
  links: ModuleLinks | null,
): TagMeaning | null {
  const tag = tagInWords(row.tag);
  const binary = documentedBinary(row);
  const verifier = VERIFIER_TAGS.get(row.tag);
  if (verifier !== undefined || (binary?.toLowerCase() === 'nt!vf' && row.tag.startsWith('V'))) {
    const what = verifier ?? 'its own records of what verified drivers do';
    return {
      code: 'verifier-tag',
      message: `${tag} is a tag of Driver Verifier: ${what}. It grows with what they do, and does not say which of them`,
    };
  }
  const framework = binary === null ? undefined : [...FRAMEWORKS].find(([name]) => isOwner(binary, name));
  if (framework) {
    const [name, clients] = framework;
    return {
      code: 'framework-tag',
      message: `${name} allocates under ${tag} on behalf of ${clients}: one of those can be the cause${clientsOf(name, modules, links)}`,
    };
  }
  if (isHandleObjectTag(row.tag)) {
    return {
      code: 'object-tag',
      message: `The kernel makes objects under ${tag} for whoever asks: they stay while a process keeps a handle open or a driver keeps a reference, so the owner of the tag is not the culprit`,
    };
  }
  return null;
}

function isOwner(binary: string, name: string): boolean {
  const names = binary.split(/ or | and |[/,]/).map((part) => part.trim().replace(/!.*$/s, '').toLowerCase());
  return names.some((other) => other === name || `${other}.sys` === name);
}

/** The loaded drivers that import from a framework and are no known part of Windows, as the end of a sentence. */
function clientsOf(name: string, modules: readonly ModuleInfo[] | null, links: ModuleLinks | null): string {
  if (modules === null || links === null || ownerModules(name, modules).length === 0) return '';
  const clients: string[] = [];
  let unread = 0;
  for (const [module, { name: client }] of modules.entries()) {
    if (isWindowsBinary(client)) continue;
    const imports = links.importsOf(module);
    if (imports === null) unread++;
    else if (imports.has(name)) clients.push(client);
  }
  if (clients.length === 0) return '';
  const gap = unread === 0 ? '' : `, and ${unread} whose imports are not in this dump`;
  return `. Loaded drivers that use it and are no known part of Windows: ${list(clients, MOST_CLIENTS)}${gap}`;
}
