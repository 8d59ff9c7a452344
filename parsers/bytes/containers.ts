/** Files that wrap a dump: recognised by their first bytes, unpacked so that the dump can be read at any position. */

import { createReadStream } from 'node:fs';
import { constants, createGunzip } from 'node:zlib';
import { fileOffset } from '../addresses.js';
import { BlockStore } from './block-store.js';
import { asInputError, FileSource } from './file-source.js';
import { InputError } from './input-error.js';
import type { ByteSource } from './source.js';

/** Called now and then with the bytes of the compressed file that are done, and its size. */
export type Progress = (done: number, total: number) => void;

/** A dump's bytes, whatever they came wrapped in. */
export interface OpenedFile {
  readonly source: ByteSource;
  /** Bytes of the file on disk. */
  readonly fileBytes: number;
  readonly container: 'gzip' | null;
  /** What was wrong with the wrapping; the bytes up to there are good. */
  readonly damage: string | null;
}

/** Most bytes that a compressed file may unpack to: the largest dump that Windows can write is near this. */
const LARGEST_UNPACKED = 32 * 2 ** 40;

/** Opens a file and unwraps it. Throws InputError when it cannot be opened or holds nothing that can be unpacked. */
export async function openFile(path: string, progress?: Progress): Promise<OpenedFile> {
  const file = new FileSource(path);
  const head = new Uint8Array(8);
  try {
    file.read(fileOffset(0), head);
  } catch (error) {
    file.close();
    throw error;
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    return { source: file, fileBytes: file.byteLength, container: null, damage: null };
  }
  const fileBytes = file.byteLength;
  file.close();
  return { ...(await gunzip(path, fileBytes, progress)), fileBytes, container: 'gzip' };
}

async function gunzip(
  path: string,
  total: number,
  progress?: Progress,
): Promise<{ source: ByteSource; damage: string | null }> {
  const store = new BlockStore(path);
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  const unpacker = createGunzip({ chunkSize: 1 << 20 });
  let damage: string | null = null;
  input.on('error', (error) => unpacker.destroy(error));
  try {
    for await (const chunk of input.pipe(unpacker) as AsyncIterable<Uint8Array>) {
      store.append(chunk);
      progress?.(input.bytesRead, total);
      if (store.byteLength > LARGEST_UNPACKED) {
        throw new InputError('too-large', `${path} unpacks to more than any dump can be`);
      }
    }
  } catch (error) {
    const number = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
    const isZlib = number === constants.Z_BUF_ERROR || number === constants.Z_DATA_ERROR;
    if (!isZlib || store.byteLength === 0) {
      store.close();
      input.destroy();
      if (isZlib) throw new InputError('corrupt', `${path}: the gzip stream is damaged from its start`);
      throw asInputError(error, path);
    }
    damage =
      number === constants.Z_BUF_ERROR
        ? `the gzip stream ends early: ${store.byteLength} bytes of the dump could be unpacked`
        : `the gzip stream is damaged: ${store.byteLength} bytes of the dump could be unpacked`;
  }
  store.finish();
  return { source: store, damage };
}
