/** Options that several commands have, and the readers of their values. */

import type { Options } from 'yargs';

/** Titles in `--help`. */
export const GROUP = { what: 'What to look at:', output: 'Output:', general: 'General:' } as const;

/** Reads `--max-unpacked N`; the error is for the user. */
export function gigabytes(value: unknown): number {
  const count = Number(value);
  if (!Number.isFinite(count) || count <= 0) throw new Error('--max-unpacked wants a number of GB');
  return count;
}

/** What every command takes. */
export const GENERAL = {
  output: {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'Write to this file, in UTF-8, instead of the console',
    group: GROUP.output,
  },
  color: {
    type: 'boolean',
    describe: 'Colours: --color always, --no-color never; without it on a terminal only',
    group: GROUP.output,
  },
  ascii: {
    type: 'boolean',
    describe: 'Only ASCII characters; --no-ascii for all. Without it as the console seems to need',
    group: GROUP.output,
  },
  debug: { type: 'boolean', describe: 'Show where an internal error comes from', group: GROUP.general },
  /** Scripts give it to every command; shown by those that it changes, see QUIET. */
  quiet: { alias: 'q', type: 'boolean', hidden: true },
} as const satisfies Record<string, Options>;

/** What a command takes: its own options, then the general ones. Its own win, in the place where they stand. */
export const optionsOf = (command: {
  readonly options: Readonly<Record<string, Options>>;
}): Record<string, Options> => ({
  ...command.options,
  ...GENERAL,
  ...command.options,
});

/** `--quiet` of the commands that show how far they are. */
export const QUIET = {
  quiet: { alias: 'q', type: 'boolean', describe: 'No progress on the console', group: GROUP.general },
} as const satisfies Record<string, Options>;

/** `--max-unpacked` of the commands that read dumps. */
export const MAX_UNPACKED = {
  'max-unpacked': {
    type: 'number',
    requiresArg: true,
    coerce: gigabytes,
    describe: 'Refuse a compressed dump that unpacks to more than so many GB (256)',
    group: GROUP.general,
  },
} as const satisfies Record<string, Options>;

/** What the commands take that read a dump which is named. */
export const READING = {
  member: {
    type: 'string',
    requiresArg: true,
    describe: 'Of an archive with several dumps, the one with this name',
    group: GROUP.general,
  },
  ...MAX_UNPACKED,
  ...QUIET,
} as const satisfies Record<string, Options>;

/** The word that every command on one dump begins with. */
export const DUMP = {
  describe: 'The dump: MEMORY.DMP, or one in a .gz, .xz, .zst, .zip or .7z',
  kind: 'required',
} as const;

/** The address that some commands are about. */
export const ADDRESS = {
  describe: 'ffffda0ff9791010, with 0x, or with a backquote in quotes',
  kind: 'required',
} as const;

/** `--json` of a command. */
export const jsonOption = (describe: string) =>
  ({ type: 'boolean', describe, group: GROUP.output }) as const satisfies Options;

/** `--out FOLDER` of the commands that write pages. */
export const outOption = (describe: string) =>
  ({ type: 'string', requiresArg: true, describe, group: GROUP.output }) as const satisfies Options;

/** `--metrics FILE`. */
export const METRICS = {
  type: 'string',
  requiresArg: true,
  describe: 'Also write counts to this file, as OpenMetrics text (docs/monitoring.md)',
  group: GROUP.output,
} as const satisfies Options;

/** `--follow-links`. */
export const FOLLOW_LINKS = {
  type: 'boolean',
  describe: 'Follow links in folders also where they lead out of them',
  group: GROUP.what,
} as const satisfies Options;

/** `--pooltag FILE`. */
export const POOLTAG = {
  type: 'array',
  string: true,
  requiresArg: true,
  describe: 'A pooltag.txt that describes tags; may be given several times. Without it the one of the debugger, if any',
  group: GROUP.what,
} as const satisfies Options;

/** `--images DIR`. */
export const IMAGES = {
  type: 'array',
  string: true,
  requiresArg: true,
  describe:
    'A folder of driver files (a copy of System32\\drivers, a symbol store with images) for pages that the dump lacks; may be given several times',
  group: GROUP.what,
} as const satisfies Options;

/** Files of known leaks. */
export const KNOWN_ISSUES = {
  type: 'array',
  string: true,
  requiresArg: true,
  describe: 'A YAML file of known leaks (docs/known-issues.md), beside the built-in ones; may be given several times',
  group: GROUP.what,
} as const satisfies Options;

/** Reads `--top N`; the error is for the user. */
export function rowCount(value: unknown): number {
  const count = Number(value);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error('--top wants a number of rows, 1 or more');
  return count;
}

/** `--top N`. */
export const TOP = {
  type: 'number',
  requiresArg: true,
  coerce: rowCount,
  describe: 'Rows in the tables of tags',
  group: GROUP.output,
} as const satisfies Options;
