/**
 * Writes .xz files as the format's description has them, by its simplest means: LZMA2 chunks that are not compressed.
 *
 * Stream header: FD 37 7A 58 5A 00, flags, CRC32 of the flags. One block: header (its size / 4 - 1, flags, filter 21h with one byte of
 * dictionary size, padding, CRC32), chunks, padding to 4, check. Index: 0, number of records, per record sizes without padding and of what
 * is unpacked, padding, CRC32. Footer: CRC32, index size / 4 - 1, flags, `YZ`.
 */

import { createHash } from 'node:crypto';
import { concat, putU32 } from '../bytes.js';

/** Kinds of check: the number in the stream flags, and how to compute it. */
const CHECKS = {
  none: { kind: 0, of: (): Uint8Array => new Uint8Array(0) },
  crc32: { kind: 1, of: (bytes: Uint8Array): Uint8Array => withCrc(bytes).subarray(bytes.length) },
  sha256: { kind: 10, of: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest() },
};

export interface XzSpec {
  readonly check?: keyof typeof CHECKS;
  /** The dictionary size as the format codes it; 24 is 16 MB, 30 is 128 MB. */
  readonly dictionary?: number;
}

/** One stream of one block that unpacks to `content`. */
export function makeXz(content: Uint8Array, { check = 'crc32', dictionary = 16 }: XzSpec = {}): Uint8Array {
  const { kind, of } = CHECKS[check];
  const sum = of(content);
  const flags = Uint8Array.of(0, kind);
  const head = withCrc(Uint8Array.of(2, 0, 0x21, 1, dictionary, 0, 0, 0));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += 0x10000) {
    const piece = content.subarray(at, at + 0x10000);
    const last = piece.length - 1;
    chunks.push(Uint8Array.of(at === 0 ? 1 : 2, last >> 8, last & 0xff), piece);
  }
  const data = concat([...chunks, Uint8Array.of(0)]);
  const records = concat([Uint8Array.of(0, 1), number(head.length + data.length + sum.length), number(content.length)]);
  const index = withCrc(padded(records));
  const size = new Uint8Array(4);
  putU32(size, 0, index.length / 4 - 1);
  const footer = concat([size, flags]);
  return concat([
    Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0),
    withCrc(flags),
    head,
    padded(data),
    sum,
    index,
    withCrc(footer).subarray(6),
    footer,
    Buffer.from('YZ'),
  ]);
}

const padded = (bytes: Uint8Array): Uint8Array => concat([bytes, new Uint8Array(-bytes.length & 3)]);

function withCrc(bytes: Uint8Array): Uint8Array {
  const crc = new Uint8Array(4);
  putU32(crc, 0, crc32(bytes));
  return concat([bytes, crc]);
}

/** Seven bits a byte, the low ones first. */
function number(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
