/** The symbols of one module by name and by address, whatever they come from. */

import type { NamedSymbol } from '../../../parsers/pdb/all-symbols.js';
import { wholeText } from '../../views/wildcards.js';

/** Who says where a module's symbols are: a PDB, the tables of kernels, the export directory, or nobody. */
export type SymbolOrigin = 'pdb' | 'tables' | 'exports' | 'none';

/** A symbol at or before an address. */
export interface NearSymbol {
  readonly name: string;
  /** From the image's base. */
  readonly rva: number;
}

/** A table of symbols; RVAs are from the module's base. */
export class SymbolTable {
  private readonly sorted: readonly NamedSymbol[];
  private readonly byName = new Map<string, NamedSymbol>();
  private readonly anyCase = new Map<string, NamedSymbol>();

  constructor(
    readonly origin: SymbolOrigin,
    symbols: readonly NamedSymbol[],
    /** What could not be used, one line; null where nothing went wrong. */
    readonly problem: string | null = null,
  ) {
    this.sorted = symbols.toSorted((a, b) => a.rva - b.rva);
    for (const symbol of this.sorted) {
      if (!this.byName.has(symbol.name)) this.byName.set(symbol.name, symbol);
      const lower = symbol.name.toLowerCase();
      if (!this.anyCase.has(lower)) this.anyCase.set(lower, symbol);
    }
  }

  get size(): number {
    return this.sorted.length;
  }

  /** By its name, of which the case counts only where two differ in nothing else. */
  find(name: string): NamedSymbol | null {
    return this.byName.get(name) ?? this.anyCase.get(name.toLowerCase()) ?? null;
  }

  /** The last symbol at or before an RVA and the first behind it; null where there is none. */
  around(rva: number): { readonly before: NearSymbol | null; readonly after: NearSymbol | null } {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.sorted[middle]?.rva ?? 0) <= rva) low = middle + 1;
      else high = middle;
    }
    let first = low - 1;
    // Of several names of one address, the one that the list has first.
    while (first > 0 && this.sorted[first - 1]?.rva === this.sorted[first]?.rva) first--;
    return { before: this.sorted[first] ?? null, after: this.sorted[low] ?? null };
  }

  /** By address, those whose name fits `pattern` (see `wildcard`). */
  *match(pattern: RegExp): Iterable<NamedSymbol> {
    let last: NamedSymbol | null = null;
    for (const symbol of this.sorted) {
      const isTwice = last?.rva === symbol.rva && last.name === symbol.name;
      last = symbol;
      if (!isTwice && pattern.test(symbol.name)) yield symbol;
    }
  }

  /** Names that begin so, at most `most`: for completion. */
  beginningWith(start: string, most: number): string[] {
    const lower = start.toLowerCase();
    const names: string[] = [];
    for (const name of this.byName.keys()) {
      if (!name.toLowerCase().startsWith(lower)) continue;
      names.push(name);
      if (names.length >= most) break;
    }
    return names.sort();
  }
}

/** The debugger's pattern as an expression: `*` any run, `?` one character, `[ab]` one of these, `#` any number of the one before, case does not count. */
export function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|\\]/g, '\\$&').replace(/\[(?![^\]]*\])/g, '\\[');
  const text = escaped.replaceAll('?', '.').replaceAll('#', '{0,}?');
  try {
    return wholeText(text);
  } catch {
    return wholeText(pattern.replace(/[^\w*]/g, '\\$&'));
  }
}
