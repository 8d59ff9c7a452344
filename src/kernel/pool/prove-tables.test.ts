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
});
