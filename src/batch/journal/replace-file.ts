/** Files that appear whole or not at all, also when the power fails. */

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRunning, removeLeft } from '../../../parsers/bytes/processes.js';
import { removeTemporary } from '../../../parsers/files/remove.js';
import { isHeld, renameAgainSync, type RenameHooks } from '../../../parsers/files/rename.js';
import { errorCode } from '../../../parsers/files/system-errors.js';
import { HistoryError } from './history-error.js';

const PREFIX = '.dumpleak-batch-';

/**
 * Writes parts under a temporary name in the same folder, then renames. Throws HistoryError (`not-replaced`) where another
 * program does not let go of the file, else the platform's error, with `path` in it.
 */
export function replaceFile(path: string, parts: Iterable<string | Uint8Array>, hooks?: RenameHooks<void>): void {
  let temporary: string;
  try {
    temporary = writeTemporaryFile(dirname(path), parts);
  } catch (error) {
    throw about(path, error);
  }
  keepFile(temporary, path, hooks);
}

/** Writes parts into a folder, under a name that counts for nothing. Gives its path. Throws the platform's error, with the folder in it. */
export function writeTemporaryFile(folder: string, parts: Iterable<string | Uint8Array>): string {
  const path = join(folder, `${PREFIX}${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
  try {
    const file = openSync(path, 'wx');
    try {
      for (const part of parts) writeAll(file, typeof part === 'string' ? Buffer.from(part) : part);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    removeTemporary(path);
    throw about(folder, error);
  }
  return path;
}

/** Gives a temporary file the name in its folder that it was written for, once it is on the disk. Throws as `replaceFile` does. */
export function keepFile(temporary: string, path: string, hooks?: RenameHooks<void>): void {
  try {
    const file = openSync(temporary, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameAgainSync(temporary, path, hooks);
  } catch (error) {
    removeTemporary(temporary);
    if (!isHeld(error)) throw about(path, error);
    throw new HistoryError(
      'not-replaced',
      `${path} could not be replaced: it is open in another program, or access to it is denied`,
    );
  }
  syncFolder(dirname(path));
}

/** The error of a platform that speaks of a temporary file, of the file that it was to become. */
function about(path: string, error: unknown): unknown {
  return errorCode(error) === null ? error : Object.assign(error as Error, { path });
}

/** Writes all bytes at the file's position, or at `position`. */
export function writeAll(file: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

/** Makes a new name in a folder last. Platforms that cannot open folders (Windows) do so by themselves. */
export function syncFolder(folder: string): void {
  let file: number;
  try {
    file = openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(file);
  } catch {
    // Some file systems of networks cannot; the file itself was synced.
  } finally {
    closeSync(file);
  }
}

/** Removes what processes that are gone have left in a folder, as far as the platform lets it. */
export function removeTemporaryFiles(folder: string): void {
  try {
    removeLeft(folder, PREFIX, (pid) => pid !== process.pid && isRunning(pid));
  } catch {
    // They count for nothing; the next batch tries again.
  }
}
