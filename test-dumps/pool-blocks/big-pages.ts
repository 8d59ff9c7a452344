/** PoolBigPageTable of each layout, with freed rows and tags that are protected. */

import { putU32, tagKey, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';
import type { MemoryImage, TrueBlock } from './image.js';

const PAGE = 0x1000;

/** Layouts by the first build that has them. */
export type BigPageFamily =
  'x86-2195' | 'x86-3790' | 'x86-6000' | 'x86-10240' | 'x64-3790' | 'x64-6000' | 'x64-10240' | 'x64-20348';

const ROW_BYTES: Record<BigPageFamily, number> = {
  'x86-2195': 0xc,
  'x86-3790': 0x10,
  'x86-6000': 0x10,
  'x86-10240': 0x10,
  'x64-3790': 0x18,
  'x64-6000': 0x18,
  'x64-10240': 0x18,
  'x64-20348': 0x20,
};

export interface BigPageOptions {
  readonly family: BigPageFamily;
  /** Where the table stands. */
  readonly at: Va;
  /** Rows: a power of two. */
  readonly rows: number;
  readonly tags: readonly string[];
  /** Big allocations, each with its pages' address, and how many were freed again. */
  readonly used: number;
  readonly freed: number;
  /** Where the allocations lie. */
  readonly poolBase: Va;
  readonly processes: readonly Va[];
  /** Where the first allocations lie and how large they are, instead of at random. */
  readonly allocations?: readonly { readonly va: Va; readonly size: number }[];
}

/** Builds the table into the image and returns the rows that are in use. */
export function buildBigPages(image: MemoryImage, prng: Prng, options: BigPageOptions): TrueBlock[] {
  const { family, rows } = options;
  const rowBytes = ROW_BYTES[family];
  const wide = family.startsWith('x64');
  const bytes = new Uint8Array(Math.ceil((rows * rowBytes) / PAGE) * PAGE);
  const taken = new Uint8Array(rows);
  const blocks: TrueBlock[] = [];
  let va = options.poolBase;
  for (let i = 0; i < options.used + options.freed; i++) {
    const freed = i % (options.used + options.freed) >= options.used;
    const given = options.allocations?.[i];
    if (given !== undefined) va = given.va;
    const pages = given === undefined ? prng.int(1, prng.chance(0.1) ? 300 : 4) : Math.ceil(given.size / PAGE);
    const size =
      family.endsWith('3790') || family.endsWith('2195') ? pages * PAGE : pages * PAGE - prng.int(0, 15) * 16;
    const paged = prng.chance(0.5);
    const tag = tagKey(prng.pick(options.tags));
    const isProtected = prng.chance(0.1);
    const process = prng.chance(0.3) && options.processes.length > 0 ? prng.pick(options.processes) : null;
    // Inserting goes on to the next free row; rows of allocations that were freed meanwhile are free again.
    const page = Number(BigInt.asUintN(32, image.spell(va) >> 12n));
    const product = BigInt(page) * 0x9e5fn;
    let row = Number((product ^ (product >> 32n)) & BigInt(rows - 1));
    while (taken[row] === 1) row = (row + 1) % rows;
    taken[row] = 1;
    const at = row * rowBytes;
    const word = (offset: number, value: number): void => {
      putU32(bytes, at + offset, value);
    };
    const pointer = (offset: number, value: bigint): void => {
      word(offset, Number(BigInt.asUintN(32, value)));
      if (wide) word(offset + 4, Number(BigInt.asUintN(32, value >> 32n)));
    };
    pointer(0, image.spell(va) | (freed ? 1n : 0n));
    word(wide ? 8 : 4, isProtected ? (tag | 0x80000000) >>> 0 : tag);
    const type = paged ? 1 : prng.chance(0.5) ? 0x200 : 0;
    const bits = prng.int(0, 255) | (type << 8) | (prng.int(0, 255) << 20);
    const stored = process === null ? 0n : image.spell(process);
    switch (family) {
      case 'x86-2195':
        word(8, pages);
        break;
      case 'x86-3790':
        word(8, pages);
        pointer(0xc, stored);
        break;
      case 'x86-6000':
        word(8, type);
        word(0xc, size);
        break;
      case 'x86-10240':
        word(8, bits);
        word(0xc, size);
        break;
      case 'x64-3790':
        word(0xc, pages);
        pointer(0x10, stored);
        break;
      case 'x64-6000':
        word(0xc, type);
        word(0x10, size);
        break;
      case 'x64-10240':
        word(0xc, bits);
        word(0x10, size);
        break;
      case 'x64-20348':
        word(0xc, bits);
        word(0x10, size);
        pointer(0x18, stored);
        break;
    }
    const bills = family.endsWith('3790') || family.endsWith('20348');
    const types = !family.endsWith('3790') && !family.endsWith('2195');
    if (!freed) {
      blocks.push({
        va,
        size,
        requested: null,
        tag,
        protected: isProtected,
        paged: types && paged,
        kind: 'bigpage',
        state: 'live',
        billed: bills && process !== null ? { process, stored } : null,
      });
    }
    va += (pages + prng.int(0, 3)) * PAGE;
  }
  image.put(options.at, bytes);
  return blocks;
}
