/**
 * A history without names of people and places. It is redacted as a whole or not at all: what is begun with `--redact`
 * stays so under the same key, and one that holds names takes no redacted lines.
 */

import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../parsers/files/regular-file.js';
import { folderKey, KEY_FILE } from '../redact/key.js';
import type { Redactor } from '../redact/redactor.js';
import { redactFailure } from '../redact/result.js';
import { placeText, type FailureEntry, type Place } from './inputs/entries.js';
import { HistoryError } from './journal/history-error.js';
import { journalPath, readJournal } from './journal/journal.js';
import { replaceFile } from './journal/replace-file.js';

/** Tells that a history is redacted, and by which key, without telling the key. */
const MARK = 'redact.id';

/**
 * The key of a history; null for one with names. `asked` is what the user wants: null for no redaction, a key, or
 * `own` for the history's own key, made at the first time. The caller holds the lock. Throws HistoryError where the history
 * is of another kind or another key, InputError or the platform's error where the key cannot be read or written.
 */
export function historyKey(folder: string, asked: Uint8Array | 'own' | null): Uint8Array | null {
  const path = join(folder, MARK);
  if (!existsSync(path)) {
    if (asked === null) return null;
    if (hasEntries(folder)) {
      throw new HistoryError(
        'other-key',
        `${folder} was begun without --redact and holds names: name another folder (--history)`,
      );
    }
    mkdirSync(folder, { recursive: true });
    const key = asked === 'own' ? folderKey(folder) : asked;
    replaceFile(path, [`${markOf(key)}\n`]);
    return key;
  }
  if (asked instanceof Uint8Array || existsSync(join(folder, KEY_FILE))) {
    const key = asked instanceof Uint8Array ? asked : folderKey(folder);
    if (markOf(key) === readRegularFile(path).toString('latin1').trim()) return key;
    throw new HistoryError('other-key', `${folder} was redacted under another key: give that one with --redact-key`);
  }
  throw new HistoryError(
    'other-key',
    `${folder} was redacted under a key that is not kept there: give it with --redact-key`,
  );
}

/** What tells a key without giving it away. */
export const markOf = (key: Uint8Array): string => createHmac('sha256', key).update('dumpleak history').digest('hex');

function hasEntries(folder: string): boolean {
  for (const { line } of readJournal(journalPath(folder))) if (line?.kind !== 'journal') return true;
  return false;
}

/** Where a dump lies, without names. */
export function redactPlace({ path, member }: Place, redactor: Redactor | null): Place {
  if (redactor === null) return { path, member };
  return { path: redactor.file('dump', path), member: member === null ? null : redactor.file('file', member) };
}

/** The name of an archive's member, as it stands in an identity. */
export function redactMember(member: string, redactor: Redactor | null): string {
  return redactor === null ? member : redactor.file('file', member);
}

/** Why a file could not be read, without names. */
export function redactError(
  place: Place,
  error: FailureEntry['error'],
  redactor: Redactor | null,
): FailureEntry['error'] {
  if (redactor === null) return error;
  const files = place.member === null ? [] : [place.path, place.member];
  return redactFailure({ dump: { path: placeText(place) }, error }, redactor, files).error;
}
