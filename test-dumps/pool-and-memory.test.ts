import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { buildDump } from './build-dump.js';
import { HandReader, readBack } from './reader/hand-reader.js';
import { SCENARIOS } from './scenarios.js';

/** Offsets of key, then allocs, frees, bytes of the nonpaged and of the paged pool; width of the counts. */
const RECORDS = {
  0x28: { narrow: true, at: [4, 8, 0x10, 0x18, 0x1c, 0x20] },
  0x38: { narrow: false, at: [0x10, 0x18, 8, 0x28, 0x30, 0x20] },
  0x50: { narrow: false, at: [0x10, 0x18, 8, 0x28, 0x30, 0x20] },
} as const;

/** Sums tables by tag with wrap-around: allocs, frees, bytes of both pools. */
function sumTables(
  h: HandReader,
  tables: { address: bigint; entries: number }[],
  size: 0x28 | 0x38 | 0x50,
): Map<number, bigint[]> {
  const { narrow, at } = RECORDS[size];
  const sums = new Map<number, bigint[]>();
  for (const { address, entries } of tables) {
    const bytes = h.bytes(address, entries * size);
    for (let slot = 0; slot < entries; slot++) {
      const record = bytes.subarray(slot * size, (slot + 1) * size);
      const key = record.readUInt32LE(0) & 0x7fffffff;
      if (key === 0) continue;
      const before = sums.get(key) ?? [0n, 0n, 0n, 0n, 0n, 0n];
      sums.set(
        key,
        at.map((offset, i) => {
          const isCount = i % 3 !== 2;
          if (narrow && isCount) return BigInt.asUintN(32, before[i]! + BigInt(record.readUInt32LE(offset)));
          return BigInt.asUintN(64, before[i]! + record.readBigUInt64LE(offset));
        }),
      );
    }
  }
  return sums;
}

/** PoolTrackTable, PoolTrackTableSize and ExPoolTagTables of four kernels, as the published tables of RVAs have them. */
const POOL_RVAS: Record<string, [table: bigint, size: bigint, array: bigint, record: 0x28 | 0x38 | 0x50]> = {
  '6.1.7601.24540': [0x210f88n, 0x210f80n, 0x210fa0n, 0x28],
  '10.0.17763.4644': [4229208n, 4218848n, 4218880n, 0x38],
  '10.0.19041.804': [0xc168a8n, 0xc19128n, 0xc168c0n, 0x38],
};

describe('test dumps: pool tables', () => {
  for (const [kernel, [table, size, array, record]] of Object.entries(POOL_RVAS)) {
    it(`${kernel}: single tables go below zero, the sum over all is right`, () => {
      const dump = buildDump({ ...SCENARIOS.modernLeak(), kernel });
      const h = readBack(dump);
      const { base } = dump.truth.kernel;
      const main = h.pointer(base + table);
      const entries = Number(h.pointer(base + size));
      expect(entries).to.equal(dump.truth.pool.entries);
      const addresses = new Set([main]);
      for (let i = 0n; i < 8n; i++) addresses.add(h.pointer(base + array + i * 8n));
      expect(addresses).to.have.property('size', 8);
      expect(h.pointer(base + array + 64n)).to.equal(0n);
      const sums = sumTables(
        h,
        [...addresses].map((address) => ({ address, entries })),
        record,
      );
      expect(sums.size).to.equal(dump.truth.pool.rows.length);
      for (const row of dump.truth.pool.rows) {
        const { nonPaged, paged } = row;
        expect(sums.get(row.key), row.tag).to.deep.equal([
          nonPaged.allocs,
          nonPaged.frees,
          nonPaged.bytes,
          paged.allocs,
          paged.frees,
          paged.bytes,
        ]);
      }
      const leak = dump.truth.pool.rows.find((row) => row.tag === 'AcNb')!;
      expect(leak.nonPaged).to.deep.equal({
        allocs: 1371204n,
        frees: 8061n,
        outstanding: 1363143n,
        bytes: 1363143n * 2064n,
      });
      expect(dump.truth.pool.negativeCounters).above(50);
    });
  }

  it('notmyfault: the published totals', () => {
    const { totals, rows } = buildDump(SCENARIOS.notmyfault()).truth.pool;
    expect(totals).to.deep.equal({
      nonPagedAllocs: 43424n,
      nonPagedBytes: 634209952n,
      pagedAllocs: 63565n,
      pagedBytes: 126487760n,
    });
    const top = [...rows].sort((a, b) => Number(b.nonPaged.bytes - a.nonPaged.bytes)).slice(0, 5);
    expect(top.map((row) => `${row.tag} ${row.nonPaged.outstanding} ${row.nonPaged.bytes} ${row.paged.outstanding} ${row.paged.bytes}`)).to.deep.equal([
      'Leak 601 615424000 0 0', 'Pool 6 1717840 0 0', 'nVsC 664 1531552 0 0', 'netv 4369 1172224 1 144', 'Thre 607 774048 0 0',
    ]); // prettier-ignore
  });

  it('puts rows in the expansion table and the overflow slot, leaves out tables and pages, marks protected tags', () => {
    const row = (tag: string, more: object = {}): object => ({
      tag,
      nonPaged: { allocs: 5, frees: 2, bytes: 4800 },
      ...more,
    });
    const dump = buildDump({
      processors: 4,
      pool: {
        rows: [
          row('Abcd'),
          row('Expa', { place: 'expansion' }),
          row('Ovfl', { place: 'overflow' }),
          row('Prot', { protected: true }),
        ] as never,
        absentProcessors: [1, 3],
        absentPage: { processor: 2, page: 1 },
        tableSize: 1025,
        processorZero: 'own',
      },
    });
    const h = readBack(dump);
    const { base } = dump.truth.kernel;
    const array = Array.from({ length: 7 }, (_, i) => h.pointer(base + 0xc168c0n + BigInt(i) * 8n));
    expect(array.map((p) => p !== 0n)).to.deep.equal([true, false, true, false, true, true, false]);
    const main = h.pointer(base + 0xc168a8n);
    expect(array).not.to.include(main);
    expect(() => h.bytes(array[2]! + 0x1000n, 1)).to.throw('not in dump');
    expect(dump.truth.pool).to.include({
      tables: 5,
      tablesReadable: 4,
      complete: false,
      entries: 1025,
      expansionEntries: 1,
    });
    expect(h.bytes(h.pointer(base + BigInt(12685584)), 4).toString()).to.equal('Expa');
    const last = [main, ...array.filter((p) => p !== 0n)].map((p) => h.bytes(p + 1024n * 0x38n, 4).toString('latin1'));
    expect(last).to.include('Ovfl');
    expect(dump.truth.pool.rows.find((r) => r.tag === 'Prot')).to.include({ protected: true });
    const readable = [main, array[0]!, array[4]!, array[5]!].map((p) => h.bytes(p, 1024 * 0x38));
    expect(readable.some((bytes) => bytes.includes('Pro\xf4', 0, 'latin1'))).to.equal(true);
    expect(readable.some((bytes) => bytes.includes('Prot'))).to.equal(false);
  });

  it('wraps 32-bit counters', () => {
    const rows = [{ tag: 'Wrap', paged: { allocs: 0x1_0000_0005, frees: 0xffff_ffff, bytes: 96 } }];
    const { truth } = buildDump({ kernel: '7601', processors: 2, pool: { rows } });
    expect(truth.pool.rows[0]!.paged).to.deep.equal({ allocs: 5n, frees: 0xffff_ffffn, outstanding: 6n, bytes: 96n });
  });

  it('holds the tables of 640 processors', () => {
    const { truth } = buildDump({ processors: 640 });
    expect(truth.pool.tableAddresses).to.have.lengthOf(640);
  });
});

/** Offsets from MiState and from MiSystemPartition, by build, as the reference lists them. */
const STATE: Record<string, Record<string, number>> = {
  '10.0.17763.4644': { nonPaged: 0x18, pagedPoolUsage: 0x2548, nonPagedPoolMaximum: 0x2550, freeSystemPtes: 0x25b8, nonPagedPoolCommit: 0x25c0, sharedProcess: 0x25f0, specialPool: 0x25e8 },
  '10.0.18362.836': { nonPaged: 0x8, pagedPoolUsage: 0x24a8, nonPagedPoolMaximum: 0x24b0, freeSystemPtes: 0x2518, nonPagedPoolCommit: 0x2520, sharedProcess: 0x2548 },
  '10.0.19041.388': { nonPaged: 0x8, pagedPoolUsage: 0x25e8, nonPagedPoolMaximum: 0x25f0, freeSystemPtes: 0x2658, nonPagedPoolCommit: 0x2660, sharedProcess: 0x2688 },
  '10.0.19041.804': { nonPaged: 0x8, pagedPoolUsage: 0x2628, nonPagedPoolMaximum: 0x2630, freeSystemPtes: 0x2698, nonPagedPoolCommit: 0x26a0, sharedProcess: 0x26c8 },
  '10.0.20348.2400': { nonPaged: 0x8, pagedPoolUsage: 0x4228, nonPagedPoolMaximum: 0x4230, freeSystemPtes: 0x4298, nonPagedPoolCommit: 0x42a0, sharedProcess: 0x42d0 },
  '10.0.22000.2538': { nonPaged: 0x8, pagedPoolUsage: 0x4428, nonPagedPoolMaximum: 0x4430, freeSystemPtes: 0x4490, nonPagedPoolCommit: 0x4498, sharedProcess: 0x44c8 },
}; // prettier-ignore
const PARTITION: Record<string, Record<string, number>> = {
  '10.0.17763.4644': { physicalMemory: 0x1bd0, availablePages: 0x1c80, residentAvailablePages: 0x1cc0, committedPages: 0x1de8, commitLimit: 0x1e68, sharedCommit: 0x1e88, modifiedPages: 0x1e00, modifiedNoWritePages: 0x1e40, zeroedPages: 0x880, freePages: 0x8c0, standbyPages: 0x900, peakCommitment: 0x1900 },
  '10.0.18362.836': { physicalMemory: 0x1ed0, availablePages: 0x1f80, committedPages: 0x20e8, commitLimit: 0x2168, sharedCommit: 0x2188, zeroedPages: 0x880, peakCommitment: 0x1c00 },
  '10.0.19041.388': { physicalMemory: 0x1b10, availablePages: 0x1bc0, committedPages: 0x1d28, commitLimit: 0x1da8, sharedCommit: 0x1dc8, peakCommitment: 0x1840 },
  '10.0.19041.804': { physicalMemory: 0x1b10, availablePages: 0x1bc0, residentAvailablePages: 0x1c00, committedPages: 0x1d28, commitLimit: 0x1da8, sharedCommit: 0x1dc8, modifiedPages: 0x1d40, modifiedNoWritePages: 0x1d80, zeroedPages: 0x8c0, freePages: 0x900, standbyPages: 0x940, peakCommitment: 0x1840 },
  '10.0.20348.2400': { physicalMemory: 0x4150, availablePages: 0x4200, committedPages: 0x4368, commitLimit: 0x4458, sharedCommit: 0x4478, modifiedPages: 0x4380, zeroedPages: 0x9c0, freePages: 0xa40, standbyPages: 0xac0, peakCommitment: 0x3e80 },
  '10.0.22000.2538': { physicalMemory: 0x4150, availablePages: 0x4200, committedPages: 0x4368, commitLimit: 0x4458, sharedCommit: 0x4478, modifiedNoWritePages: 0x4400, zeroedPages: 0x9c0, peakCommitment: 0x3e80 },
}; // prettier-ignore
const STATE_RVA: Record<string, [number, number]> = {
  '10.0.17763.4644': [4421888, 4438016],
  '10.0.19041.804': [0xc4c740, 12913600],
};

describe('test dumps: memory figures', () => {
  for (const kernel of Object.keys(STATE)) {
    it(`${kernel}: at the offsets of the reference`, () => {
      const dump = buildDump({ kernel });
      const h = readBack(dump);
      const facts = JSON.parse(
        readFileSync(new URL(`../../test-dumps/kernels/${kernel}.json`, import.meta.url), 'utf8'),
      ) as { rva: Record<string, number> };
      const rvas = STATE_RVA[kernel] ?? [facts.rva['MiState']!, facts.rva['MiSystemPartition']!];
      expect([facts.rva['MiState'], facts.rva['MiSystemPartition']]).to.deep.equal(rvas);
      const { memory } = dump.truth;
      const values: Record<string, number | null> = {
        ...memory,
        nonPaged: memory.nonPagedPoolUsage,
      };
      [STATE[kernel]!, PARTITION[kernel]!].forEach((offsets, i) => {
        for (const [field, offset] of Object.entries(offsets)) {
          expect(h.pointer(dump.truth.kernel.base + BigInt(rvas[i]! + offset)), field).to.equal(BigInt(values[field]!));
        }
      });
      expect(memory.lockedIoPages).to.equal(null);
      expect(memory.pagedPoolCommit).to.equal(null);
    });
  }

  it('7601: through the pointers of the debugger block', () => {
    const dump = buildDump(SCENARIOS.notmyfault());
    const h = readBack(dump);
    const kdbg = h.u64(0x80);
    const through = (at: bigint): number => Number(h.pointer(h.pointer(kdbg + at)));
    expect(through(0xf8n)).to.equal(403854);
    expect(through(0x1a8n)).to.equal(106778);
    expect(through(0x1b0n)).to.equal(225678);
    expect(through(0x148n)).to.equal(665998);
    expect(through(0x150n)).to.equal(326464);
    expect(through(0x158n)).to.equal(6371);
    expect(through(0x168n)).to.equal(5471);
    expect(through(0x170n)).to.equal(32394);
    expect(through(0x250n)).to.equal(155371);
    expect(through(0x100n) / 4096).to.equal(191078);
    expect(through(0x140n) / 4096).to.equal(33554432);
    expect(through(0x198n)).to.equal(4844);
    // Pool descriptors: pages at 0xC0, big pages at 0x48.
    const pages = (at: bigint): number => h.u32At(at + 0xc0n) + h.u32At(at + 0x48n);
    expect(pages(h.pointer(kdbg + 0x1c0n))).to.equal(155371);
    const paged = h.pointer(kdbg + 0x68n);
    const last = h.u32At(h.pointer(kdbg + 0x70n));
    const all = Array.from({ length: last + 1 }, (_, i) => pages(h.pointer(paged + BigInt(i) * 8n)));
    expect(all).to.deep.equal([27618, 3848, 299, 283, 344]);
    const file = h.pointer(dump.truth.kernel.base + 2241184n);
    expect([0n, 8n, 0x10n, 0x18n].map((at) => Number(h.pointer(file + at)) * 4)).to.deep.equal([
      1048576, 4194304, 1048576, 1015644,
    ]);
    expect(h.text(file + 0x48n)).to.equal('\\??\\C:\\pagefile.sys');
    expect(h.u32At(dump.truth.kernel.base + 2233664n + 0x34n)).to.equal(33533355);
  });
});

describe('test dumps: the reader these tests use', () => {
  it('agrees with a dump that somebody else made', function () {
    const folder = new URL('../../../shared/corpus/dumps/', import.meta.url);
    const file = new URL('forged-healthy-bitmap-kernel.dmp.gz', folder);
    if (!existsSync(file)) this.skip();
    const bytes = gunzipSync(readFileSync(file));
    const expected = JSON.parse(
      readFileSync(new URL('forged-healthy-bitmap-kernel.expected.json', folder), 'utf8'),
    ) as {
      modules: { name: string }[];
      pool: {
        table: { tables: string[]; size: number };
        rows: { key: string; np_bytes: number; p_allocs_total: number }[];
      };
    };
    const h = new HandReader((position, length) => bytes.subarray(position, position + length));
    expect(h.list(h.u64(0x20)).map((e) => h.text(e + 0x58n))).to.deep.equal(expected.modules.map((m) => m.name));
    const { tables, size } = expected.pool.table;
    const sums = sumTables(
      h,
      tables.map((address) => ({ address: BigInt(address), entries: size })),
      0x38,
    );
    for (const row of expected.pool.rows) {
      const sum = sums.get(Number(row.key));
      expect([sum![2], sum![3]]).to.deep.equal([BigInt(row.np_bytes), BigInt(row.p_allocs_total)]);
    }
  });
});
