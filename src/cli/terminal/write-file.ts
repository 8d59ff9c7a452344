/** Files that a command writes: completely or not at all, never over a file that is being read. */

import { closeSync, lstatSync, mkdirSync, openSync, realpathSync, renameSync, statSync, writeFileSync, type Stats } from 'node:fs'; // prettier-ignore
import { dirname, join, win32 } from 'node:path';
import { removeTemporary } from '../../../parsers/files/remove.js';
import { isHeld, renameAgainSync, type RenameHooks } from '../../../parsers/files/rename.js';
import { errorCode, writeErrorText } from '../../../parsers/files/system-errors.js';
import { FileError } from '../errors.js';

/**
 * Finds out early whether a file can be written, so that nobody waits for an analysis whose report has nowhere to go.
 * One that is there must let itself be opened for writing; it is not changed. Leaves nothing behind. Throws FileError.
 */
export function checkWritable(path: string, platform: NodeJS.Platform = process.platform): void {
  const target = targetOf(path);
  if (target.special) return;
  try {
    if (target.exists) closeSync(openSync(target.path, 'r+'));
    const probe = temporaryName(target.path);
    writeFileSync(probe, '', { flag: 'wx' });
    removeTemporary(probe);
  } catch (error) {
    throw asFileError(error, path, platform);
  }
}

/**
 * Writes a file in UTF-8: under a temporary name in the same folder, then renamed, so that no reader ever sees half of
 * it and an older one stays when something fails. Where another program does not let go of the older one, the text stays
 * beside it under the name `PATH.new`, so that nothing is lost, and the error says so. Throws FileError.
 */
export function writeWhole(path: string, text: string, hooks: RenameHooks<void> = {}): void {
  const target = targetOf(path);
  const temporary = temporaryName(target.path);
  try {
    if (target.special) {
      writeFileSync(path, text);
      return;
    }
    writeFileSync(temporary, text, { flag: 'wx' });
    renameAgainSync(temporary, target.path, hooks);
  } catch (error) {
    const beside = target.exists && isHeld(error) ? keepBeside(temporary, target.path) : null;
    removeTemporary(temporary);
    const known = asFileError(error, path);
    if (beside === null || !(known instanceof FileError)) throw known;
    throw new FileError(
      `${path} is open in another program and stays as it was; what was to be written is in ${beside}`,
    );
  }
}

/** The path under which a file that is written stays; null where it was not written, or cannot stay. */
function keepBeside(temporary: string, path: string): string | null {
  const beside = `${path}.new`;
  try {
    renameSync(temporary, beside);
    return beside;
  } catch {
    return null;
  }
}

/** Creates a folder, and those above it, where there is none. Throws FileError. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw errorCode(error) === 'EEXIST' ? new FileError(`${path} is a file, not a folder`) : asFileError(error, path);
  }
}

/** Whether both paths lead to one file, whatever links are on the way. */
export function isSameFile(one: string, other: string): boolean {
  const [first, second] = [stats(one), stats(other)];
  return first !== null && second !== null && first.dev === second.dev && first.ino === second.ino && first.ino !== 0n;
}

/** Where writing ends up: behind a link, and whether it is a device or a pipe, which nothing may be renamed over. */
function targetOf(path: string): { path: string; special: boolean; exists: boolean } {
  const found = stats(path);
  if (found === null) {
    if (isLoop(path)) throw new FileError(`${path} cannot be written: its links lead round in a circle`);
    return { path, special: false, exists: false };
  }
  if (found.isDirectory()) throw new FileError(`${path} is a folder: give the name of a file`);
  if (!found.isFile()) return { path, special: true, exists: true };
  return { path: lstatSync(path).isSymbolicLink() ? realpathSync(path) : path, special: false, exists: true };
}

function isLoop(path: string): boolean {
  try {
    statSync(path);
  } catch (error) {
    return errorCode(error) === 'ELOOP';
  }
  return false;
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
function asFileError(error: unknown, path: string, platform = process.platform): unknown {
  const code = errorCode(error) ?? '';
  // Windows says of a name that cannot be that there is no such file.
  const badName = platform === 'win32' && code === 'ENOENT' && NO_NAME.test(win32.basename(path));
  const why = badName ? 'no name on Windows has one of < > : " | ? * in it' : writeErrorText(error);
  return why === null ? error : new FileError(`${path} cannot be written: ${why}`);
}

const NO_NAME = /[<>:"|?*]/;
