/** A file on disk as a ByteSource: positional reads, never mapped, never read whole. */

import { closeSync, readSync } from 'node:fs';
import type { FileOffset } from '../addresses.js';
import { openRegularFile } from '../files/regular-file.js';
import { errorCode, errorText } from '../files/system-errors.js';
import { InputError } from './input-error.js';
import type { ByteSource } from './source.js';

/** Longest single read passed to the platform, in bytes: well under its limit of 2^31 - 1. */
const LONGEST_READ = 1 << 28;

/** Reads from a file at any position, also beyond 2^32. */
export class FileSource implements ByteSource {
  readonly byteLength: number;
  private readonly descriptor: number;

  /** Opens `name` for reading. Throws InputError when it cannot be opened or is no regular file. */
  constructor(readonly name: string) {
    try {
      ({ descriptor: this.descriptor, byteLength: this.byteLength } = openRegularFile(name));
    } catch (error) {
      throw asInputError(error, name);
    }
  }

  read(position: FileOffset, target: Uint8Array): number {
    if (position < 0) return 0;
    let done = 0;
    while (done < target.length) {
      const length = Math.min(LONGEST_READ, target.length - done);
      const count = this.readOnce(target, done, length, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private readOnce(target: Uint8Array, offset: number, length: number, position: number): number {
    try {
      return readSync(this.descriptor, target, offset, length, position);
    } catch (error) {
      throw asInputError(error, this.name);
    }
  }
}

/** Turns an error of the platform into one line that says what to do; passes other errors through. */
export function asInputError(error: unknown, path: string): unknown {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new InputError('not-found', `${path}: no such file`);
    case 'EISDIR':
      return new InputError('is-folder', `${path} is a folder, not a file`);
    case 'EACCES':
    case 'EPERM':
      return new InputError(
        'access-denied',
        `${path}: access denied. Run from an elevated prompt, or copy the file to a folder of your own first`,
      );
    case 'EBUSY':
    case 'ETXTBSY':
      return new InputError(
        'in-use',
        `${path} is in use by another program (Windows may still be writing it). Wait until it is done, or copy the file`,
      );
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return new InputError('not-found', `${path}: ${errorText(error)}`);
    case 'EMFILE':
    case 'ENFILE':
      return new InputError('io', `${path} cannot be opened: ${errorText(error)}`);
    case 'EAGAIN':
    case 'EIO':
    case 'ENXIO':
      return new InputError('io', `${path}: the disk or the network reported a read error`);
    default:
      return error;
  }
}
