/**
 * Pages stored by a bitmap (types 2, 5, 6, 7): bit n, least significant first, says that page n is present, and the
 * pages follow in ascending order. The place of a page is the count of set bits before it (its rank). The bitmap is
 * read in blocks as pages are asked for; a running count a block and a count every 512 bits answer a rank with at
 * most 16 words counted, in memory that does not depend on the size of the machine.
 */

import { fileOffset, PAGE_SIZE, pfn, type FileOffset, type Pfn } from '../addresses.js';
import type { ByteSource } from '../bytes/source.js';
import { ABSENT, type PageIndex } from './page-index.js';

/** Bytes of the bitmap in one block: 2^19 bits, which is 2 GB of physical memory. */
const BLOCK_BYTES = 64 * 1024;
const BLOCK_BITS = BLOCK_BYTES * 8;
/** Words between two counts inside a block: 512 bits. */
const STRIDE_WORDS = 16;
/** Blocks kept decoded: 4 MB of bitmap, 128 GB of physical memory. */
const BLOCKS_KEPT = 64;
/** Empty blocks that a search for the next page passes over: 8 TB. */
const MOST_BLOCKS_SKIPPED = 4096;

interface Block {
  readonly words: Uint32Array;
  /** Set bits before each stride, within the block. */
  readonly ranks: Uint32Array;
  readonly total: number;
}

/** Set bits of a 32-bit word. */
function popcount(word: number): number {
  let w = word - ((word >>> 1) & 0x55555555);
  w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
  return Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Where the parts of a bitmap body stand. */
export interface BitmapLayout {
  /** File offset of the first byte of the bitmap. */
  readonly bitmapOffset: number;
  /** Bits in the bitmap: page frame numbers 0 .. bits - 1. */
  readonly bits: number;
  /** File offset of the first stored page. */
  readonly firstPage: number;
  /** Pages that the header says are stored. */
  readonly pages: number;
}

/** Looks pages up by rank. */
export class BitmapIndex implements PageIndex {
  readonly end: number;
  readonly pagesPresent: number;
  private readonly kept = new Map<number, Block>();
  /** Set bits before block i, known for i < known. */
  private readonly before: Float64Array;
  private known = 1;

  constructor(
    private readonly source: ByteSource,
    private readonly layout: BitmapLayout,
  ) {
    this.end = layout.bits;
    this.pagesPresent = layout.pages;
    this.before = new Float64Array(Math.ceil(layout.bits / BLOCK_BITS) + 1);
  }

  offsetOf(page: Pfn): FileOffset | typeof ABSENT {
    if (page < 0 || page >= this.end) return ABSENT;
    const number = Math.floor(page / BLOCK_BITS);
    const bit = page - number * BLOCK_BITS;
    const block = this.block(number);
    const word = bit >>> 5;
    const value = block.words[word] ?? 0;
    const mask = 1 << (bit & 31);
    if ((value & mask) === 0) return ABSENT;
    let rank = block.ranks[Math.floor(word / STRIDE_WORDS)] ?? 0;
    for (let i = word - (word % STRIDE_WORDS); i < word; i++) rank += popcount(block.words[i] ?? 0);
    rank += popcount(value & (mask - 1));
    return fileOffset(this.layout.firstPage + (this.rankOfBlock(number) + rank) * PAGE_SIZE);
  }

  nextPresent(page: Pfn): Pfn | typeof ABSENT {
    let at: number = page;
    for (let blocks = 0; at < this.end && blocks < MOST_BLOCKS_SKIPPED; blocks++) {
      const number = Math.floor(at / BLOCK_BITS);
      const { words, total } = this.block(number);
      const first = number * BLOCK_BITS;
      for (let word = (at - first) >>> 5; total > 0 && word < words.length; word++) {
        const value = (words[word] ?? 0) & (first + word * 32 < at ? ~0 << ((at - first) & 31) : ~0);
        if (value !== 0) return pfn(first + word * 32 + 31 - Math.clz32(value & -value));
      }
      at = first + BLOCK_BITS;
    }
    return ABSENT;
  }

  /** Set bits in the whole bitmap. Reads all of it. */
  countAll(): number {
    return this.rankOfBlock(Math.ceil(this.end / BLOCK_BITS));
  }

  private rankOfBlock(number: number): number {
    while (this.known <= number) {
      this.before[this.known] = (this.before[this.known - 1] ?? 0) + this.block(this.known - 1).total;
      this.known++;
    }
    return this.before[number] ?? 0;
  }

  private block(number: number): Block {
    const kept = this.kept.get(number);
    if (kept !== undefined) return kept;
    const block = this.load(number);
    if (this.kept.size >= BLOCKS_KEPT) {
      const oldest = this.kept.keys().next();
      if (!oldest.done) this.kept.delete(oldest.value);
    }
    this.kept.set(number, block);
    return block;
  }

  private load(number: number): Block {
    const bits = Math.min(BLOCK_BITS, this.end - number * BLOCK_BITS);
    const bytes = new Uint8Array(BLOCK_BYTES);
    this.source.read(
      fileOffset(this.layout.bitmapOffset + number * BLOCK_BYTES),
      bytes.subarray(0, Math.ceil(bits / 8)),
    );
    const words = new Uint32Array(bytes.buffer);
    const lastWord = bits >>> 5;
    if ((bits & 31) !== 0) words[lastWord] = (words[lastWord] ?? 0) & (2 ** (bits & 31) - 1);
    const ranks = new Uint32Array(words.length / STRIDE_WORDS);
    let total = 0;
    for (let i = 0; i < words.length; i++) {
      if (i % STRIDE_WORDS === 0) ranks[i / STRIDE_WORDS] = total;
      const word = words[i] ?? 0;
      if (word === 0xffffffff) total += 32;
      else if (word !== 0) total += popcount(word);
    }
    return { words, ranks, total };
  }
}
