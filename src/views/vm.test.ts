import { expect } from 'chai';
import type { AnalysisResult, MemoryFlag } from '../result/result.js';
import { acceptanceBlock, goldenBeside } from './golden.test.helper.js';
import { bareResult, memoryOf } from './results.test.helper.js';
import { healthyResult, leakResult } from './samples.test.helper.js';
import { renderVm } from './vm.js';

const expectGolden = goldenBeside(import.meta.url);

/** `pages` where it ends, `(`, and the Kb number where it ends: 0-based, the column after. */
function columns(line: string): number[] {
  const match = /^(.*?(?:\d+|n\/a)) \( *(?:\d+|n\/a) Kb\)$/.exec(line);
  return match === null ? [] : [match[1]!.length, line.indexOf('('), line.length - ' Kb)'.length];
}

const withMemory = (memory: AnalysisResult['memory'], buildNumber: number | null): AnalysisResult => ({
  ...leakResult(),
  memory,
  system: { ...leakResult().system!, buildNumber },
});

describe('!vm', () => {
  it('prints the transcript of the worked example, but for the two figures without a source', function () {
    const transcript = acceptanceBlock('!vm 1');
    // The acceptance text stands outside of the project.
    if (transcript === null) return this.skip();
    const unknown = '       n/a (       n/a Kb)';
    const expected = transcript.map((line) =>
      line.replace(/^(\tLocked IO Pages:|\tSession Commit:)( +\d+ \(.*)$/, (_, label: string, rest: string) =>
        label.concat(unknown.padStart(rest.length)),
      ),
    );
    expect(expected.filter((line) => line.includes('n/a'))).to.have.length(2);
    expect(renderVm(leakResult())).to.equal(`${expected.join('\n')}\n`);
  });

  it('has the older layout', () => {
    expectGolden('vm-old.txt', renderVm(leakResult()));
  });

  it('has the newer layout', () => {
    expectGolden('vm-new.txt', renderVm(healthyResult()));
  });

  it('chooses the layout by build: old to 7601, new from 9200 and where the build is unknown', () => {
    const banner = (build: number | null) => renderVm(withMemory(memoryOf({}), build)).startsWith('*** Virtual');
    expect([2600, 7601, 9200, 26100, null].map(banner)).to.deep.equal([true, true, false, false, false]);
    expect(renderVm(leakResult(), { layout: 'new' })).to.match(/^Page File:/);
    expect(renderVm(healthyResult(), { layout: 'old' })).to.match(/^\*\*\* Virtual/);
  });

  it('keeps the columns of the newer layout', () => {
    const rows = renderVm(healthyResult())
      .split('\n')
      .filter((line) => line.includes('('));
    expect(rows.length).to.be.greaterThan(20);
    for (const line of rows) expect(columns(line), line).to.deep.equal([33, 34, 46]);
  });

  it('keeps the columns of the older layout', () => {
    const rows = renderVm(leakResult())
      .split('\n')
      .filter((line) => line.includes('('));
    expect(rows.length).to.be.greaterThan(20);
    for (const line of rows) expect(columns(line), line).to.deep.equal([29, 30, 41]);
  });

  it('says n/a for what is not known, never 0', () => {
    for (const build of [7601, 19041]) {
      const text = renderVm(withMemory(memoryOf({}), build));
      expect(text).to.not.match(/\d+ \(/);
      expect(text).to.match(/Physical Memory: +n\/a \( +n\/a Kb\)/);
      expect(text).to.match(/Page File: n\/a/);
    }
  });

  it('has a row for nonpaged pool without execution only where such a thing is', () => {
    const rowOf = (build: number | null, layout: 'old' | 'new', pages?: number) =>
      renderVm(withMemory(memoryOf(pages === undefined ? {} : { nonPagedPoolNxUsage: pages }), build), {
        layout,
      }).includes('Nx');
    expect(rowOf(7601, 'old')).to.equal(false);
    expect(rowOf(7601, 'new')).to.equal(false);
    expect(rowOf(9200, 'old')).to.equal(true);
    expect(rowOf(9200, 'new')).to.equal(true);
    expect(rowOf(7601, 'old', 5)).to.equal(true);
  });

  it('lets a number of 20 digits push the rest to the right, and wraps Kb at 64 bits', () => {
    const huge = '18446744073709551615';
    const line = renderVm(withMemory(memoryOf({ physicalMemory: huge }), 22000))
      .split('\n')
      .find((l) => l.startsWith('Phys'))!;
    expect(line.indexOf(huge)).to.equal(19);
    expect(line).to.match(/ \(18446744073709551612 Kb\)$/);
    const old = renderVm(withMemory(memoryOf({ physicalMemory: huge }), 7601)).split('\n')[1]!;
    expect(old).to.equal(`\tPhysical Memory: ${huge} (18446744073709551612 Kb)`);
  });

  it('puts failures and flags where the debugger has them', () => {
    const flag = (code: MemoryFlag['code']) => ({
      code,
      message: `message of ${code}`,
      value: 1,
      limit: 2,
      percent: 50,
      basis: '',
    });
    const memory = memoryOf(
      {},
      {
        poolAllocationFailures: { count: 48530, source: 'profile' },
        flags: (
          [
            'excessive-nonpaged-pool',
            'excessive-paged-pool',
            'commit-near-limit',
            'low-system-ptes',
            'implausible-tag-bytes',
          ] as const
        ).map(flag),
        pageFiles: [],
      },
    );
    for (const layout of ['old', 'new'] as const) {
      const indent = layout === 'old' ? '\t' : '';
      const lines = renderVm(withMemory(memory, 7601), { layout }).split('\n');
      const after = (label: string, count = 1) => {
        const at = lines.findIndex((line) => line.startsWith(indent + label));
        return lines.slice(at + 1, at + 1 + count);
      };
      expect(after('NonPagedPool Max:')).to.deep.equal([`${indent}********** Excessive NonPaged Pool Usage *****`]);
      expect(after('PagedPool Maximum:', 4)).to.deep.equal([
        `${indent}********** Excessive Paged Pool Usage *****`,
        '',
        `${indent}********** 48530 pool allocations have failed **********`,
        '',
      ]);
      expect(lines.filter((line) => line.includes('message of'))).to.deep.equal([]);
      const withNotes = renderVm(withMemory(memory, 7601), { layout, notes: true }).split('\n');
      expect(withNotes.slice(0, 4)).to.deep.equal([
        '! message of commit-near-limit',
        '! message of low-system-ptes',
        '! message of implausible-tag-bytes',
        '',
      ]);
      expect(withNotes.slice(4)).to.deep.equal(lines);
      expect(lines).to.include(`${indent}Page File: none`);
    }
  });

  it('says that a small dump holds no counters', () => {
    expect(renderVm(bareResult({ type: 'triage' }))).to.equal(
      'A small memory dump (triage) holds no memory counters.\n',
    );
    expect(renderVm(bareResult())).to.match(/could not be read/);
  });
});
