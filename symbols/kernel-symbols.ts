/** The one question that kernel readers ask: where is this global, how is this structure laid out, and who says so. */

import type { Rva, VirtualAddress } from '../parsers/addresses.js';
import type { StructLayout } from '../parsers/kernel/layout.js';

/** Where a figure came from, as the result contract spells it. */
export type FigureSource = 'profile' | 'pdb' | 'kdbg' | 'nearest' | 'header' | 'image' | 'scan' | 'derived';

/** An answer with its origin. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: FigureSource;
}

/** What is told by several sources is only as sure as the weakest: found by its content, or taken from the nearest build. */
export function weakest(first: FigureSource, ...others: readonly FigureSource[]): FigureSource {
  for (const weak of ['scan', 'nearest'] as const) if (first === weak || others.includes(weak)) return weak;
  return first;
}

/** Identifies a kernel image: what the PE headers and the CodeView record in it say. */
export interface KernelIdentity {
  /** `null` where the page with the CodeView record is not in the dump. */
  readonly pdb: { readonly name: string; readonly guid: string; readonly age: number } | null;
  /** From the image's PE header, or `null` where that page is missing. Seconds since 1970, or a hash. */
  readonly timeDateStamp: number | null;
  /** Bytes. */
  readonly sizeOfImage: number | null;
  /** From the dump header: 7601, 19041, ... */
  readonly buildNumber: number;
  /** x64 when left out. Addresses and layouts of one are wrong for the others. */
  readonly architecture?: KernelArchitecture;
}

/** Processors that kernels are built for. PAE makes no difference to layouts, but for those of PTEs. */
export type KernelArchitecture = 'x86' | 'x64' | 'arm64';

/** What is known of the nt kernel in one dump. */
export interface KernelSymbols {
  /** The strongest source in use, for `system.symbols`. */
  readonly source: FigureSource;
  /** One phrase for people: `exact match`, `layouts of 10.0.19041.3570, addresses from the debugger block`. */
  readonly detail: string;
  /** The virtual address of a kernel global such as `PoolTrackTable`, or `null` when nothing knows it. */
  address(name: string): Sourced<VirtualAddress> | null;
  /** The layout of a structure such as `_POOL_TRACKER_TABLE`, or `null`. */
  layout(type: string): Sourced<StructLayout> | null;
  /** How many pointers `ExPoolTagTables` can hold in this kernel, or `null`. */
  readonly poolTagTablesCapacity: number | null;
}

/** A built-in table of facts about one real kernel. */
export interface KernelProfile {
  /** `10.0.19041.804`. */
  readonly version: string;
  readonly buildNumber: number;
  readonly pdb: { readonly name: string; readonly guid: string; readonly age: number };
  readonly timeDateStamp: number | null;
  readonly sizeOfImage: number | null;
  readonly poolTagTablesCapacity: number | null;
  rva(name: string): Rva | null;
  layout(type: string): StructLayout | null;
}
