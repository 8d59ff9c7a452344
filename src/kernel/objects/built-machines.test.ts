/** Built machines of every generation: what is read is what the builder wrote, by profile, by PDB and by nothing. */

import { expect } from 'chai';
import { failed } from '../../../parsers/bytes/failure.js';
import { MemorySource } from '../../../parsers/bytes/source.js';
import { openDump } from '../../../parsers/dump/open-dump.js';
import { openPdb } from '../../../parsers/pdb/pdb.js';
import { pdbFacts } from '../../../symbols/pdb-symbols.js';
import { buildDump, type BuiltDump } from '../../../test-dumps/build-dump.js';
import { kernelFacts } from '../../../test-dumps/kernel-facts.js';
import { objectKernel } from '../../../test-dumps/objects/facts.js';
import { CULPRIT_PID, OBJECT_MACHINES, OBJECT_SCENARIOS, onMachine } from '../../../test-dumps/objects/scenarios.js';
import type { ObjectsTruth } from '../../../test-dumps/objects/truth.js';
import { kernelPdb } from '../../../test-dumps/pdb/kernel-pdb.js';
import type { Scenario } from '../../../test-dumps/scenario.js';
import { openBuilt, sourceOf } from '../../analysis/whole-dumps/truth.test.helper.js';
import { findKernel, openKernel, type Kernel } from '../open/open-kernel.js';
import type { ProcessHandles } from './handles/handle-census.js';
import { bodyOf } from './header-scan.js';
import { readObjects, type Objects } from './objects.js';
import type { Process } from './process-list.js';

const msOf = (time: bigint): number | null => (time === 0n ? null : Number(time / 10_000n) - 11_644_473_600_000);
const tagOf = (key: number | null): string => Buffer.from(Uint32Array.of(key ?? 0).buffer).toString('latin1');

/** Zombies, ended threads, tokens that nobody holds, and kernel handles to files, on one machine. */
function everything(machine: string, more: Partial<Scenario> = {}): Scenario {
  const zombies = OBJECT_SCENARIOS.zombies(90);
  const names = ['\\Device\\HarddiskVolume3\\Data\\file#.dat'];
  return {
    ...onMachine(
      {
        ...zombies,
        objects: {
          ...zombies.objects,
          processes: [
            { pid: CULPRIT_PID, threads: 12, quota: { paged: 81_920, nonPaged: 40_960 }, handles: [{ type: 'Event', count: 600, objects: 200, references: 2 }] },
            { pid: 4, handles: [{ type: 'File', count: 300, names }] },
          ],
          endedThreads: [{ pid: CULPRIT_PID, count: 30, holders: [{ pid: 4 }] }],
          unheld: [{ type: 'Token', count: 50, references: 1, user: 'CONTOSO\\svc' }],
        },
      },
      machine,
    ),
    ...more,
  }; // prettier-ignore
}

function truthOf(built: BuiltDump): ObjectsTruth {
  if (built.truth.objects === undefined) throw new Error('no objects');
  return built.truth.objects;
}

function expectProcesses(objects: Objects, truth: ObjectsTruth): void {
  const list = objects.processes()!;
  expect(list.complete).to.equal(true);
  const found = new Map<bigint, Process>(list.processes.map((process) => [process.address, process]));
  expect(found.size).to.equal(truth.processes.length);
  for (const process of truth.processes) {
    const one = found.get(process.address)!;
    const what = `${process.name} (${process.pid})`;
    expect(one, what).to.deep.include({
      pid: process.pid,
      parentPid: process.parentPid,
      ended: process.exitTime !== 0n,
      createdAt: msOf(process.createTime),
      exitedAt: msOf(process.exitTime),
      threads: process.threads,
      commitBytes: process.commit * 4096,
      quota: {
        pagedBytes: process.quota.paged,
        nonPagedBytes: process.quota.nonPaged,
        pagedPeakBytes: process.quota.pagedPeak,
        nonPagedPeakBytes: process.quota.nonPagedPeak,
      },
    });
    expect(one.image.startsWith(process.name.slice(0, 14)), `${one.image} is ${what}`).to.equal(true);
    expect(objects.describer()!.imagePath(one) ?? '', what).to.equal(process.path);
    const token = objects.describer()!.tokenOf(one);
    // Kernels before Vista keep no names of accounts.
    if (token?.account !== null) expect(token?.account, what).to.equal(process.user);
    else expect(token.user).to.match(/^S-1-5-/);
    expect(token?.sessionId, what).to.equal(process.session ?? 0);
  }
}

function expectTypes(objects: Objects, truth: ObjectsTruth): void {
  const types = objects.types()!;
  expect(objects.decoder()!.cookie).to.equal(truth.cookie);
  expect(
    types.types.map((type) => ({
      name: type.name,
      tag: tagOf(type.key),
      index: type.index,
      pool: type.pool,
      counts: [type.objects, type.handles, type.objectsHighWater, type.handlesHighWater],
    })),
  ).to.have.deep.members(
    truth.types.map((type) => ({
      name: type.name,
      tag: type.tag,
      index: type.index,
      pool: type.pool.toLowerCase(),
      counts: [type.objects, type.handles, type.objectsHighWater, type.handlesHighWater],
    })),
  );
}

function expectHandles(objects: Objects, truth: ObjectsTruth): void {
  const census = objects.census()!;
  const decoder = objects.decoder()!;
  expect(census.complete).to.equal(true);
  expect(census.handles).to.equal(truth.handles);
  const tables = new Map<bigint, ProcessHandles>(census.tables.map((table) => [table.process.address, table]));
  for (const process of truth.processes) {
    if (process.handles === null) continue;
    const table = tables.get(process.address)!;
    const counts = objects.counts(table)!;
    const byType = Object.fromEntries(
      decoder.types.map(({ name }, i): [string, number] => [name, counts.handles[i]!]).filter(([, count]) => count > 0),
    );
    expect(byType, process.name).to.deep.equal(process.handles.byType);
    const places = new Map<number, number>();
    for (let k = table.first; k < table.end; k++) places.set(census.value[k]!, k);
    for (const handle of process.handles.first) {
      const k = places.get(handle.handle)!;
      const body = bodyOf(census.objects.header[census.object[k]!]!, decoder);
      expect(body).to.equal(handle.object);
      expect(census.access[k]).to.equal(handle.access);
      const { name, label } = objects.describer()!.describe(handle.type, body);
      const shown = handle.type === 'Process' || handle.type === 'Thread' ? label : name;
      if (handle.type === 'ALPC Port' && handle.name === null) expect(name).to.match(/^port of /);
      else if (handle.type === 'Token' && name?.startsWith('S-1-') === true) expect(truth.cookie).to.equal(null);
      else expect(shown, `${handle.type} of ${process.name}`).to.equal(handle.name);
    }
  }
}

function expectHolders(objects: Objects, truth: ObjectsTruth): void {
  for (const tag of truth.tags) {
    const holders = objects.holdersOfType(tag.type)!;
    expect(holders, tag.type).to.deep.include({
      objects: tag.objects,
      handlesFound: tag.handles,
      withoutHandle: tag.withoutHandle,
      unreadable: 0,
      complete: true,
    });
    expect(
      holders.processes.slice(0, 1).map((h) => [h.process.pid, h.handles, h.objects]),
      tag.type,
    ).to.deep.equal(tag.holders.slice(0, 1).map((h) => [h.pid, h.handles, h.objects]));
  }
  const { references } = objects.holdersOfType('Event')!;
  // A few named events belong to the kernel.
  expect(references!.objects).to.be.within(200, 205);
  expect(references!.beyondHandles).to.be.within(400, 410);
  const zombies = objects.zombies()!;
  expect(
    zombies.processes.map((g) => [
      [g.image, g.path, g.parentPid, g.sessionId, g.count, g.withoutHandle, g.firstExit, g.lastExit],
      g.heldBy!.map((h) => [h.process.pid, h.handles]),
    ]),
  ).to.deep.equal(
    truth.ended.map((g) => [
      [g.image, g.path, g.parentPid, g.session, g.count, g.withoutHandle, msOf(g.firstExit), msOf(g.lastExit)],
      g.holders.map((h) => [h.pid, h.handles]),
    ]),
  );
  expect(zombies.threads!.map((t) => [t.pid, t.count])).to.deep.equal([[CULPRIT_PID, truth.endedThreads]]);
}

function expectAll(kernel: Kernel, truth: ObjectsTruth): Objects {
  const objects = readObjects(kernel);
  expectProcesses(objects, truth);
  expectTypes(objects, truth);
  expectHandles(objects, truth);
  expectHolders(objects, truth);
  expect(objects.warnings).to.deep.equal([]);
  return objects;
}

describe('built machines with objects', function () {
  this.timeout(60_000);

  for (const machine of Object.keys(OBJECT_MACHINES)) {
    it(`${machine}: with profile and without symbols`, () => {
      const known = buildDump(everything(machine));
      expectAll(openBuilt(known).kernel, truthOf(known));
      const unknown = buildDump(everything(machine, { hideIdentity: 'unknown-all' }));
      const objects = expectAll(openBuilt(unknown).kernel, truthOf(unknown));
      expect(objects.layouts()!.source).to.equal('nearest');
    });
  }

  for (const machine of ['x64-7601', 'x64-19041', 'x64-26100']) {
    it(`${machine}: with its PDB`, () => {
      const built = buildDump(everything(machine));
      const { kernel: version = '' } = OBJECT_MACHINES[machine]!;
      const pdb = openPdb(new MemorySource(kernelPdb(objectKernel(kernelFacts(version))), 'ntkrnlmp.pdb'));
      if (failed(pdb)) throw new Error(pdb.message);
      const facts = pdbFacts(pdb, { pdbName: 'ntkrnlmp.pdb' });
      const dump = openDump(sourceOf(built));
      const kernel = openKernel(dump, {}, findKernel(dump), [{ facts, source: 'pdb', from: 'ntkrnlmp.pdb' }]);
      expect(expectAll(kernel, truthOf(built)).layouts()!.source).to.equal('pdb');
    });
  }

  it('with damage of every kind: everything that can be had is had, the loss is told', () => {
    for (const machine of ['x64-19041', 'x64-7601', 'arm64-26100', 'x86-7601']) {
      const built = buildDump(onMachine(OBJECT_SCENARIOS.damagedObjects(700), machine));
      const truth = truthOf(built);
      const objects = readObjects(openBuilt(built).kernel);
      const list = objects.processes()!;
      expect(list.processes).to.have.length(truth.processes.length);
      expect(list.broken?.message).to.match(/loops/);
      const census = objects.census()!;
      const absent = truth.processes.reduce((sum, p) => sum + (p.handles?.absent ?? 0), 0);
      expect(census.handles).to.equal(truth.handles - absent);
      expect(census.complete).to.equal(absent === 0);
      const codes = objects.warnings.map(({ code }) => code);
      expect(codes).to.include('process-list-broken');
      expect(codes.includes('handle-pages-missing')).to.equal(absent > 0);
      expect(objects.holdersOfType('Process')!.processes[0]!.process.image).to.equal('watchman.exe');
      const lost = truth.processes.reduce((sum, p) => sum + (p.handles?.wild ?? 0) + (p.handles?.freed ?? 0), 0);
      const { unreadable, wild } = objects.counts()!;
      expect(unreadable + wild).to.equal(lost);
    }
  });
});
