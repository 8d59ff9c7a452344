/** What a shape of a generated driver is, and the parts that their sources share. */

import type { Prng } from '../prng.js';

/** What the source of a shape is made from. */
export interface ShapeInput {
  /** The tag as a C constant: `0x6b61654cu`. */
  tag: string;
  /** Its four characters. */
  text: string;
  /** Constants of other tags that the driver allocates under. */
  others: readonly [string, string];
  architecture: 'x86' | 'x64' | 'arm64';
  random: Prng;
}

export interface Shape {
  /** The driver allocates under the tag. */
  allocates: boolean;
  /** No call holds the tag, a variable or what is given: it is computed, one of a table, or kept in a structure. */
  isIndefinite?: true;
  /** Of `others`, how many the shape itself allocates under. */
  usesOthers?: number;
  /** Definitions that end with `PVOID Work(SIZE_T n, ULONG x)`. */
  source(input: ShapeInput): string;
  /** Statements of DriverEntry, before it calls `Work`: it has `driver` and `path`. */
  entry?(input: Pick<ShapeInput, 'architecture'>): string;
}

export const work = (body: string): string => `NOINLINE PVOID Work(SIZE_T n, ULONG x)\n{\n${body}\n}\n`;
export const direct = (call: string): string => work(`  PVOID p = ${call};\n  if (p) Fill(p, x & 15);\n  return p;`);
