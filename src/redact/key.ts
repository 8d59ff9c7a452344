/** The key of pseudonyms: given as a text or a file, made for one run, or kept in a folder for all runs over it. */

import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asInputError } from '../../parsers/bytes/file-source.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { readRegularFile } from '../../parsers/files/regular-file.js';
import { errorCode } from '../../parsers/files/system-errors.js';

/** Shorter keys can be tried out. */
const LEAST_BYTES = 8;
const MOST_BYTES = 65_536;
/** The file of a folder's key. */
export const KEY_FILE = 'redact.key';

/** A key for one run: its pseudonyms agree with those of no other. */
export function randomKey(): Uint8Array {
  return randomBytes(32);
}

/**
 * The contents of the file of that name, without blanks at the ends; where there is no such file, the text itself. Throws
 * InputError for a file that cannot be read, and for a key that is too short or too long.
 */
export function readKey(given: string): Uint8Array {
  const isFile = namesFile(given);
  const key = isFile ? trimmed(readFile(given)) : Buffer.from(given);
  if (key.length >= LEAST_BYTES && key.length <= MOST_BYTES) return key;
  const what = isFile ? `${given}: the key in it` : 'the key';
  throw new InputError('corrupt', `${what} has ${key.length} bytes; it must have ${LEAST_BYTES} to ${MOST_BYTES}`);
}

/** The key of a folder, made at the first time. Throws InputError when it cannot be read or written. */
export function folderKey(folder: string): Uint8Array {
  const path = join(folder, KEY_FILE);
  try {
    writeFileSync(path, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asInputError(error, path);
  }
  return readKey(path);
}

/** Whether something to read stands there; a folder may be called like a key that is a text. What cannot be looked at is told by reading it. */
function namesFile(given: string): boolean {
  try {
    const stats = statSync(given, { throwIfNoEntry: false });
    return stats !== undefined && !stats.isDirectory();
  } catch (error) {
    // A text may be no path at all: too long, or with a file as a folder of it.
    return ['EACCES', 'ELOOP'].includes(errorCode(error) ?? '');
  }
}

function readFile(path: string): Buffer {
  try {
    return readRegularFile(path, MOST_BYTES);
  } catch (error) {
    throw asInputError(error, path);
  }
}

/** Editors end a file with a line feed, which is no part of a key. */
function trimmed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').trim(), 'latin1');
}
