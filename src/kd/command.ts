/**
 * What a command of the debugger's prompt is. Commands stand in families, a file of `commands/` each; `registry.ts` lists the
 * families. Help, completion and docs/kd.md are made of what stands here.
 */

import type { Session } from './session.js';
import { wordsOf } from './line/split.js';

/** A flag or option that a command takes, as it is typed, and what it does. */
export type Flag = readonly [typed: string, what: string];

/** A command as it was typed. */
export class Call {
  constructor(
    readonly session: Session,
    /** The name as it was typed: a family answers to several. */
    readonly name: string,
    /** What follows the name, blanks before it left out and those at its end kept. */
    readonly rest: string,
  ) {}

  /** The words of `rest`; what stands in quotes is one, with its quotes. */
  get words(): string[] {
    return wordsOf(this.rest);
  }
}

/** How near the output is to the debugger's. */
export type Standing =
  /** The debugger's look, with figures that mean the same. */
  | 'same'
  /** The debugger's look, less or more than it prints in places that `differs` names. */
  | 'differs'
  /** Ours: the debugger has no such output, or another. */
  | 'ours';

export interface KdCommand {
  /** The names that it answers to, the first one that of its help. Case counts only where two names differ in nothing else. */
  readonly names: readonly string[];
  /** Its words, a way to call it each: `db ADDRESS [Ln]`. */
  readonly usage: readonly string[];
  /** One line for `.help`, without a full stop. */
  readonly summary: string;
  readonly flags?: readonly Flag[];
  readonly standing: Standing;
  /** What differs from the debugger's and why, plain sentences; of one that is the `same`, left out. */
  readonly differs?: string;
  /** Letters may follow the name at once, as in `lmvm` and `?1+1`. */
  readonly glued?: boolean;
  /** Prints through `call.session.out`. Throws KdError, InputError, Stopped or Quit. What needs much code is loaded here. */
  run(call: Call): Promise<void>;
}

/** Commands that belong together, under a title of `.help` and docs/kd.md. */
export interface Family {
  readonly title: string;
  readonly commands: readonly KdCommand[];
}
