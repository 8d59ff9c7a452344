/**
 * Finds the positions of any of several tags in bytes: one natively, more sixteen places at a time, and where the processor
 * cannot do that one by one if they are few, else by pairs of bytes.
 */

import { protectedTag } from '../../../parsers/kernel/tag.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { TripleFinder } from '../../../parsers/bytes/triple-finder.js';

/** Bytes of a tag. */
export const WORD = 4;

/** Up to so many patterns a native search for each is faster than one look at every pair of bytes. */
const FEW = 8;
/** What a pair of bytes may be of a value: its first two, or the two in its middle. */
const [IS_START, IS_MIDDLE] = [1, 2];

/** Finds the positions of any of several four-byte values. */
export class TagFinder {
  readonly values = new Set<number>();
  /** The first three bytes of each value. */
  private readonly patterns: Buffer[] = [];
  /** What every possible pair of bytes may be. Wherever a value stands, one of its pairs lies on an even address. */
  private pairs: Uint8Array | null = null;
  /** Undefined until it is needed; null where the processor cannot. */
  private triples: TripleFinder | null | undefined;

  /** `isPlain`: without what not every processor can do. */
  constructor(keys: readonly number[], withProtected: boolean, isPlain = false) {
    if (isPlain) this.triples = null;
    for (const key of keys) {
      for (const value of withProtected ? [key, protectedTag(key)] : [key]) {
        if (this.values.has(value)) continue;
        this.values.add(value);
        // A tag and its protected form differ in the fourth byte alone: one search finds both.
        const pattern = Buffer.alloc(4);
        pattern.writeUInt32LE(value);
        const start = pattern.subarray(0, 3);
        if (!this.patterns.some((other) => other.equals(start))) this.patterns.push(start);
      }
    }
  }

  /** Made when it is needed: one search for one tag goes without. */
  private pairTable(): Uint8Array {
    if (this.pairs !== null) return this.pairs;
    const pairs = new Uint8Array(0x10000);
    const mark = (pair: number, what: number): void => {
      pairs[pair] = (pairs[pair] ?? 0) | what;
    };
    for (const value of this.values) {
      mark(value & 0xffff, IS_START);
      mark((value >>> 8) & 0xffff, IS_MIDDLE);
    }
    this.pairs = pairs;
    return pairs;
  }

  /** Positions below `limit` in ascending order. */
  find(bytes: Buffer, limit: number): number[] {
    const end = Math.min(limit, bytes.length - WORD + 1);
    const isOne = this.patterns.length <= 1;
    if (!isOne && this.triples === undefined) this.triples = TripleFinder.of(this.patterns);
    if (!isOne && this.triples) return this.findTriples(this.triples, bytes, end);
    return this.patterns.length <= FEW ? this.findEach(bytes, end) : this.findAny(bytes, end);
  }

  private findTriples(triples: TripleFinder, bytes: Buffer, end: number): number[] {
    const found: number[] = [];
    triples.each(bytes, end, (at) => {
      if (this.values.has(u32(bytes, at))) found.push(at);
    });
    return found;
  }

  private findEach(bytes: Buffer, end: number): number[] {
    const found: number[] = [];
    for (const pattern of this.patterns) {
      for (let at = bytes.indexOf(pattern); at >= 0 && at < end; at = bytes.indexOf(pattern, at + 1)) {
        if (this.values.has(u32(bytes, at))) found.push(at);
      }
    }
    return this.patterns.length === 1 ? found : found.sort((a, b) => a - b);
  }

  /** Looks at four bytes at once, as two pairs. */
  private findAny(bytes: Buffer, end: number): number[] {
    const found: number[] = [];
    const pairs = this.pairTable();
    const first = -bytes.byteOffset & 3;
    if (bytes.length < first) return found;
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + first, (bytes.length - first) >>> 2);
    // What begins before the first pair, or behind the last, has none.
    this.check(bytes, 0, Math.min(first - 1, end), found);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? 0;
      const low = pairs[word & 0xffff] ?? 0;
      const high = pairs[word >>> 16] ?? 0;
      if ((low | high) === 0) continue;
      this.checkPair(bytes, first + 4 * i, low, end, found);
      this.checkPair(bytes, first + 4 * i + 2, high, end, found);
    }
    this.check(bytes, Math.max(0, first + 4 * words.length - 1), end, found);
    return found;
  }

  private checkPair(bytes: Buffer, at: number, what: number, end: number, found: number[]): void {
    if ((what & IS_MIDDLE) !== 0 && at > 0) this.check(bytes, at - 1, Math.min(at, end), found);
    if ((what & IS_START) !== 0) this.check(bytes, at, Math.min(at + 1, end), found);
  }

  private check(bytes: Buffer, from: number, end: number, found: number[]): void {
    for (let at = from; at < end; at++) if (this.values.has(u32(bytes, at))) found.push(at);
  }
}
