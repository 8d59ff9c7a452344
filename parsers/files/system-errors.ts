/** What the platform says of a file that it cannot open, read or write, in words for people. */

import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

/** The platform's code of an error such as `ENOENT`, or null. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'access denied',
  EEXIST: 'something else is there',
  EPERM: 'access denied',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  EBUSY: 'in use by another program',
  ETXTBSY: 'in use by another program',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'no space left on the disk',
  EROFS: 'the disk is read-only',
  EIO: 'the disk or the network reported an error',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its links lead round in a circle',
  EMFILE: 'too many files are open: the limit of the process is used up (ulimit -n)',
  ENFILE: 'too many files are open: the limit of the system is used up',
};

/** Those that mean something else of a file that is to be written. */
const REASONS_TO_WRITE: Readonly<Record<string, string>> = {
  ...REASONS,
  ENOENT: 'there is no such folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'access denied. Name a file in a folder of your own',
  EPERM: 'access denied, or the file is open in another program',
  ETXTBSY: 'it is a program that runs',
  EISDIR: 'it is a folder',
  EINVAL: 'the name is not valid',
};

/** The platform's error as a short phrase: `access denied`, not a stack. */
export function errorText(error: unknown): string {
  const reason = REASONS[errorCode(error) ?? ''];
  return reason ?? (error instanceof Error ? error.message : String(error));
}

/** A part of the program that is there and was not found: the engine hides so that no more files can be opened. */
export function isHiddenOutOfFiles(error: unknown): boolean {
  if (errorCode(error) !== 'ERR_MODULE_NOT_FOUND' || !(error instanceof Error)) return false;
  const path = /^Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1];
  if (path === undefined || !isAbsolute(path)) return false;
  // Of a package whose description could not be opened, the file that is named is a guess.
  return existsSync(path) || existsSync(join(dirname(path), 'package.json'));
}

/** The same of a file that is to be written; null for an error that is none of the platform's. */
export function writeErrorText(error: unknown): string | null {
  return REASONS_TO_WRITE[errorCode(error) ?? ''] ?? null;
}
