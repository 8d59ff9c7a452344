/** What a command is to the command line: its words, its options, and what runs. */

import type { InferredOptionTypes, Options } from 'yargs';
import type { ExitCode } from './exit-codes.js';
import type { GENERAL } from './options/options.js';
import type { Host, Output } from './terminal/output.js';

/** Options by name, as yargs takes them. None has a default: that is the command's business. */
export type OptionTable = Readonly<Record<string, Options>>;

/** A word after the command's name. Required words come first, a list last. */
export interface Positional {
  readonly describe: string;
  readonly kind: 'required' | 'optional' | 'list';
}
export type PositionalTable = Readonly<Record<string, Positional>>;

type Words<P extends PositionalTable> = {
  [Name in keyof P]: P[Name]['kind'] extends 'list'
    ? string[]
    : P[Name]['kind'] extends 'optional'
      ? string | undefined
      : string;
};

/** What a command gets: its words, its options and the general ones, by name. */
export type Arguments<P extends PositionalTable, O extends OptionTable> = Words<P> &
  InferredOptionTypes<O> &
  InferredOptionTypes<typeof GENERAL>;

/** Everything that runs a command and explains it. */
export interface Command<P extends PositionalTable = PositionalTable, O extends OptionTable = OptionTable> {
  readonly positionals: P;
  readonly options: O;
  /** Command lines without `dumpleak`, each with what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Throws UsageError, InputError or FileError for what the user can put right. */
  run(args: Arguments<P, O>, output: Output, host: Host): Promise<ExitCode>;
}

/** A command whose own types of words and options no longer matter. */
export type AnyCommand = Omit<Command, 'run'> & {
  run(args: Readonly<Record<string, unknown>>, output: Output, host: Host): Promise<ExitCode>;
};

/** Types `run` by the tables. What the parser hands over was checked against them. */
export function defineCommand<const P extends PositionalTable, const O extends OptionTable>(
  command: Command<P, O>,
): AnyCommand {
  return command;
}

/** A line of the registry. */
export interface CommandEntry {
  readonly name: string;
  /** Its words as help shows them: `<required>`, `[optional]`, `[list..]`. */
  readonly words: string;
  readonly summary: string;
  load(): Promise<{ readonly command: AnyCommand }>;
}

/** The words of a command as help shows them. */
export function wordsOf(positionals: PositionalTable): string {
  return Object.entries(positionals)
    .map(([name, { kind }]) => (kind === 'required' ? `<${name}>` : kind === 'optional' ? `[${name}]` : `[${name}..]`))
    .join(' ');
}
