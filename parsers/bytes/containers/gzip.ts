/** gzip (`.dmp.gz`), by the platform's own decompressor. */

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { pour, type Container } from './unpack.js';

export const gzip: Container = {
  name: 'gzip',
  matches: (head) => head[0] === 0x1f && head[1] === 0x8b,
  async unpack(path, fileBytes, options) {
    const input = createReadStream(path, { highWaterMark: 1 << 20 });
    const unpacker = createGunzip({ chunkSize: 1 << 20 });
    input.on('error', (error) => unpacker.destroy(error));
    try {
      const poured = await pour(path, input.pipe(unpacker), options, () => [input.bytesRead, fileBytes]);
      return { ...poured, member: null };
    } finally {
      input.destroy();
    }
  },
};
