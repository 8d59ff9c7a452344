/** Damaged rings of module entries: what each damage of one or two links costs. */

import { expect } from 'chai';
import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { Failure } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { readModuleEntries } from './module-list.js';

const HEAD = 0xfffff80000001000n;
const FIRST = 0xffffe00000010000n;
const STEP = 0x1000n;
const NAMES = 0xffffe000000f0000n;
const entryAt = (i: number): bigint => FIRST + BigInt(i) * STEP;

/** A list of entries in memory, which tests damage. */
class Ring {
  private readonly bytes = new Map<bigint, Buffer>();

  constructor(readonly count: number) {
    this.page(NAMES).write('drv.sys', 'utf16le');
    for (let i = 0; i < count; i++) {
      const entry = this.page(entryAt(i));
      entry.writeBigUInt64LE(0xfffff80010000000n + BigInt(i) * 0x10000n, 0x30);
      entry.writeUInt32LE(0x8000, 0x40);
      for (const name of [0x48, 0x58]) {
        entry.writeUInt16LE(14, name);
        entry.writeUInt16LE(16, name + 2);
        entry.writeBigUInt64LE(NAMES, name + 8);
      }
    }
    const ring = [HEAD, ...Array.from({ length: count }, (_, i) => entryAt(i)), HEAD];
    ring.slice(1).forEach((at, i) => {
      this.set(ring[i] ?? HEAD, at);
      this.set(at, ring[i] ?? HEAD, 8);
    });
  }

  /** Flink of an entry, or Blink with `link` 8. */
  set(at: bigint, to: bigint, link: 0 | 8 = 0): this {
    this.page(at).writeBigUInt64LE(to, Number(at & 0xfffn) + link);
    return this;
  }

  remove(at: bigint): this {
    this.bytes.delete(at);
    return this;
  }

  /** The numbers of the entries that are found (-1: none of the list), where the gap is, and the warning. */
  read(): { found: number[]; gapAt: number | null; warning: string } {
    const { entries, gapAt, warnings } = readModuleEntries(this.memory(), virtual(HEAD));
    const found = entries.map((at) => ((at - FIRST) % STEP === 0n ? Number((at - FIRST) / STEP) : -1));
    return { found, gapAt, warning: warnings.map(({ message }) => message).join() };
  }

  private page(at: bigint): Buffer {
    const page = at - (at & 0xfffn);
    const known = this.bytes.get(page) ?? Buffer.alloc(0x1000);
    this.bytes.set(page, known);
    return known;
  }

  private memory(): VirtualMemory {
    const read = (at: VirtualAddress, length: number): Buffer | Failure => {
      const page = this.bytes.get(at - (at & 0xfffn));
      const offset = Number(at & 0xfffn);
      return page === undefined || offset + length > 0x1000
        ? new Failure('not-in-dump', 'nothing is there')
        : page.subarray(offset, offset + length);
    };
    const readPointer = (at: VirtualAddress): VirtualAddress | Failure => {
      const bytes = read(at, 8);
      return bytes instanceof Failure ? bytes : virtual(bytes.readBigUInt64LE());
    };
    return { pointerSize: 8, read, readPointer } as unknown as VirtualMemory;
  }
}

const ALL = [0, 1, 2, 3, 4, 5, 6, 7];

describe('the module list', () => {
  it('without damage is read once, without a word', () => {
    expect(new Ring(8).read()).to.deep.equal({ found: ALL, gapAt: null, warning: '' });
    expect(new Ring(0).read()).to.deep.equal({ found: [], gapAt: null, warning: '' });
  });

  it('with one damaged link, whichever, loses nothing and says so', () => {
    const places = [HEAD, ...ALL.map(entryAt)];
    const values = [
      0n,
      0xffffffffffffffffn,
      HEAD,
      HEAD + 8n,
      0xffffdead00000000n,
      ...ALL.map(entryAt),
      ...ALL.map((i) => entryAt(i) + 0x18n),
    ];
    for (const at of places) {
      for (const link of [0, 8] as const) {
        for (const to of values) {
          const ring = new Ring(8);
          const neighbour = places[(places.indexOf(at) + (link === 0 ? 1 : places.length - 1)) % places.length];
          if (to === neighbour) continue;
          const { found, gapAt, warning } = ring.set(at, to, link).read();
          const what = `${at.toString(16)} ${link} ${to.toString(16)}`;
          expect(found, what).to.deep.equal(ALL);
          expect(gapAt, what).to.equal(null);
          expect(warning, what).to.match(
            /^the module list breaks after \d modules? \(.*none is missing|nothing is missing/,
          );
        }
      }
    }
  });

  it('keeps an entry that both neighbours pass over in one direction each from being lost in silence', () => {
    // 2 -> 4 forwards; 5 -> 3 backwards.
    const { found, gapAt, warning } = new Ring(8).set(entryAt(2), entryAt(4)).set(entryAt(5), entryAt(3), 8).read();
    expect(found).to.deep.equal(ALL);
    expect(gapAt).to.equal(null);
    expect(warning).to.include('0xffffe00000014000, which links back to 0xffffe00000013000');
  });

  it('goes on over links that nothing confirms, to what can be an entry', () => {
    const { found, gapAt } = new Ring(8).set(entryAt(1), 0n).set(entryAt(4), entryAt(0)).read();
    expect(found).to.deep.equal(ALL);
    expect(gapAt).to.equal(null);
  });

  it('keeps what an unconfirmed way forwards passes over', () => {
    const ring = new Ring(8).set(entryAt(3), 0n, 8).set(entryAt(6), 0n, 8);
    expect(ring.read()).to.include({ gapAt: null }).and.to.deep.include({ found: ALL });
    expect(ring.set(entryAt(3), entryAt(5)).read())
      .to.include({ gapAt: null })
      .and.to.deep.include({ found: ALL });
  });

  it('keeps an entry that both neighbours agree on, whatever its fields hold', () => {
    const ring = new Ring(8).set(entryAt(4) + 0x30n, 0x123n);
    expect(ring.read()).to.deep.equal({ found: ALL, gapAt: null, warning: '' });
    expect(ring.set(entryAt(7), 0n).read()).to.deep.include({ found: ALL });
  });

  it('has a gap where two broken links leave entries between them', () => {
    const { found, gapAt, warning } = new Ring(8).set(entryAt(1), 0n).set(entryAt(5), 0x18n, 8).read();
    expect(found).to.deep.equal([0, 1, 5, 6, 7]);
    expect(gapAt).to.equal(2);
    expect(warning).to.match(/3 more were read from its other end, those between are unknown$/);
  });

  it('has a gap where an entry is not in the dump', () => {
    const { found, gapAt } = new Ring(8).remove(entryAt(3)).read();
    expect(found).to.deep.equal([0, 1, 2, 4, 5, 6, 7]);
    expect(gapAt).to.equal(3);
  });

  it('does not follow two damaged links into something else', () => {
    const ring = new Ring(8);
    const other = 0xffffe00000080000n;
    ring
      .set(other, other + 0x40n)
      .set(other + 0x40n, other)
      .set(other, other + 0x40n, 8)
      .set(other + 0x40n, other, 8);
    const { found } = ring
      .set(entryAt(3), other)
      .set(entryAt(6), other + 0x40n, 8)
      .read();
    expect(found).to.deep.equal([0, 1, 2, 3, 6, 7]);
  });
});
