/** xz streams (`.json.xz`, `.dmp.xz`), decompressed by XZ Embedded compiled to WebAssembly; it is loaded when it is needed. */

import { Thrown } from './failure.js';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];

/** Why a stream was not decompressed; `not-supported` is a sound one of a kind that is not read here. */
export class XzError extends Thrown<'corrupt' | 'short-file' | 'not-supported'> {
  override readonly name = 'XzError';
}

/** What the decompressor's error codes mean (`enum xz_ret`); the others stand for damage. */
const CODES: Readonly<Record<string, readonly [XzError['code'], string]>> = {
  2: ['not-supported', 'its check is of a kind that is not supported'],
  3: ['not-supported', 'there is not enough memory for its dictionary'],
  4: ['not-supported', 'its dictionary is larger than 64 MB'],
  6: ['not-supported', 'its check (SHA-256?) or its filter is not supported'],
  8: ['short-file', 'the xz data ends early'],
};
const DAMAGED: readonly [XzError['code'], string] = ['corrupt', 'the xz data is damaged'];

/** True for the first bytes of an xz file. */
export const isXz = (head: Uint8Array): boolean => MAGIC.every((byte, i) => head[i] === byte);

/**
 * The decompressed bytes, piece by piece: how many there may be is up to who reads them. Memory is bounded: dictionaries
 * past 64 MB are refused. Throws XzError for bad data; errors of `input` are passed on.
 */
export async function* unxz(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: xz } = await import('xz-decompress');
  const watched = new Watched();
  try {
    for await (const piece of new xz.XzReadableStream(ReadableStream.from(watched.of(input)))) {
      if (piece.length > 0) yield piece;
    }
  } catch (error) {
    throw watched.failure ?? explained(error, watched.isEmpty);
  }
}

/** Keeps what the decompressor does not tell: errors of its input, and that there was none. */
class Watched {
  failure: Error | null = null;
  isEmpty = true;

  async *of(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of input) {
        if (piece.length === 0) continue;
        this.isEmpty = false;
        yield piece;
      }
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

function explained(error: unknown, isEmpty: boolean): unknown {
  const code = isEmpty ? '8' : /error code (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  return code === undefined ? error : new XzError(...(CODES[code] ?? DAMAGED));
}
