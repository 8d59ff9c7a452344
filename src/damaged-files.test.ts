/** Files that are cut, zeroed or at odds with themselves: what is there is analyzed, and what is wrong is said. */

import { expect } from 'chai';
import { InputError } from '../parsers/bytes/input-error.js';
import { MemorySource } from '../parsers/bytes/source.js';
import { buildDump, type Scenario } from '../test-dumps/build-dump.js';
import { SCENARIOS } from '../test-dumps/scenarios.js';
import { OpenedDump } from './kernel/opened-dump.js';
import { analyze } from './leak/analyze.js';
import type { AnalysisResult } from './result.js';
import { expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

const small = (change: Scenario = {}): Scenario => ({
  ...SCENARIOS.modernLeak(),
  memory: { bytes: 256 * 2 ** 20 },
  ...change,
});
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

  it('a bitmap whose count is another than its bits: the bits count', () => {
    const built = buildDump(small());
    const bytes = built.toBytes();
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0x2028, view.getBigUint64(0x2028, true) - 5n, true);
    const result = analyze(open(bytes));
    expect(codes(result)).to.include('bitmap-count');
    expectTags(result, built.truth);
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
