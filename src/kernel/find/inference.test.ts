/** What is inferred without symbols, and that nothing is where the data does not decide. */

import { expect } from 'chai';
import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import type { Chunk, VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { releasesOf } from '../../../symbols/nearest.js';
import { resolvePath } from '../../../symbols/paths.js';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../../analysis/analyze.js';
import { expectTags, openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { findPartition, findState, type MemoryAnchors, type StateSearch } from './find-memory-state.js';
import type { KernelImage } from '../open/locate-kernel.js';

const BASE = virtual(0xfffff80000000000n);
const DATA = { rva: 0x1000, size: 0x40000 };
const RELEASES = releasesOf(26100);
const RELEASE = RELEASES[0]!;
const IMAGE = {
  base: BASE,
  size: DATA.rva + DATA.size,
  note: null,
  headers: { sections: [{ name: '.data', ...DATA, executable: false }], directories: [] },
} as unknown as KernelImage;
const ANCHORS: MemoryAnchors = {
  pagedPoolCommit: null,
  pagedPoolPages: 0x2000000,
  physicalPages: 4_194_304,
  highestPage: 4_325_375,
};

const PARTITION: Readonly<Record<string, number>> = {
  'Vp.NumberOfPhysicalPages': 4_194_304, 'Vp.HighestPhysicalPage': 4_325_375, 'Vp.AvailablePages': 900_000,
  'Vp.ResidentAvailablePages': 2_000_000, 'Vp.TotalCommittedPages': 3_000_000, 'Vp.TotalCommitLimit': 5_000_000,
  'Commit.PeakCommitment': 3_100_000, 'Commit.TotalCommitLimitMaximum': 6_000_000,
  'PageLists.ZeroedPageListHead.Total': 500_000, 'PageLists.FreePageListHead.Total': 300_000,
}; // prettier-ignore
const STATE: Readonly<Record<string, number>> = {
  'Pools.AllocatedNonPagedPool': 700_000, 'Vs.MaximumNonPagedPoolInPages': 3_000_000, 'Vs.SizeOfPagedPoolInPages': 0x2000000,
  'Vs.PagedPoolInfo.AllocatedPagedPool': 90_000, 'Vs.NonPagedPoolCommit': 710_000, 'Vs.ProcessCommit': 5_000,
  'Vs.SystemPteInfo.TotalFreeSystemPtes': 40_000_000,
}; // prettier-ignore

/** The data of an image with structures in it; `missing` is a page that is not there. */
class Data {
  private readonly bytes = Buffer.alloc(DATA.size);

  put(type: string, at: number, values: Readonly<Record<string, number>>): this {
    const layouts = {
      layout: (name: string) => {
        const value = RELEASE.layout(name);
        return value === null ? null : { value, source: 'nearest' as const };
      },
    };
    for (const [path, value] of Object.entries(values)) {
      this.bytes.writeBigUInt64LE(BigInt(value), at - DATA.rva + resolvePath(layouts, type, path)!.offset);
    }
    return this;
  }

  get memory(): VirtualMemory {
    const read = (address: VirtualAddress, length: number): Uint8Array | Failure => {
      const at = Number(address - BASE) - DATA.rva;
      return at < 0 || at + length > DATA.size
        ? new Failure('not-in-dump', 'gone')
        : this.bytes.subarray(at, at + length);
    };
    const number =
      <T>(size: number, take: (bytes: Buffer) => T) =>
      (address: VirtualAddress): T | Failure => {
        const bytes = read(address, size);
        return failed(bytes) ? bytes : take(Buffer.from(bytes));
      };
    return {
      pointerSize: 8,
      read,
      readU8: number(1, (b) => b.readUInt8()),
      readU16: number(2, (b) => b.readUInt16LE()),
      readU32: number(4, (b) => b.readUInt32LE()),
      readU64: number(8, (b) => b.readBigUInt64LE()),
      *chunks(start: VirtualAddress, length: number): Iterable<Chunk> {
        for (let offset = 0; offset < length; offset += 0x1000) {
          yield { offset, length: 0x1000, bytes: read(plus(start, offset), 0x1000) };
        }
      },
    } as unknown as VirtualMemory;
  }
}

const place = (search: StateSearch): number | string =>
  'candidates' in search ? `${search.candidates} candidates` : Number(search.address - BASE);
const partition = (data: Data, anchors = ANCHORS): number | string =>
  place(findPartition(data.memory, IMAGE, RELEASES, anchors));
const state = (data: Data, anchors = ANCHORS): number | string =>
  place(findState(data.memory, IMAGE, RELEASES, anchors));

describe('MiSystemPartition by its content', () => {
  const right = (): Data => new Data().put('_MI_PARTITION', 0x5000, PARTITION);

  it('is the place where the values agree', () => {
    expect(partition(right())).to.equal(0x5000);
    expect(partition(new Data())).to.equal('0 candidates');
  });

  it('is not a place that only has the number of pages, nor one that crosses the section or a line', () => {
    expect(partition(new Data().put('_MI_PARTITION', 0x5000, { 'Vp.NumberOfPhysicalPages': 4_194_304 }))).to.equal(
      '0 candidates',
    );
    expect(partition(new Data().put('_MI_PARTITION', 0x5008, PARTITION))).to.equal('0 candidates');
    const size = RELEASE.layout('_MI_PARTITION')!.size;
    const end = DATA.rva + DATA.size - size + 0x40;
    expect(partition(new Data().put('_MI_PARTITION', end, PARTITION))).to.equal('0 candidates');
  });

  it('is not told where two places fit alike; where one fits better it is', () => {
    expect(partition(right().put('_MI_PARTITION', 0x20000, PARTITION))).to.equal('2 candidates');
    const stale = { ...PARTITION, 'Vp.HighestPhysicalPage': 7 };
    expect(partition(right().put('_MI_PARTITION', 0x20000, stale))).to.equal(0x5000);
  });

  it('is refused for each value that cannot be', () => {
    for (const wrong of [
      { 'Vp.AvailablePages': 4_194_305 },
      { 'Vp.TotalCommittedPages': 5_000_001 },
      { 'Vp.TotalCommitLimit': 2 ** 41 },
      { 'Vp.NumberOfPagingFiles': 17 },
      { 'Vp.ModifiedPageListHead.Total': 2 ** 40 },
      { 'PageLists.FreePageListHead.Total': 2 ** 40 },
    ]) {
      const data = new Data().put('_MI_PARTITION', 0x5000, { ...PARTITION, ...wrong });
      expect(partition(data), JSON.stringify(wrong)).to.equal('0 candidates');
    }
  });
});

describe('MiState', () => {
  const right = (): Data => new Data().put('_MI_SYSTEM_INFORMATION', 0x10000, STATE);
  const pteInfo = 0xab00 + 0x28;

  it('is where the debugger block leads, at +0x28 or at PteFailures', () => {
    for (const offset of [0x28, 0x30]) {
      const pagedPoolCommit = plus(BASE, 0x10000 + pteInfo + offset);
      expect(state(right(), { ...ANCHORS, pagedPoolCommit, pagedPoolPages: null })).to.equal(0x10000);
    }
  });

  it('is found by the size of paged pool where the block leads nowhere', () => {
    expect(state(right())).to.equal(0x10000);
    expect(state(right(), { ...ANCHORS, pagedPoolCommit: plus(BASE, 0x3000) })).to.equal(0x10000);
    expect(state(right(), { ...ANCHORS, pagedPoolPages: null })).to.equal('0 candidates');
  });

  it('is refused for values that cannot be, and not told from an equal', () => {
    for (const wrong of [
      { 'Pools.AllocatedNonPagedPool': 0 },
      { 'Pools.AllocatedNonPagedPool': 4_194_305 },
      { 'Vs.MaximumNonPagedPoolInPages': 1 },
      { 'Vs.PagedPoolInfo.AllocatedPagedPool': 0x2000001 },
    ]) {
      const data = new Data().put('_MI_SYSTEM_INFORMATION', 0x10000, { ...STATE, ...wrong });
      expect(state(data), JSON.stringify(wrong)).to.equal('0 candidates');
    }
    expect(state(right().put('_MI_SYSTEM_INFORMATION', 0x20000, STATE))).to.equal('2 candidates');
  });
});

describe('the records of a pool tag table', function () {
  this.timeout(30_000);
  /** The header says another build than the kernel is of: the nearest layout is the wrong one. */
  for (const [kernel, build, size] of [
    ['10.0.14393.5582', 22621, 40],
    ['10.0.19041.804', 22621, 56],
    ['10.0.22000.2538', 14393, 80],
  ] as const) {
    it(`of ${size} bytes are recognised where the nearest build has others`, () => {
      const scenario = { ...SCENARIOS.modernLeak(), kernel };
      const minorVersion = Buffer.from([build & 0xff, build >> 8, 0, 0]).toString('hex');
      const built = buildDump({ ...scenario, header: { patches: { 0x0c: minorVersion } } });
      const result = analyze(openBuilt(built, { hideProfiles: true }));
      const warning = result.warnings.find(({ code }) => code === 'record-layout-inferred');
      expect(warning?.message).to.match(new RegExp(`taken to be of ${size} bytes, not of \\d+ as in`));
      expect(result.poolTags?.source).to.equal('scan');
      expectTags(result, built.truth);
    });
  }
});
