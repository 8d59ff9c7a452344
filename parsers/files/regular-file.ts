/**
 * Opening what a user names. Only regular files are read: a pipe or a device may block the process for good, deliver
 * without end, or act when it is opened.
 */

import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { InputError } from '../bytes/input-error.js';

/** Never waits: also for what became a pipe between looking and opening. Windows has neither flag. */
const READ = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0) | ((constants.O_NOCTTY as number | undefined) ?? 0); // prettier-ignore

/** A file that is open for reading. Whoever has it closes the descriptor. */
export interface RegularFile {
  readonly descriptor: number;
  readonly byteLength: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
}

/**
 * Opens a regular file, also through links. Throws InputError for a folder, a pipe, a device or a socket, which is not
 * opened, and the platform's error.
 */
export function openRegularFile(path: string): RegularFile {
  refuseOthers(statSync(path), path);
  const descriptor = openSync(path, READ);
  try {
    const stats = fstatSync(descriptor);
    refuseOthers(stats, path);
    return { descriptor, byteLength: stats.size, mtimeMs: stats.mtimeMs };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The bytes of a regular file. Throws InputError as `openRegularFile` does and for more than `most` bytes, and the platform's error. */
export function readRegularFile(path: string, most = Infinity): Buffer {
  const { descriptor, byteLength } = openRegularFile(path);
  try {
    if (byteLength > most) {
      throw new InputError('too-large', `${path}: ${byteLength} bytes; at most ${most} are read`);
    }
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What stands at a path that is neither file nor folder, as `a pipe`; null for a file or a folder. */
export function specialKind(stats: Pick<Stats, 'isFile' | 'isDirectory' | 'isFIFO' | 'isSocket'>): string | null {
  if (stats.isFile() || stats.isDirectory()) return null;
  return stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device';
}

function refuseOthers(stats: Stats, path: string): void {
  if (stats.isFile()) return;
  const kind = specialKind(stats);
  if (kind === null) throw new InputError('is-folder', `${path} is a folder, not a file`);
  throw new InputError('not-a-dump', `${path} is ${kind}, not a regular file: copy what it delivers to a file first`);
}
