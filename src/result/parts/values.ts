/** What the fields of the result are made of: counts, addresses, pages, notes, and the words that several parts share. */

import type { FigureSource } from '../../../symbols/kernel-symbols.js';

/** Lower-case hexadecimal with `0x`. */
export type Hex = string;
/** A count or a size in bytes: a number, or a decimal string past 2^53 - 1. */
export type Count = number | string;

export type DumpType =
  | 'full' | 'kernel' | 'bitmap-full' | 'bitmap-kernel' | 'automatic' | 'triage' | 'header'
  | 'rdmp-kernel' | 'rdmp-kernel-user' | 'rdmp-full'; // prettier-ignore
export type Architecture = 'x64' | 'x86' | 'x86-pae' | 'arm64';
export type PoolKind = 'nonpaged' | 'paged';
export type Confidence = 'high' | 'medium' | 'low';

/** A figure in pages with its origin. */
export interface Pages {
  pages: Count;
  source: FigureSource;
}

/** Something the reader of the report must know: a code for programs, a sentence for people. */
export interface Note<Code extends string = string> {
  code: Code;
  message: string;
}

/** A 64-bit count as the contract writes it. */
export function count(value: bigint): Count {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value.toString();
}

/** The nearest number to a count, for shares and comparisons. */
export function toNumber(value: Count): number {
  return Number(value);
}
