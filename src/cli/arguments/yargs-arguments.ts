/** yargs as this program uses it: help in groups with examples, and errors that say what was meant. */

import yargs, { type Argv, type Options } from 'yargs';
import { VERSION } from '../../version.js';
import { wrap } from '../../views/print/style.js';
import type { AnyCommand, CommandEntry } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { nearest } from '../../views/print/nearest.js';
import { GROUP, optionsOf } from '../options/options.js';
import { COMMANDS, DEFAULT_COMMAND, FAMILIES } from '../registry.js';
import { GRAMMAR } from './read-arguments.js';

/** A text that was asked for with `--help` or `--version`, or the words and options of a command by name. */
export type Reading = { readonly text: string } | { readonly values: Readonly<Record<string, unknown>> };

/** Reads the words and options of a command. Throws UsageError. */
export function readCommand(
  args: readonly string[],
  entry: CommandEntry,
  command: AnyCommand,
  columns?: number,
): Reading {
  const known = Object.entries<Options>(optionsOf(command)).flatMap(([name, { alias }]) =>
    typeof alias === 'string' ? [name, alias] : [name],
  );
  const { family, word } = split(entry.name);
  const parser = start(family, columns, (message) => {
    throw new UsageError(explain(message, args, entry, [...known, 'help', 'version']));
  });
  parser.command(`${word} ${entry.words}`.trimEnd(), entry.summary, (argv) => {
    for (const [name, { describe, kind }] of Object.entries(command.positionals)) {
      argv.positional(name, {
        describe,
        type: 'string',
        ...(kind === 'list' ? { array: true, defaultDescription: 'none' } : {}),
      });
    }
    argv.options(optionsOf(command));
    return argv;
  });
  const reading = parse(parser, [word, ...args]);
  if ('text' in reading)
    return isHelp(reading.text) ? { text: reading.text + examplesText(command.examples, columns) } : reading;
  const options = Object.entries<Options>(optionsOf(command));
  const twice = options.find(([name, { type }]) => type !== 'array' && Array.isArray(reading.values[name]));
  if (twice !== undefined) throw new UsageError(`--${twice[0]} is given twice`);
  // yargs passes over what stands after `--` and fits nowhere.
  const extra = (reading.values['_'] as string[])[1];
  if (extra !== undefined) throw new UsageError(tooMuch(extra, entry));
  const names = [...Object.keys(command.positionals), ...options.map(([name]) => name)];
  const values = names.filter((name) => reading.values[name] !== undefined).map((name) => [name, reading.values[name]]);
  return { values: Object.fromEntries(values) as Record<string, unknown> };
}

/**
 * What a command line without a known command asks for: help, or the version. Throws UsageError for any other.
 *
 * @param family the first word of the commands that it may mean; null for all.
 */
export function readProgram(args: readonly string[], family: string | null, columns?: number): string {
  const first = args.find((arg) => !arg.startsWith('-'));
  const parser = start(family, columns, (message) => {
    const hint = message.startsWith('Did you mean') ? `. ${message}` : '';
    if (family !== null) {
      const names = membersOf(family).map(({ name }) => split(name).word);
      const said =
        first === undefined ? `Name what to do: dumpleak ${family} <command>` : `"${first}" is no command of ${family}`;
      throw new UsageError(`${said}${hint === '' ? `. It has: ${names.join(', ')}` : hint}`);
    }
    if (first === undefined) throw new UsageError('Name a command and a dump, as in: dumpleak analyze MEMORY.DMP');
    throw new UsageError(`"${first}" is no command and no dump${hint}`);
  });
  parser.usage(`$0 <command>${family === null ? '' : `\n\n${FAMILIES.get(family) ?? ''}`}`).recommendCommands();
  for (const [line, summary] of family === null ? programLines() : familyLines(family)) parser.command(line, summary);
  const reading = parse(parser, args);
  if (!('text' in reading)) return '';
  if (!isHelp(reading.text)) return reading.text;
  return (
    reading.text +
    (family === null
      ? examplesText(EXAMPLES, columns) + closing(columns)
      : more(`dumpleak ${family} COMMAND --help tells the options of a command.`, columns))
  );
}

const EXAMPLES: AnyCommand['examples'] = [
  ['analyze MEMORY.DMP', 'what leaks, and the driver behind it'],
  ['analyze MEMORY.DMP --json -o result.json', 'the same for programs'],
  ['poolused MEMORY.DMP -t 5 2', 'the five largest tags in nonpaged pool'],
  ['search MEMORY.DMP Leak', 'drivers that hold the tag Leak'],
];

function closing(columns: number | undefined): string {
  return (
    more(
      'dumpleak MEMORY.DMP alone is dumpleak analyze MEMORY.DMP. dumpleak COMMAND --help tells the options of a command.',
      columns,
    ) +
    more(
      `Exit codes: ${EXIT.done} done; ${EXIT.leak} leak suspected (with --fail-on-leak), a dump that cannot tell (with --fail-on-undecided), or a check that failed; ${EXIT.badInput} a file that cannot be ` +
        `analyzed, read or written; ${EXIT.usage} wrong usage; ${EXIT.internal} internal error; ${EXIT.interrupted} Ctrl+C.`,
      columns,
    )
  );
}

const more = (text: string, columns: number | undefined): string => `\n${wrap(text, widthOf(columns)).join('\n')}\n`;

/** Commands on a line each, so that they can be copied whole; what they do stands below. */
function examplesText(examples: AnyCommand['examples'], columns: number | undefined): string {
  const lines = examples.flatMap(([line, what]) => [`  dumpleak ${line}`, ...wrap(what, widthOf(columns), '      ')]);
  return `\nExamples:\n${lines.join('\n')}\n`;
}

/** Not the version. */
const isHelp = (text: string): boolean => text.trim() !== VERSION;

const membersOf = (family: string): CommandEntry[] => COMMANDS.filter(({ name }) => split(name).family === family);

const familyLines = (family: string): [string, string][] =>
  membersOf(family).map(({ name, words, summary }) => [`${split(name).word} ${words}`.trim(), summary]);

/** A line a command; those of a family share one. */
function programLines(): [string, string][] {
  const single = COMMANDS.filter(({ name }) => split(name).family === null);
  return [
    ...single.map(({ name, words, summary }): [string, string] => [`${name} ${words}`, summary]),
    ...[...FAMILIES].map(([name, summary]): [string, string] => [`${name} <command>`, summary]),
  ];
}

/** The family and the last word of a command's name. */
function split(name: string): { family: string | null; word: string } {
  const [first = '', second] = name.split(' ');
  return second === undefined ? { family: null, word: first } : { family: first, word: second };
}

/** Widths of help, in columns; without a terminal the wider one. */
const NARROWEST = 60;
const WIDEST = 100;

const widthOf = (columns: number | undefined): number => Math.min(WIDEST, Math.max(NARROWEST, columns ?? WIDEST));

function start(family: string | null, columns: number | undefined, fail: (message: string) => never): Argv {
  return yargs()
    .scriptName(family === null ? 'dumpleak' : `dumpleak ${family}`)
    .locale('en')
    .parserConfiguration(GRAMMAR)
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
    .wrap(widthOf(columns))
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

/** What somebody may have meant who gave `analyze` more than one dump. */
const SEVERAL = 'it takes one dump. For several there is "dumpleak batch", for growth over them "dumpleak trend"';

const tooMuch = (word: string, entry: CommandEntry): string =>
  entry.name === DEFAULT_COMMAND
    ? `"${word}" is one word too many: ${SEVERAL}`
    : `"${word}" is one word too many. ${usageOf(entry)}`;

const usageOf = ({ name, words }: CommandEntry): string => `Usage: dumpleak ${name} ${words}`.trimEnd();

const nameOf = (option: string): string => option.replace(/^--?(no-)?/, '').replace(/=.*$/s, '');

/** A name as it is given on a command line, negated as the mistyped option was. */
const dashed = (name: string, mistyped: string): string =>
  `${name.length === 1 ? '-' : mistyped.startsWith('--no-') ? '--no-' : '--'}${name}`;
