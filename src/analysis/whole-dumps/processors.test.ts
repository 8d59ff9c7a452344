/** ARM64 machines, x64 with five levels of paging, RDMP bodies, and dumps whose header holds a wrong table base. */

import { expect } from 'chai';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../analyze.js';
import { searchModules } from '../search.js';
import { typedTag } from '../../result/tag.js';
import type { AnalysisResult } from '../../result/result.js';
import { expectHits, expectMemory, expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

const leak = (change: Scenario = {}): Scenario => ({ ...SCENARIOS.modernLeak(), ...change });
const codes = (result: AnalysisResult): string[] => result.warnings.map((w) => w.code);

describe('processors and bodies', function () {
  this.timeout(30_000);

  describe('ARM64', () => {
    const arm = (change: Scenario = {}): Scenario =>
      leak({ architecture: 'arm64', kernel: '10.0.22000.2538', ...change });

    for (const kind of ['full', 'bitmap-full', 'bitmap-kernel', 'automatic', 'rdmp-kernel'] as const) {
      it(`${kind}: modules, tag rows, split tags and the driver`, () => {
        const built = buildDump(arm({ kind }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expect([result.dump.architecture, result.dump.pagingLevels]).to.deep.equal(['arm64', 4]);
        expect(result.dump.type).to.equal(kind);
        expectSystem(result, built.truth);
        expectTags(result, built.truth);
        expectHits(opened, built.truth);
        const leaks = result.suspects[0];
        const user = built.truth.tagHits.find((h) => h.tag === leaks?.tag && h.second !== undefined);
        expect(leaks?.drivers[0]?.module).to.equal(user?.module);
        expect(leaks?.drivers[0]?.confidence).to.equal('high');
        expect(leaks?.drivers[0]?.evidence[0]?.kind).to.equal('code-immediate-pair');
      });
    }

    it('through 2 MB and 1 GB blocks, and software PTEs', () => {
      for (const paging of [
        { poolPages: '2m' },
        { poolPages: '1g', largeKernel: false },
        { transition: 0.4, pagedOut: 0.1, prototype: 0.3 },
      ] as const) {
        const built = buildDump(arm({ paging }));
        const opened = openBuilt(built);
        expectSystem(analyze(opened), built.truth);
        expectHits(opened, built.truth);
      }
    });

    it('has none of the memory figures of x64, and no x64 profile', () => {
      const result = analyze(openBuilt(buildDump(arm())));
      expect(result.system?.symbols?.source).to.equal('kdbg');
      const known = Object.entries(result.memory ?? {}).filter(([, v]) => v !== null && !Array.isArray(v));
      expect(known.map(([name]) => name)).to.have.members(['physicalMemory', 'pagedPoolMaximum']);
    });

    it('says that the memory figures need the PDB where no layout of the build is known', () => {
      const built = buildDump(arm());
      const warning = analyze(openBuilt(built)).warnings.find((w) => w.code === 'no-memory-layout');
      expect(warning?.message).to.match(
        /build 22000 on ARM64 lays out the memory manager's state is not known.*ntkrnlmp\.pdb/,
      );
    });

    it('of 24H2 has its totals, found by their content at its own offsets', () => {
      for (const change of [{}, { memory: { bytes: 64 * 2 ** 30 } }, { kind: 'full' as const, seed: 5 }]) {
        const built = buildDump(arm({ kernel: '26100', ...change }));
        const { memory, warnings } = analyze(openBuilt(built));
        const searched = warnings.filter((w) => w.code === 'memory-state-searched').map((w) => w.message);
        expect(searched).to.have.length(2);
        expect(searched.join()).to.match(/layouts of 10\.0\.26100\.0 on ARM64/);
        const names = [
          'physicalMemory', 'availablePages', 'residentAvailablePages', 'freeSystemPtes', 'modifiedPages',
          'modifiedNoWritePages', 'zeroedPages', 'freePages', 'nonPagedPoolUsage', 'nonPagedPoolMaximum',
          'pagedPoolUsage', 'pagedPoolMaximum', 'sharedCommit', 'sharedProcess', 'nonPagedPoolCommit', 'driverCommit',
          'committedPages', 'commitLimit', 'peakCommitment',
        ] as const; // prettier-ignore
        for (const name of names) {
          expect(memory?.[name]?.pages, name).to.equal(built.truth.memory[name]);
          if (name !== 'pagedPoolMaximum') expect(memory?.[name]?.source, name).to.equal('scan');
        }
        expect(memory?.modifiedPageFilePages).to.equal(null);
      }
    });

    it('finds halves in either order, up to eight instructions apart, over a page border, with the protected bit', () => {
      const use = (rest: object) => ({ tag: 'Xyz1', style: 'alloc' as const, ...rest });
      const uses = [
        use({ between: 0 }),
        use({ between: 7 }),
        use({ between: 8 }),
        use({ order: 'high-first', between: 2 }),
        use({ straddle: 2 }),
        use({ protectedBit: true }),
        use({ straddle: 2, page: 'paged-out' }),
        { tag: 'Xyz1', style: 'literal' as const },
        { tag: 'Xyz1', style: 'text' as const },
      ];
      const built = buildDump(arm({ modules: [{ name: 'split.sys', size: 0x20000, tags: uses }] }));
      const opened = openBuilt(built);
      const found = searchModules(opened, { tag: typedTag('Xyz1')! }).hits;
      const near = (h: { second?: bigint; address: bigint }): boolean =>
        h.second === undefined || h.second - h.address <= 32n;
      const wanted = built.truth.tagHits.filter((h) => h.tag === 'Xyz1' && h.readable && near(h));
      expect(wanted).to.have.length(7);
      expect(found.map((h) => h.address)).to.have.members(wanted.map((h) => h.address));
      for (const hit of found) {
        const truth = wanted.find((h) => h.address === hit.address)!;
        expect(hit.arm64?.pair?.second, truth.style).to.equal(truth.second);
        expect(hit.protectedBit, truth.style).to.equal(truth.protectedBit);
        expect(hit.arm64?.loadedBy ?? null, truth.style).to.equal(truth.style === 'literal' ? hit.address - 12n : null);
      }
      const addresses = found.map((h) => h.address);
      expect(addresses).to.deep.equal(addresses.toSorted((a, b) => (a < b ? -1 : 1)));
    });

    it('triage: bug check, drivers and levels', () => {
      const built = buildDump(arm({ kind: 'triage' }));
      const result = analyze(openBuilt(built));
      expect([result.dump.architecture, result.dump.pagingLevels]).to.deep.equal(['arm64', 4]);
      expect(result.modules?.map((m) => m.name)).to.deep.equal(built.truth.modules.map((m) => m.name));
      expect(result.poolTags).to.equal(null);
    });
  });

  describe('x64 with five levels of paging', () => {
    const five = (change: Scenario = {}): Scenario => leak({ paging: { levels: 5 }, ...change });

    for (const kernel of ['10.0.19041.804', '10.0.22000.2538']) {
      it(`${kernel}: everything is read, the kernel is ntkrla57`, () => {
        const built = buildDump(five({ kernel }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expect(result.dump.pagingLevels).to.equal(5);
        expect(result.system?.kernelPdb?.name).to.equal('ntkrla57.pdb');
        expect(result.system?.symbols?.source).not.to.equal('profile');
        expect(codes(result)).not.to.include('paging-levels');
        expectSystem(result, built.truth);
        expectTags(result, built.truth);
        expectHits(opened, built.truth);
      });
    }

    it('in sessions, with large pages and PCID bits', () => {
      const built = buildDump(
        five({ ...SCENARIOS.terminalServer(), paging: { levels: 5, pcid: 0xabc, poolPages: '2m' } }),
      );
      const opened = openBuilt(built);
      expectSystem(analyze(opened), built.truth);
      expectHits(opened, built.truth);
    });

    it('triage: told by the debugger block where the kernel fills it in', () => {
      const levels = (kernel: string): number | null =>
        analyze(openBuilt(buildDump(five({ kernel, kind: 'triage' })))).dump.pagingLevels;
      expect(levels('10.0.22000.2538')).to.equal(5);
      expect(levels('10.0.19041.804')).to.equal(null);
    });
  });

  describe('RDMP', () => {
    for (const kind of ['rdmp-kernel', 'rdmp-kernel-user', 'rdmp-full'] as const) {
      it(`${kind}: all that a dump of Windows' own gives`, () => {
        const built = buildDump(leak({ kind }));
        const opened = openBuilt(built);
        const result = analyze(opened);
        expect(result.dump.type).to.equal(kind);
        expectSystem(result, built.truth);
        expectMemory(result, built.truth);
        expectTags(result, built.truth);
        expectHits(opened, built.truth);
      });
    }

    it('cut in the middle is analyzed as far as it goes', () => {
      const whole = buildDump(leak({ kind: 'rdmp-kernel' }));
      const result = analyze(openBuilt(buildDump(leak({ kind: 'rdmp-kernel', truncateTo: Math.floor(whole.byteLength / 2) })))); // prettier-ignore
      expect(result.dump.truncated).to.equal(true);
      expect(codes(result)).to.include('truncated');
    });
  });

  describe('a header with a wrong directory table base', () => {
    const from = (change: Scenario): { message: string | undefined; result: AnalysisResult } => {
      const built = buildDump(leak(change));
      const opened = openBuilt(built);
      const result = analyze(opened);
      expectSystem(result, built.truth);
      expectTags(result, built.truth);
      expectHits(opened, built.truth);
      return { message: result.warnings.find((w) => w.code === 'directory-table-searched')?.message, result };
    };

    for (const directoryTableBase of ['zero', 'wrong'] as const) {
      it(`${directoryTableBase}: the start-up block of the processors has the right one`, () => {
        const { message } = from({ header: { directoryTableBase }, startBlock: true });
        expect(message).to.match(/start-up block of the processors/);
      });

      it(`${directoryTableBase}: so has a top-level table that maps itself, also on ARM64 and with five levels`, () => {
        for (const change of [
          {},
          { architecture: 'arm64', kernel: '10.0.22000.2538' } as const,
          { paging: { levels: 5 } } as const,
        ]) {
          const { message } = from({ header: { directoryTableBase }, processes: [], ...change });
          expect(message).to.match(/maps itself/);
        }
      });

      it(`${directoryTableBase}: so has the System process`, () => {
        const { message } = from({ header: { directoryTableBase }, paging: { selfMap: false } });
        expect(message).to.match(/System process/);
      });
    }

    it('is not looked for where the header holds nothing to test it by; five levels are told all the same', () => {
      const nothing = { 0x18: '0000000000000000', 0x20: '0000000000000000', 0x28: '0000000000000000', 0x80: '0000000000000000' }; // prettier-ignore
      for (const levels of [4, 5] as const) {
        const built = buildDump(leak({ header: { patches: nothing }, paging: { levels } }));
        const result = analyze(openBuilt(built));
        expect(result.dump.pagingLevels).to.equal(levels);
        expect(codes(result)).to.include('kernel-not-found');
        expect(codes(result).filter((code) => code.startsWith('directory-table'))).to.deep.equal([]);
      }
    });

    it('and no other: the header is told, nothing more', () => {
      const built = buildDump(
        leak({ header: { directoryTableBase: 'wrong' }, paging: { selfMap: false }, processes: [] }),
      );
      const result = analyze(openBuilt(built));
      expect(codes(result)).to.include('directory-table-unusable');
      expect(result.modules).to.equal(null);
      expect(result.poolTags).to.equal(null);
      expect(result.dump.bugCheck?.code).to.equal(`0x${built.truth.header.bugCheckCode.toString(16)}`);
    });
  });
});
