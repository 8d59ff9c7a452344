/** The facts about real kernels that dumps are built from: kernels/*.json, written by kernels/extract.js. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Byte offsets of the fields that the builder writes. */
export interface StructFacts {
  readonly size: number;
  readonly fields: Readonly<Record<string, number>>;
  /** Of some structures: `u64`, `*`, `u8[15]`, `_LIST_ENTRY`, or `u64:20:44` for 44 bits from bit 20 on. */
  readonly types?: Readonly<Record<string, string>>;
}

export interface KernelFacts {
  /** `10.0.19041.804`. */
  readonly version: string;
  readonly build: number;
  /** Bytes of a pointer; 8 when missing. */
  readonly pointerSize?: 4;
  readonly pdb: { readonly name: string; readonly guid: string; readonly age: number };
  /** Null where no public table pairs this PDB with an image. */
  readonly timeDateStamp: number | null;
  readonly sizeOfImage: number | null;
  /** The highest RVA of any known symbol. */
  readonly lastRva: number;
  readonly tagTablesCapacity: number;
  readonly rva: Readonly<Record<string, number>>;
  readonly structs: Readonly<Record<string, StructFacts>>;
}

/** The sources hold the JSON files; compiled code stands two folders lower and finds them there. */
function folder(): URL {
  const beside = new URL('./kernels/', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../test-dumps/kernels/', import.meta.url);
}

const loaded = new Map<string, KernelFacts>();

/** All kernels that dumps can be built for, oldest first. */
export function kernelVersions(): string[] {
  return readdirSync(folder())
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The facts of `10.0.19041.804`, or of the first kernel whose version holds `19041` as a part. Throws when there is none. */
export function kernelFacts(wanted: string): KernelFacts {
  const known = loaded.get(wanted);
  if (known) return known;
  const versions = kernelVersions();
  const exact = versions.find((v) => v === wanted) ?? versions.filter((v) => v.split('.').includes(wanted)).at(-1);
  if (!exact) throw new Error(`no kernel ${wanted}; there are ${versions.join(', ')}`);
  const facts = JSON.parse(readFileSync(new URL(`${exact}.json`, folder()), 'utf8')) as KernelFacts;
  loaded.set(wanted, facts);
  return facts;
}

/** The RVA of a global that this kernel must have. Throws when it has not. */
export function rvaOf(kernel: KernelFacts, symbol: string): number {
  const rva = kernel.rva[symbol];
  if (rva === undefined) throw new Error(`${kernel.version} has no ${symbol}`);
  return rva;
}

/** A structure that this kernel must have. Throws when it has not. */
export function structOf(kernel: KernelFacts, type: string): StructFacts {
  const struct = kernel.structs[type];
  if (!struct) throw new Error(`${kernel.version} has no ${type}`);
  return struct;
}

/** The offset of a field that this kernel must have. Throws when it has not. */
export function offsetOf(kernel: KernelFacts, type: string, field: string): number {
  const offset = structOf(kernel, type).fields[field];
  if (offset === undefined) throw new Error(`${kernel.version} has no ${type}.${field}`);
  return offset;
}

/**
 * Where `_EPROCESS.Peb` stands. The facts of 32-bit kernels do not say; there the debugger block does, so that any place
 * will do.
 */
export function pebOffset(kernel: KernelFacts): number {
  return kernel.structs['_EPROCESS']?.fields['Peb'] ?? (kernel.pointerSize === 4 ? 0x140 : 0);
}
