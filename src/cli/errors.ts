/** Errors that end a command: which exit code each means, and the lines that it puts on stderr. */

import { errorCode, errorText, isHiddenOutOfFiles } from '../../parsers/files/system-errors.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { printable } from '../../parsers/text-safety.js';
import { VERSION } from '../version.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/**
 * A command line that makes no sense. The message is one line, without a full stop at its end. No failure of the one dialect:
 * nothing was read, it ends the command, and the exit code is all that programs see of it.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * A file named on the command line, other than the dump, that cannot be read or written. The message is one line. It ends the
 * command: what failed below has its code there, and nobody asks for it here.
 */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** An exit code and the text for stderr that goes with it, ended by a line feed. */
export interface Ending {
  code: ExitCode;
  text: string;
}

/**
 * How to end after an error. What comes from a command line or a file is made printable, so that no file name can act
 * on a terminal or add a line.
 *
 * @param command whose `--help` tells more; null for the program's own.
 * @param debug adds the stack of an internal error.
 */
export function endingOf(error: unknown, command: string | null, debug: boolean): Ending {
  if (error instanceof UsageError) {
    const help = command === null ? 'dumpleak --help' : `dumpleak ${command} --help`;
    return { code: EXIT.usage, text: `${line(error.message)}Try: ${help}\n` };
  }
  if (error instanceof InputError || error instanceof FileError) {
    return { code: EXIT.badInput, text: line(error.message) };
  }
  const platform = platformText(error);
  if (platform !== null) return { code: EXIT.badInput, text: line(platform) };
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = `dumpleak ${VERSION}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  const advice = debug ? 'please report it with these lines' : 'please report it with the lines that --debug adds';
  const stack = debug && error instanceof Error ? stackLines(error) : '';
  return { code: EXIT.internal, text: `${line(`internal error: ${what} (${where}); ${advice}`)}${stack}` };
}

/** Of these a program can do nothing; that a file is missing would rather be a mistake of its own. */
const PLATFORM = new Set(['EACCES', 'EPERM', 'EBUSY', 'ETXTBSY', 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ELOOP', 'EMFILE', 'ENFILE', 'ENAMETOOLONG', 'EEXIST', 'ENOTDIR']); // prettier-ignore

/** What the platform says of a file; null for any other error. */
function platformText(error: unknown): string | null {
  if (isHiddenOutOfFiles(error)) return errorText(Object.assign(new Error(), { code: 'EMFILE' }));
  if (!PLATFORM.has(errorCode(error) ?? '')) return null;
  const { path } = error as NodeJS.ErrnoException;
  return path === undefined ? errorText(error) : `${path}: ${errorText(error)}`;
}

const line = (message: string): string => `dumpleak: ${printable(message)}\n`;

function stackLines(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .map((text) => `${printable(text)}\n`)
    .join('');
}
