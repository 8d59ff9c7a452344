/** 32-bit dumps of every generation, with and without PAE, in every kind of body, compared with the truth. */

import { expect } from 'chai';
import { buildDump, type DumpKind, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../analyze.js';
import { inspect } from '../inspect.js';
import { renderModules } from '../../views/modules.js';
import type { AnalysisResult } from '../../result/result.js';
import { expectHits, expectMemory, expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

const leak = (change: Scenario = {}): Scenario => ({ ...SCENARIOS.leak32(), ...change });
const codes = (result: AnalysisResult): string[] => result.warnings.map((w) => w.code);
const run = (scenario: Scenario): AnalysisResult => analyze(openBuilt(buildDump(scenario)));

/** Everything that the builder knows, against everything that the analysis says. */
function expectTruth(scenario: Scenario): AnalysisResult {
  const built = buildDump(scenario);
  const opened = openBuilt(built);
  const result = analyze(opened);
  expectSystem(result, built.truth);
  expectMemory(result, built.truth);
  expectTags(result, built.truth);
  expectHits(opened, built.truth);
  return result;
}

/** The same, and that the leak and its driver are named. */
function expectAll(scenario: Scenario): AnalysisResult {
  const result = expectTruth(scenario);
  const [suspect] = result.suspects;
  expect([suspect?.tag, suspect?.drivers[0]?.module, suspect?.drivers[0]?.confidence]).to.deep.equal([
    ...['AcNb', 'acmenet.sys', 'high'],
  ]);
  return result;
}

const KERNELS = ['2195', '2600', '3790', '6002', '7601', '9200', '9600', '10240', '19041'] as const;
/** From Windows 8 on there is no 32-bit kernel without PAE. */
const VARIANTS = KERNELS.flatMap((kernel) =>
  (Number(kernel) < 9200 ? [true, false] : [true]).map((pae) => ({ kernel, pae })),
);

describe('32-bit dumps', function () {
  this.timeout(30_000);

  for (const { kernel, pae } of VARIANTS) {
    it(`of kernel ${kernel}, ${pae ? 'PAE' : 'without PAE'}: everything that can be known of it`, () => {
      const kind = Number(kernel) < 9200 ? 'kernel' : 'bitmap-kernel';
      const result = expectAll(leak({ kernel, kind, paging: { pae } }));
      expect(result.dump.format).to.equal('PAGEDUMP');
      expect(result.dump.architecture).to.equal(pae ? 'x86-pae' : 'x86');
      expect(result.dump.pagingLevels).to.equal(pae ? 3 : 2);
      expect(result.system?.symbols?.source).to.equal('kdbg');
      expect(result.poolTags?.complete).to.equal(true);
      expect(renderModules(result)).to.match(/^start {4}end {8}module name\n8[0-9a-f]{7} 8[0-9a-f]{7} {3}nt /);
    });
  }

  const KINDS: readonly [DumpKind, string][] = [
    ['full', '2600'], ['kernel', '6002'], ['bitmap-full', '9600'], ['bitmap-kernel', '9200'], ['automatic', '10240'],
  ]; // prettier-ignore
  for (const [kind, kernel] of KINDS) {
    it(`of kind ${kind}`, () => {
      expect(expectAll(leak({ kind, kernel })).dump.type).to.equal(kind);
    });
  }

  it('goes by the body, not by DumpType', () => {
    for (const [kind, dumpType] of [['full', 2], ['kernel', 1], ['bitmap-kernel', 2], ['kernel', 6]] as const) {
      const built = buildDump(leak({ kind, dumpType }));
      const result = analyze(openBuilt(built), { parts: ['poolTags', 'modules'] });
      expect(result.dump.type, `${kind} with DumpType ${dumpType}`).to.equal(kind);
      expectTags(result, built.truth);
    }
  }); // prettier-ignore

  it('of which the end is missing are analyzed as far as they go', () => {
    const whole = buildDump(leak());
    const result = run(leak({ truncateTo: Math.floor(whole.byteLength * 0.7) }));
    expect(result.dump.truncated).to.equal(true);
    expect(codes(result)).to.include('truncated');
  });

  describe('small ones (triage)', () => {
    for (const kernel of ['2600', '7601', '19041']) {
      it(`of kernel ${kernel}: modules, unloaded drivers, bug check, no tables`, () => {
        const built = buildDump(leak({ kernel, kind: 'triage', header: { bugCheckCode: 0xd1 } }));
        const result = analyze(openBuilt(built));
        expect(result.modules?.map((m) => [m.name, m.base, m.sizeOfImage, m.timeDateStamp])).to.deep.equal(
          built.truth.modules.map((m) => [
            m.name,
            `0x${m.base.toString(16)}`,
            m.size,
            `0x${m.timeDateStamp.toString(16)}`,
          ]),
        );
        expect(result.unloadedModules?.map((d) => d.name)).to.deep.equal(['dump_storpor', 'cdrom.sys']);
        expect(result.dump.bugCheck?.code).to.equal('0xd1');
        expect(result.system?.kernelBase).to.equal(`0x${built.truth.kernel.base.toString(16)}`);
        expect(result.system?.buildLab).to.equal(built.truth.kernel.buildLab);
        expect([result.poolTags, result.memory, result.suspects]).to.deep.equal([null, null, []]);
        expect(codes(result)).to.include('triage-dump');
      });
    }

    it('have data blocks of 16 bytes or of 12', () => {
      for (const dataBlockSize of [12, 16] as const) {
        const opened = openBuilt(buildDump(leak({ kind: 'triage', dataBlockSize })));
        const sizes = opened.dump.triage!.dataBlocks.map((b) => b.size);
        expect(sizes, `${dataBlockSize}`).to.include.members([0x400, 16]);
        expect(inspect(opened).system.buildLab).to.equal('3790.srv03_sp2_rtm.070216-1710');
      }
    });

    it('may list any number of drivers, whatever their names fill', () => {
      for (let count = 1; count <= 9; count++) {
        const built = buildDump(leak({ kind: 'triage', modules: (leak().modules ?? []).slice(0, count) }));
        const names = analyze(openBuilt(built)).modules?.map((m) => m.name);
        expect(names).to.deep.equal(built.truth.modules.map((m) => m.name));
      }
    });
  });

  describe('pool tables', () => {
    it('are not there on Windows 2000 and XP unless tagging was turned on: said with the remedy', () => {
      for (const kernel of ['2195', '2600']) {
        const result = run(leak({ kernel, pool: { ...leak().pool, taggingOff: true } }));
        expect(result.poolTags).to.equal(null);
        const warning = result.warnings.find((w) => w.code === 'pool-tagging-off');
        expect(warning?.message).to.match(/Windows 2000 and XP.*gflags \/r \+ptg/);
        expect(result.memory?.nonPagedPoolUsage).not.to.equal(null);
        const steps = result.verdict.nextSteps.join('\n');
        expect(steps).to.match(/gflags \/r \+ptg.*restart.*collecting\.md/);
        expect(steps).not.to.match(/^Record "poolmon|symbols of its kernel/m);
      }
      const later = run(leak({ kernel: '6002', pool: { ...leak().pool, taggingOff: true } }));
      expect(codes(later)).to.include('no-pool-table').and.not.include('pool-tagging-off');
    });

    it('are one for all processors before 2003 SP2, and in its kernels for one processor', () => {
      for (const [kernel, processors] of [['2195', 4], ['2600', 2], ['3790', 1]] as const) {
        const result = expectAll(leak({ kernel, processors }));
        expect([result.poolTags?.tables, result.poolTags?.complete], kernel).to.deep.equal([1, true]);
        expect(codes(result), kernel).not.to.include.members(['processor-tables-searched', 'no-processor-tables']);
      }
    }); // prettier-ignore

    it('of several processors are found by their content, up to 32', () => {
      for (const [kernel, processors] of [
        ['3790', 8],
        ['7601', 32],
        ['19041', 4],
      ] as const) {
        const result = expectAll(leak({ kernel, processors }));
        expect(result.poolTags?.tables).to.equal(processors);
        expect(codes(result)).to.include('processor-tables-searched');
      }
    });

    it('that cannot be found leave the figures partial, and nobody accused', () => {
      const result = run(leak({ kernel: '6002', pool: { ...leak().pool, arrayEmpty: true } }));
      expect(result.poolTags?.complete).to.equal(false);
      expect(codes(result)).to.include('no-processor-tables');
      for (const suspect of result.suspects) expect(suspect.confidence).to.equal('low');
    });

    it('of other sizes are measured, by hash or by extent', () => {
      for (const [kernel, tableSize] of [
        ['2600', 513],
        ['2600', 2049],
        ['3790', 513],
        ['7601', 8193],
      ] as const) {
        const rows = (leak().pool?.rows ?? []).slice(0, 300);
        const result = run(leak({ kernel, pool: { rows, tableSize } }));
        expect(result.poolTags?.entries, `${kernel} ${tableSize}`).to.equal(tableSize);
        const from = kernel === '2600' ? /how far its records go/ : /where its tags stand/;
        expect(result.warnings.find((w) => w.code === 'pool-size-inferred')?.message).to.match(from);
      }
    });
  });

  describe('page tables', () => {
    it('are read as they are, whatever PaeEnabled says', () => {
      for (const pae of [true, false]) {
        const result = expectAll(leak({ paging: { pae }, header: { paeEnabled: !pae } }));
        expect(codes(result)).to.include('pae-flag-wrong');
        const silent = expectAll(leak({ paging: { pae }, header: { paeEnabled: null } }));
        expect(codes(silent)).not.to.include('pae-flag-wrong');
      }
    });

    for (const pae of [true, false]) {
      it(`${pae ? 'with' : 'without'} PAE are found where the header's base is wrong: by the System process, or as they map themselves`, () => {
        const message = (change: Scenario): string | undefined => {
          const built = buildDump(leak(change));
          const result = analyze(openBuilt(built));
          expectSystem(result, built.truth);
          expectTags(result, built.truth);
          return result.warnings.find((w) => w.code === 'directory-table-searched')?.message;
        };
        for (const directoryTableBase of ['zero', 'wrong'] as const) {
          for (const kernel of ['2195', '7601', '19041'].filter((k) => pae || k !== '19041')) {
            const header = { directoryTableBase };
            const bySystem = message({ kernel, header, paging: { pae, selfMap: false } });
            expect(bySystem, `${kernel} ${directoryTableBase}`).to.match(/from the System process/);
          }
          const bySelf = message({ header: { directoryTableBase }, processes: [], paging: { pae } });
          expect(bySelf, directoryTableBase).to.match(pae ? /page directories that map themselves/ : /maps itself/);
        }
      });
    }

    it('with pages in transition, behind prototype PTEs, and paged out', () => {
      const paging = { transition: 0.3, prototype: 0.4, pagedOut: 0.1 };
      for (const { kernel, pae } of VARIANTS) expectAll(leak({ kernel, paging: { ...paging, pae } }));
    });

    it('with large pages of kernel and pool', () => {
      for (const pae of [true, false]) {
        expectAll(leak({ kernel: '6002', paging: { pae, largeKernel: true, poolPages: '2m' } }));
      }
    });

    it('of machines with more than 4 GB', () => {
      const memory = { bytes: 12 * 2 ** 30 };
      for (const kind of ['full', 'kernel'] as const) {
        const result = expectTruth(leak({ kernel: '6002', memory, kind }));
        expect(result.dump.physicalPages).to.equal(0x300000);
      }
    });

    it('of a session map its images; without a process of it they are not searched', () => {
      const modules = [
        ...(leak().modules ?? []),
        { name: 'sesskit.sys', size: 0x60000, session: true, tags: [{ tag: 'AcNb', style: 'text' as const, text: 'xAcNbTable' }] },
      ]; // prettier-ignore
      for (const { kernel, pae } of VARIANTS) {
        const result = expectAll(leak({ kernel, modules, paging: { pae } }));
        expect(result.suspects[0]?.searched?.notTranslatable, kernel).to.equal(0);
      }
      const processes = [{ name: 'System', pid: 4 }, { name: 'csrss.exe', pid: 500, session: 1, rootAbsent: true }];
      const result = run(leak({ modules, processes }));
      expect(result.suspects[0]?.searched?.notTranslatable).to.be.greaterThan(0);
    }); // prettier-ignore
  });

  describe('the debugger block', () => {
    it('may hold sign-extended pointers', () => {
      for (const kernel of ['2600', '9600']) expectAll(leak({ kernel, kdbg: { signExtended: true } }));
    });

    it('is found where the header does not point to it', () => {
      for (const kdbgPointer of ['null', 'wrong'] as const) {
        const result = expectAll(leak({ header: { kdbgPointer } }));
        expect(codes(result)).to.include('debugger-block-searched');
      }
    });

    it('of an early Windows 2000 names no unloaded drivers, but the pool tables', () => {
      const built = buildDump(leak({ kernel: '2195', kdbg: { size: 0x208 } }));
      const result = analyze(openBuilt(built));
      expect(result.unloadedModules).to.equal(null);
      expectTags(result, built.truth);
    });

    it('that is missing leaves modules and identity', () => {
      const built = buildDump(leak({ kernel: '7601', kdbg: { absent: true } }));
      const result = analyze(openBuilt(built));
      expect(codes(result)).to.include.members(['no-debugger-block', 'no-pool-table']);
      expect(result.poolTags).to.equal(null);
      expect(result.modules).to.have.length(built.truth.modules.length);
      expect(result.system?.kernelPdb?.name).to.equal('ntkrpamp.pdb');
    });
  });
});
