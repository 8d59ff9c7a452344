import { expect } from 'chai';
import fc from 'fast-check';
import { physical, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import { MemoryBase } from '../../../parsers/paging/memory-base.js';
import type { Chunk } from '../../../parsers/paging/virtual-memory.js';
import type { LoadedModule } from './modules.js';
import { searchBytes, searchTags } from './tag-search.js';

const BASE = virtual(0xfffff80000000000n);
const PAGE = 4096;

/** A module's bytes, some pages missing, given out in pieces of `piece` bytes: borders everywhere. */
class Pieces extends MemoryBase {
  readonly pointerSize = 8;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly missing: ReadonlySet<number>,
    private readonly piece: number,
  ) {
    super();
  }

  translate(): ReturnType<MemoryBase['translate']> {
    return physical(0);
  }

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    const start = Number(address - BASE);
    for (let at = start; at < start + length; at++) {
      if (this.missing.has(Math.floor(at / PAGE))) return new Failure('not-in-dump', 'left out');
    }
    return this.bytes.subarray(start, start + length);
  }

  override *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    const start = Number(address - BASE);
    for (let at = start; at < start + length;) {
      const page = Math.floor(at / PAGE);
      const pageEnd = Math.min((page + 1) * PAGE, start + length);
      const end = this.missing.has(page) ? pageEnd : Math.min(at + this.piece, pageEnd);
      yield { offset: at - start, length: end - at, bytes: this.read(plus(BASE, at), end - at) };
      at = end;
    }
  }
}

function moduleOf(bytes: Uint8Array, missing: readonly number[], piece: number): LoadedModule {
  const pages = Math.ceil(bytes.length / PAGE);
  return {
    name: 'test.sys', moduleName: 'test', path: null, base: BASE, sizeOfImage: bytes.length, timeDateStamp: null, checkSum: null,
    headers: null, codeView: null, version: null, memory: new Pieces(bytes, new Set(missing), piece),
    pagesPresent: pages - new Set(missing).size, pagesTotal: pages,
  }; // prettier-ignore
}

const LEAK = Buffer.from('Leak');
const KEY = LEAK.readUInt32LE();

/** Every place of the pattern that touches no missing page. */
function naive(bytes: Uint8Array, missing: readonly number[], pattern: Uint8Array): number[] {
  const found: number[] = [];
  const buffer = Buffer.from(bytes);
  for (let at = buffer.indexOf(pattern); at >= 0; at = buffer.indexOf(pattern, at + 1)) {
    const gone = [at, at + pattern.length - 1].some((b) => missing.includes(Math.floor(b / PAGE)));
    if (!gone) found.push(at);
  }
  return found;
}

const places = fc.array(fc.integer({ min: 0, max: 6 * PAGE - 4 }), { maxLength: 12 });
const borders = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: -4, max: 1 })), { maxLength: 6 });
const missingPages = fc.uniqueArray(fc.nat(5), { maxLength: 3 });

describe('the tag search', () => {
  it('finds each occurrence once, whatever the pieces and the borders', () => {
    fc.assert(
      fc.property(
        places,
        borders,
        missingPages,
        fc.integer({ min: 1, max: PAGE }),
        (anywhere, atBorders, missing, piece) => {
          const bytes = new Uint8Array(6 * PAGE).fill(0x90);
          for (const at of anywhere) bytes.set(LEAK, at);
          for (const [page, shift] of atBorders) bytes.set(LEAK, page * PAGE + shift);
          const { hits, searched } = searchTags([moduleOf(bytes, missing, piece)], [KEY]);
          expect(hits.get(KEY)!.map((h) => h.offset)).to.deep.equal(naive(bytes, missing, LEAK));
          expect(searched.pagesMissing).to.equal(missing.length);
          for (const hit of hits.get(KEY)!) {
            expect(
              Buffer.from(hit.bytes).equals(Buffer.from(bytes.subarray(hit.offset, hit.offset + hit.bytes.length))),
            ).to.equal(true);
            expect(
              Buffer.from(hit.before).equals(Buffer.from(bytes.subarray(hit.offset - hit.before.length, hit.offset))),
            ).to.equal(true);
            const after = [...Array(16).keys()].find(
              (i) => hit.offset + i >= bytes.length || missing.includes(Math.floor((hit.offset + i) / PAGE)),
            );
            expect(hit.bytes.length).to.equal(after ?? 16);
          }
        },
      ),
    );
  });

  it('searches bytes of any length the same way', () => {
    fc.assert(
      fc.property(places, missingPages, fc.integer({ min: 7, max: PAGE }), (anywhere, missing, piece) => {
        const pattern = Buffer.from([1, 2, 3, 4, 5, 6, 7]);
        const bytes = new Uint8Array(6 * PAGE + 8);
        for (const at of anywhere) bytes.set(pattern, at);
        const { hits } = searchBytes([moduleOf(bytes, missing, piece)], pattern);
        expect(hits.map((h) => h.offset)).to.deep.equal(naive(bytes, missing, pattern));
      }),
    );
  });

  it('finds tags with the protected bit and says so', () => {
    const bytes = new Uint8Array(PAGE);
    bytes.set(LEAK, 10);
    bytes.set(Buffer.from('Lea\xeb', 'latin1'), 30);
    const { hits } = searchTags([moduleOf(bytes, [], 100)], [KEY]);
    expect(hits.get(KEY)!.map((h) => [h.offset, h.protectedBit])).to.deep.equal([[10, false], [30, true]]); // prettier-ignore
    expect(searchTags([moduleOf(bytes, [], 100)], [KEY], { exact: true }).hits.get(KEY)).to.have.length(1);
  });

  it('gives the same for many tags at once as for each alone', () => {
    const bytes = Buffer.alloc(6 * PAGE);
    let state = 7;
    for (let i = 0; i < bytes.length; i++) bytes[i] = 97 + (((state = (state * 1103515245 + 12345) >>> 0) >>> 16) % 4);
    const keys = [...new Set(Array.from({ length: 120 }, (_, i) => bytes.readUInt32LE(i * 190)))];
    expect(keys.length).to.be.greaterThan(60);
    // Pieces that begin on odd addresses, too.
    for (const piece of [1000, 1001, 333]) {
      const module = moduleOf(bytes, [2], piece);
      const together = searchTags([module], keys).hits;
      for (const key of keys) {
        const alone = searchTags([module], [key]).hits.get(key)!;
        expect(together.get(key)!.map((h) => h.offset)).to.deep.equal(alone.map((h) => h.offset));
      }
    }
  });

  it('counts a module without memory as not translatable, never as searched', () => {
    const gone: LoadedModule = { ...moduleOf(new Uint8Array(PAGE), [], 10), memory: null };
    const { searched } = searchTags([gone, moduleOf(new Uint8Array(2 * PAGE), [0, 1], 10)], [KEY]);
    expect(searched).to.deep.equal({ modules: 0, notTranslatable: 2, pagesPresent: 0, pagesMissing: 2 });
  });
});
