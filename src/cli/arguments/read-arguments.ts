/**
 * Reads the words and options of a command, by the parser that yargs itself is built on and by the tables that it is given.
 * yargs as a whole takes more processor time to load than Node takes to start, so it is loaded where there is something to
 * explain: for help, and for what is refused here. A test holds that both read the same.
 */

import parser from 'yargs-parser';
import type { Options } from 'yargs';
import type { AnyCommand, OptionTable, PositionalTable } from '../command.js';
import { optionsOf } from '../options/options.js';

type Values = Record<string, unknown>;

/** How both read a line. */
export const GRAMMAR = {
  'parse-positional-numbers': false,
  'dot-notation': false,
  'camel-case-expansion': false,
  'greedy-arrays': false,
} as const;

/** Words that yargs reads in a way of its own, as the values of options. */
const UNUSUAL = /^$|^help$|["']/;

/**
 * The words and options of a command by name; null where yargs must explain something.
 *
 * @param args what follows the command's name.
 */
export function readArguments(
  args: readonly string[],
  command: Pick<AnyCommand, 'options' | 'positionals'>,
): Values | null {
  const table: OptionTable = optionsOf(command);
  const { argv, error } = parser.detailed([...args], grammarOf(table));
  if (error !== null) return null;
  const { _: given, ...values } = argv as { _: (string | number)[] } & Values;
  const words = readWords(given.map(String), command.positionals);
  const options = readValues(values, table);
  return words === null || options === null ? null : { ...words, ...options };
}

/** The tables as the parser takes them: yargs makes the same of them. */
function grammarOf(table: OptionTable): Parameters<typeof parser.detailed>[1] & object {
  const options = Object.entries(table);
  const ofType = (type: Options['type']): string[] => options.flatMap(([name, one]) => (one.type === type ? name : []));
  return {
    alias: Object.fromEntries(
      options.flatMap(([name, { alias }]) => (typeof alias === 'string' ? [[name, alias]] : [])),
    ),
    array: ofType('array'),
    boolean: ofType('boolean'),
    number: ofType('number'),
    string: [...ofType('string'), ...options.flatMap(([name, { string }]) => (string === true ? name : []))],
    narg: Object.fromEntries(options.flatMap(([name, { requiresArg }]) => (requiresArg === true ? [[name, NaN]] : []))),
    coerce: Object.fromEntries(
      options.flatMap(([name, { coerce }]) =>
        coerce === undefined ? [] : [[name, coerce as (value: unknown) => unknown]],
      ),
    ),
    configuration: GRAMMAR,
  };
}

function readWords(words: readonly string[], table: PositionalTable): Values | null {
  if (words.some((word) => UNUSUAL.test(word))) return null;
  const rest = [...words];
  const values: Values = {};
  for (const [name, { kind }] of Object.entries(table)) {
    const word = kind === 'list' ? undefined : rest.shift();
    if (word === undefined && kind === 'required') return null;
    values[name] = kind === 'list' ? rest.splice(0) : word;
  }
  return rest.length > 0 ? null : values;
}

function readValues(values: Values, table: OptionTable): Values | null {
  const second = new Set(Object.values(table).flatMap(({ alias }) => alias ?? []));
  const read: Values = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || second.has(name)) continue;
    const options = Object.hasOwn(table, name) ? table[name] : undefined;
    if (options === undefined || !isAllowed(value, options)) return null;
    read[name] = value;
  }
  return read;
}

/** Whether an option has its one value, which is one of its choices. */
function isAllowed(value: unknown, { type, requiresArg, choices }: Options): boolean {
  if (Array.isArray(value)) return type === 'array' && value.length > 0;
  if (requiresArg === true && (value === '' || Number.isNaN(value))) return false;
  return choices === undefined || choices.includes(value as string);
}
