/** Each proof alone, on tables made by hand: healthy ones are left in peace, and each kind of damage has its own words. */

import { expect } from 'chai';
import { TrackerSums, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { TableCensus } from '../../../parsers/kernel/table-census.js';
import { hashSlot } from '../../../parsers/kernel/tag-hash.js';
import { contradictionsOf, excessOf, type Contradiction } from './prove-tables.js';

const SLOTS = 1025;
const SIZE = 56;
const RECORD: TrackerRecord = {
  size: SIZE,
  key: 0,
  counters: [16, 24, 8, 40, 48, 32].map((offset) => ({ offset, wide: true })),
};

/** A table with `count` tags at their slots, ten blocks of 64 bytes each. */
function healthy(count = 400): Buffer {
  const bytes = Buffer.alloc(SLOTS * SIZE);
  for (let i = 0; i < count; i++) {
    const key = (0x41414141 + i * 0x010203) & 0x7f7f7f7f;
    let slot = hashSlot(key, SLOTS - 2);
    while (bytes.readUInt32LE(slot * SIZE) !== 0) slot = (slot + 1) & (SLOTS - 2);
    bytes.writeUInt32LE(key, slot * SIZE);
    bytes.writeBigUInt64LE(10n, slot * SIZE + 16);
    bytes.writeBigUInt64LE(640n, slot * SIZE + 8);
  }
  return bytes;
}

function read(...tables: Buffer[]): { census: TableCensus; sums: TrackerSums } {
  const [census, sums] = [new TableCensus(RECORD, SLOTS), new TrackerSums(RECORD, SLOTS)];
  for (const table of tables) {
    census.begin();
    census.add(table, 0);
    sums.add(table, 0, true);
  }
  return { census, sums };
}

const told = (tables: Buffer[], isOneMoment = true): string[] => {
  const { census, sums } = read(...tables);
  return contradictionsOf(census, sums, isOneMoment).map(({ message }: Contradiction) => message);
};
const firstSlot = (table: Buffer, from = 0): number => {
  let slot = from;
  while (table.readUInt32LE(slot * SIZE) === 0) slot++;
  return slot;
};

describe('proofs of pool tag tables', () => {
  it('say nothing of healthy tables, also of a processor that used few tags', () => {
    const idle = Buffer.alloc(SLOTS * SIZE);
    const slot = firstSlot(healthy());
    healthy().copy(idle, slot * SIZE, slot * SIZE, (slot + 1) * SIZE);
    expect(told([healthy(), healthy(), idle])).to.deep.equal([]);
    expect(told([healthy(1024)])).to.deep.equal([]);
  });

  it('tell that a slot holds another tag than in the table before', () => {
    const other = healthy();
    other.writeUInt32LE(0x4c4c4c4c, firstSlot(other) * SIZE);
    expect(told([healthy(), other])[0]).to.match(/^the pool tag tables contradict each other: in 1 places/);
  });

  it('tell of tags that stand where their hash does not lead', () => {
    const astray = healthy();
    for (let i = 0, slot = 0; i < 6; i++, slot++) {
      slot = firstSlot(astray, slot);
      astray.writeUInt32LE((astray.readUInt32LE(slot * SIZE) ^ 0x00001500) >>> 0, slot * SIZE);
    }
    expect(told([astray])[0]).to.match(/^[456] of 400 tags stand where their hash does not lead/);
  });

  it('tell of a page that is empty where the others have tags', () => {
    const lost = healthy();
    lost.fill(0, 4096, 8192);
    expect(told([healthy(), lost])[0]).to.match(/^1 page of the pool tag tables holds no tag at all/);
    expect(told([healthy(), healthy()])).to.deep.equal([]);
  });

  it('tell of counters that contradict themselves: two in a page, where all is of one moment, or many', () => {
    const odd = healthy();
    const [first] = [firstSlot(odd)];
    for (const slot of [first, firstSlot(odd, first + 1)]) odd.writeBigUInt64LE(50n, slot * SIZE + 24);
    expect(told([odd])).to.have.length(1);
    expect(told([odd])[0]).to.match(/^2 of 400 tags have counters that contradict themselves/);
    expect(told([odd], false)).to.deep.equal([]);
    for (let i = 0, slot = 0; i < 8; i++, slot++) odd.writeBigUInt64LE(50n, (slot = firstSlot(odd, slot)) * SIZE + 24);
    expect(told([odd], false)[0]).to.match(/^8 of 400 tags/);
  });

  it('tell of tags that hold more than the pool has, by a tenth', () => {
    const { sums } = read(healthy());
    const pages = (400 * 640) / 4096;
    expect(excessOf(sums, 'nonpaged', pages)).to.equal(null);
    expect(excessOf(sums, 'nonpaged', pages / 1.09)).to.equal(null);
    expect(excessOf(sums, 'nonpaged', pages / 1.11)?.code).to.equal('tables-exceed-pool');
    expect(excessOf(sums, 'nonpaged', null)).to.equal(null);
    expect(excessOf(sums, 'paged', 1)).to.equal(null);
  });

  /** Moves so many records to free slots behind other free ones, each in a page of its own where that can be. */
  const strayed = (count: number, tags = 400): Buffer => {
    const table = healthy(tags);
    const isFree = (slot: number): boolean => table.readUInt32LE(slot * SIZE) === 0;
    for (let i = 0, to = 1; i < count; i++) {
      const from = firstSlot(table, i === 0 ? 0 : 5 * i);
      const key = table.readUInt32LE(from * SIZE);
      to = Math.max(to, i * 150 + 60);
      while (!isFree(to) || !isFree(to - 1) || hashSlot(key, SLOTS - 2) === to) to++;
      table.copy(table, to * SIZE, from * SIZE, (from + 1) * SIZE);
      table.fill(0, from * SIZE, (from + 1) * SIZE);
    }
    return table;
  };

  it('tell of astray tags past one in a hundred, and past two', () => {
    expect(told([strayed(4)])).to.deep.equal([]);
    expect(told([strayed(5)])[0]).to.match(/^5 of 400 tags stand where/);
    expect(told([strayed(2, 60)])).to.deep.equal([]);
    expect(told([strayed(3, 60)])[0]).to.match(/^3 of 60 tags stand where/);
  });

  it('say nothing of where tags stand for fewer than 24, nor where most stand by another hash', () => {
    expect(told([strayed(4, 24)])[0]).to.match(/^[34] of 24 tags stand where/);
    expect(told([strayed(4, 23)])).to.deep.equal([]);
    const other = Buffer.alloc(SLOTS * SIZE);
    const table = healthy(60);
    for (let i = 0, slot = 0; i < 60; i++, slot++) {
      slot = firstSlot(table, slot);
      table.copy(other, (i * 17 + 5) * SIZE, slot * SIZE, (slot + 1) * SIZE);
    }
    expect(told([other])).to.deep.equal([]);
  });

  const OFFSETS = { NonPaged: [16, 24, 8], Paged: [40, 48, 32] } as const;
  /** Tags of 400 with these counters, one from each of so many places. */
  const withCounters = (pool: keyof typeof OFFSETS, counters: readonly bigint[], slots: readonly number[]): Buffer => {
    const table = healthy();
    for (const from of slots) {
      const slot = firstSlot(table, from);
      counters.forEach((value, i) => table.writeBigUInt64LE(value, slot * SIZE + OFFSETS[pool][i]!));
    }
    return table;
  };
  const APART = [0, 200, 400, 600, 800];

  it('take for a contradiction: more frees than allocations, fewer bytes than blocks, bytes of no block; in either pool', () => {
    for (const pool of ['NonPaged', 'Paged'] as const) {
      const odd = (...counters: bigint[]): number => told([withCounters(pool, counters, APART)], false).length;
      expect(odd(10n, 11n, 640n)).to.equal(1);
      expect(odd(10n, 4n, 5n)).to.equal(1);
      expect(odd(10n, 10n, 1n)).to.equal(1);
      expect(odd(10n, 4n, 6n), 'a byte each').to.equal(0);
      expect(odd(10n, 10n, 0n)).to.equal(0);
      expect(odd(0n, 0n, 0n)).to.equal(0);
    }
  });

  it('tell of more contradictions than one in a hundred; of two in one page only where all is of one moment', () => {
    const odd = [10n, 11n, 640n];
    expect(told([withCounters('NonPaged', odd, APART.slice(1))])).to.deep.equal([]);
    expect(told([withCounters('NonPaged', odd, APART)])).to.have.length(1);
    expect(told([withCounters('NonPaged', odd, [0])])).to.deep.equal([]);
    const one = withCounters('NonPaged', odd, [0]);
    const next = withCounters('NonPaged', odd, [0, firstSlot(one) + 1]);
    expect(told([next])).to.have.length(1);
    expect(told([next], false)).to.deep.equal([]);
  });

  it('tell of tags that hold more than the pool, by a tenth or twice, and count no row that alone has more', () => {
    const pages = (400 * 640) / 4096;
    const nonPaged = read(healthy()).sums;
    expect(excessOf(nonPaged, 'nonpaged', pages / 1.1 + 1e-9)).to.equal(null);
    expect(excessOf(nonPaged, 'nonpaged', pages / 1.1 - 1e-9)?.message).to.match(
      /^the tags hold 256000 bytes of nonpaged pool/,
    );
    expect(excessOf(nonPaged, 'nonpaged', 0)).to.equal(null);
    expect(excessOf(nonPaged, 'nonpaged', -1)).to.equal(null);
    const paged = read(withCounters('Paged', [9n, 0n, 8192n], APART)).sums;
    expect(excessOf(paged, 'paged', 5)).to.equal(null);
    expect(excessOf(paged, 'paged', 4.99)?.message).to.match(/^the tags hold 40960 bytes of paged pool/);
    expect(excessOf(paged, 'paged', 2), 'as large as the pool itself').to.not.equal(null);
    expect(excessOf(paged, 'paged', 1.99)).to.equal(null);
    const minus = read(withCounters('Paged', [0n, 9n, 2n ** 64n - 40960n], [0])).sums;
    expect(excessOf(minus, 'paged', 1)).to.equal(null);
  });
});
