/** Files that appear whole or not at all, also when the power fails. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRunning, removeLeft } from '../../parsers/bytes/processes.js';

const PREFIX = '.dumpleak-batch-';

/** Writes parts under a temporary name in the same folder, then renames. Throws the platform's error. */
export function replaceFile(path: string, parts: Iterable<string | Uint8Array>): void {
  keepFile(writeTemporaryFile(dirname(path), parts), path);
}

/** Writes parts into a folder, under a name that counts for nothing. Gives its path. Throws the platform's error. */
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
    rmSync(path, { force: true });
    throw error;
  }
  return path;
}

/** Gives a temporary file the name in its folder that it was written for, once it is on the disk. Throws the platform's error. */
export function keepFile(temporary: string, path: string): void {
  try {
    const file = openSync(temporary, 'r+');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
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
