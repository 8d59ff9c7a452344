/** What the commands of `dumpleak history` share: finding the history, in a folder or on a server; saying what is wrong with it. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Options } from 'yargs';
import { printable } from '../../../../parsers/text-safety.js';
import { isHistoryError } from '../../../batch/journal/history-error.js';
import { journalPath, readHead } from '../../../batch/journal/journal.js';
import type { SharedHistory } from '../../../batch/store/server/shared-history.js';
import { FileError, UsageError } from '../../errors.js';
import { GROUP, jsonOption } from '../../options/options.js';
import { namesStore, STORE, storeOf, type StoreArguments } from '../../options/store-options.js';
import { writeTo, type Host } from '../../terminal/output.js';

/** The word that each of them begins with; with --store there is none. */
export const FOLDER = {
  describe: 'The folder of batch --out, or that of its history; none with --store',
  kind: 'optional',
} as const;

/** `--json` and `--csv`, and where the history is. */
export const FORMS = {
  json: jsonOption('Write JSON'),
  csv: { type: 'boolean', describe: 'Write a table for spreadsheets', group: GROUP.output },
  ...STORE,
} as const satisfies Record<string, Options>;

/** A history in a folder. */
export interface Folder {
  readonly kind: 'folder';
  /** Folder of the history. */
  readonly history: string;
  /** Folder of the batch; null where only the history was named. */
  readonly out: string | null;
}

export type Place = Folder | { readonly kind: 'server'; readonly shared: SharedHistory };

/** What was given: the words in their order, the folder first where there is one. */
export interface Given extends StoreArguments {
  readonly words: readonly (string | undefined)[];
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
}

/** The history in a folder; null where it holds none. */
export function folderOf(folder: string): Folder | null {
  const path = resolve(folder);
  if (existsSync(journalPath(join(path, 'history'))))
    return { kind: 'folder', history: join(path, 'history'), out: path };
  if (existsSync(journalPath(path))) return { kind: 'folder', history: path, out: null };
  return null;
}

/** Whether the server counts: where it is only in the environment, a folder with a history comes first. */
function isOfServer(given: Given, first: string | undefined, env: Host['env']): boolean {
  if (given.store !== undefined || given['store-file'] !== undefined) return true;
  return namesStore(given, env) && (first === undefined || folderOf(first) === null);
}

/**
 * Finds the history and lets `use` work with it and with the words behind the folder; what `use` notes goes to stderr. Throws
 * UsageError, and FileError for a history that is not there, is in use, or cannot be read or changed.
 */
export async function withHistory<T>(
  given: Given,
  host: Host,
  use: (place: Place, words: string[], notes: string[]) => Promise<T>,
): Promise<T> {
  if (given.json === true && given.csv === true) throw new UsageError('--json and --csv exclude each other');
  const words = given.words.filter((word) => word !== undefined);
  const notes: string[] = [];
  let place: Place | null = null;
  try {
    if (isOfServer(given, words[0], host.env)) {
      place = await connect(given, host, notes);
    } else {
      const folder = words.shift();
      if (folder === undefined) throw new UsageError('name the folder of batch --out, or a server with --store');
      place = folderOf(folder);
      if (place === null) {
        throw new FileError(
          `${folder} holds no history: name the folder that batch --out was given, or that of --history`,
        );
      }
      // What is wrong with the journal is said before anything is begun.
      readHead(journalPath(place.history));
    }
    const done = await use(place, words, notes);
    for (const note of notes) await writeTo(host.stderr, `dumpleak: ${printable(note)}\n`);
    return done;
  } catch (error) {
    if (isHistoryError(error)) throw new FileError(error.message);
    throw error;
  } finally {
    if (place?.kind === 'server') await place.shared.close();
  }
}

async function connect(given: Given, host: Host, notes: string[]): Promise<Place> {
  const address = await storeOf(given, host.env);
  if (address === null) throw new UsageError('name a server with --store');
  notes.push(...address.notes);
  const { SharedHistory } = await import('../../../batch/store/server/shared-history.js');
  return { kind: 'server', shared: await SharedHistory.open(address) };
}

/** Throws UsageError for words that a command does not take. */
export function noMore(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`${words[0] ?? ''} is one word too many: with --store no folder is named`);
}
