/** Every object scenario, made small, on every machine: it can be built, and its truth is what its name says. */

import { expect } from 'chai';
import { buildDump } from '../build-dump.js';
import { SCENARIOS } from '../scenarios.js';
import { CULPRIT_PID, OBJECT_MACHINES, OBJECT_SCENARIOS, onMachine, type ObjectScenarioName } from './scenarios.js';
import type { ObjectsTruth, TagHoldersTruth } from './truth.js';

/** What stands out: the tag, who holds it, and how many handles of so many are his. */
const EXPECTED: Readonly<Record<ObjectScenarioName, { tag: string; holder: string | null } | null>> = {
  zombies: { tag: 'Proc', holder: 'watchman.exe' },
  eventLeak: { tag: 'Even', holder: 'svcleak.exe' },
  systemFiles: { tag: 'File', holder: 'System' },
  tokenReferences: { tag: 'Toke', holder: null },
  zombieThreads: { tag: 'Thre', holder: 'taskpool.exe' },
  keyLeak: { tag: 'Key ', holder: 'cfgagent.exe' },
  deadTokens: { tag: 'Proc', holder: 'jobrunner.exe' },
  zombieReferences: { tag: 'Proc', holder: null },
  healthyBusy: null,
  millionHandles: { tag: 'Even', holder: 'broker.exe' },
  damagedObjects: { tag: 'Proc', holder: 'watchman.exe' },
};

function tagOf(truth: ObjectsTruth, tag: string): TagHoldersTruth {
  const found = truth.tags.find((one) => one.tag === tag);
  if (!found) throw new Error(`no objects under ${tag}`);
  return found;
}

const COUNT = 1600;

for (const [machine] of Object.entries(OBJECT_MACHINES)) {
  describe(`object scenarios on ${machine}`, () => {
    for (const [name, expected] of Object.entries(EXPECTED)) {
      it(name, () => {
        const scenario = onMachine(OBJECT_SCENARIOS[name as ObjectScenarioName](COUNT), machine);
        // A few drivers will do here.
        delete scenario.modules;
        const { objects } = buildDump(scenario).truth;
        if (!objects) throw new Error('no objects');
        if (expected === null) {
          for (const tag of objects.tags) expect(tag.holders[0]?.handles ?? 0).to.be.below(COUNT / 2);
          return;
        }
        const found = tagOf(objects, expected.tag);
        if (expected.holder === null) {
          expect(found.withoutHandle).to.be.at.least(COUNT);
          return;
        }
        expect(found.holders[0]?.name).to.equal(expected.holder);
        expect(found.holders[0]?.handles).to.be.at.least(COUNT / 3);
      });
    }
  });
}

describe('object scenarios', () => {
  it('have names of their own, which they bear', () => {
    for (const [name, make] of Object.entries(OBJECT_SCENARIOS)) {
      expect(make(50).name).to.equal(name);
      expect(SCENARIOS).not.to.have.property(name);
    }
  });

  it('build the same bytes every time', () => {
    const [first, second] = [1, 2].map(() => buildDump(OBJECT_SCENARIOS.zombies(300)));
    if (!first || !second) throw new Error('no dump');
    expect(first.byteLength).to.equal(second.byteLength);
    const [a, b] = [first, second].map((dump) => {
      const bytes = new Uint8Array(0x10_0000);
      dump.read(Math.floor(dump.byteLength / 2), bytes);
      return Buffer.from(bytes);
    });
    expect(a?.equals(b ?? Buffer.alloc(0))).to.equal(true);
  });

  it('group ended processes, and tell how many nobody holds', () => {
    const { objects } = buildDump(OBJECT_SCENARIOS.zombies(500)).truth;
    const [cmd, conhost] = objects?.ended ?? [];
    expect(cmd).to.include({ image: 'cmd.exe', parentPid: CULPRIT_PID, count: 500, withoutHandle: 0, listed: true });
    expect(cmd?.holders).to.deep.equal([{ pid: CULPRIT_PID, handles: 500 }]);
    expect(conhost).to.include({ image: 'conhost.exe', count: 3, withoutHandle: 3 });
    expect(cmd && cmd.firstExit < cmd.lastExit).to.equal(true);
  });
});
