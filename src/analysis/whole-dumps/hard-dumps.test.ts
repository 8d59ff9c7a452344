/** Dumps that are odd, damaged or hostile: what is there is analyzed, what is missing is said, nothing hangs. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { expectHits, expectMemory, expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

const leak = (change: Scenario = {}): Scenario => ({ ...SCENARIOS.modernLeak(), ...change });
const codes = (result: AnalysisResult): string[] => result.warnings.map((w) => w.code);

describe('odd and damaged dumps', function () {
  this.timeout(30_000);

  describe('the kernel is found', () => {
    for (const kdbgPointer of ['null', 'wrong'] as const) {
      it(`when the header's debugger block pointer is ${kdbgPointer}`, () => {
        const built = buildDump(leak({ header: { kdbgPointer } }));
        const result = analyze(openBuilt(built));
        expect(codes(result)).to.include('debugger-block-searched');
        expectSystem(result, built.truth);
        expectMemory(result, built.truth);
        expectTags(result, built.truth);
      });
    }

    it('when the debugger block is encoded, also with a null pointer to it', () => {
      for (const kdbgPointer of ['right', 'null'] as const) {
        for (const kernel of ['6.3.9600.21620', '10.0.19041.804', '10.0.22000.2538']) {
          const built = buildDump(leak({ kernel, kdbg: { encoded: true }, header: { kdbgPointer } }));
          const opened = openBuilt(built);
          expect(opened.kernel.debuggerData?.encoded, kernel).to.equal(true);
          expect(opened.kernel.debuggerData?.size, kernel).to.equal(built.truth.kdbg.size);
          const result = analyze(opened);
          expectMemory(result, built.truth);
          expectTags(result, built.truth);
        }
      }
    });

    it('when there is no debugger block at all: the profile has every address', () => {
      const built = buildDump(leak({ kdbg: { absent: true } }));
      const result = analyze(openBuilt(built));
      expect(codes(result)).to.include('no-debugger-block');
      expectTags(result, built.truth);
    });

    it('by timestamp and size when its CodeView page is missing, checked by known addresses', () => {
      const built = buildDump(leak({ hideIdentity: 'codeview-page-missing' }));
      const result = analyze(openBuilt(built));
      expect(result.system?.kernelPdb).to.equal(null);
      expect(result.system?.symbols?.source).to.equal('profile');
      expect(result.system?.symbols?.detail).to.match(/timestamp and size, confirmed/);
      expectMemory(result, built.truth);
      expectTags(result, built.truth);
    });

    it('through page tables with PCID bits in CR3, 2 MB and 1 GB pages, and swizzled transition PTEs', () => {
      for (const paging of [
        { pcid: 0x2, poolPages: '2m' },
        { pcid: 0xfff, poolPages: '1g', largeKernel: false },
        { swizzle: true, transition: 0.4, pagedOut: 0.1, prototype: 0.3 },
      ] as const) {
        const built = buildDump(leak({ kernel: '10.0.22000.2538', paging }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expectSystem(result, built.truth);
        expectTags(result, built.truth);
        expectHits(opened, built.truth);
      }
    });
  });

  describe('without a profile', () => {
    for (const kernel of ['6.1.7601.24540', '10.0.14393.5582', '10.0.19041.804', '10.0.22000.2538']) {
      it(`${kernel}: size and tables are found by their content, and the driver is named`, () => {
        const built = buildDump(leak({ kernel }));
        const opened = openBuilt(built, { hideProfiles: true });
        const result = analyze(opened);
        expect(result.system?.symbols?.source).not.to.equal('profile');
        expect(result.system?.symbols?.detail).to.match(/layouts of/);
        expectTags(result, built.truth);
        expect(result.poolTags?.tables).to.equal(built.truth.pool.tables);
        expect(codes(result)).to.include.members(['processor-tables-searched', 'pool-size-inferred']);
      });

      it(`${kernel}: where the tables cannot be found the figures are partial, and nobody is accused`, () => {
        const built = buildDump(leak({ kernel, pool: { ...leak().pool, arrayEmpty: true } }));
        const result = analyze(openBuilt(built, { hideProfiles: true }), { tag: 'Thre' });
        expect(result.suspects.map((s) => s.tag)).to.include('Thre');
        expect(result.poolTags?.complete).to.equal(false);
        expect(result.poolTags?.entries).to.equal(built.truth.pool.entries);
        expect(codes(result)).to.include.members(['no-processor-tables', 'pool-size-inferred']);
        for (const suspect of result.suspects) {
          expect(suspect.confidence).to.equal('low');
          for (const driver of suspect.drivers) expect(driver.confidence).to.equal('low');
        }
      });
    }

    it('tables of which a page, or a pointer, is bad: those that are there count, the rest is said', () => {
      const pools = [
        { absentProcessors: [1] },
        { processorZero: 'own' as const },
        { wildProcessors: [3] },
        { absentPage: { processor: 2, page: 5 } },
      ];
      for (const pool of pools) {
        const built = buildDump(leak({ pool: { ...leak().pool, ...pool } }));
        const result = analyze(openBuilt(built, { hideProfiles: true }));
        const { complete, tables } = built.truth.pool;
        const what = JSON.stringify(pool);
        expect(result.poolTags?.complete, what).to.equal(complete);
        if (complete) {
          expectTags(result, built.truth);
          expect(result.poolTags?.tables, what).to.equal(tables);
        } else expect(codes(result), what).to.include('table-unreadable');
      }
    });

    it('7601 still has its memory figures, from the debugger block', () => {
      const built = buildDump(leak({ kernel: '6.1.7601.24540' }));
      const { memory } = analyze(openBuilt(built, { hideProfiles: true }));
      for (const field of [
        'physicalMemory',
        'nonPagedPoolUsage',
        'pagedPoolUsage',
        'committedPages',
        'commitLimit',
      ] as const) {
        expect(memory?.[field], field).to.deep.equal({
          pages: built.truth.memory[field],
          source: memory?.[field]?.source,
        });
        expect(memory?.[field]?.source, field).to.be.oneOf(['kdbg', 'nearest']);
      }
    });
  });

  describe('pool tables', () => {
    it('with a null pointer for an absent processor are complete', () => {
      const built = buildDump(leak({ processors: 4, pool: { ...leak().pool, absentProcessors: [2] } }));
      const result = analyze(openBuilt(built));
      expect(result.poolTags?.tables).to.equal(built.truth.pool.tablesReadable);
    });

    it('of which a page is missing: partial, with the address, and no driver above low', () => {
      const built = buildDump(leak({ pool: { ...leak().pool, absentPage: { processor: 3, page: 7 } } }));
      const result = analyze(openBuilt(built));
      expect(result.poolTags?.complete).to.equal(false);
      const warning = result.warnings.find((w) => w.code === 'table-unreadable');
      expect(warning?.message).to.match(/^1 of \d+ pages of the pool tag table at 0xffff/);
      for (const suspect of result.suspects) expect(suspect.drivers.map((d) => d.confidence)).not.to.include('high');
    });

    it('that point into nowhere cost their own line', () => {
      const built = buildDump(leak({ pool: { ...leak().pool, wildProcessors: [1, 5] } }));
      const result = analyze(openBuilt(built));
      expect(result.poolTags?.complete).to.equal(false);
      expect(codes(result).filter((c) => c === 'table-unreadable')).to.have.length(2);
      expect(result.poolTags?.rows.length).to.be.greaterThan(100);
    });

    it('with rows in the expansion table and the overflow slot', () => {
      const rows = leak().pool?.rows ?? [];
      const built = buildDump(
        leak({
          pool: {
            rows: [
              ...rows,
              { tag: 'Xp01', place: 'expansion', nonPaged: { allocs: 900, frees: 100, bytes: 80_000 } },
              { tag: 'Ovfl', place: 'overflow', paged: { allocs: 70, frees: 1, bytes: 6900 } },
            ],
          },
        }),
      );
      const result = analyze(openBuilt(built));
      expectTags(result, built.truth);
    });

    it('with 32-bit counters that wrapped', () => {
      const rows = leak().pool?.rows ?? [];
      const wrap = { tag: 'Wrap', nonPaged: { allocs: 5_000_000_123n, frees: 4_999_999_999n, bytes: 7936 } };
      const built = buildDump(leak({ kernel: '6.1.7601.24540', pool: { rows: [...rows, wrap] } }));
      const result = analyze(openBuilt(built));
      expectTags(result, built.truth);
      expect(result.poolTags?.rows.find((r) => r.tag === 'Wrap')?.nonPaged.outstanding).to.equal(124);
    });

    it('of 640 processors', () => {
      const built = buildDump(leak({ processors: 640, pool: { rows: (leak().pool?.rows ?? []).slice(0, 40) } }));
      const result = analyze(openBuilt(built), { parts: ['poolTags'] });
      expectTags(result, built.truth);
      expect(result.poolTags?.tables).to.equal(built.truth.pool.tables);
    });
  });

  describe('modules', () => {
    it('in a list that loops or breaks are all found, from its other end', () => {
      for (const moduleList of [{ loopAfter: 9 }, { breakAfter: 7 }, { breakAfter: 1 }]) {
        const built = buildDump(leak({ moduleList }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expect(codes(result)).to.include('module-list-broken');
        expect(codes(result)).not.to.include('modules-found-by-header');
        expectSystem(result, built.truth);
        expectHits(opened, built.truth);
      }
    });

    it('in a list that is broken in the middle, from both ends: those between are found by their headers', () => {
      const built = buildDump(leak({ moduleList: { breakAfter: 5, breakBefore: 11 } }));
      const opened = openBuilt(built);
      const result = analyze(opened);
      const lost = built.truth.modules.slice(5, 11);
      const warning = result.warnings.find((w) => w.code === 'modules-found-by-header');
      expect(result.modules).to.have.length(built.truth.modules.length);
      for (const module of lost.filter((m) => m.headersReadable)) {
        const found = result.modules?.find((m) => m.base === `0x${module.base.toString(16)}`);
        expect([found?.sizeOfImage, found?.pagesPresent], module.name).to.deep.equal([
          module.size,
          module.pagesPresent,
        ]);
        expect(found?.name.replace(/\..*/, ''), module.name).to.equal(module.name.replace(/\..*/, ''));
        expect(warning?.message).to.include(`0x${module.base.toString(16)}`);
      }
      expect(warning?.message.match(/ at 0x/g)).to.have.length(lost.length);
      expectHits(opened, built.truth, { byName: false });
    });

    it('in a list of which only both ends are left: what stands near the kernel is found, and others are said to be missing', () => {
      const last = leak().modules?.length ?? 0;
      const built = buildDump(leak({ moduleList: { breakAfter: 1, breakBefore: last } }));
      const result = analyze(openBuilt(built));
      expect(codes(result)).to.include('module-list-broken');
      expect(result.modules?.[0]?.name).to.equal('ntoskrnl.exe');
      const kernel = built.truth.modules[0]!.base;
      const near = built.truth.modules.filter((m) => {
        const distance = m.base - kernel;
        return distance > -(2n ** 27n) && distance < 2n ** 27n && !m.pagesMissing.some((page) => page.rva === 0);
      });
      expect(near.length).to.be.greaterThan(2);
      expect(result.modules?.map((m) => BigInt(m.base))).to.include.members(near.map((m) => m.base));
      const [suspect] = result.suspects;
      // Whoever is missing may allocate under the tag as well.
      expect(suspect?.drivers[0]?.confidence).to.equal('medium');
      expect(suspect?.against.map((note) => note.code)).to.include('modules-missing');
    });

    it('in session space are read through a process of a session', () => {
      const processes = [
        { name: 'System', pid: 4 },
        { name: 'csrss.exe', pid: 500, session: 0 },
        { name: 'csrss.exe', pid: 600, session: 1 },
      ];
      const sessions = [
        { id: 0, committedPages: 1200 },
        { id: 1, committedPages: 3400 },
      ];
      const modules = [
        ...(leak().modules ?? []),
        {
          name: 'win32k.sys',
          size: 0x60000,
          session: true,
          tags: [{ tag: 'AcNb', style: 'text' as const, text: 'xAcNbTable' }],
        },
      ];
      for (const kernel of ['6.1.7601.24540', '10.0.19041.804']) {
        const built = buildDump(leak({ kernel, processes, sessions, modules }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expectSystem(result, built.truth);
        expectHits(opened, built.truth);
        expect(result.suspects[0]?.searched?.notTranslatable, kernel).to.equal(0);
        expect(result.memory?.sessionCommit?.pages, kernel).to.equal(4600);
      }
    });

    it('in session space count as not searchable where no session process can be translated', () => {
      const processes = [
        { name: 'System', pid: 4 },
        { name: 'csrss.exe', pid: 500, session: 1, rootAbsent: true },
      ];
      const modules = [...(leak().modules ?? []), { name: 'win32k.sys', size: 0x60000, session: true }];
      const built = buildDump(leak({ processes, sessions: [{ id: 1, committedPages: 9 }], modules }));
      const result = analyze(openBuilt(built));
      const inSession = built.truth.modules.filter((m) => m.session).length;
      expect(result.suspects[0]?.searched?.notTranslatable).to.equal(inSession);
      expect(inSession).to.be.greaterThan(0);
      expect(result.memory?.sessionCommit).to.equal(null);
    });

    it('may have any name', () => {
      const modules = [
        ...(leak().modules ?? []),
        { name: '\u001b[31m\u202Eevil\u0007.sys' },
        { name: '\ud800lone.sys' },
        { name: 'Привет мир.sys' },
      ];
      const built = buildDump(leak({ modules }));
      const result = analyze(openBuilt(built));
      const names = result.modules!.slice(-3).map((m) => m.name);
      expect(names[0]).to.equal('\u001b[31m\u202Eevil\u0007.sys');
      expect(names[1]).to.equal('\ufffdlone.sys');
      expect(names[2]).to.equal('Привет мир.sys');
    });
  });

  it('page frame numbers beyond 2^32 are nothing special', () => {
    const runs = [
      { basePage: 1, pageCount: 65_536 },
      { basePage: 2 ** 32 + 5, pageCount: 3_000_000 },
    ];
    for (const kind of ['full', 'bitmap-kernel'] as const) {
      const built = buildDump(leak({ kernel: '10.0.22000.2538', kind, memory: { runs } }));
      expect(built.truth.modules.some((m) => m.pagesPresent > 0)).to.equal(true);
      const opened = openBuilt(built);
      const result = analyze(opened);
      expectSystem(result, built.truth);
      expectTags(result, built.truth);
      expectHits(opened, built.truth);
    }
  });

  it('a dump cut in the middle is analyzed as far as it goes', () => {
    const whole = buildDump(leak());
    let previous = Infinity;
    for (const share of [0.9, 0.6, 0.3]) {
      const truncateTo = Math.floor(whole.byteLength * share);
      const result = analyze(openBuilt(buildDump(leak({ truncateTo }))));
      expect(result.dump.truncated).to.equal(true);
      expect(codes(result)).to.include('truncated');
      expect(result.dump.pagesPresent).to.be.closeTo((truncateTo / whole.byteLength) * whole.truth.pagesPresent, 200);
      const present = (result.modules ?? []).reduce((sum, m) => sum + (m.pagesPresent ?? 0), 0);
      expect(present).to.be.at.most(previous);
      previous = present;
    }
  });

  it('a pool tag table that a cut file ends in is not taken for a smaller whole one', () => {
    let cut = 0;
    const cases: [Scenario, number][] = [
      [{ ...SCENARIOS.leak32(), seed: 14 }, 14],
      [{ ...SCENARIOS.modernLeak(), kernel: '10.0.22621.382' }, 3],
    ];
    for (const [scenario, seed] of cases) {
      const whole = buildDump({ ...scenario, seed });
      const { entries } = analyze(openBuilt(whole)).poolTags ?? {};
      for (let share = 0.84; share < 1; share += 0.04) {
        const truncateTo = Math.floor(whole.byteLength * share);
        const { poolTags, verdict } = analyze(openBuilt(buildDump({ ...scenario, seed, truncateTo })));
        if (poolTags === null) continue;
        const lacks = poolTags.rows.length < whole.truth.pool.rows.length;
        if (lacks) cut++;
        expect([poolTags.complete, poolTags.entries], `${scenario.name} ${share.toFixed(2)}`).to.deep.equal([
          !lacks,
          entries,
        ]);
        if (lacks) expect(verdict.headline).to.not.include('no tag stands out');
      }
    }
    expect(cut).to.be.at.least(1);
  });
});
