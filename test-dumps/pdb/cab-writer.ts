/**
 * Writes cabinets as symbol servers send them: one file, stored, packed by MSZIP, or in uncompressed blocks of LZX.
 *
 * An LZX stream is words of 16 bits, little-endian, taken from the high bit down: one bit for the translation of calls
 * (none), then per block 3 bits of kind (3 is uncompressed) and 24 bits of size; to the next word with at least one bit
 * of filling, three recent offsets as u32 of one or more, and the bytes themselves, filled to whole words.
 */

import { deflateRawSync } from 'node:zlib';
import { concat, putU16, putU32 } from '../bytes.js';
import { Prng } from '../prng.js';
import { fields } from './msf-writer.js';

/** Most that one block of a cabinet unpacks to, and how far back MSZIP refers. */
const WINDOW = 0x8000;

/** CFFOLDER.typeCompress; LZX with a window of 2^15 bytes. */
export const PACKING = { stored: 0, mszip: 1, lzx: 0x0f03 } as const;

export interface CabSpec {
  readonly content: Uint8Array;
  readonly name?: string;
  readonly packing?: keyof typeof PACKING;
  /** Bytes of the folder before the file. */
  readonly before?: number;
  /** Sizes of reserved parts: header, folder, data. */
  readonly reserve?: readonly [number, number, number];
  readonly flags?: number;
  readonly checksums?: boolean;
}

function sum(bytes: Uint8Array, seed: number): number {
  let value = seed;
  for (let i = 0; i < bytes.length; i += 4) {
    const left = Math.min(4, bytes.length - i);
    for (let j = 0; j < left; j++) value ^= (bytes[i + j] ?? 0) << (8 * (left === 4 ? j : left - 1 - j));
  }
  return value >>> 0;
}

function lzxBlock(plain: Uint8Array, first: boolean): Uint8Array {
  const bits = (first ? '0' : '') + '011' + plain.length.toString(2).padStart(24, '0');
  const whole = bits.padEnd(32, '0');
  return concat([
    fields({ u16: parseInt(whole.slice(0, 16), 2) }, { u16: parseInt(whole.slice(16), 2) }),
    fields({ u32: 1 }, { u32: 1 }, { u32: 1 }),
    plain,
    new Uint8Array(plain.length & 1),
  ]);
}

function pack(all: Uint8Array, at: number, packing: keyof typeof PACKING): Uint8Array {
  const plain = all.subarray(at, at + WINDOW);
  if (packing === 'stored') return plain;
  if (packing === 'lzx') return lzxBlock(plain, at === 0);
  const dictionary = all.subarray(Math.max(0, at - WINDOW), at);
  return concat([Uint8Array.of(0x43, 0x4b), deflateRawSync(plain, at === 0 ? {} : { dictionary })]);
}

/** Packs one file, block by block, each with the window of the one before as its dictionary. */
export function makeCab(spec: CabSpec): Uint8Array {
  const { content, name = 'ntkrnlmp.pdb', packing = 'mszip', reserve, checksums = true, before = 0 } = spec;
  const all = concat([new Prng(1).bytes(before), content]);
  const [headerReserve, folderReserve, dataReserve] = reserve ?? [0, 0, 0];
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += WINDOW) {
    const packed = pack(all, at, packing);
    const sizes = fields({ u16: packed.length }, { u16: Math.min(WINDOW, all.length - at) });
    const check = checksums ? sum(sizes, sum(packed, 0)) : 0;
    blocks.push(concat([fields({ u32: check }), sizes, new Uint8Array(dataReserve), packed]));
  }
  const flags = (spec.flags ?? 0) | (reserve === undefined ? 0 : 4);
  const extra = concat([
    ...(reserve === undefined
      ? []
      : [fields({ u16: headerReserve }, Uint8Array.of(folderReserve, dataReserve)), new Uint8Array(headerReserve)]),
    ...((flags & 1) === 0 ? [] : [fields({ text: 'before.cab' }, { text: 'disk' })]),
    ...((flags & 2) === 0 ? [] : [fields({ text: 'after.cab' }, { text: 'disk' })]),
  ]);
  const filesAt = 36 + extra.length + 8 + folderReserve;
  const file = fields({ u32: content.length }, { u32: before }, { u16: 0 }, new Uint8Array(6), { text: name });
  const folder = concat([
    fields({ u32: filesAt + file.length }, { u16: blocks.length }, { u16: PACKING[packing] }),
    new Uint8Array(folderReserve),
  ]);
  const header = new Uint8Array(36);
  header.set(Buffer.from('MSCF'));
  putU32(header, 16, filesAt);
  putU16(header, 24, 0x0103);
  putU16(header, 26, 1);
  putU16(header, 28, 1);
  putU16(header, 30, flags);
  const cab = concat([header, extra, folder, file, ...blocks]);
  putU32(cab, 8, cab.length);
  return cab;
}
