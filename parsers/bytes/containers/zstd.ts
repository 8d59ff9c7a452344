/** Zstandard (`.dmp.zst`): the platform's decompressor where this Node has one, else a slower one in JavaScript. */

import { Decompress } from 'fzstd';
import { createReadStream, type ReadStream } from 'node:fs';
import * as zlib from 'node:zlib';
import { pour, type Container, type Flow } from './unpack.js';
import { ZstdFrames } from './zstd-frames.js';

export const zstd: Container = {
  name: 'zstd',
  matches: (head) => head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd,
  async unpack(path, fileBytes, options) {
    const input = createReadStream(path, { highWaterMark: 1 << 18 });
    try {
      const poured = await pour(path, decompress(input), options, () => [input.bytesRead, fileBytes]);
      return { ...poured, member: null };
    } finally {
      input.destroy();
    }
  },
};

/** zlib.createZstdDecompress exists from Node 22.15 on. */
function decompress(input: ReadStream): Flow {
  const native = (zlib as { createZstdDecompress?: (options: object) => NodeJS.ReadWriteStream }).createZstdDecompress;
  if (native === undefined) return (take) => inJavaScript(input, take);
  return (take) => byEngine(input, native({ chunkSize: 1 << 20 }), take);
}

/** Node 22 takes a file that was cut for whole, and Node 24 does not: it is looked at here for both. */
async function byEngine(
  input: ReadStream,
  unpacker: NodeJS.ReadWriteStream,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const frames = new ZstdFrames();
  input.on('error', (error) => unpacker.emit('error', error));
  input.on('data', (chunk) => {
    frames.push(chunk as Buffer);
  });
  for await (const chunk of input.pipe(unpacker) as unknown as AsyncIterable<Uint8Array>) take(chunk);
  if (!frames.isWhole) throw Object.assign(new Error('unexpected end of file'), { errno: zlib.constants.Z_BUF_ERROR });
}

/** Hands on each block as it comes: the blocks of one piece of the file may be gigabytes, or a million empty ones. */
async function inJavaScript(input: ReadStream, take: (chunk: Uint8Array) => void): Promise<void> {
  const unpacker = new Decompress(take);
  for await (const chunk of input as AsyncIterable<Uint8Array>) unpacker.push(chunk);
  unpacker.push(new Uint8Array(0), true);
}
