/** Every x64 kernel generation and every kind of body, built from a scenario, analyzed, and compared with the truth. */

import { expect } from 'chai';
import { buildDump, type DumpKind, type Scenario } from '../../../test-dumps/build-dump.js';
import { SCENARIOS } from '../../../test-dumps/scenarios.js';
import { analyze } from '../analyze.js';
import { expectHits, expectMemory, expectSystem, expectTags, openBuilt } from './truth.test.helper.js';

const KERNELS = [
  '6.1.7601.24540', '6.3.9600.21620', '10.0.14393.5582', '10.0.17763.4644', '10.0.18362.836',
  '10.0.19041.388', '10.0.19041.804', '10.0.20348.2400', '10.0.22000.2538',
]; // prettier-ignore
const KINDS: readonly DumpKind[] = ['full', 'kernel', 'bitmap-full', 'bitmap-kernel', 'automatic'];

/** A leak small enough to build quickly, large enough to be one. */
const small = (change: Scenario): Scenario => ({ ...SCENARIOS.modernLeak(), ...change });

describe('built dumps', function () {
  this.timeout(30_000);

  for (const kernel of KERNELS) {
    it(`of kernel ${kernel}: identity, modules, memory figures, pool tags, tag hits`, () => {
      const built = buildDump(small({ kernel, kind: 'bitmap-kernel' }));
      const opened = openBuilt(built);
      const result = analyze(opened);
      expect(result.system?.symbols).to.deep.equal({ source: 'profile', detail: 'exact match' });
      expectSystem(result, built.truth);
      expectMemory(result, built.truth);
      expectTags(result, built.truth);
      expectHits(opened, built.truth);
    });
  }

  for (const kind of KINDS) {
    it(`of kind ${kind}`, () => {
      const built = buildDump(small({ kind, kernel: kind === 'kernel' ? '6.1.7601.24540' : '10.0.17763.4644' }));
      const opened = openBuilt(built);
      const result = analyze(opened);
      expect(result.dump.type).to.equal(kind);
      expectSystem(result, built.truth);
      expectTags(result, built.truth);
      expectHits(opened, built.truth);
      expect(result.suspects[0]?.tag).to.equal('AcNb');
      expect(result.suspects[0]?.drivers[0]?.module).to.equal('acmenet.sys');
    });
  }

  it('goes by the body, not by DumpType', () => {
    const bodies = [
      ['full', 6, 'full'],
      ['bitmap-kernel', 1, 'bitmap-kernel'],
      ['kernel', 6, 'kernel'],
      ['bitmap-full', 2, 'bitmap-full'],
    ] as const;
    for (const [kind, dumpType, expected] of bodies) {
      const built = buildDump(small({ kind, dumpType }));
      const result = analyze(openBuilt(built), { parts: ['poolTags', 'modules'] });
      expect(result.dump.type, `${kind} with DumpType ${dumpType}`).to.equal(expected);
      expectTags(result, built.truth);
    }
  });
});
