/**
 * Names of the functions that an image imports, whatever module exports them: by its import tables, and where these are
 * gone (linkers put them into sections that are discarded after the start) by what the addresses in its import address
 * table are exported as.
 */

import { plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { DIRECTORY } from '../../../parsers/pe/image.js';
import { readImports } from '../../../parsers/pe/imports.js';
import type { CodeModule } from './code-module.js';
import type { ExportLookup } from './exports.js';

/** Bytes of an import address table that are looked through. */
const LARGEST_TABLE = 0x20000;

/** What an image imports. */
export interface ImportedFunctions {
  readonly names: ReadonlySet<string>;
  /** False where neither table nor addresses tell of all of them: others may be imported. */
  readonly complete: boolean;
}

/** Null for an image that cannot be read at all. */
export function importedFunctions(module: CodeModule, exports: ExportLookup): ImportedFunctions | null {
  const { memory, headers, base } = module;
  if (memory === null || headers === null) return null;
  const named = readImports(memory, base, headers, memory.pointerSize);
  const names = new Set(named.names.values());
  if (named.complete) return { names, complete: true };
  const table = headers.directories[DIRECTORY.importAddresses];
  if (table === undefined || table.rva === 0 || table.size > LARGEST_TABLE) return { names, complete: false };
  let complete = true;
  for (let at = 0; at + memory.pointerSize <= table.size; at += memory.pointerSize) {
    const slot = memory.readPointer(plus(base, table.rva + at));
    if (failed(slot)) complete = false;
    else if (slot !== 0n) {
      const name = exports.nameAt(slot);
      if (name !== null) names.add(name);
      // A slot that the loader has not filled holds an offset, and a function of a module that is not read has no name.
      else if (!named.names.has(table.rva + at)) complete = false;
    }
  }
  return { names, complete };
}
