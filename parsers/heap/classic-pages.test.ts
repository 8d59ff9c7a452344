import { expect } from 'chai';
import fc from 'fast-check';
import { buildClassicPages } from '../../test-dumps/pool-blocks/classic.js';
import type { HeaderFamily } from '../../test-dumps/pool-blocks/headers.js';
import { MemoryImage, type TrueBlock } from '../../test-dumps/pool-blocks/image.js';
import { Prng } from '../../test-dumps/prng.js';
import { at, BuiltMemory, expectSame, lineOf, trueLine } from './built-memory.test.helper.js';
import { BlockState } from './blocks.js';
import { ClassicPageWalk, proveClassicPages } from './classic-pages.js';
import { toVirtual } from './memory.js';
import {
  POOL_HEADER_2000,
  POOL_HEADER_2003_X64,
  POOL_HEADER_X64,
  POOL_HEADER_X86,
  POOL_HEADER_XP,
  type PoolHeaderLayout,
} from './pool-header.js';

const PAGE = 0x1000;
const PAGES = 40;
const TAGS = ['Leak', 'File', 'Irp ', 'NtfF'];
const FAMILIES: Record<HeaderFamily, PoolHeaderLayout> = {
  'x86-2000': POOL_HEADER_2000,
  'x86-xp': POOL_HEADER_XP,
  'x86-nt6': POOL_HEADER_X86,
  'x64-2003': POOL_HEADER_2003_X64,
  'x64-nt6': POOL_HEADER_X64,
};
const families = Object.entries(FAMILIES) as [HeaderFamily, PoolHeaderLayout][];

interface Built {
  readonly image: MemoryImage;
  readonly memory: BuiltMemory;
  readonly base: number;
  readonly blocks: TrueBlock[];
}

function built(family: HeaderFamily, seed: number, paged = seed % 2 === 0, tags = TAGS): Built {
  const wide = family.startsWith('x64');
  const image = new MemoryImage(wide ? 8 : 4);
  const base = wide ? 0xfa80_0123_0000 : 0x8512_0000;
  const blocks = buildClassicPages(image, new Prng(seed), {
    family,
    at: base,
    pages: PAGES,
    paged,
    tags,
    processes: wide ? [0xfa80_0100_4080, 0xfa80_0200_9040] : [0x8610_4080],
    cookie: family === 'x64-nt6' ? 0x1234_5678_9abc_def0n : 0n,
  });
  return { image, memory: new BuiltMemory(image), base, blocks };
}

function walked({ image, memory, base }: Built, layout: PoolHeaderLayout): { lines: string[]; walk: ClassicPageWalk } {
  const lines: string[] = [];
  const walk = new ClassicPageWalk(memory, layout);
  walk.walk(at(image, base), PAGES * PAGE, (block) => lines.push(lineOf(block)));
  return { lines, walk };
}

describe('classic pool pages', () => {
  for (const [family, layout] of families) {
    it(`gives every block of ${layout.name}`, () => {
      for (let seed = 1; seed <= 6; seed++) {
        const one = built(family, seed);
        const { lines, walk } = walked(one, layout);
        expectSame(one.image, lines, one.blocks);
        expect(walk.counts).to.deep.equal({
          poolPages: PAGES,
          corruptPages: 0,
          bytesLost: 0,
          bigPages: 0,
          otherPages: 0,
          missingPages: 0,
        });
      }
    });

    it(`proves ${layout.name} by its pages`, () => {
      const one = built(family, 9, true);
      const nonPaged = built(family, 10, false);
      one.image.put(one.base + PAGES * PAGE, nonPaged.image.page(nonPaged.base)!);
      const proof = proveClassicPages(one.memory, at(one.image, one.base), (PAGES + 1) * PAGE);
      expect(proof?.layout).to.equal(layout);
      expect(proof?.poolPages).to.equal(PAGES + 1);
    });

    it(`loses one block of ${layout.name} to a damaged header, and says so`, () => {
      const one = built(family, 12);
      const page = one.blocks.filter(({ va }) => va < one.base + PAGE);
      // Not the first of the page, and not the last two.
      const victim = page[3]!;
      one.image.page(victim.va)!.fill(0xff, victim.va % PAGE, (victim.va % PAGE) + 4);
      const { lines, walk } = walked(one, layout);
      expect(walk.counts.corruptPages).to.equal(1);
      expect(walk.counts.bytesLost).to.equal(victim.size);
      const rest = one.blocks.filter((block) => block !== victim);
      expectSame(one.image, lines, rest);
    });
  }

  it('reads pages whose blocks have no tags, where their chain is long enough', () => {
    const one = built('x86-xp', 8, true, ['\x01\x00\x07\x00']);
    const { walk } = walked(one, POOL_HEADER_XP);
    expect(walk.counts.poolPages).to.be.greaterThan(PAGES * 0.7);
    expect(walk.counts.poolPages + walk.counts.otherPages).to.equal(PAGES);
  });

  it('tells pages of big allocations, other pages and missing ones apart', () => {
    const one = built('x64-nt6', 3);
    one.image.drop(one.base + PAGE);
    one.image.page(one.base + 2 * PAGE)!.fill(0);
    one.image.page(one.base + 3 * PAGE)!.set(new Prng(5).bytes(PAGE));
    const big = at(one.image, one.base + 4 * PAGE);
    const walk = new ClassicPageWalk(one.memory, POOL_HEADER_X64, (page) => page === big);
    walk.walk(at(one.image, one.base), PAGES * PAGE, () => undefined);
    expect(walk.counts).to.deep.include({ poolPages: PAGES - 4, bigPages: 1, otherPages: 2, missingPages: 1 });
  });

  it('takes no random page for pool', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...families), (seed, [, layout]) => {
        const image = new MemoryImage(layout.size === 16 ? 8 : 4);
        const base = 0x8512_0000;
        image.put(base, new Prng(seed).bytes(8 * PAGE));
        const walk = new ClassicPageWalk(new BuiltMemory(image), layout);
        walk.walk(base, 8 * PAGE, () => undefined);
        expect(walk.counts.poolPages).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });

  it('calls nothing live that is not, whatever is damaged, and reads each page once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom(...families),
        fc.array(fc.tuple(fc.nat(PAGES * PAGE - 1), fc.nat(255)), { minLength: 1, maxLength: 60 }),
        (seed, [family, layout], damage) => {
          const one = built(family, seed);
          const free = new Set(one.blocks.filter(({ state }) => state === 'free').map(({ va }) => va));
          const touched = new Set<number>();
          for (const [place, value] of damage) {
            one.image.page(one.base + place)![place % PAGE] = value;
            touched.add(Math.floor(place / PAGE));
          }
          const whole = new Set(one.blocks.map((block) => trueLine(one.image, block)));
          const walk = new ClassicPageWalk(one.memory, layout);
          walk.walk(at(one.image, one.base), PAGES * PAGE, (block) => {
            const va = Number(BigInt.asUintN(48, toVirtual(block.address)));
            const page = Math.floor((va - one.base) / PAGE);
            if (touched.has(page)) return;
            expect(whole.has(lineOf(block))).to.equal(true);
            if (block.state === BlockState.Live) expect(free.has(va)).to.equal(false);
          });
          expect(one.memory.pages).to.equal(PAGES);
        },
      ),
      { numRuns: 60 },
    );
  });
});
