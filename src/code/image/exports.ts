/** What addresses in other modules are called: by the exports of the modules that offer allocators. */

import { failed } from '../../../parsers/bytes/failure.js';
import { readExports } from '../../../parsers/pe/exports.js';
import type { CodeModule } from './code-module.js';

/** Names the exported function that begins at an address; null where none does or it is not known. */
export interface ExportLookup {
  nameAt(address: bigint): string | null;
}

/** Names by the export tables of the modules of a dump, each read when the first address in it is asked for. */
export function exportsOf(modules: readonly CodeModule[]): ExportLookup {
  const sorted = modules
    .filter(({ memory, headers, sizeOfImage }) => memory !== null && headers !== null && sizeOfImage > 0)
    .sort((a, b) => (a.base < b.base ? -1 : 1));
  const read = new Map<CodeModule, ReadonlyMap<number, string>>();
  return {
    nameAt(address) {
      const module = moduleAt(sorted, address);
      if (module === null) return null;
      let names = read.get(module);
      if (names === undefined) {
        names = namesOf(module);
        read.set(module, names);
      }
      return names.get(Number(address - module.base)) ?? null;
    },
  };
}

function moduleAt(sorted: readonly CodeModule[], address: bigint): CodeModule | null {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.base ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  const module = sorted[low - 1];
  return module !== undefined && address < module.base + BigInt(module.sizeOfImage) ? module : null;
}

function namesOf({ memory, base, headers }: CodeModule): ReadonlyMap<number, string> {
  if (memory === null || headers === null) return new Map();
  const names = readExports(memory, base, headers);
  return failed(names) ? new Map() : names;
}
