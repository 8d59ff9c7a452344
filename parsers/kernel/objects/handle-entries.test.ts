/** Entries of handle tables in every encoding: objects, handles, access and stocks come out as they were put in. */

import { expect } from 'chai';
import fc from 'fast-check';
import '../../../test-dumps/property-seed.js';
import { small, virtual } from '../../addresses.js';
import { decodeLeaf, HANDLE_ENCODINGS, HandleBatch, type HandleEncoding } from './handle-entries.js';

interface Entry {
  /** A multiple of 16. */
  readonly object: bigint;
  readonly access: number;
  readonly stock: number;
  /** Bits that stand beside the object and mean something else: 0 to 7. */
  readonly flags: number;
}

/** Writes an entry as the reference tells it (objects-and-pool-blocks, section 5.3). */
function write(words: Uint32Array, at: number, { entrySize, shift, references }: HandleEncoding, one: Entry): void {
  const put = (index: number, value: number): void => { words[at + index] = (words[at + index] ?? 0) | value; }; // prettier-ignore
  if (entrySize === 8) {
    put(0, Number(one.object & 0xffffffffn) | one.flags);
    put(1, one.access);
  } else {
    const word = shift === null ? one.object | BigInt(one.flags) : BigInt.asUintN(64, ((one.object >> 4n) << BigInt(shift)) | BigInt(one.flags & 1)); // prettier-ignore
    put(0, Number(word & 0xffffffffn));
    put(1, Number(word >> 32n));
    put(2, one.access);
  }
  if (references !== null) put(references.word, one.stock << references.shift);
}

const ENCODINGS = [...HANDLE_ENCODINGS[8].map((one) => [one, 8] as const), ...HANDLE_ENCODINGS[4].map((one) => [one, 4] as const)]; // prettier-ignore

/** What may stand in an entry: access of as many bits as are left by the stock. */
function entries(encoding: HandleEncoding, pointerSize: 4 | 8): fc.Arbitrary<Entry> {
  const { references, entrySize } = encoding;
  // What the bits of an entry can hold, with its sign.
  const bits = encoding.shift === null ? 48 : 68 - encoding.shift;
  const top = pointerSize === 4 ? 0x80000000n : BigInt.asUintN(64, -(1n << BigInt(bits - 1)));
  const last = pointerSize === 4 ? 0xfffffff0n : 0xfffffffffffffff0n;
  return fc.record({
    object: fc.bigInt({ min: top >> 4n, max: last >> 4n }).map((unit) => unit << 4n),
    access: fc.integer({ min: 0, max: (entrySize === 8 && references !== null ? 2 ** references.shift : 2 ** 25) - 1 }).map((n) => n & 0x1ffffff), // prettier-ignore
    stock: fc.integer({ min: 0, max: references?.mask ?? 0 }),
    flags: fc.integer({ min: 0, max: 7 }),
  });
}

describe('entries of handle tables', () => {
  for (const [encoding, pointerSize] of ENCODINGS) {
    it(`${encoding.name}: come out as they were put in, without the first and the free ones`, () => {
      const count = 4096 / encoding.entrySize;
      const places = fc.array(fc.tuple(fc.integer({ min: 1, max: count - 1 }), entries(encoding, pointerSize)), { maxLength: 20 }); // prettier-ignore
      fc.assert(
        fc.property(places, entries(encoding, pointerSize), fc.integer({ min: 0, max: 1000 }), (put, first, leaf) => {
          const words = new Uint32Array(1024);
          write(words, 0, encoding, first);
          const wanted = new Map(put);
          for (const [index, one] of wanted) write(words, (index * encoding.entrySize) / 4, encoding, one);
          const into = new HandleBatch();
          decodeLeaf(words, encoding, leaf * count * 4, count, into);
          const got = Array.from({ length: into.count }, (_, i) => [into.handle[i], into.header[i], into.access[i], into.stock[i]]); // prettier-ignore
          const truth = [...wanted].sort(([a], [b]) => a - b).map(([index, one]) => [leaf * count * 4 + index * 4, small(virtual(one.object)), one.access, one.stock]); // prettier-ignore
          expect(got).to.deep.equal(truth);
        }),
        { numRuns: 60 },
      );
    });

    it(`${encoding.name}: of a leaf only as many as are asked for, behind what is there`, () => {
      const words = new Uint32Array(1024);
      const one = { object: pointerSize === 4 ? 0x81234560n : 0xfffffa8001234560n, access: 0x1f, stock: 0, flags: 0 };
      for (let i = 1; i < 40; i++) write(words, (i * encoding.entrySize) / 4, encoding, one);
      const into = new HandleBatch();
      decodeLeaf(words, encoding, 0, 10, into);
      decodeLeaf(words, encoding, 0x800, 5, into);
      expect(Array.from(into.handle.subarray(0, into.count))).to.deep.equal([...Array.from({ length: 9 }, (_, i) => (i + 1) * 4), 0x804, 0x808, 0x80c, 0x810]); // prettier-ignore
    });
  }

  it('of many leaves stand in one batch, which grows', () => {
    const [, encoding] = HANDLE_ENCODINGS[4];
    if (encoding === undefined) throw new Error('no encoding');
    const words = new Uint32Array(1024);
    for (let i = 1; i < 512; i++) write(words, i * 2, encoding, { object: 0x81234560n + BigInt(i * 16), access: i, stock: 1, flags: 1 }); // prettier-ignore
    const into = new HandleBatch();
    for (let leaf = 0; leaf < 5; leaf++) decodeLeaf(words, encoding, leaf * 2048, 512, into);
    expect(into.count).to.equal(5 * 511);
    for (const [at, i] of [
      [0, 1],
      [510, 511],
      [511, 1],
      [5 * 511 - 1, 511],
    ] as const)
      // prettier-ignore
      expect([into.header[at], into.access[at], into.stock[at]]).to.deep.equal([0x81234560 + i * 16, i, 1]);
  });
});
