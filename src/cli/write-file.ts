/** Files that a command writes: completely or not at all, never over a file that is being read. */

import { lstatSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError } from './errors.js';

/**
 * Finds out early whether a file can be written, so that nobody waits for an analysis whose report has nowhere to go.
 * Leaves nothing behind. Throws FileError.
 */
export function checkWritable(path: string): void {
  const target = targetOf(path);
  if (target.special) return;
  try {
    const probe = temporaryName(target.path);
    writeFileSync(probe, '', { flag: 'wx' });
    rmSync(probe);
  } catch (error) {
    throw asFileError(error, path);
  }
}

/**
 * Writes a file in UTF-8: under a temporary name in the same folder, then renamed, so that no reader ever sees half of
 * it and an older one stays when something fails. Throws FileError.
 */
export function writeWhole(path: string, text: string): void {
  const target = targetOf(path);
  const temporary = temporaryName(target.path);
  try {
    if (target.special) {
      writeFileSync(path, text);
      return;
    }
    writeFileSync(temporary, text, { flag: 'wx' });
    renameSync(temporary, target.path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw asFileError(error, path);
  }
}

/** Creates a folder, and those above it, where there is none. Throws FileError. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const isFile = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw isFile ? new FileError(`${path} is a file, not a folder`) : asFileError(error, path);
  }
}

/** Whether both paths lead to one file, whatever links are on the way. */
export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [stats(one), stats(other)];
  return first !== null && second !== null && first.dev === second.dev && first.ino === second.ino && first.ino !== 0n;
}

/** Where writing ends up: behind a link, and whether it is a device or a pipe, which nothing may be renamed over. */
function targetOf(path: string): { path: string; special: boolean } {
  const found = stats(path);
  if (found === null) return { path, special: false };
  if (found.isDirectory()) throw new FileError(`${path} is a folder: give the name of a file`);
  if (!found.isFile()) return { path, special: true };
  return { path: lstatSync(path).isSymbolicLink() ? realpathSync(path) : path, special: false };
}

function stats(path: string): (Omit<Stats, 'dev' | 'ino'> & { dev: bigint; ino: bigint }) | null {
  try {
    return statSync(path, { bigint: true }) as unknown as ReturnType<typeof stats>;
  } catch {
    return null;
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.dumpleak-${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
}

/** The sentence for an error of the platform; passes other errors through. */
function asFileError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = REASONS[code];
  return why === undefined ? error : new FileError(`${path} cannot be written: ${why}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'access denied. Name a file in a folder of your own',
  EPERM: 'access denied, or the file is open in another program',
  EROFS: 'the disk is read-only',
  EBUSY: 'it is in use by another program',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  ENAMETOOLONG: 'the name is too long',
  EINVAL: 'the name is not valid',
};
