/** What following a function gives: the calls that it makes and what they get, and what is known of what they call. */

import type { Given, ImageFacts } from './flow-state.js';
import type { Reached } from './reached.js';
import type { Values } from './values.js';

/** Where a call goes. RVAs modulo 2^32. */
export type CallTarget =
  | { readonly kind: 'direct'; readonly rva: number }
  | { readonly kind: 'slot'; readonly rva: number }
  /** What stands `offset` bytes behind where the pointer at an RVA leads. */
  | { readonly kind: 'member'; readonly rva: number; readonly offset: number }
  /** The code goes on in a page that is not there. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' };

/** A call, or a jump out of the function. */
export interface CallSite extends Given {
  /** RVA of the instruction. */
  readonly at: number;
  /** Every place that it may go to. */
  readonly targets: readonly CallTarget[];
}

/** What else becomes of a value. */
export interface OtherUse {
  readonly kind: 'compare' | 'store';
  /** RVA of the instruction. */
  readonly at: number;
  readonly set: number;
  /** RVA of the place that is written; null for one that is not in the image. */
  readonly place: number | null;
}

/** What an instruction writes to memory that is neither the stack nor a known place of the image. */
export interface FieldWrite {
  /** RVA of the instruction. */
  readonly at: number;
  /** The set of the pointer, and the bytes behind where it leads. */
  readonly base: number;
  readonly offset: number;
  /** Bytes; Infinity where that is not known. */
  readonly size: number;
  readonly set: number;
}

/** A pointer into a structure: `offset` bytes behind where the set `base` leads. */
export interface FieldAddress {
  readonly base: number;
  readonly offset: number;
}

/** What is done with fields of structures. */
export interface FieldUses {
  readonly writes: FieldWrite[];
  readonly addresses: FieldAddress[];
}

/** What following a function gave. */
export interface Flow {
  readonly values: Values;
  readonly calls: readonly CallSite[];
  readonly uses: readonly OtherUse[];
  /** Empty where fields are not followed. */
  readonly fields: Readonly<FieldUses>;
  readonly reached: Reached;
  /** False where the work was cut off. */
  readonly complete: boolean;
  /** Operations that were carried out. */
  readonly steps: number;
}

/** What is known of the code that calls go to. */
export interface CalledCode extends ImageFacts {
  /**
   * x86: how many bytes a called function takes from the stack; null where that is not known. `isCleaned`: the stack
   * pointer is raised behind the call, as callers do for functions that take none.
   */
  taken(target: CallTarget, isCleaned: boolean): number | null;
  /**
   * `check`: the call leaves everything as it is. `dispatch`: it goes on to where a register says. Null: neither.
   */
  guard(target: CallTarget): 'check' | 'dispatch' | null;
  /** The image has code for such calls. */
  readonly isGuarded: boolean;
  /** Where fields are followed: what a call gives; null where they are not. */
  readonly gifts: CallGifts | null;
}

/** What calls give: in the register of results, and where an argument points. */
export interface CallGifts {
  /** The result of a call at RVA `at` that goes to one of the targets. */
  result(
    targets: readonly CallTarget[],
    site: Given,
    values: Values,
    at: number,
  ): { readonly kind: number; readonly number: number };
  /** Place of an argument that points to where the call puts a device object; null for calls that do not. */
  device(targets: readonly CallTarget[]): number | null;
}
