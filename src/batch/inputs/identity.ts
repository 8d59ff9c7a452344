/**
 * Which dump a file is, by its bytes and not by its name. Reading a dump of many gigabytes as a whole would take longer
 * than analyzing it, so this is a hash of a sample: the size, the first and the last 64 KB, and 30 blocks of 64 KB between
 * them. The first block holds the header, with the time of the crash to 100 ns. Files up to 2 MB are hashed whole.
 * docs/batch.md says what that can and cannot tell.
 */

import { createHash } from 'node:crypto';
import { fileOffset } from '../../../parsers/addresses.js';
import type { ByteSource } from '../../../parsers/bytes/source.js';

const BLOCK = 1 << 16;
const BLOCKS = 32;
/** Bytes of the header that tell dumps apart: those of a 64-bit dump; a 32-bit one has 4096 and then its first page. */
const HEADER = 8192;

export interface Identity {
  /** 32 hexadecimal digits. */
  id: string;
  /** Of the header alone, likewise. */
  headerId: string;
}

/** Throws what reading the source throws. */
export function identify(source: ByteSource): Identity {
  const { byteLength } = source;
  const hash = createHash('sha256').update(`dumpleak content 1 ${byteLength}\n`);
  let headerId = hashOfHeader(new Uint8Array());
  const block = new Uint8Array(BLOCK);
  for (const [i, position] of positions(byteLength).entries()) {
    const count = source.read(fileOffset(position), block);
    hash.update(block.subarray(0, count));
    if (i === 0) headerId = hashOfHeader(block.subarray(0, Math.min(count, HEADER)));
  }
  return { id: hash.digest('hex').slice(0, 32), headerId };
}

/** The `headerId` alone. Throws what reading the source throws. */
export function headerIdOf(source: ByteSource): string {
  const header = new Uint8Array(HEADER);
  return hashOfHeader(header.subarray(0, source.read(fileOffset(0), header)));
}

const hashOfHeader = (header: Uint8Array): string =>
  createHash('sha256').update('dumpleak header 1\n').update(header).digest('hex').slice(0, 32);

/** Where the blocks of the sample begin, rising. */
function positions(byteLength: number): number[] {
  if (byteLength <= BLOCK * BLOCKS) {
    return Array.from({ length: Math.ceil(byteLength / BLOCK) }, (_, i) => i * BLOCK);
  }
  const last = byteLength - BLOCK;
  return Array.from({ length: BLOCKS }, (_, i) => Math.floor((last * i) / (BLOCKS - 1)));
}
