import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { readMemoryParts } from './memory-parts.js';

describe('memory in no pool', function () {
  this.timeout(30_000);
  const WRITTEN = { mdlPages: 70_001, awePages: 40_002, systemPageTables: 3003, pageFrames: 2004, bootPages: 1005 };

  const read = (kernel: string): Record<string, number | null> => {
    const scenario = SCENARIOS.idleWorkstation();
    const opened = openBuilt(
      buildDump({ ...scenario, kernel, modules: [], memory: { ...scenario.memory, parts: WRITTEN } }),
    );
    const parts = Object.entries(readMemoryParts(opened.kernel));
    opened.close();
    return Object.fromEntries(parts.map(([name, figure]) => [name, figure === null ? null : Number(figure.pages)]));
  };

  for (const kernel of ['10.0.17763.4644', '10.0.19041.804', '10.0.22000.2538']) {
    it(`is read where ${kernel} counts it`, () => {
      expect(read(kernel)).to.include(WRITTEN);
    });
  }

  it('is not known where the kernel has no such counter', () => {
    expect(read('6.1.7601.24540')).to.include({
      mdlPages: 70_001,
      awePages: null,
      systemPageTables: null,
      slabs: null,
    });
    expect(read('10.0.14393.5582')).to.include({ mdlPages: 70_001, systemPageTables: 3003, pageFrames: null });
  });
});
