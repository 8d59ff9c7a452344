/** Where the body of an answer goes: a file or memory, and what is undone on the way. */

import { open, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Writable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { printable } from '../../../parsers/text-safety.js';
import { HttpFailure } from './http-failure.js';
import { errorText } from '../../../parsers/files/system-errors.js';

/** An error on this side of the download, of the disk, in an envelope on its way through the stream: `cause` is thrown on. */
export class TargetError extends Error {
  constructor(override readonly cause: unknown) {
    super('the target failed');
  }
}

/** Writes to the existing file that `target` names. Throws TargetError; later errors are HttpFailures. */
export async function fileSink(target: () => Promise<string>): Promise<Writable> {
  let path: string;
  let file: FileHandle;
  try {
    path = await target();
    file = await open(path, 'r+');
  } catch (error) {
    throw new TargetError(error);
  }
  // The disk's errors have the same codes as the network's: told apart here.
  const failed = (error: unknown): HttpFailure => new HttpFailure('local', `${path}: ${errorText(error)}`);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      writeAll(file, chunk).then(
        () => {
          done();
        },
        (error: unknown) => {
          done(failed(error));
        },
      );
    },
    destroy(error, done) {
      file.close().then(
        () => {
          done(error);
        },
        (closing: unknown) => {
          done(error ?? failed(closing));
        },
      );
    },
  });
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

/** Collects the body. */
export function memorySink(parts: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk);
      done();
    },
  });
}

/** Undoes what the server did to the bytes on the way, although it was asked not to. */
export function decoders(response: IncomingMessage, url: URL): Transform[] {
  const encodings = (response.headers['content-encoding'] ?? '').split(',').map((name) => name.trim().toLowerCase());
  return encodings
    .filter((name) => name !== '' && name !== 'identity')
    .reverse()
    .map((name) => {
      if (name === 'gzip' || name === 'x-gzip') return createGunzip();
      if (name === 'deflate') return createInflate();
      if (name === 'br') return createBrotliDecompress();
      throw new HttpFailure('refused', `${url.host} sends an encoding that was not asked for: ${printable(name)}`);
    });
}
