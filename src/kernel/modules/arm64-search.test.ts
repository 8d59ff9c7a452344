import { expect } from 'chai';
import fc from 'fast-check';
import { physical, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import { ConstantFinder, type BuiltConstant } from '../../../parsers/code/arm64.js';
import { MemoryBase } from '../../../parsers/paging/memory-base.js';
import type { Chunk } from '../../../parsers/paging/virtual-memory.js';
import { PairSearch } from './arm64-search.js';
import { piecesOf, presentAround } from './module-pieces.js';
import type { LoadedModule } from './modules.js';
import { searchTags } from './tag-search.js';

const BASE = virtual(0xfffff80000000000n);
const KB = 1024;
const SIZE = 96 * KB;

/** Memory in pieces of given lengths, every one with `true` missing. */
type Layout = readonly (readonly [length: number, missing: boolean])[];

class Stretches extends MemoryBase {
  readonly pointerSize = 8;

  constructor(
    readonly bytes: Uint8Array,
    private readonly layout: Layout,
  ) {
    super();
  }

  translate(): ReturnType<MemoryBase['translate']> {
    return physical(0);
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const parts = [...this.chunks(address, length)].map(({ bytes }) => bytes);
    const gap = parts.find((part) => part instanceof Failure);
    return gap instanceof Failure ? gap : Buffer.concat(parts as Uint8Array[]);
  }

  override *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    const from = Number(address - BASE);
    let start = 0;
    for (const [size, missing] of this.layout) {
      const [first, end] = [Math.max(start, from), Math.min(start + size, from + length)];
      start += size;
      if (first >= end) continue;
      const bytes = missing ? new Failure('not-in-dump', 'left out') : this.bytes.subarray(first, end);
      yield { offset: first - from, length: end - first, bytes };
    }
  }
}

function moduleOf(bytes: Uint8Array, layout: Layout): LoadedModule {
  return {
    name: 'test.sys', moduleName: 'test', path: null, base: BASE, sizeOfImage: bytes.length, timeDateStamp: null, checkSum: null,
    headers: { machine: 0xaa64, sections: [] } as unknown as NonNullable<LoadedModule['headers']>, codeView: null, version: null,
    memory: new Stretches(bytes, layout), pagesPresent: 1, pagesTotal: 24,
  }; // prettier-ignore
}

/** Lengths of short and of long pieces that fill the module. */
const layouts: fc.Arbitrary<Layout> = fc
  .array(fc.tuple(fc.constantFrom(4, 8, 36, KB, 4 * KB, 4 * KB, 15 * KB, 16 * KB, 40 * KB), fc.nat(5)), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) => {
    const layout: [number, boolean][] = [];
    let left = SIZE;
    for (const [wanted, gap] of list) {
      const length = Math.min(wanted, left);
      if (length > 0) layout.push([length, gap === 0]);
      left -= length;
    }
    while (left > 0) {
      layout.push([Math.min(left, 64 * KB), false]);
      left -= Math.min(left, 64 * KB);
    }
    return layout;
  });

const HALVES = [0x654c, 0x6b61, 0xeb61, 0x0001, 0x654d, 0x254c];
/** MOVZ, MOVK, MOVN of either half, and an instruction that is none. */
const words = fc.array(
  fc.tuple(fc.constantFrom(0x52800000, 0x72800000, 0xd2800000, 0xf2800000, 0x12800000, 0xd503201f), fc.nat(), fc.nat(1), fc.nat(1))
    .map(([form, value, half, register]) => form === 0xd503201f ? form : (form | (half << 21) | ((HALVES[value % HALVES.length] ?? 0) << 5) | register) >>> 0),
  { minLength: 1, maxLength: 60 },
); // prettier-ignore
const borders = fc.array(fc.nat(SIZE / 4 - 1), { minLength: 1, maxLength: 4 });

/** Code at some places, also at the borders of the pieces. */
function codeOf(list: readonly number[], places: readonly number[], layout: Layout): Buffer {
  const bytes = Buffer.alloc(SIZE, 0x1f);
  let border = 0;
  const starts = [...places.map((place) => place * 4)];
  for (const [length] of layout.slice(0, 8)) starts.push((border += length) - 4 * (list.length >> 1));
  for (const start of starts) {
    list.forEach((word, i) => {
      const at = start + 4 * i;
      if (at >= 0 && at + 4 <= SIZE) bytes.writeUInt32LE(word, at);
    });
  }
  return bytes;
}

/** What looking at every instruction finds. */
function naive(bytes: Buffer, layout: Layout, wanted: ReadonlySet<number>): BuiltConstant[] {
  const finder = new ConstantFinder();
  const found: BuiltConstant[] = [];
  let at = 0;
  for (const [length, missing] of layout) {
    if (missing) {
      // Nothing goes over a gap, however short.
      finder.feed(Buffer.alloc(64, 0x1f), at, () => undefined);
      for (let r = 0; r < 32; r++)
        finder.feed(Buffer.from(Uint32Array.of((0x12800000 | r) >>> 0).buffer), at, () => undefined);
    } else {
      finder.feed(bytes.subarray(at, at + length), at, (constant) => {
        if (wanted.has(constant.value)) found.push(constant);
      });
    }
    at += length;
  }
  return found;
}

describe('ARM64 constants in modules', () => {
  const few = new Set([0x6b61654c, 0xeb61654c, 0x0001654d]);
  const many = new Set([...few, ...Array.from({ length: 20 }, (_, i) => 0x41414100 + i)]);

  for (const [name, wanted] of [
    ['few', few],
    ['many', many],
  ] as const) {
    it(`are found as by looking at every instruction: ${name} values, any pieces`, () => {
      fc.assert(
        fc.property(words, borders, layouts, (list, places, layout) => {
          const bytes = codeOf(list, places, layout);
          const module = moduleOf(bytes, layout);
          const search = new PairSearch(module, wanted);
          for (const { offset, bytes: piece } of piecesOf(module)) search.feed(piece, offset);
          expect(search.inOrder()).to.deep.equal(naive(bytes, layout, wanted).slice(0, 4096));
        }),
        { numRuns: 60 },
      );
    }); // prettier-ignore
  }

  it('are found for values that a search would find everywhere', () => {
    const bytes = Buffer.alloc(SIZE);
    bytes.writeUInt32LE(0x52800020, 0x1000);
    bytes.writeUInt32LE(0x72a00040, 0x1008);
    const module = moduleOf(bytes, [[SIZE, false]]);
    const search = new PairSearch(module, new Set([0x20001]));
    for (const { offset, bytes: piece } of piecesOf(module)) search.feed(piece, offset);
    expect(search.inOrder()).to.deep.equal([{ value: 0x20001, first: 0x1000, second: 0x1008, register: 0 }]);
  });

  it('are hits of the tag search, in the order of addresses', () => {
    const bytes = Buffer.alloc(SIZE);
    bytes.write('Leak', 0x20, 'latin1');
    bytes.write('Leak', 20 * KB, 'latin1');
    bytes.writeUInt32LE((0x52800000 | (0x654c << 5)) >>> 0, 16 * KB - 4);
    bytes.writeUInt32LE((0x72a00000 | (0x6b61 << 5)) >>> 0, 16 * KB + 4);
    const module = moduleOf(bytes, [[16 * KB, false], [SIZE - 16 * KB, false]]); // prettier-ignore
    const hits = searchTags([module], [0x6b61654c]).hits.get(0x6b61654c) ?? [];
    expect(hits.map(({ offset, arm64 }) => [offset, arm64?.pair?.second ?? null])).to.deep.equal([
      [0x20, null],
      [16 * KB - 4, plus(BASE, 16 * KB + 4)],
      [20 * KB, null],
    ]);
  });
});

describe('pieces of a module', () => {
  it('hold all that can be read, once, and tell where they follow each other', () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const bytes = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
        const shown = Buffer.alloc(SIZE);
        const expected = Buffer.alloc(SIZE);
        let at = 0;
        for (const [length, missing] of layout) {
          if (!missing) bytes.copy(expected, at, at, at + length);
          at += length;
        }
        let end = -1;
        for (const piece of piecesOf(moduleOf(bytes, layout))) {
          expect(piece.follows).to.equal(piece.offset === end);
          expect(piece.offset).to.be.at.least(end);
          piece.bytes.copy(shown, piece.offset);
          end = piece.offset + piece.bytes.length;
        }
        expect(shown.equals(expected)).to.equal(true);
      }),
      { numRuns: 60 },
    );
  });

  it('around a place end at what is missing', () => {
    const bytes = Buffer.from(Uint8Array.from({ length: SIZE }, (_, i) => i & 0xff));
    const module = moduleOf(bytes, [[8, false], [4, true], [8, false], [4, true], [SIZE - 24, false]]); // prettier-ignore
    const around = presentAround(module, 15, 16, 16);
    expect([[...around.bytes], around.at]).to.deep.equal([[12, 13, 14, 15, 16, 17, 18, 19], 3]);
    expect([...presentAround(module, 2, 16, 4).bytes]).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });
});
