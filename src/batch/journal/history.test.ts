import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../inputs/entries.js';
import { copyEntry, dumpEntry, failureEntry } from '../inputs/entries.test.helper.js';
import { History } from './history.js';
import { Journal } from './journal.js';
import { overviewOf } from '../outputs/overview.js';

function historyOf(entries: readonly Entry[]): History {
  const history = new History('');
  for (const [i, entry] of entries.entries()) history.add(entry, i, 1);
  return history;
}
const places = (history: History) => history.records().map(({ place, places }) => [place, ...places.slice(1)]);

describe('batch: history', () => {
  it('knows files by their bytes', () => {
    const history = historyOf([
      dumpEntry('a.dmp', { fileId: 'f1' }),
      failureEntry('b.dmp', { fileId: 'f2' }),
      failureEntry('notes.zip', { fileId: 'f3', passed: true }),
      failureEntry('c.dmp', { fileId: 'f4', error: { code: 'io', message: 'm' } }),
    ]);
    expect(['f1', 'f2', 'f3', 'f4', 'f5'].map((id) => history.known(id))).to.deep.equal([
      'dump',
      'failure',
      'passed',
      null,
      null,
    ]);
    expect(history.failed().map(({ place }) => place)).to.deep.equal(['b.dmp', 'c.dmp']);
  });

  it('shows a dump once, whatever it is called, wrapped in, or read from first', () => {
    const entries = [
      dumpEntry('z/9.dmp', { id: 'd1', fileId: 'f1' }),
      dumpEntry('a/10.dmp.gz', { id: 'd1', fileId: 'f2' }),
      copyEntry('a/2.dmp', 'f1'),
      dumpEntry('b.dmp', { id: 'd2' }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(places(historyOf(shuffled))).to.deep.equal([['a/2.dmp', 'a/10.dmp.gz', 'z/9.dmp'], ['b.dmp']]);
      }),
      { seed: 1 },
    );
  });

  it('forgets the half copy of a dump once the whole one was read, and keeps an earlier crash at the same place', () => {
    const history = historyOf([
      dumpEntry('MEMORY.DMP', { id: 'first', headerId: 'h1' }),
      dumpEntry('MEMORY.DMP', { id: 'half', headerId: 'h2' }),
      dumpEntry('MEMORY.DMP', { id: 'whole', headerId: 'h2' }),
    ]);
    expect(
      history
        .records()
        .map(({ id }) => id)
        .sort(),
    ).to.deep.equal(['first', 'whole']);
  });

  it('shows a failure only while nothing newer is known of the place, and never over a result', () => {
    const known = dumpEntry('a.dmp', { fileId: 'f1' });
    const timeout = failureEntry('a.dmp', { fileId: 'f1', error: { code: 'timeout', message: 'm' } });
    expect(historyOf([failureEntry('a.dmp', { fileId: 'old' }), known]).failed()).to.deep.equal([]);
    expect(historyOf([timeout, known]).known('f1')).to.equal('dump');
    expect(historyOf([known, timeout]).known('f1')).to.equal('dump');
    expect(historyOf([known, timeout]).failed()).to.deep.equal([]);
    const twice = [failureEntry('b', { fileId: null }), failureEntry('b', { fileId: null })];
    expect(historyOf(twice).failed()).to.have.length(1);
  });

  it('finds the line of a dump in the journal', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const journal = Journal.open(folder);
      const entries = ['b', 'a'].map((path) => dumpEntry(path));
      for (const entry of entries) journal.append(entry);
      journal.close();
      const history = History.load(folder);
      expect(history.records().map((record) => history.entryOf(record))).to.deep.equal(entries.toReversed());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('batch: groups', () => {
  const group = (entries: Entry[]) =>
    overviewOf(historyOf(entries)).groups.map(({ tag, driver, driverVersion, dumps, machines }) => ({
      ...{ tag, driver, driverVersion, dumps: dumps.length, machines: machines.length },
    }));

  it('are of one tag, driver and version', () => {
    const entries = [
      dumpEntry('1', { systemTime: '2026-03-02T00:00:00.000Z' }),
      dumpEntry('2', { systemTime: '2026-03-01T00:00:00.000Z' }),
      dumpEntry('3', { version: '5.0' }),
      dumpEntry('4', { driver: null }),
      dumpEntry('5', { tag: 'Leek' }),
      dumpEntry('6', { bytes: 0 }),
    ];
    expect(group(entries)).to.have.deep.members([
      { tag: 'Leak', driver: 'acmenet.sys', driverVersion: '4.2.0.17', dumps: 2, machines: 2 },
      { tag: 'Leak', driver: 'acmenet.sys', driverVersion: '5.0', dumps: 1, machines: 1 },
      { tag: 'Leak', driver: null, driverVersion: null, dumps: 1, machines: 1 },
      { tag: 'Leek', driver: 'acmenet.sys', driverVersion: '4.2.0.17', dumps: 1, machines: 1 },
    ]);
    const [first] = overviewOf(historyOf(entries)).groups;
    expect(first).to.include({ firstSeen: '2026-03-01T00:00:00.000Z', lastSeen: '2026-03-02T00:00:00.000Z' });
    expect(first?.dumps).to.deep.equal(['d-2', 'd-1']);
  });

  it('name no driver where several are as likely', () => {
    const entry = dumpEntry('1');
    entry.result.suspects[0]?.drivers.push({ module: 'other.sys', confidence: 'high', evidence: [] });
    expect(group([entry])).to.deep.equal([{ tag: 'Leak', driver: null, driverVersion: null, dumps: 1, machines: 1 }]);
  });

  it('leave out what is only held as not suspicious', () => {
    const entry = dumpEntry('1');
    entry.result.suspects[0]?.against.push({ code: 'not-suspicious', message: 'm' });
    expect(group([entry])).to.deep.equal([]);
  });

  it('tell how the tag grows on one machine', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const journal = Journal.open(folder);
      for (let hour = 0; hour < 12; hour++) {
        const systemTime = new Date(Date.UTC(2026, 2, 1, hour)).toISOString();
        const bytes = 100_000_000 + hour * 10_000_000 + (hour % 3) * 1000;
        journal.append(
          dumpEntry(`${hour}`, { bytes, systemTime, upTimeSeconds: 1000 + hour * 3600, machine: { name: 'FS01', nameFrom: 'folder' } }), // prettier-ignore
        );
      }
      journal.close();
      const { groups, machines } = overviewOf(History.load(folder));
      expect(machines.map(({ name, dumps }) => [name, dumps])).to.deep.equal([['FS01', 12]]);
      const growth = groups[0]?.growth;
      expect(growth?.judgement).to.equal('leak');
      expect(growth?.perHour).to.be.closeTo(10_000_000, 10_000);
      expect(growth?.points).to.have.length(12);
      expect(growth?.points[0]).to.deep.equal([Date.UTC(2026, 2, 1), 100_000_000]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
