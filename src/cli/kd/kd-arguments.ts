/** The arguments of `dumpleak kd`. */

import type { SymbolArguments } from '../options/symbol-options.js';
import type { DumpArguments } from '../read-dump.js';

/** The options that a session goes by. */
export interface KdArguments extends SymbolArguments {
  readonly pooltag?: readonly string[] | undefined;
}

export interface RunKdArguments extends DumpArguments, KdArguments {
  /** `-c` */
  readonly command?: string | undefined;
  /** `-cf` */
  readonly 'command-file'?: string | undefined;
}
