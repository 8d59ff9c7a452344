/**
 * Where symbols are in the modules of a dump: by the PDB where the symbol path leads to it, for the kernel else by the tables of
 * kernels, and by the export directory in any case.
 */

import { rva as asRva, plus } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import type { StructLayout } from '../../../parsers/kernel/layout.js';
import type { NamedSymbol } from '../../../parsers/pdb/all-symbols.js';
import type { Pdb } from '../../../parsers/pdb/pdb.js';
import { readExports } from '../../../parsers/pe/exports.js';
import { KERNEL_SYMBOLS } from '../../../symbols/kernel-names.js';
import type { FigureSource, Sourced } from '../../../symbols/kernel-symbols.js';
import type { SymbolSources } from '../../../symbols/sources.js';
import { readModules, type LoadedModule } from '../../kernel/modules/modules.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { SymbolTable } from './symbol-table.js';

/** A symbol at or before an address, and how far. */
export interface Place {
  readonly module: LoadedModule;
  /** Null for an address in a module without a symbol before it. */
  readonly symbol: string | null;
  /** Bytes from the symbol, or from the module's base. */
  readonly offset: number;
}

/** The layout of a type, whose module it is of, and who says so. */
export interface TypeLayout {
  /** Null where the kernel is in no list of modules. */
  readonly module: LoadedModule | null;
  readonly layout: StructLayout;
  readonly source: FigureSource;
}

/** Bytes behind an exported or tabled symbol that may still be of it: further away the name would mislead. */
const FARTHEST = 0x1000;

/** The symbols of a dump's modules, each read when it is first asked for. */
export class ModuleSymbols {
  private readonly tables = new Map<LoadedModule, SymbolTable>();
  private list: readonly LoadedModule[] | null = null;
  private byBase: readonly LoadedModule[] | null = null;
  private pdbs = new Map<LoadedModule, Pdb | Failure>();

  constructor(
    private readonly opened: OpenedDump,
    private sources: SymbolSources | null,
  ) {}

  /** The loaded modules in the order of the dump. */
  get modules(): readonly LoadedModule[] {
    this.list ??= readModules(this.opened.kernel).modules;
    return this.list;
  }

  /** Looks in another place from now on; what was read before is read again. */
  use(sources: SymbolSources | null): void {
    this.sources = sources;
    this.forget();
  }

  /** Has symbols read again when they are next asked for. */
  forget(): void {
    this.tables.clear();
    this.pdbs.clear();
  }

  /** The module called so, as the debugger calls it, or by its file's name; case does not count. */
  named(name: string): LoadedModule | null {
    const lower = name.toLowerCase();
    const all = this.modules;
    return (
      all.find((module) => module.moduleName.toLowerCase() === lower) ??
      all.find((module) => module.name.toLowerCase() === lower) ??
      null
    );
  }

  /** The module that holds an address. */
  at(address: bigint): LoadedModule | null {
    this.byBase ??= this.modules.toSorted((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : 0));
    let [low, high] = [0, this.byBase.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.byBase[middle]?.base ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    const module = this.byBase[low - 1];
    return module !== undefined && address < module.base + BigInt(module.sizeOfImage) ? module : null;
  }

  /** The symbols that were read of a module so far; null where nobody has asked for them. */
  loaded(module: LoadedModule): SymbolTable | null {
    return this.tables.get(module) ?? null;
  }

  /** The symbols of a module. */
  async tableOf(module: LoadedModule): Promise<SymbolTable> {
    const known = this.tables.get(module);
    if (known !== undefined) return known;
    const table = await this.read(module);
    this.tables.set(module, table);
    return table;
  }

  /** The PDB of a module, or why there is none. */
  async pdbOf(module: LoadedModule): Promise<Pdb | Failure> {
    const known = this.pdbs.get(module);
    if (known !== undefined) return known;
    const pdb = await this.findPdb(module);
    this.pdbs.set(module, pdb);
    return pdb;
  }

  /** Where `nt!PoolTrackTable` is, or a module by its name; without a module, in those whose symbols were read, the kernel first. */
  async address(name: string): Promise<bigint | null> {
    const [first, rest] = splitName(name);
    if (rest !== null) {
      const module = this.named(first);
      return module === null ? null : this.inModule(module, rest);
    }
    const kernel = this.named('nt');
    const found = kernel === null ? null : await this.inModule(kernel, name);
    if (found !== null) return found;
    for (const [module, table] of this.tables) {
      const symbol = table.find(name);
      if (symbol !== null) return plus(module.base, symbol.rva);
    }
    return this.named(name)?.base ?? null;
  }

  /** What stands at or before an address, for `module!symbol+0x12`; null outside of all modules. */
  async place(address: bigint): Promise<Place | null> {
    const module = this.at(address);
    if (module === null) return null;
    const rva = Number(address - module.base);
    const table = await this.tableOf(module);
    const { before } = table.around(rva);
    const isNear = before !== null && (table.origin === 'pdb' || rva - before.rva < FARTHEST);
    return isNear ? { module, symbol: before.name, offset: rva - before.rva } : { module, symbol: null, offset: rva };
  }

  /** `nt!KiSwapContext+0x25`, `myfault+0x13aa`; null outside of all modules. */
  async nameOf(address: bigint): Promise<string | null> {
    const place = await this.place(address);
    if (place === null) return null;
    const base = place.symbol === null ? place.module.moduleName : `${place.module.moduleName}!${place.symbol}`;
    return place.offset === 0 ? base : `${base}+0x${place.offset.toString(16)}`;
  }

  /** The layout of a type, `nt!_EPROCESS` or without a module: of the kernel's, else of a module whose PDB was read. */
  async layout(name: string): Promise<TypeLayout | null> {
    const [first, rest] = splitName(name);
    const type = rest ?? first;
    const module = this.named(rest === null ? 'nt' : first);
    if (module === null && rest !== null) return null;
    if (module?.moduleName !== 'nt' && rest !== null) return this.layoutIn(module, type);
    const known = this.kernelLayout(type);
    if (known?.source === 'pdb') return { module, layout: known.value, source: 'pdb' };
    const own = await this.layoutIn(module, type);
    if (own !== null) return own;
    if (known !== null) return { module, layout: known.value, source: known.source };
    for (const other of rest === null ? this.pdbs.keys() : []) {
      const found = await this.layoutIn(other, type);
      if (found !== null) return found;
    }
    return null;
  }

  private kernelLayout(type: string): Sourced<StructLayout> | null {
    const { symbols } = this.opened.kernel;
    for (const name of symbols === null ? [] : spellings(type)) {
      const found = symbols?.layout(name) ?? null;
      if (found !== null) return found;
    }
    return null;
  }

  private async layoutIn(module: LoadedModule | null, type: string): Promise<TypeLayout | null> {
    const pdb = module === null ? null : await this.pdbOf(module);
    const layout = pdb === null || failed(pdb) ? null : firstLayout(pdb, type);
    return layout === null ? null : { module, layout, source: 'pdb' };
  }

  private async inModule(module: LoadedModule, name: string): Promise<bigint | null> {
    const symbol = (await this.tableOf(module)).find(name);
    if (symbol !== null) return plus(module.base, symbol.rva);
    return module.moduleName === 'nt' ? (this.opened.kernel.symbols?.address(name)?.value ?? null) : null;
  }

  private async read(module: LoadedModule): Promise<SymbolTable> {
    const pdb = await this.pdbOf(module);
    if (!failed(pdb)) return new SymbolTable('pdb', pdb.allSymbols());
    const exported = exportsOf(module);
    if (module.moduleName !== 'nt')
      return new SymbolTable(exported.length > 0 ? 'exports' : 'none', exported, pdb.message);
    const known = this.kernelTable(module);
    return new SymbolTable(
      known.length > 0 ? 'tables' : exported.length > 0 ? 'exports' : 'none',
      [...known, ...exported],
      pdb.message,
    );
  }

  /** What the tables of kernels, the debugger block or the search in the dump say of the kernel's globals. */
  private kernelTable(module: LoadedModule): NamedSymbol[] {
    const { symbols } = this.opened.kernel;
    const found: NamedSymbol[] = [];
    for (const name of symbols === null ? [] : KERNEL_SYMBOLS) {
      const at = symbols?.address(name)?.value ?? null;
      if (at === null || at < module.base || at >= module.base + BigInt(module.sizeOfImage)) continue;
      found.push({ name, rva: asRva(Number(at - module.base)), isFunction: false });
    }
    return found;
  }

  private async findPdb(module: LoadedModule): Promise<Pdb | Failure> {
    if (this.sources === null) return new Failure('unknown', 'there is no symbol path');
    if (module.codeView === null) return new Failure('not-in-dump', 'which PDB belongs to it is not in the dump');
    return this.sources.pdb(module.codeView, module.name);
  }
}

/** `nt!Foo` as `['nt', 'Foo']`, `Foo` as `['Foo', null]`. */
export function splitName(name: string): readonly [string, string | null] {
  const at = name.indexOf('!');
  return at < 0 ? [name, null] : [name.slice(0, at), name.slice(at + 1)];
}

/** `EPROCESS` is looked for as `_EPROCESS` too. */
const spellings = (type: string): string[] => {
  const upper = type.toUpperCase();
  return [...new Set([type, `_${type}`, upper, `_${upper}`])];
};

function firstLayout(pdb: Pdb, type: string): StructLayout | null {
  for (const name of spellings(type)) {
    const layout = pdb.layout(name);
    if (layout !== null) return layout;
  }
  return null;
}

function exportsOf({ memory, base, headers }: LoadedModule): NamedSymbol[] {
  if (memory === null || headers === null) return [];
  const found = readExports(memory, base, headers);
  return failed(found) ? [] : [...found].map(([at, name]) => ({ name, rva: at, isFunction: true }));
}
