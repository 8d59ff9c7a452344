import { expect } from 'chai';
import fc from 'fast-check';
import { buildBigPages, type BigPageFamily } from '../../test-dumps/pool-blocks/big-pages.js';
import { MemoryImage, type TrueBlock } from '../../test-dumps/pool-blocks/image.js';
import { Prng } from '../../test-dumps/prng.js';
import { BigPageIndex } from './big-page-index.js';
import {
  BIG_PAGE_LAYOUTS,
  findBigPages,
  proveBigPages,
  readBigPages,
  scoreBigPages,
  type BigPageLayout,
} from './big-pages.js';
import { Block } from './blocks.js';
import { at, BuiltMemory, expectSame, lineOf } from './built-memory.test.helper.js';

const ROWS = 1024;
const FAMILIES: Record<BigPageFamily, string> = {
  'x86-2195': 'x86 2195 to 2600',
  'x86-3790': 'x86 3790',
  'x86-6000': 'x86 6000 to 9600',
  'x86-10240': 'x86 10240 to 19045',
  'x64-3790': 'x64 3790',
  'x64-6000': 'x64 6000 to 9600',
  'x64-10240': 'x64 10240 to 19045',
  'x64-20348': 'x64 20348 and later',
};
const families = Object.entries(FAMILIES) as [BigPageFamily, string][];
const layoutOf = (name: string): BigPageLayout => BIG_PAGE_LAYOUTS.find((layout) => layout.name === name)!;

interface Built {
  readonly image: MemoryImage;
  readonly memory: BuiltMemory;
  readonly table: number;
  readonly blocks: TrueBlock[];
}

function built(family: BigPageFamily, seed: number, used = 500, freed = 90): Built {
  const wide = family.startsWith('x64');
  const image = new MemoryImage(wide ? 8 : 4);
  const tableAt = wide ? 0x9c8a_7777_0000 : 0x8620_0000;
  const blocks = buildBigPages(image, new Prng(seed), {
    family,
    at: tableAt,
    rows: ROWS,
    tags: ['Leak', 'File', 'MmSt', 'CM31'],
    used,
    freed,
    poolBase: wide ? 0x9c8b_0000_0000 : 0x8800_0000,
    processes: wide ? [0x9c8a_0000_1080] : [0x8510_0080],
  });
  return { image, memory: new BuiltMemory(image), table: at(image, tableAt), blocks };
}

describe('big-page table', () => {
  for (const [family, name] of families) {
    it(`reads ${name}, without freed rows`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const { image, memory, table, blocks } = built(family, seed);
        const lines: string[] = [];
        const counts = readBigPages(memory, table, ROWS, layoutOf(name), new Block(), (b) => lines.push(lineOf(b)));
        expectSame(image, lines, blocks);
        expect(counts).to.deep.equal({ used: 500, freed: 90, corrupt: 0, missing: 0 });
      }
    });

    it(`proves ${name} by its rows and their hash`, () => {
      for (let seed = 5; seed <= 8; seed++) {
        const { memory, table } = built(family, seed);
        const proof = proveBigPages(memory, table, ROWS);
        expect(proof?.layout.name).to.equal(name);
        expect(proof).to.deep.include({ used: 500, freed: 90, possible: 500, placed: 500 });
        // More rows than there are, or another place, is not proven.
        expect(proveBigPages(memory, table, ROWS * 2)).to.equal(null);
        expect(proveBigPages(memory, table + layoutOf(name).size * 200, ROWS)).to.equal(null);
        expect(findBigPages(memory, table)?.entries).to.equal(ROWS);
      }
    });
  }

  it('is proven with a page that is missing, and says how many rows that takes', () => {
    const { image, memory, table } = built('x64-10240', 3);
    image.drop(0x9c8a_7777_2000);
    const proof = proveBigPages(memory, table, ROWS);
    expect(proof?.layout.name).to.equal('x64 10240 to 19045');
    // 4096 bytes in rows of 24, and both that lie across its edges.
    expect(proof?.missing).to.be.within(170, 172);
  });

  it('leaves out rows that cannot be', () => {
    const { image, memory, table } = built('x64-20348', 4);
    const page = image.page(0x9c8a_7777_0000)!;
    let row = 0;
    while (page[row * 0x20] === 1 || page.slice(row * 0x20, row * 0x20 + 8).every((byte) => byte === 0)) row++;
    page.fill(0, row * 0x20 + 0x10, row * 0x20 + 0x18);
    const counts = readBigPages(memory, table, ROWS, layoutOf('x64 20348 and later'), new Block(), () => undefined);
    expect(counts).to.deep.include({ used: 499, corrupt: 1 });
  });

  it('finds rows by address', () => {
    const { image, memory, table, blocks } = built('x64-20348', 6);
    const index = new BigPageIndex();
    readBigPages(memory, table, ROWS, layoutOf('x64 20348 and later'), new Block(), index.sink);
    index.sort();
    for (const block of blocks) {
      const address = at(image, block.va);
      const row = index.at(address);
      expect(index.rows.tag[row]).to.equal(block.tag);
      expect(index.covering(address + block.size - 16)).to.equal(row);
      expect(index.covering(address - 16)).to.not.equal(row);
      expect(index.at(address + 0x1000)).to.not.equal(row);
      const one = new Block();
      one.address = address;
      expect(index.describe(one)).to.equal(true);
      expect((BigInt(one.billedHigh) << 32n) | BigInt(one.billedLow)).to.equal(block.billed?.stored ?? 0n);
    }
    expect(index.covering(at(image, 0x1000))).to.equal(-1);
  });

  it('is not proven by what is no table, and never fails', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, wide) => {
        const image = new MemoryImage(wide ? 8 : 4);
        image.put(0x8512_0000, new Prng(seed).bytes(ROWS * 0x20));
        const memory = new BuiltMemory(image);
        expect(proveBigPages(memory, 0x8512_0000, ROWS)).to.equal(null);
        for (const layout of BIG_PAGE_LAYOUTS.filter(({ pointerSize }) => pointerSize === memory.pointerSize)) {
          const score = scoreBigPages(memory, 0x8512_0000, ROWS, layout);
          expect(score.placed).to.be.lessThan(score.used / 2);
        }
      }),
      { numRuns: 20 },
    );
  });
});
