/** `lm`: the loaded modules, or the one that holds an address, and the unloaded ones, in the look of WinDbg. */

import { printable } from '../../parsers/text-safety.js';
import type { AnalysisResult, Hex, ModuleInfo, SystemInfo, UnloadedModule } from '../result/result.js';
import { debuggerAddress, NOT_KNOWN, parseHex } from './print/format.js';
import { hasWideAddresses, noFigures } from './print/dump-kind.js';
import type { StyleOptions } from './print/style.js';
import { parseLm, type LmOptions } from './lm-words.js';
import { timeStampText, verboseLines } from './lm-lines.js';
import { clockText } from './print/clock.js';
import type { View } from './view.js';
import { wholeText } from './wildcards.js';

/** The title line of a module list. */
export function moduleTitle(wide: boolean): string {
  return wide ? 'start             end                 module name' : 'start    end        module name';
}

function addressCell(address: Hex | null, wide: boolean): string {
  const value = parseHex(address);
  return value === null ? NOT_KNOWN.padEnd(wide ? 17 : 8) : debuggerAddress(value, wide);
}

/** Of the shell's commands only the kernel's own symbols are ever loaded, and only from a PDB; a prompt tells of its own. */
function symbolState(module: ModuleInfo, system: SystemInfo | null, read?: SymbolStates): string {
  const told = read?.get(module.base);
  if (told !== undefined) return told;
  const isKernel = system !== null && system.kernelBase !== null && system.kernelBase === module.base;
  return isKernel && system.symbols?.source === 'pdb' ? '(pdb symbols)' : '(no symbols)';
}

/** States of symbols by the base of the module, where symbols were read: `(pdb symbols)          PATH`. */
export type SymbolStates = ReadonlyMap<Hex, string>;

function startOfLine(module: ModuleInfo, wide: boolean): string {
  const name = printable(module.moduleName).padEnd(8);
  return `${addressCell(module.base, wide)} ${addressCell(module.end, wide)}   ${name}`;
}

/** One line of `lm`: start, end, name and state of symbols. */
export function moduleLine(module: ModuleInfo, system: SystemInfo | null, wide: boolean, read?: SymbolStates): string {
  return `${startOfLine(module, wide)}   ${symbolState(module, system, read)}`;
}

/** One line of `lm` with the flags t, n and f. */
function flaggedLine(module: ModuleInfo, options: ModulesOptions, wide: boolean): string {
  const { times, images, paths } = options;
  const cells = [
    ...(images === true ? [printable(module.name).padEnd(times === true ? 12 : 0)] : []),
    ...(paths === true ? [printable(module.path ?? module.name)] : []),
    ...(times === true ? [timeStampText(module)] : []),
  ];
  return `${startOfLine(module, wide)} ${cells.join(' ')}`;
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

/** Which modules are listed, and how; names go with or without `.sys`, `*` and `?` stand for any characters, case does not count. */
export interface ModulesOptions extends LmOptions {
  /** States of symbols that a prompt has read. */
  readonly symbols?: SymbolStates | undefined;
  /** Version and company beside each, and all that is known below one that was asked for. */
  readonly versions?: boolean | undefined;
}

/** Whether a module or an unloaded one is called so. */
export function isCalled(pattern: string, names: readonly string[]): boolean {
  const match = wholeText(pattern.replace(/[\\^$.|+()[\]{}]/g, '\\$&').replaceAll('?', '.'));
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

/** By start address, as the debugger lists them, or by name. */
function wanted(all: readonly ModuleInfo[], options: ModulesOptions): ModuleInfo[] {
  const { at, name, path, only, withSymbols, symbols, byName } = options;
  // A dump of the kernel has no list of the user's modules.
  if (only === 'user') return [];
  const found = byBase(all).filter(
    (module) =>
      (at === undefined || holds(module.base, module.end, at)) &&
      (name === undefined || isCalled(name, [module.name, module.moduleName])) &&
      (path === undefined || isCalled(path, [module.path ?? ''])) &&
      (withSymbols !== true || symbols?.has(module.base) === true),
  );
  return byName === true ? found.sort((a, b) => compareNames(a.moduleName, b.moduleName)) : found;
}

const compareNames = (a: string, b: string): number => {
  const [first, second] = [a.toLowerCase(), b.toLowerCase()];
  return first < second ? -1 : first > second ? 1 : 0;
};

/** The lines of one module. */
function linesOf(
  module: ModuleInfo,
  system: SystemInfo | null,
  wide: boolean,
  options: ModulesOptions,
  width: number,
): string[] {
  // prettier-ignore
  const { versions = false, verbose, at, name, times, images, paths, symbols } = options;
  const flagged = times === true || images === true || paths === true;
  const line = flagged ? flaggedLine(module, options, wide) : moduleLine(module, system, wide, symbols);
  if (verbose === true) return [line, ...verboseLines(module)];
  if (!versions) return [line];
  return at !== undefined || name !== undefined
    ? [line, ...detailLines(module)]
    : [line + versionCells(module, line.length, width)];
}

/** What is said where no module is what was asked for; null where that is no question. */
function nothingFound({ at, name, path }: ModulesOptions, wide: boolean): string | null {
  if (at !== undefined) return `No loaded module holds ${debuggerAddress(at, wide)}.`;
  if (name !== undefined) return `No loaded module is called ${printable(name)}.`;
  return path === undefined ? null : `No loaded module is in ${printable(path)}.`;
}

function unloadedLines(module: UnloadedModule, wide: boolean, { verbose, times }: ModulesOptions): string[] {
  const line = unloadedLine(module, wide);
  if (verbose !== true && times !== true) return [line];
  const [start, end] = [parseHex(module.start), parseHex(module.end)];
  const size = start === null || end === null ? 0n : end - start;
  return [
    line,
    '    Timestamp: unavailable (00000000)',
    '    Checksum:  00000000',
    `    ImageSize:  ${size.toString(16).toUpperCase().padStart(8, '0')}`,
    ...(module.unloadedAt === null ? [] : [`    Unloaded:  ${clockText(new Date(module.unloadedAt))} (UTC)`]),
  ];
}

/**
 * The text of `lm`, ended by a line feed; with `at` that of `lm a`: the loaded modules, and the unloaded ones, whose
 * range holds the address.
 */
export function renderModules(
  result: Pick<AnalysisResult, 'dump' | 'system' | 'modules' | 'unloadedModules'>,
  options: ModulesOptions = {},
  { width = Infinity }: StyleOptions = {},
): string {
  const { modules, system } = result;
  const { at, name, path, only, loaded: onlyLoaded, namesOnly } = options;
  const wide = hasWideAddresses(result);
  const loaded = wanted(modules ?? [], options);
  if (namesOnly === true) return loaded.map(({ moduleName }) => `${printable(moduleName)}\n`).join('');
  const isShown = onlyLoaded !== true && only !== 'user' && options.withSymbols !== true && path === undefined;
  const unloaded = (isShown ? (result.unloadedModules ?? []) : []).filter(
    (module) =>
      (at === undefined || holds(module.start, module.end, at)) &&
      (name === undefined || isCalled(name, [module.name])),
  );
  const lines = modules === null ? [noFigures(result.dump, 'module list')] : [moduleTitle(wide)];
  for (const module of loaded) lines.push(...linesOf(module, system, wide, options, width));
  const nothing = modules !== null && loaded.length === 0 ? nothingFound(options, wide) : null;
  if (nothing !== null) lines.push(nothing);
  if (unloaded.length > 0) {
    lines.push('', 'Unloaded modules:', ...unloaded.flatMap((module) => unloadedLines(module, wide, options)));
  }
  return `${lines.join('\n')}\n`;
}

export const modules: View<
  ModulesOptions,
  Pick<AnalysisResult, 'schemaVersion' | 'dump' | 'system' | 'modules' | 'unloadedModules' | 'warnings'>
> = {
  command: 'lm',
  shell: 'modules MEMORY.DMP',
  words: parseLm,
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
