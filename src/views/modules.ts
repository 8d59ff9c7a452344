/** `lm`: the loaded modules, or the one that holds an address, and the unloaded ones, in the look of WinDbg. */

import { printable } from '../../parsers/text-safety.js';
import type { AnalysisResult, Hex, ModuleInfo, SystemInfo, UnloadedModule } from '../result/result.js';
import { debuggerAddress, NOT_KNOWN, parseHex } from './print/format.js';
import { hasWideAddresses, noFigures } from './print/dump-kind.js';
import type { StyleOptions } from './print/style.js';
import type { View } from './view.js';
import { noAddress, typedAddress } from './words.js';

/** The title line of a module list. */
export function moduleTitle(wide: boolean): string {
  return wide ? 'start             end                 module name' : 'start    end        module name';
}

function addressCell(address: Hex | null, wide: boolean): string {
  const value = parseHex(address);
  return value === null ? NOT_KNOWN.padEnd(wide ? 17 : 8) : debuggerAddress(value, wide);
}

/** Only the kernel's own symbols are ever loaded here, and only from a PDB. */
function symbolState(module: ModuleInfo, system: SystemInfo | null): string {
  const isKernel = system !== null && system.kernelBase !== null && system.kernelBase === module.base;
  return isKernel && system.symbols?.source === 'pdb' ? '(pdb symbols)' : '(no symbols)';
}

/** One line of `lm`: start, end, name and state of symbols. */
export function moduleLine(module: ModuleInfo, system: SystemInfo | null, wide: boolean): string {
  const name = printable(module.moduleName).padEnd(8);
  return `${addressCell(module.base, wide)} ${addressCell(module.end, wide)}   ${name}   ${symbolState(module, system)}`;
}

function unloadedLine(module: UnloadedModule, wide: boolean): string {
  return `${addressCell(module.start, wide)} ${addressCell(module.end, wide)}   ${printable(module.name)}`;
}

function holds(start: Hex | null, end: Hex | null, address: bigint): boolean {
  const [first, last] = [parseHex(start), parseHex(end)];
  return first !== null && last !== null && first <= address && address < last;
}

/** The loaded module that an address stands in. */
export function moduleAt(modules: readonly ModuleInfo[] | null, address: bigint): ModuleInfo | null {
  for (const module of modules ?? []) if (holds(module.base, module.end, address)) return module;
  return null;
}

/** By start address, as the debugger lists them; equal ones stay in the order of the dump. */
function byBase(modules: readonly ModuleInfo[]): ModuleInfo[] {
  return modules
    .map((module) => ({ module, base: parseHex(module.base) ?? 0n }))
    .sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0))
    .map(({ module }) => module);
}

/** Which modules are listed, and how. */
export interface ModulesOptions {
  /** Those that hold this virtual address, as `lm a`. */
  at?: bigint | undefined;
  /** Those with such a name, with or without `.sys`; `*` and `?` stand for any characters, case does not count. */
  name?: string | undefined;
  /** Version and company beside each, and all that is known below one that was asked for. */
  versions?: boolean | undefined;
}

/** Whether a module or an unloaded one is called so. */
export function isCalled(pattern: string, names: readonly string[]): boolean {
  const parts = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const match = new RegExp(`^${parts}$`, 'is');
  return names.some((name) => match.test(name) || match.test(name.replace(/\.[^.]*$/, '')));
}

/** Version and company, in columns behind the line of `lm`. */
function versionCells({ version }: ModuleInfo, used: number, width: number): string {
  const cells = `  ${printable(version?.fileVersion ?? NOT_KNOWN).padEnd(16)}  ${printable(version?.companyName ?? '')}`;
  return cells.slice(0, Math.max(0, width - used)).trimEnd();
}

/** What is known of one module, as `lmv` shows it. */
function detailLines(module: ModuleInfo): string[] {
  const { name, version, builtAt, pdb } = module;
  const rows: (readonly [string, string | null | undefined])[] = [
    ['Image name', name],
    ['File version', version?.fileVersion],
    ['Company', version?.companyName],
    ['Description', version?.fileDescription],
    ['Product', version?.productName],
    ['Built', builtAt],
    ['PDB', pdb === null ? null : pdb.name],
  ];
  return rows.map(
    ([title, value]) =>
      `    ${`${title}:`.padEnd(17)}${value === null || value === undefined ? NOT_KNOWN : printable(value)}`,
  );
}

/**
 * The text of `lm`, ended by a line feed; with `at` that of `lm a`: the loaded modules, and the unloaded ones, whose
 * range holds the address.
 */
export function renderModules(
  result: Pick<AnalysisResult, 'dump' | 'system' | 'modules' | 'unloadedModules'>,
  { at, name, versions = false }: ModulesOptions = {},
  { width = Infinity }: StyleOptions = {},
): string {
  const { modules, system } = result;
  const wide = hasWideAddresses(result);
  const loaded = byBase(modules ?? []).filter(
    (module) =>
      (at === undefined || holds(module.base, module.end, at)) &&
      (name === undefined || isCalled(name, [module.name, module.moduleName])),
  );
  const unloaded = (result.unloadedModules ?? []).filter(
    (module) =>
      (at === undefined || holds(module.start, module.end, at)) &&
      (name === undefined || isCalled(name, [module.name])),
  );
  const asked = at !== undefined || name !== undefined;
  const lines = modules === null ? [noFigures(result.dump, 'module list')] : [moduleTitle(wide)];
  for (const module of loaded) {
    const line = moduleLine(module, system, wide);
    lines.push(versions && !asked ? line + versionCells(module, line.length, width) : line);
    if (versions && asked) lines.push(...detailLines(module));
  }
  if (asked && modules !== null && loaded.length === 0) {
    const what = at === undefined ? `is called ${printable(name ?? '')}` : `holds ${debuggerAddress(at, wide)}`;
    lines.push(`No loaded module ${what}.`);
  }
  if (unloaded.length > 0) {
    lines.push('', 'Unloaded modules:', ...unloaded.map((module) => unloadedLine(module, wide)));
  }
  return `${lines.join('\n')}\n`;
}

export const modules: View<
  ModulesOptions,
  Pick<AnalysisResult, 'schemaVersion' | 'dump' | 'system' | 'modules' | 'unloadedModules' | 'warnings'>
> = {
  command: 'lm',
  shell: 'modules MEMORY.DMP',
  words: ([option, address, ...more]) => {
    if (option === undefined) return {};
    if (option !== 'a' || more.length > 0) return { error: 'of lm there are lm and lm a ADDRESS' };
    if (address === undefined) return { error: 'lm a wants an address' };
    const at = typedAddress(address);
    return at === null ? { error: noAddress(address) } : { at };
  },
  read: async ({ opened, progress }) => {
    const { analyze } = await import('../analysis/analyze.js');
    return analyze(opened, { parts: ['modules'], progress });
  },
  text: renderModules,
  json: ({ schemaVersion, dump, system, modules: all, unloadedModules: unloaded, warnings }, { at, name }) => {
    const called = (...names: string[]): boolean => name === undefined || isCalled(name, names);
    const within = (start: Hex | null, end: Hex | null): boolean => at === undefined || holds(start, end, at);
    return {
      ...{ schemaVersion, dump, system },
      modules: all?.filter((one) => within(one.base, one.end) && called(one.name, one.moduleName)) ?? null,
      unloadedModules: unloaded?.filter((one) => within(one.start, one.end) && called(one.name)) ?? null,
      warnings,
    };
  },
};
