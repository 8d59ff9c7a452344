/** Writes MSF 7.0 files: streams laid out in blocks, in order or scattered, with every number open to being wrong. */

import { alignUp, concat, latin1, putU32 } from '../bytes.js';
import { Prng } from '../prng.js';

export const MSF_MAGIC = 'Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0';
const NIL = 0xffffffff;

/** How the file is laid out. */
export interface MsfOptions {
  /** Bytes; default 4096. */
  readonly blockSize?: number;
  /** Scatters the blocks of streams over the file by this seed; default: each stream in one piece. */
  readonly scatter?: number;
}

/** The bytes of an MSF file with these streams; `null` is a stream that does not exist. */
export function writeMsf(streams: readonly (Uint8Array | null)[], options: MsfOptions = {}): Uint8Array {
  const blockSize = options.blockSize ?? 4096;
  const blocksOf = (bytes: number): number => Math.ceil(bytes / blockSize);
  const streamBlocks = streams.map((stream) => blocksOf(stream?.length ?? 0));
  const total = streamBlocks.reduce((sum, count) => sum + count, 0);
  const directoryBytes = 4 * (1 + streams.length + total);
  const directoryBlocks = blocksOf(directoryBytes);
  const mapBlocks = blocksOf(directoryBlocks * 4);

  // Blocks 1 and 2 of every interval of blockSize blocks belong to the free block maps.
  const free: number[] = [];
  for (let block = 3; free.length < total + directoryBlocks + mapBlocks; block++) {
    if (block % blockSize !== 1 && block % blockSize !== 2) free.push(block);
  }
  const blockCount = (free.at(-1) ?? 2) + 1;
  if (options.scatter !== undefined) {
    const prng = new Prng(options.scatter);
    for (let i = free.length - 1; i > 0; i--) {
      const j = prng.int(0, i);
      [free[i], free[j]] = [free[j] ?? 0, free[i] ?? 0];
    }
  }
  const file = new Uint8Array(blockCount * blockSize);
  let used = 0;
  const place = (bytes: Uint8Array): number[] => {
    const blocks = free.slice(used, used + blocksOf(bytes.length));
    used += blocks.length;
    blocks.forEach((block, i) => {
      file.set(bytes.subarray(i * blockSize, (i + 1) * blockSize), block * blockSize);
    });
    return blocks;
  };
  const words = (values: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(values.length * 4);
    values.forEach((value, i) => {
      putU32(bytes, i * 4, value);
    });
    return bytes;
  };
  const lists = streams.map((stream) => (stream === null ? [] : place(stream)));
  const sizes = streams.map((stream) => (stream === null ? NIL : stream.length));
  const directory = place(words([streams.length, ...sizes, ...lists.flat()]));
  const map = place(words(directory));
  file.set(latin1(MSF_MAGIC), 0);
  file.set(words([blockSize, 1, blockCount, directoryBytes, 0, ...map]), 0x20);
  return file;
}

/** A symbol or type record: length, kind, content, padded to 4 bytes. */
export function record(kind: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(alignUp(4 + content.length, 4));
  putU32(bytes, 0, (bytes.length - 2) | (kind << 16));
  bytes.set(content, 4);
  return bytes;
}

/** Lays fields end to end: `u16`, `u32`, text with its NUL, or bytes. */
export function fields(
  ...parts: readonly ({ u16: number } | { u32: number } | { text: string } | Uint8Array)[]
): Uint8Array {
  return concat(
    parts.map((part) => {
      if (part instanceof Uint8Array) return part;
      if ('text' in part) return latin1(`${part.text}\0`);
      const wide = new Uint8Array('u16' in part ? 2 : 4);
      if ('u16' in part) {
        wide[0] = part.u16 & 0xff;
        wide[1] = part.u16 >>> 8;
      } else putU32(wide, 0, part.u32);
      return wide;
    }),
  );
}
