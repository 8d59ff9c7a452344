/**
 * Entries of handle tables: which of a leaf's entries are in use, and which object header each leads to (reference:
 * objects-and-pool-blocks, section 5.3). A leaf is one page. Its first entry is never a handle.
 */

import { PAGE_SIZE } from '../../addresses.js';

/** How one generation of kernels writes an entry. */
export interface HandleEncoding {
  /** For people and for the source of figures. */
  readonly name: string;
  /** Bytes of an entry. */
  readonly entrySize: 8 | 16;
  /**
   * The object's address is in the low word from this bit on, in units of 16 bytes; null: the word is the address, with
   * flags in its low three bits.
   */
  readonly shift: number | null;
  /** Where the stock of pre-taken references stands; null where entries have none. */
  readonly references: { readonly word: 0 | 1; readonly shift: number; readonly mask: number } | null;
}

/** Every encoding that is known, by the size of a pointer; the newest first. */
export const HANDLE_ENCODINGS: Readonly<Record<4 | 8, readonly HandleEncoding[]>> = {
  8: [
    { name: '8.1 and later', entrySize: 16, shift: 20, references: { word: 0, shift: 1, mask: 0xffff } },
    { name: 'five-level paging', entrySize: 16, shift: 11, references: { word: 0, shift: 1, mask: 0x7f } },
    { name: '8.0', entrySize: 16, shift: 23, references: { word: 0, shift: 1, mask: 0x7ffff } },
    { name: 'before 8', entrySize: 16, shift: null, references: null },
  ],
  4: [
    { name: '8.1 and later, 32-bit', entrySize: 8, shift: null, references: { word: 1, shift: 27, mask: 0x1f } },
    { name: '8.0, 32-bit', entrySize: 8, shift: null, references: { word: 1, shift: 26, mask: 0x3f } },
    { name: 'before 8, 32-bit', entrySize: 8, shift: null, references: null },
  ],
};

/** Granted access and attributes of an entry: 25 bits. */
const ACCESS = 0x1ffffff;

/** Handles that were found, a place in each array for each. Grows; read up to `count`. */
export class HandleBatch {
  count = 0;
  /** The header's address as a number (`small`). */
  header = new Float64Array(1024);
  /** The handle's value: four times the number of its entry. */
  handle = new Uint32Array(1024);
  access = new Uint32Array(1024);
  /** References that the entry has in stock; 0 where entries have none. */
  stock = new Uint32Array(1024);

  /** Room for that many more. */
  reserve(more: number): void {
    const wanted = this.count + more;
    if (wanted <= this.header.length) return;
    const size = Math.max(wanted, this.header.length * 2);
    const grow = <T extends Float64Array | Uint32Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.header = grow(this.header, new Float64Array(size));
    this.handle = grow(this.handle, new Uint32Array(size));
    this.access = grow(this.access, new Uint32Array(size));
    this.stock = grow(this.stock, new Uint32Array(size));
  }
}

/** Entries of a leaf, the reserved one included. */
export const entriesOfLeaf = (encoding: { readonly entrySize: number }): number => PAGE_SIZE / encoding.entrySize;

/**
 * Adds the handles of one leaf to `into`.
 * @param words the leaf, as little-endian words of 32 bits.
 * @param firstHandle the value that the leaf's first entry would have.
 * @param end entries from this one on are not in use yet.
 */
export function decodeLeaf(
  words: Uint32Array,
  encoding: HandleEncoding,
  firstHandle: number,
  end: number,
  into: HandleBatch,
): void {
  into.reserve(end);
  if (encoding.entrySize === 8) decodeNarrow(words, encoding, firstHandle, end, into);
  else decodeWide(words, encoding, firstHandle, end, into);
}

function decodeNarrow(
  words: Uint32Array,
  { references }: HandleEncoding,
  firstHandle: number,
  end: number,
  into: HandleBatch,
): void {
  const { header, handle, access, stock } = into;
  let at = into.count;
  for (let i = 1; i < end; i++) {
    const object = (words[i * 2] ?? 0) & ~7;
    if (object === 0) continue;
    const second = words[i * 2 + 1] ?? 0;
    header[at] = object >>> 0;
    handle[at] = firstHandle + i * 4;
    access[at] = second & ACCESS;
    stock[at] = references === null ? 0 : (second >>> references.shift) & references.mask;
    at++;
  }
  into.count = at;
}

function decodeWide(
  words: Uint32Array,
  { shift, references }: HandleEncoding,
  firstHandle: number,
  end: number,
  into: HandleBatch,
): void {
  const { header, handle, access, stock } = into;
  const unit = shift === null ? 4294967296 : 2 ** (36 - shift);
  let at = into.count;
  for (let i = 1; i < end; i++) {
    const low = words[i * 4] ?? 0;
    const high = words[i * 4 + 1] ?? 0;
    if ((low | high) === 0) continue;
    const object = (high | 0) * unit + (shift === null ? (low & ~7) >>> 0 : (low >>> shift) * 16);
    // Flags alone are no object: the entry is not in use.
    if (object === 0) continue;
    header[at] = object;
    handle[at] = firstHandle + i * 4;
    access[at] = (words[i * 4 + 2] ?? 0) & ACCESS;
    stock[at] = references === null ? 0 : (low >>> references.shift) & references.mask;
    at++;
  }
  into.count = at;
}
