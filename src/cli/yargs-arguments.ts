/** yargs as this program uses it: help in groups with examples, and errors that say what was meant. */

import yargs, { type Argv, type Options } from 'yargs';
import { VERSION } from '../version.js';
import type { AnyCommand, CommandEntry } from './command.js';
import { UsageError } from './errors.js';
import { EXIT } from './exit-codes.js';
import { nearest } from './nearest.js';
import { GENERAL, GROUP } from './options.js';

/** A text that was asked for with `--help` or `--version`, or the words and options of a command by name. */
export type Reading = { readonly text: string } | { readonly values: Readonly<Record<string, unknown>> };

/** Reads the words and options of a command. Throws UsageError. */
export function readCommand(
  args: readonly string[],
  entry: CommandEntry,
  command: AnyCommand,
  columns?: number,
): Reading {
  const known = Object.entries<Options>({ ...command.options, ...GENERAL }).flatMap(([name, { alias }]) =>
    typeof alias === 'string' ? [name, alias] : [name],
  );
  const parser = start(columns, (message) => {
    throw new UsageError(explain(message, args, entry, [...known, 'help', 'version']));
  });
  parser.command(`${entry.name} ${entry.words}`, entry.summary, (argv) => {
    for (const [name, { describe, kind }] of Object.entries(command.positionals)) {
      argv.positional(name, {
        describe,
        type: 'string',
        ...(kind === 'list' ? { array: true, defaultDescription: 'none' } : {}),
      });
    }
    argv.options({ ...command.options, ...GENERAL });
    for (const [line, what] of command.examples) argv.example(`$0 ${line}`, what);
    return argv;
  });
  const reading = parse(parser, [entry.name, ...args]);
  if ('text' in reading) return reading;
  const options = Object.entries<Options>({ ...command.options, ...GENERAL });
  const twice = options.find(([name, { type }]) => type !== 'array' && Array.isArray(reading.values[name]));
  if (twice !== undefined) throw new UsageError(`--${twice[0]} is given twice`);
  // yargs passes over what stands after `--` and fits nowhere.
  const extra = (reading.values['_'] as string[])[1];
  if (extra !== undefined) throw new UsageError(tooMuch(extra, entry));
  const names = [...Object.keys(command.positionals), ...options.map(([name]) => name)];
  const values = names.filter((name) => reading.values[name] !== undefined).map((name) => [name, reading.values[name]]);
  return { values: Object.fromEntries(values) as Record<string, unknown> };
}

/** What a command line without a known command asks for: help, or the version. Throws UsageError for any other. */
export function readProgram(args: readonly string[], commands: readonly CommandEntry[], columns?: number): string {
  const first = args.find((arg) => !arg.startsWith('-'));
  const parser = start(columns, (message) => {
    if (first === undefined) throw new UsageError('Name a command and a dump, as in: dumpleak analyze MEMORY.DMP');
    const hint = message.startsWith('Did you mean') ? `. ${message}` : '';
    throw new UsageError(`"${first}" is no command and no dump${hint}`);
  });
  parser.usage('$0 <command>').recommendCommands();
  for (const { name, words, summary } of commands) parser.command(`${name} ${words}`, summary);
  parser
    .example('$0 analyze MEMORY.DMP', 'what leaks, and the driver behind it')
    .example('$0 analyze MEMORY.DMP --json -o result.json', 'the same for programs')
    .example('$0 poolused MEMORY.DMP /t5 2', 'the five largest tags in nonpaged pool')
    .example('$0 search MEMORY.DMP Leak', 'drivers that hold the tag Leak')
    .epilogue(
      `$0 MEMORY.DMP alone is $0 analyze MEMORY.DMP. $0 COMMAND --help tells the options of a command.\n\n` +
        `Exit codes: ${EXIT.done} done; ${EXIT.leak} leak suspected (with --fail-on-leak), or a dump that cannot tell (with --fail-on-undecided); ${EXIT.badInput} a file that cannot be ` +
        `analyzed, read or written; ${EXIT.usage} wrong usage; ${EXIT.internal} internal error; ${EXIT.interrupted} Ctrl+C.`,
    );
  const reading = parse(parser, args);
  return 'text' in reading ? reading.text : '';
}

/** Widths of help, in columns; without a terminal the wider one. */
const NARROWEST = 60;
const WIDEST = 100;

function start(columns: number | undefined, fail: (message: string) => never): Argv {
  return yargs()
    .scriptName('dumpleak')
    .locale('en')
    .parserConfiguration({
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'greedy-arrays': false,
    })
    .updateStrings({
      'Invalid values:': 'Wrong value:',
      'Argument: %s, Given: %s, Choices: %s': '--%s: %s is none of %s',
      'Not enough arguments following: %s': 'Option --%s wants a value',
      'Arguments %s and %s are mutually exclusive': '--%s and --%s exclude each other',
    })
    .strict()
    .demandCommand(1)
    .help('help')
    .alias('help', 'h')
    .version(VERSION)
    .group(['help', 'version'], GROUP.general)
    .wrap(Math.min(WIDEST, Math.max(NARROWEST, columns ?? WIDEST)))
    .fail((message: string | null, error: Error | undefined) => {
      fail(message ?? error?.message ?? 'wrong usage');
    });
}

function parse(parser: Argv, args: readonly string[]): Reading {
  let text = '';
  // With a callback yargs hands over what it would print, and ends no process.
  const values = parser.parse([...args], {}, (_error, _argv, output) => {
    text = output;
  });
  return text === '' ? { values: values as Record<string, unknown> } : { text: `${text}\n` };
}

/** yargs' message in our words. */
function explain(message: string, args: readonly string[], entry: CommandEntry, known: readonly string[]): string {
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1]?.split(', ')[0];
  const missing = message.startsWith('Not enough non-option arguments');
  if (unknown === undefined && !missing) return message.replace(/\s+/g, ' ');
  // A mistyped option may have taken the word that is missing for its value: then it is what went wrong.
  const option = args.find((arg) =>
    /^--./.test(arg)
      ? !known.includes(nameOf(arg))
      : arg.startsWith('-') && unknown?.length === 1 && arg.includes(unknown),
  );
  if (option !== undefined) {
    const meant = nearest(nameOf(option), known);
    return `There is no option ${option.replace(/=.*$/s, '')}${meant === null ? '' : `. Did you mean ${dashed(meant, option)}?`}`;
  }
  return missing ? `Something is missing. ${usageOf(entry)}` : tooMuch(unknown ?? '', entry);
}

const tooMuch = (word: string, entry: CommandEntry): string => `"${word}" is one word too many. ${usageOf(entry)}`;

const usageOf = ({ name, words }: CommandEntry): string => `Usage: dumpleak ${name} ${words}`;

const nameOf = (option: string): string => option.replace(/^--?(no-)?/, '').replace(/=.*$/s, '');

/** A name as it is given on a command line, negated as the mistyped option was. */
const dashed = (name: string, mistyped: string): string =>
  `${name.length === 1 ? '-' : mistyped.startsWith('--no-') ? '--no-' : '--'}${name}`;
