/**
 * Reads the command lines that need no explaining. Loading yargs takes as much processor time as Node takes to start;
 * so it is loaded only for help and for what is refused here: whatever is wrong, or just unusual. A test holds that
 * what is read here means the same to yargs.
 */

import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Options } from 'yargs';
import type { AnyCommand, OptionTable, PositionalTable } from '../command.js';
import { optionsOf } from '../options/options.js';

type Values = Record<string, unknown>;

/** yargs reads these in ways of its own. */
const UNUSUAL = new Set(['', 'true', 'false', 'help']);

/**
 * The words and options of a command by name; null where yargs must read them.
 *
 * @param args what follows the command's name.
 */
export function readQuickly(
  args: readonly string[],
  command: Pick<AnyCommand, 'options' | 'positionals'>,
): Values | null {
  const end = args.indexOf('--');
  // Quotation marks, and short options with more in the same word.
  if (args.slice(0, end < 0 ? undefined : end).some((arg) => UNUSUAL.has(arg) || /["']|^-[^-]./.test(arg))) return null;
  const table: OptionTable = optionsOf(command);
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      options: plainOptions(table),
      allowPositionals: true,
      allowNegative: true,
      tokens: true,
    });
    const given = tokens.flatMap((token) => (token.kind === 'option' && token.value !== undefined ? [token.name] : []));
    if (given.some((name, i) => table[name]?.type !== 'array' && given.indexOf(name) !== i)) return null;
    const words = readWords(positionals, command.positionals);
    const options = readValues(values, table);
    return words === null || options === null ? null : { ...words, ...options };
  } catch {
    // Not an option, no value, or refused by `coerce`: yargs says it better.
    return null;
  }
}

function plainOptions(table: OptionTable): NonNullable<ParseArgsConfig['options']> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { alias, type }]) => [
      name,
      {
        type: type === 'boolean' ? 'boolean' : 'string',
        multiple: type === 'array',
        ...(typeof alias === 'string' ? { short: alias } : {}),
      },
    ]),
  );
}

function readWords(words: readonly string[], table: PositionalTable): Values | null {
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
  const read: Values = {};
  for (const [name, value] of Object.entries(values)) {
    const options = table[name];
    if (options === undefined || !isPlain(value, options)) return null;
    const typed = options.type === 'number' ? Number(value) : value;
    read[name] = options.coerce === undefined ? typed : (options.coerce as (given: unknown) => unknown)(typed);
  }
  return read;
}

/** Whether a value is one that both parsers take for the same and that the option allows. */
function isPlain(value: unknown, options: Options): boolean {
  if (value === '' || (Array.isArray(value) && value.includes(''))) return false;
  if (options.type === 'number' && !/^\d{1,9}$/.test(String(value))) return false;
  return options.choices === undefined || options.choices.includes(value as string);
}
