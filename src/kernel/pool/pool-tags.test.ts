/** Tables are proven, or not called complete: damage in them, tables that are full, tables that are missing. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import type { PoolSpec } from '../../../test-dumps/scenario.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../../analysis/analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { expectTags, openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { readPoolTags } from './pool-tags.js';

const leak = (pool: PoolSpec, change: Scenario = {}): Scenario => {
  const scenario = SCENARIOS.modernLeak();
  return { ...scenario, ...change, pool: { ...scenario.pool, ...pool } };
};
const codes = (result: AnalysisResult): string[] => result.warnings.map(({ code }) => code);
const WAYS = [{}, { hideProfiles: true }] as const;
const nobodyAccused = ({ suspects }: AnalysisResult): void => {
  for (const { confidence, drivers } of suspects) {
    expect(confidence).to.equal('low');
    for (const driver of drivers) expect(driver.confidence).to.equal('low');
  }
};

/** Tags of four letters that no scenario has. */
const manyRows = (count: number): NonNullable<PoolSpec['rows']> =>
  Array.from({ length: count }, (_, i) => ({
    tag: `q${i.toString(36).padStart(3, 'X')}`,
    nonPaged: { allocs: 50 + i, frees: 40, bytes: (10 + i) * 64 },
  }));

describe('pool tag tables', function () {
  this.timeout(60_000);

  for (const by of ['noise', 'another-page'] as const) {
    it(`of which a page holds ${by} are not called complete, and nobody is accused`, () => {
      for (const options of WAYS) {
        for (const [table, page] of [[0, 1], [0, 20], [3, 40]] as const) {
          const result = analyze(openBuilt(buildDump(leak({ damagedPages: [{ table, page, by }] })), options));
          expect(result.poolTags?.complete, `page ${page} of ${table}`).to.equal(false);
          expect(codes(result)).to.satisfy((all: string[]) => all.some((code) => code.startsWith('tables-')));
          nobodyAccused(result);
        }
      }
    }); // prettier-ignore
  }

  it('of which a page is zeros are not called complete, or it changed nothing that is said', () => {
    const told = ({ suspects }: AnalysisResult): unknown =>
      suspects.map(({ tag, confidence, drivers }) => [tag, confidence, drivers.map(({ module }) => module)]);
    const right = told(analyze(openBuilt(buildDump(leak({})))));
    let doubted = 0;
    for (let i = 0; i < 24; i++) {
      const damagedPages = [{ table: i % 8, page: (i * 37) % 56, by: 'zeros' as const }];
      const result = analyze(openBuilt(buildDump(leak({ damagedPages }))));
      if (result.poolTags?.complete === true) expect(told(result), JSON.stringify(damagedPages)).to.deep.equal(right);
      else {
        doubted++;
        nobodyAccused(result);
      }
    }
    expect(doubted).to.be.greaterThan(8);
  });

  it('of one processor show a lost page by how full they are', () => {
    const scenario = leak({ damagedPages: [{ table: 0, page: 11, by: 'zeros' }] }, { processors: 1 });
    for (const options of WAYS) {
      const result = analyze(openBuilt(buildDump(scenario), options));
      expect(result.warnings.map(({ message }) => message)).to.satisfy((all: string[]) =>
        all.some((message) => /^1 page of the pool tag tables holds? no tag at all/.test(message)),
      );
      nobodyAccused(result);
    }
  });

  it('of every scenario are complete, whichever seed: proofs do not doubt what is right', () => {
    for (const [name, make] of Object.entries(SCENARIOS)) {
      for (const seed of [1, 2, 3]) {
        const built = buildDump({ ...make(), seed });
        const { table, warnings } = readPoolTags(openBuilt(built).kernel);
        expect(table?.complete, `${name} ${seed}: ${warnings.map((w) => w.message).join()}`).to.equal(
          built.truth.pool.complete,
        );
      }
    }
  });

  describe('that are full', () => {
    const full = (more: PoolSpec = {}): Scenario =>
      leak({ tableSize: 1025, rows: [...(leak({}).pool?.rows ?? []), ...manyRows(1200)], ...more });

    it('go on in the expansion table, which is found with and without symbols', () => {
      for (const kernel of ['6.1.7601.24540', '10.0.14393.5582', '10.0.19041.804', '10.0.22000.2538']) {
        const built = buildDump({ ...full(), kernel });
        expect(built.truth.pool.expansionEntries).to.be.greaterThan(300);
        for (const options of WAYS) {
          const result = analyze(openBuilt(built, options));
          expectTags(result, built.truth);
          expect(codes(result).includes('expansion-table-searched')).to.equal('hideProfiles' in options);
          expect(codes(result)).not.to.include('no-expansion-table');
        }
      }
    });

    it('are not complete where the expansion table is not found', () => {
      const rows = [...(leak({}).pool?.rows ?? []), ...manyRows(1200)].slice(0, 1024);
      for (const options of WAYS) {
        const result = analyze(openBuilt(buildDump(full({ rows })), options));
        expect(result.poolTags?.complete).to.equal(false);
        const warning = result.warnings.find(({ code }) => code === 'no-expansion-table');
        expect(warning?.message).to.include('1024 of 1024 slots of the pool tag table are taken');
        nobodyAccused(result);
      }
    });

    it('nearly are: from 15 of 16 slots on', () => {
      const rows = [...(leak({}).pool?.rows ?? []), ...manyRows(1200)];
      for (const [count, complete] of [
        [959, true],
        [960, false],
      ] as const) {
        const result = analyze(openBuilt(buildDump(full({ rows: rows.slice(0, count) }))));
        expect(result.poolTags?.complete, `${count}`).to.equal(complete);
      }
    });

    it('overflowed, by the last slot, and are not complete without an expansion table', () => {
      const rows = [
        ...(leak({}).pool?.rows ?? []),
        { tag: 'Ovfl', place: 'overflow' as const, paged: { allocs: 70, frees: 1, bytes: 6900 } },
      ];
      for (const options of WAYS) {
        const result = analyze(openBuilt(buildDump(leak({ rows, tableSize: 1025 })), options));
        expect(result.poolTags?.complete).to.equal(false);
        expect(codes(result)).to.include('no-expansion-table');
        const roomy = analyze(openBuilt(buildDump(leak({ rows })), options));
        expect(roomy.poolTags?.complete, 'slots are never freed: there was room all the time').to.equal(true);
      }
    });
  });

  it('fewer than there are processors are not complete, and how many is said', () => {
    const built = buildDump(leak({}, { header: { patches: { 0x34: '09000000' } } }));
    const result = analyze(openBuilt(built));
    expect(result.dump.processors).to.equal(9);
    expect(result.poolTags?.complete).to.equal(false);
    expect(result.warnings.find(({ code }) => code === 'tables-missing')?.message).to.equal(
      `${built.truth.pool.tables} pool tag tables were found for 9 processors`,
    );
    nobodyAccused(result);
  });

  it('that hold far more than the pool are not complete: one of the two is wrong', () => {
    const result = analyze(openBuilt(buildDump(leak({}, { memory: { figures: { nonPagedPoolUsage: 20_000 } } }))));
    expect(result.poolTags?.complete).to.equal(false);
    expect(codes(result)).to.include('tables-exceed-pool');
    nobodyAccused(result);
  });
});
