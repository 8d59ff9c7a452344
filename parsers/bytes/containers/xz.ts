/** xz (`.dmp.xz`). */

import { createReadStream } from 'node:fs';
import { InputError } from '../input-error.js';
import { isXz, unxz, XzError } from '../xz.js';
import { pour, type Container } from './unpack.js';

export const xz: Container = {
  name: 'xz',
  matches: isXz,
  async unpack(path, fileBytes, options) {
    const input = createReadStream(path, { highWaterMark: 1 << 18 });
    try {
      const poured = await pour(path, known(path, unxz(input)), options, () => [input.bytesRead, fileBytes]);
      return { ...poured, member: null };
    } finally {
      input.destroy();
    }
  },
};

/** A sound file of a kind that is not read is no damage: it says what it is. */
async function* known(path: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    if (!(error instanceof XzError) || error.code !== 'not-supported') throw error;
    throw new InputError('not-supported', `${path}: ${error.message}: unpack it first (xz -dk, or 7-Zip)`);
  }
}
