/** A kernel's PDB as a source of kernel facts. */

import { rva as asRva, type Rva } from '../parsers/addresses.js';
import type { StructLayout } from '../parsers/kernel/layout.js';
import type { Pdb } from '../parsers/pdb/pdb.js';
import { tagTablesCapacity, type KernelFacts } from './kernel-facts.js';
import { KERNEL_SYMBOLS } from './kernel-names.js';

/** What a PDB does not say of itself. */
export interface PdbImage {
  /** The PDB's own file name, as the image spells it: `ntkrnlmp.pdb`. */
  readonly pdbName: string;
  /** `10.0.22621.3007`. */
  readonly version?: string | null;
  readonly timeDateStamp?: number | null;
  /** Bytes. */
  readonly sizeOfImage?: number | null;
}

function capacityIn(pdb: Pdb): number | null {
  const tables = pdb.symbols(['ExPoolTagTables']).get('ExPoolTagTables');
  if (tables === undefined) return null;
  const declared = tables.type === null ? null : pdb.elements(tables.type);
  return declared ?? tagTablesCapacity(pdb.bytesToNextSymbol(tables.rva), pdb.pointerSize);
}

/**
 * The facts in an open PDB, which stays open and belongs to the caller. The first address asked for finds all of KERNEL_SYMBOLS in one pass;
 * a name that is not among them costs a pass of its own, once. Damage shows in `pdb.notes`.
 */
export function pdbFacts(pdb: Pdb, image: PdbImage): KernelFacts {
  const rvas = new Map<string, Rva | null>();
  const layouts = new Map<string, StructLayout | null>();
  let capacity: number | null | undefined;
  const find = (names: readonly string[]): void => {
    const found = pdb.symbols(names);
    for (const name of names) {
      const symbol = found.get(name);
      rvas.set(name, symbol === undefined ? null : asRva(symbol.rva));
    }
  };
  return {
    pdb: { name: image.pdbName, guid: pdb.identity.guid, age: pdb.identity.age },
    machine: pdb.identity.machine,
    version: image.version ?? null,
    timeDateStamp: image.timeDateStamp ?? null,
    sizeOfImage: image.sizeOfImage ?? null,
    get poolTagTablesCapacity(): number | null {
      capacity ??= capacityIn(pdb);
      return capacity;
    },
    rva(name: string): Rva | null {
      if (rvas.size === 0) find(KERNEL_SYMBOLS);
      if (!rvas.has(name)) find([name]);
      return rvas.get(name) ?? null;
    },
    layout(type: string): StructLayout | null {
      let layout = layouts.get(type);
      if (layout === undefined) {
        layout = pdb.layout(type);
        layouts.set(type, layout);
      }
      return layout;
    },
  };
}
