/**
 * One compressed file decompressed in a process of its own, for the benchmark to measure: `containers-steps.js keep|nowhere
 * gzip|zstd|xz FILE` prints the bytes that came out. `keep` makes them readable as a command does, `nowhere` drops them.
 */

import { Decompress } from 'fzstd';
import { createReadStream } from 'node:fs';
import * as zlib from 'node:zlib';
import xzDecompress from 'xz-decompress';
import { openFile } from '../../parsers/bytes/containers/containers.js';

const [step = '', name = '', path = ''] = process.argv.slice(2);
process.stdout.write(String(await (step === 'keep' ? keep() : nowhere())));

async function keep(): Promise<number> {
  const { source, damage } = await openFile(path);
  if (damage !== null) throw new Error(damage);
  source.close();
  return source.byteLength;
}

/** By the same decompressor, as its own documentation uses it. */
async function nowhere(): Promise<number> {
  const input = createReadStream(path, { highWaterMark: 1 << 20 });
  let bytes = 0;
  const drop = (chunk: Uint8Array): void => {
    bytes += chunk.length;
  };
  const native = (zlib as { createZstdDecompress?: typeof zlib.createGunzip }).createZstdDecompress;
  if (name === 'xz') {
    for await (const chunk of new xzDecompress.XzReadableStream(ReadableStream.from(input))) drop(chunk);
  } else if (name === 'zstd' && native === undefined) {
    const unpacker = new Decompress(drop);
    for await (const chunk of input as AsyncIterable<Uint8Array>) unpacker.push(chunk);
  } else {
    const unpacker = (name === 'gzip' ? zlib.createGunzip : (native ?? zlib.createGunzip))({ chunkSize: 1 << 20 });
    for await (const chunk of input.pipe(unpacker) as AsyncIterable<Uint8Array>) drop(chunk);
  }
  return bytes;
}
