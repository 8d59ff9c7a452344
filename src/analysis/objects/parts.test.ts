import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { Objects, DEFAULT_BUDGET, readObjects } from '../../kernel/objects/objects.js';
import { openBuilt } from '../whole-dumps/truth.test.helper.js';
import { readHolders } from './holders-part.js';
import { readObjectsPart } from './objects-part.js';
import { objectTypes, processList } from './processes-part.js';

describe('processes and objects in a result', () => {
  it('say who holds ended processes', () => {
    const { kernel } = openBuilt(buildDump(OBJECT_SCENARIOS.zombies(200)));
    const objects = readObjects(kernel);
    const { holders, endedProcesses } = readHolders(objects, 'Process')!;
    expect(holders).to.deep.include({ type: 'Process', complete: true, unreadable: 0 });
    expect(holders.processes[0]).to.deep.equal({
      pid: CULPRIT_PID,
      image: 'watchman.exe',
      handles: 200,
      objects: 200,
      share: 1,
      looked: 200,
      targets: [{ name: 'cmd.exe (ended)', count: 200 }],
    });
    expect(holders.ended[0]).to.deep.include({ image: 'cmd.exe', parentImage: 'watchman.exe', count: 200 });
    expect(endedProcesses?.heldBy).to.deep.equal([{ pid: CULPRIT_PID, image: 'watchman.exe', handles: 200 }]);
    expect(objectTypes(objects)!.find(({ type }) => type === 'Process')).to.deep.include({
      tag: 'Proc',
      key: '0x636f7250',
      pool: 'nonpaged',
    });
    const processes = processList(kernel, objects, true)!;
    expect(processes).to.deep.include({ complete: true, ended: 203 });
    expect(processes.rows).to.have.length(Number(processes.live));
    const watchman = processes.rows.find(({ pid }) => pid === CULPRIT_PID)!;
    expect(watchman.handleTypes?.[0]).to.deep.equal({ type: 'Process', count: 200 });
    expect(watchman).to.deep.include({
      image: 'watchman.exe',
      user: 'NT AUTHORITY\\SYSTEM',
      exitedAt: null,
      threads: 12,
      handlesUnreadable: 0,
    });
    // It is JSON as it is.
    expect(JSON.parse(JSON.stringify({ holders, processes }))).to.deep.equal({ holders, processes });
  });

  it('of a type that is none, and of a dump without memory, there are none', () => {
    const { kernel } = openBuilt(buildDump(OBJECT_SCENARIOS.zombies(5)));
    const objects = readObjects(kernel);
    expect([readHolders(objects, 'Leak'), readObjectsPart(objects, 'Leak')]).to.deep.equal([null, null]);
    const none = new Objects(null, DEFAULT_BUDGET);
    expect([objectTypes(none), readHolders(none, 'Process'), readObjectsPart(none, 'Process')]).to.deep.equal([
      null,
      null,
      null,
    ]);
  });
});
