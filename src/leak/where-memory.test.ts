import { expect } from 'chai';
import fc from 'fast-check';
import type { MemoryParts } from '../kernel/memory/memory-parts.js';
import type { MemoryField, Pages, ProcessInfo, ProcessList } from '../result/result.js';
import { memoryOf } from './scenario.test.helper.js';
import { UNEXPLAINED, whereMemoryIs } from './where-memory.js';

const page = (pages: number): Pages => ({ pages, source: 'profile' });
const PARTS: MemoryParts = {
  ...{ mdlPages: page(300), awePages: page(40), systemPageTables: page(7), bootPages: page(3), pageFrames: page(11) },
  ...{ smallPageTables: null, pageFileHash: page(2), lockedFilePages: null, slabs: null },
};
const FIGURES: Partial<Record<MemoryField, number>> = {
  ...{ physicalMemory: 4000, availablePages: 900, modifiedPages: 50, modifiedNoWritePages: 1, nonPagedPoolUsage: 200 },
  ...{ sharedProcess: 60, committedPages: 3000, sharedCommit: 100, nonPagedPoolCommit: 210, pagedPoolUsage: 250 },
  ...{ driverCommit: 30 },
};
const processes = (...commitBytes: (number | null)[]): ProcessList => ({
  ...{ complete: true, live: commitBytes.length, ended: 0, source: 'kdbg' },
  rows: commitBytes.map((bytes) => ({ commitBytes: bytes }) as ProcessInfo),
});
const rowsOf = (of: string, facts: Parameters<typeof whereMemoryIs>[0]): Record<string, unknown> =>
  Object.fromEntries(
    (whereMemoryIs(facts) ?? []).filter((part) => part.of === of).map((part) => [part.what, part.pages]),
  );

describe('where memory is', () => {
  const facts = { memory: memoryOf(FIGURES), parts: PARTS, processes: processes(4096 * 500, 4096 * 20) };

  it('adds up to physical memory', () => {
    expect(rowsOf('physical memory', facts)).to.deep.equal({
      ...{ available: 900, modified: 51, 'nonpaged pool': 200, 'driver-locked and contiguous memory': 300 },
      ...{ 'locked by processes, large pages': 40, 'page tables and lists of processes': 60 },
      ...{ 'page tables of the system': 7, 'page frame database': 11, [UNEXPLAINED]: 4000 - 1569 },
    });
  });

  it('adds up to commit', () => {
    const { [UNEXPLAINED]: rest, ...parts } = rowsOf('commit', facts);
    expect(parts).to.include({ 'private memory of processes': 520, 'nonpaged pool': 210, 'paged pool': 250 });
    expect(parts['since boot, and of the memory manager']).to.equal(5);
    expect(rest).to.equal(3000 - Object.values(parts).reduce<number>((sum, pages) => sum + Number(pages), 0));
  });

  it('never claims the rest where a counter is not known', () => {
    const partial = { ...facts, parts: { ...PARTS, mdlPages: null } };
    expect(rowsOf('physical memory', partial)).to.include({
      'driver-locked and contiguous memory': null,
      [UNEXPLAINED]: null,
    });
    for (const list of [null, { ...processes(1), complete: false }, processes(4096, null)]) {
      const rows = rowsOf('commit', { ...facts, processes: list });
      expect(rows).to.include({ 'private memory of processes': null, [UNEXPLAINED]: null });
    }
    // What few kernels count is left out where it is not known, and is a part of the rest.
    const few = rowsOf('physical memory', { ...facts, parts: { ...PARTS, systemPageTables: null } });
    expect(few).not.to.have.property('page tables of the system');
    expect(few[UNEXPLAINED]).to.equal(4000 - 1562);
  });

  it('is less than nothing where parts are counted twice, and no table without a total', () => {
    const much = { ...facts, parts: { ...PARTS, mdlPages: page(5000) } };
    expect(rowsOf('physical memory', much)[UNEXPLAINED]).to.equal(4000 - 6269);
    expect(rowsOf('commit', { ...facts, memory: memoryOf({ ...FIGURES, committedPages: null }) })).to.deep.equal({});
    expect(whereMemoryIs({ ...facts, memory: null })).to.equal(null);
    expect(whereMemoryIs({ ...facts, memory: memoryOf({}) })).to.equal(null);
  });

  it('adds up, whatever is known', () => {
    const maybe = fc.option(fc.nat(1e9).map(page), { nil: null });
    const parts = fc.record({
      ...{ mdlPages: maybe, awePages: maybe, systemPageTables: maybe, bootPages: maybe, pageFrames: maybe },
      ...{ smallPageTables: maybe, pageFileHash: maybe, lockedFilePages: maybe, slabs: maybe },
    });
    const figures = fc.dictionary(fc.constantFrom(...(Object.keys(FIGURES) as MemoryField[])), fc.nat(1e9));
    fc.assert(
      fc.property(parts, figures, fc.array(fc.option(fc.nat(1e12), { nil: null })), (some, known, commits) => {
        const memory = memoryOf(known);
        const all = whereMemoryIs({ memory, parts: some, processes: processes(...commits) }) ?? [];
        for (const [of, total] of [
          ['physical memory', memory.physicalMemory],
          ['commit', memory.committedPages],
        ] as const) {
          const rows = all.filter((part) => part.of === of);
          expect(rows.length > 0).to.equal(total !== null);
          if (rows.some(({ pages }) => pages === null)) expect(rows.at(-1)?.pages).to.equal(null);
          else if (total !== null)
            expect(rows.reduce((sum, { pages }) => sum + Number(pages), 0)).to.equal(total.pages);
        }
      }),
    );
  });
});
