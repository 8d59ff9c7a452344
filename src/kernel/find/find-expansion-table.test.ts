/** The expansion table by its content alone: where it begins and ends, and what is none. */

import { expect } from 'chai';
import { plus } from '../../../parsers/addresses.js';
import { COUNTERS, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { FLAT_BASE, FlatMemory } from '../../../parsers/pe/flat-memory.test.helper.js';
import type { KernelImage } from '../open/locate-kernel.js';
import { findExpansionTable } from './find-expansion-table.js';

/** As x64 kernels of Windows 7 have it: 40 bytes, the key first, bytes as 64-bit counters. */
const PLACES: Readonly<Record<string, number>> = { NonPagedAllocs: 4, NonPagedFrees: 8, NonPagedBytes: 0x10, PagedAllocs: 0x18, PagedFrees: 0x1c, PagedBytes: 0x20 }; // prettier-ignore
const RECORD: TrackerRecord = {
  ...{ size: 0x28, key: 0 },
  counters: COUNTERS.map((name) => ({ offset: PLACES[name] ?? 0, wide: name.endsWith('Bytes') })),
};
const PER_PAGE = Math.floor(0x1000 / 0x28);
/** One page of data, then pages where tables are. */
const KERNEL = { base: FLAT_BASE, size: 0x5000, headers: { sections: [{ name: '.data', rva: 0, size: 0x1000, executable: false, fileOffset: 0, fileSize: 0 }] } } as unknown as KernelImage; // prettier-ignore
const TABLE = 0x1000;

interface Row {
  readonly tag?: string;
  readonly allocs?: number;
  readonly frees?: number;
  readonly bytes?: bigint;
  readonly paged?: readonly [number, number, bigint];
}

const tagOf = (i: number): string => `A${String(i).padStart(3, '0')}`;

function put(memory: FlatMemory, at: number, { tag = 'Aaaa', allocs = 7, frees = 2, bytes = 500n, paged = [0, 0, 0n] }: Row): void {
  memory.bytes.set(Buffer.from(tag, 'latin1'), at);
  memory.words(at + 4, allocs, frees);
  memory.view.setBigUint64(at + 0x10, bytes, true);
  memory.words(at + 0x18, paged[0], paged[1]);
  memory.view.setBigUint64(at + 0x20, paged[2], true);
} // prettier-ignore

/** Memory with `count` records in use from TABLE on, and a pointer to them in the data. */
function table(count: number, { pages = 5, missing = [] as number[] } = {}): FlatMemory {
  const memory = new FlatMemory(pages, missing);
  pointAt(memory, 0x100, TABLE);
  for (let i = 0; i < count; i++) put(memory, TABLE + i * RECORD.size, { tag: tagOf(i) });
  return memory;
}

function pointAt(memory: FlatMemory, at: number, rva: number): void {
  memory.view.setBigUint64(at, FLAT_BASE + BigInt(rva), true);
}

const find = (memory: FlatMemory, isHashed: (key: number) => boolean = () => false): unknown =>
  findExpansionTable(memory, KERNEL, RECORD, isHashed);
const found = (entries: number): object => ({ address: plus(FLAT_BASE, TABLE), entries });

describe('the expansion table by its content', () => {
  it('is records without a gap, then nothing to the end of the page', () => {
    for (const count of [1, 2, 50, PER_PAGE - 1, PER_PAGE + 1])
      expect(find(table(count)), `${count}`).to.deep.equal(found(count));
    const gap = table(10);
    gap.bytes.fill(0, TABLE + 4 * RECORD.size, TABLE + 5 * RECORD.size);
    expect(find(gap)).to.equal(null);
    const last = table(10);
    last.bytes[TABLE + 0xfff] = 1;
    expect(find(last)).to.equal(null);
  });

  it('ends where the dump does, with its last record in use', () => {
    // The record after the last one that fits begins on this page and ends on the missing one.
    expect(find(table(PER_PAGE, { missing: [2] }))).to.deep.equal(found(PER_PAGE));
    expect(find(table(10, { missing: [2] }))).to.deep.equal(found(10));
    expect(find(table(1, { missing: [1] }))).to.equal(null);
  });

  it('ends at a page border where another matter follows, and nowhere else', () => {
    const full = table(PER_PAGE);
    // What is left of the page is smaller than a record; the next page holds something else.
    full.bytes.fill(0xcc, 0x2000, 0x3000);
    full.bytes.fill(0xcc, TABLE + PER_PAGE * RECORD.size, 0x2000);
    expect(find(full)).to.deep.equal(found(PER_PAGE));
    const early = table(PER_PAGE - 1);
    early.bytes.fill(0xcc, TABLE + (PER_PAGE - 1) * RECORD.size, 0x3000);
    expect(find(early)).to.equal(null);
  });

  it('may fill its pages to the last byte', () => {
    // 512 records are five pages.
    const full = table(512, { pages: 8 });
    full.bytes.fill(0xcc, TABLE + 0x5000, TABLE + 0x6000);
    expect(find(full)).to.deep.equal(found(512));
    full.bytes.fill(0xcc, TABLE + 511 * RECORD.size, TABLE + 0x5000);
    expect(find(full)).to.equal(null);
  });

  it('has each tag once, and none that a hashed table has', () => {
    const twice = table(10);
    put(twice, TABLE + 6 * RECORD.size, { tag: tagOf(2) });
    expect(find(twice)).to.equal(null);
    const hashed = Buffer.from(tagOf(3), 'latin1').readUInt32LE();
    expect(find(table(10), (key) => key === hashed)).to.equal(null);
  });

  it('has counters that can be true', () => {
    const one = (row: Row): unknown => {
      const memory = table(3);
      put(memory, TABLE + RECORD.size, { tag: tagOf(1), ...row });
      return find(memory);
    };
    const isRecord: Row[] = [{ allocs: 5, frees: 5, bytes: 0n }, { allocs: 5, frees: 4, bytes: 1n }, { bytes: 2n ** 45n - 1n }, { allocs: 0, frees: 0, bytes: 0n, paged: [1, 0, 16n] }]; // prettier-ignore
    for (const row of isRecord) expect(one(row)).to.deep.equal(found(3));
    const isNone: Row[] = [{ allocs: 5, frees: 6, bytes: 0n }, { allocs: 5, frees: 5, bytes: 1n }, { allocs: 5, frees: 2, bytes: 2n }, { bytes: 2n ** 45n }, { allocs: 0, frees: 0, bytes: 0n }, { paged: [1, 2, 0n] }, { tag: '\x01\x02AA' }]; // prettier-ignore
    for (const [i, row] of isNone.entries()) expect(one(row), `${i}`).to.equal(null);
    // One character that cannot be typed is possible, and a protected tag is the tag.
    expect(one({ tag: '\x01BBB' })).to.deep.equal(found(3));
  });

  it('is the only one, or how many there are', () => {
    const memory = table(5);
    pointAt(memory, 0x200, 0x3000);
    expect(find(memory)).to.deep.equal(found(5));
    put(memory, 0x3000, { tag: 'Zzzz' });
    expect(find(memory)).to.deep.equal({ candidates: 2 });
    pointAt(memory, 0x100, 0x3000);
    expect(find(memory)).to.deep.equal({ address: plus(FLAT_BASE, 0x3000), entries: 1 });
    pointAt(memory, 0x100, 0x2000);
    pointAt(memory, 0x200, 0x2000);
    expect(find(memory)).to.equal(null);
  });
});
