/** What some source - a PDB, a profile file, a published symbol table - knows of one kernel, in one form. */

import { rva as asRva, type Rva } from '../parsers/addresses.js';
import type { StructLayout } from '../parsers/kernel/layout.js';
import type { KernelIdentity, KernelProfile } from './kernel-symbols.js';

/** Identifies the kernel that facts are about. */
export interface FactsIdentity {
  /** `guid`: 32 upper-case hexadecimal digits. `age`: the one that the image's CodeView record holds. */
  readonly pdb: { readonly name: string; readonly guid: string; readonly age: number };
  /** An IMAGE_FILE_MACHINE value, or `null` where the source does not say. */
  readonly machine: number | null;
  /** `10.0.22621.3007`, or `null`. */
  readonly version: string | null;
  /** From the image's PE header; `null` where the source does not say. */
  readonly timeDateStamp: number | null;
  /** Bytes; `null` where the source does not say. */
  readonly sizeOfImage: number | null;
}

/** Where globals are and how structures are laid out in one kernel. */
export interface KernelFacts extends FactsIdentity {
  /** Pointers that ExPoolTagTables has room for: an upper bound where the source does not give the type. */
  readonly poolTagTablesCapacity: number | null;
  rva(name: string): Rva | null;
  layout(type: string): StructLayout | null;
}

/** Facts that are in memory. */
export interface FactsTable extends FactsIdentity {
  readonly poolTagTablesCapacity: number | null;
  readonly rvas: ReadonlyMap<string, number>;
  readonly layouts: ReadonlyMap<string, StructLayout>;
}

/** Most pointers that ExPoolTagTables is believed to hold; known kernels have room for 256 to 2048. */
const MOST_TAG_TABLES = 8192;

/**
 * The capacity of ExPoolTagTables where its type is not known: the next symbol stands `gap` bytes after it. `null` where that is further than
 * the array can be long.
 */
export function tagTablesCapacity(gap: number | null, pointerSize: number): number | null {
  const capacity = gap === null ? 0 : Math.floor(gap / pointerSize);
  return capacity < 1 || capacity > MOST_TAG_TABLES ? null : capacity;
}

/** A table as the one who asks sees it. */
export function factsOf(table: FactsTable): KernelFacts {
  const { rvas, layouts, ...identity } = table;
  return {
    ...identity,
    rva(name: string): Rva | null {
      const value = rvas.get(name);
      return value === undefined ? null : asRva(value);
    },
    layout: (type: string): StructLayout | null => layouts.get(type) ?? null,
  };
}

/** True when the facts are of exactly the kernel whose CodeView record is given: GUID and age. File names may differ. */
export function isOfKernel(facts: FactsIdentity, pdb: { readonly guid: string; readonly age: number }): boolean {
  return facts.pdb.guid === storeGuid(pdb.guid) && facts.pdb.age === pdb.age;
}

/** A GUID as symbol stores spell it, from any usual spelling. */
export function storeGuid(guid: string): string {
  return guid.replace(/[{}-]/g, '').toUpperCase();
}

/** Facts in the form of a built-in profile; what the source does not say comes from the dump's own identity. */
export function asKernelProfile(facts: KernelFacts, identity: KernelIdentity): KernelProfile {
  return {
    version: facts.version ?? `build ${identity.buildNumber}`,
    buildNumber: identity.buildNumber,
    pdb: facts.pdb,
    timeDateStamp: facts.timeDateStamp ?? identity.timeDateStamp,
    sizeOfImage: facts.sizeOfImage ?? identity.sizeOfImage,
    poolTagTablesCapacity: facts.poolTagTablesCapacity,
    rva: (name) => facts.rva(name),
    layout: (type) => facts.layout(type),
  };
}
