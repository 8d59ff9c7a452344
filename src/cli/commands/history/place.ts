/** What the commands of `dumpleak history` share: finding the history, saying what is wrong with it. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Options } from 'yargs';
import { printable } from '../../../../parsers/text-safety.js';
import { isHistoryError } from '../../../batch/journal/history-error.js';
import { journalPath, readHead } from '../../../batch/journal/journal.js';
import { FileError, UsageError } from '../../errors.js';
import { GROUP, jsonOption } from '../../options/options.js';
import { writeTo, type Host } from '../../terminal/output.js';

/** The word that each of them begins with. */
export const FOLDER = {
  describe: 'The folder of batch --out, or that of its history',
  kind: 'required',
} as const;

/** `--json` and `--csv`. */
export const FORMS = {
  json: jsonOption('Write JSON'),
  csv: { type: 'boolean', describe: 'Write a table for spreadsheets', group: GROUP.output },
} as const satisfies Record<string, Options>;

export interface Place {
  /** Folder of the history. */
  readonly history: string;
  /** Folder of the batch; null where only the history was named. */
  readonly out: string | null;
}

function placeOf(folder: string): Place {
  const path = resolve(folder);
  if (existsSync(journalPath(join(path, 'history')))) return { history: join(path, 'history'), out: path };
  if (existsSync(journalPath(path))) return { history: path, out: null };
  throw new FileError(`${folder} holds no history: name the folder that batch --out was given, or that of --history`);
}

/**
 * Finds the history and lets `use` work with it; what `use` notes goes to stderr. Throws UsageError, and FileError for a
 * history that is not there, is in use, or cannot be read or changed.
 */
export async function withHistory<T>(
  args: { readonly folder: string; readonly json?: boolean | undefined; readonly csv?: boolean | undefined },
  host: Host,
  use: (place: Place, notes: string[]) => Promise<T>,
): Promise<T> {
  if (args.json === true && args.csv === true) throw new UsageError('--json and --csv exclude each other');
  const place = placeOf(args.folder);
  try {
    // What is wrong with the journal is said before the database is begun.
    readHead(journalPath(place.history));
    const notes: string[] = [];
    const done = await use(place, notes);
    for (const note of notes) await writeTo(host.stderr, `dumpleak: ${printable(note)}\n`);
    return done;
  } catch (error) {
    if (isHistoryError(error)) throw new FileError(error.message);
    throw error;
  }
}
