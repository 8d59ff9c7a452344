import { expect } from 'chai';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { CULPRIT_PID, OBJECT_SCENARIOS } from '../../../test-dumps/objects/scenarios.js';
import { openBuilt } from '../../analysis/whole-dumps/truth.test.helper.js';
import { Objects, DEFAULT_BUDGET, readObjects } from './objects.js';
import { holdersRecord, objectTypeRecords, processRecords } from './object-records.js';

const PROC = 0x636f7250;

describe('records of processes and objects', () => {
  it('say who holds ended processes', () => {
    const objects = readObjects(openBuilt(buildDump(OBJECT_SCENARIOS.zombies(200))).kernel);
    const holders = holdersRecord(objects, PROC)!;
    expect(holders).to.deep.include({ type: 'Process', complete: true, unreadable: 0 });
    expect(holders.processes[0]).to.deep.equal({
      pid: CULPRIT_PID,
      image: 'watchman.exe',
      handles: 200,
      objects: 200,
      share: 1,
      targets: [{ name: 'cmd.exe (ended)', count: 200 }],
      targetsOf: 200,
    });
    expect(holders.ended[0]).to.deep.include({
      image: 'cmd.exe',
      parentImage: 'watchman.exe',
      count: 200,
      withoutHandle: 0,
    });
    const [first] = objectTypeRecords(objects)!;
    expect(first?.objects).to.be.greaterThan(200);
    expect(objectTypeRecords(objects)!.find(({ type }) => type === 'Process')).to.deep.include({
      tag: 'Proc',
      key: '0x636f7250',
      pool: 'nonpaged',
    });
    const processes = processRecords(objects)!;
    expect(processes).to.deep.include({ complete: true, ended: 203 });
    expect(processes.rows).to.have.length(processes.live);
    const watchman = processes.rows.find(({ pid }) => pid === CULPRIT_PID)!;
    expect(watchman.handleTypes[0]).to.deep.equal({ type: 'Process', count: 200 });
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

  it("of a tag that is no type's, and of a dump without memory, there are none", () => {
    const objects = readObjects(openBuilt(buildDump(OBJECT_SCENARIOS.zombies(5))).kernel);
    expect(holdersRecord(objects, 0x6b61654c)).to.equal(null);
    const none = new Objects(null, DEFAULT_BUDGET);
    expect([objectTypeRecords(none), processRecords(none), holdersRecord(none, PROC)]).to.deep.equal([
      null,
      null,
      null,
    ]);
  });
});
