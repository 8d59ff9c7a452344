/** Files that are cut, zeroed or at odds with themselves: what is there is analyzed, and what is wrong is said. */

import { expect } from 'chai';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { buildDump, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { OpenedDump } from '../../kernel/open/opened-dump.js';
import { analyze } from '../analyze.js';
import type { AnalysisResult } from '../../result/result.js';
import { expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

/** A small machine, and a leak that fits on it. */
const small = (change: Scenario = {}): Scenario => {
  const leak = SCENARIOS.modernLeak();
  const less = <T extends { bytes: number | bigint }>(counters: T): T => ({
    ...counters,
    bytes: Math.floor(Number(counters.bytes) / 32),
  });
  const rows = (leak.pool?.rows ?? []).map(({ nonPaged, paged, ...row }) => ({
    ...row,
    ...(nonPaged && { nonPaged: less(nonPaged) }),
    ...(paged && { paged: less(paged) }),
  }));
  return { ...leak, memory: { bytes: 256 * 2 ** 20 }, pool: { ...leak.pool, rows }, ...change };
};
const open = (bytes: Uint8Array): OpenedDump =>
  OpenedDump.over('test.dmp', {
    source: new MemorySource(bytes),
    fileBytes: bytes.length,
    container: null,
    damage: null,
  });
const codes = (result: AnalysisResult): string[] => result.warnings.map((w) => w.code);
const refusal = (bytes: Uint8Array): string => {
  try {
    open(bytes);
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
  return 'opened';
};

describe('damaged files', function () {
  this.timeout(20_000);

  it('a header followed by zeros, and zeros alone, are said to be that', () => {
    for (const kind of ['bitmap-kernel', 'automatic', 'rdmp-kernel'] as const) {
      const bytes = buildDump(small({ kind })).toBytes();
      bytes.fill(0, 0x2000);
      expect(refusal(bytes), kind).to.equal('all-zero');
    }
    expect(refusal(new Uint8Array(100_000))).to.equal('all-zero');
  });

  for (const [name, count, says] of [
    ['fewer pages', (n: bigint) => n - 5n, (n: bigint) => String(n - 5n)],
    ['more pages', (n: bigint) => n + 500n, (n: bigint) => String(n + 500n)],
    ['no page', () => 0n, () => '0'],
    ['more pages than it has bits', () => 0xffffffffffffffffn, () => '18446744073709551615'],
  ] as const) {
    it(`a bitmap whose header counts ${name}: the bits count, and nothing is missing`, () => {
      const built = buildDump(small());
      const bytes = built.toBytes();
      const view = new DataView(bytes.buffer);
      const stored = view.getBigUint64(0x2028, true);
      view.setBigUint64(0x2028, count(stored), true);
      const result = analyze(open(bytes));
      const message = result.warnings.find((w) => w.code === 'bitmap-count')?.message;
      expect(message)
        .to.include(`marks ${stored} pages`)
        .and.to.match(new RegExp(`says ${says(stored)}$`));
      expect(result.dump.pagesPresent).to.equal(Number(stored));
      expect(result.dump.truncated).to.equal(false);
      expectTags(result, built.truth);
    });
  }

  it('a bitmap with bits behind the last page: its header counts where only that fits into the file', () => {
    const built = buildDump(small());
    const bytes = built.toBytes();
    const view = new DataView(bytes.buffer);
    const [bits, stored] = [view.getBigUint64(0x2030, true), view.getBigUint64(0x2028, true)];
    bytes.fill(0xff, 0x2038 + Number(bits) / 8 - 4, 0x2038 + Number(bits) / 8);
    const result = analyze(open(bytes));
    expect(codes(result)).to.include('bitmap-count').and.not.include('truncated');
    expect(result.dump.pagesPresent).to.equal(Number(stored));
    expectTags(result, built.truth);
  });

  it('a file that ends inside its bitmap: cut, and the bits are not counted', () => {
    const bytes = buildDump(small())
      .toBytes()
      .subarray(0, 0x2038 + 1000);
    const result = analyze(open(bytes));
    expect(codes(result)).to.include('truncated').and.not.include('bitmap-count');
    expect([result.dump.pagesPresent, result.dump.truncated]).to.deep.equal([0, true]);
  });

  it('runs that hold other than the counted pages: said', () => {
    const runs = [{ basePage: 0x100, pageCount: 0x8000 }];
    const built = buildDump(small({ kind: 'full', memory: { runs } }));
    expect(codes(analyze(openBuilt(built)))).not.to.include('run-count');
    const bytes = built.toBytes();
    new DataView(bytes.buffer).setBigUint64(0x90, 0x9000n, true);
    const result = analyze(open(bytes));
    expect(result.warnings.find((w) => w.code === 'run-count')?.message).to.equal(
      'the physical memory runs of the header hold 32768 pages, its count says 36864',
    );
    expectTags(result, built.truth);
  });

  it('a list of runs that cannot be true is what a complete dump is refused for', () => {
    for (const change of [
      (view: DataView): void => {
        view.setUint32(0x88, 0xffff, true);
      },
      (view: DataView): void => {
        view.setBigUint64(0xa0, 0xffffffffffffffffn, true);
      },
    ]) {
      const bytes = buildDump(small({ kind: 'full' })).toBytes();
      change(new DataView(bytes.buffer));
      expect(() => open(bytes)).to.throw(InputError, /list of physical memory runs .* cannot be true/);
    }
  });

  it('a dump of which the second half is zeros: said, where its page tables are among what is missing', () => {
    for (const kind of ['bitmap-kernel', 'full'] as const) {
      const runs = [{ basePage: 0x100, pageCount: 0x8000 }];
      const built = buildDump(small({ kind, ...(kind === 'full' ? { memory: { runs } } : {}) }));
      const bytes = built.toBytes();
      expect(codes(analyze(open(bytes)))).not.to.include('zeros-at-end');
      bytes.fill(0, bytes.length / 2);
      const result = analyze(open(bytes));
      if (!codes(result).includes('directory-table-unusable')) bytes.fill(0, 0x3000);
      const warning = analyze(open(bytes)).warnings.find((w) => w.code === 'zeros-at-end');
      expect(warning?.message, kind).to.match(/^only zeros stand in the last \d\d % of the file: .* written or copied/);
    }
  });

  it('runs that overlap: the earlier one is used, and it is said', () => {
    const runs = [
      { basePage: 0x100, pageCount: 0x4000 },
      { basePage: 0x8000, pageCount: 0xc000 },
    ];
    const built = buildDump(small({ kind: 'full', memory: { runs } }));
    const bytes = built.toBytes();
    // A third run over pages that the others have, with nothing of its own in the file.
    const view = new DataView(bytes.buffer);
    view.setUint32(0x88, 3, true);
    view.setBigUint64(0xb8, 0x4000n, true);
    view.setBigUint64(0xc0, 0x100n, true);
    const result = analyze(open(bytes));
    expect(codes(result)).to.include.members(['runs-overlap', 'truncated']);
    expectTags(result, built.truth);
    expect(result.modules?.map((m) => m.pagesPresent)).to.deep.equal(built.truth.modules.map((m) => m.pagesPresent));
  });

  it('a run that lies past the file: truncated, and the rest is read', () => {
    const runs = [{ basePage: 0x100, pageCount: 0x8000 }];
    const built = buildDump(small({ kind: 'full', memory: { runs } }));
    const bytes = built.toBytes();
    const view = new DataView(bytes.buffer);
    view.setUint32(0x88, 2, true);
    view.setBigUint64(0xa8, 0x100000n, true);
    view.setBigUint64(0xb0, 0xfffffffn, true);
    const result = analyze(open(bytes));
    expect([result.dump.truncated, codes(result).includes('truncated')]).to.deep.equal([true, true]);
    expect(result.dump.pagesPresent).to.equal(0x8000);
    expectTags(result, built.truth);
  });

  it('a dump that Windows marked as cut, though all of it is there: marked, and read whole', () => {
    const built = buildDump(small({ header: { attributes: 4 } }));
    const result = analyze(openBuilt(built));
    expect(result.dump.truncated).to.equal(true);
    expect(codes(result)).to.include('insufficient-dump-file');
    expectSystem(result, built.truth);
    expectTags(result, built.truth);
  });
});
