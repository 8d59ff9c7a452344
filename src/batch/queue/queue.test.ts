import { expect } from 'chai';
import { hostname, tmpdir } from 'node:os';
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDump } from '../../../test-dumps/build-dump.js';
import { dumpEntry } from '../inputs/entries.test.helper.js';
import { lineOf } from '../journal/journal.js';
import type { AnalysisSettings } from '../messages.js';
import { noteOf } from '../outputs/summary.js';
import { parseAddress } from '../store/server/address.js';
import { startPostgres, type Postgres } from '../store/server/postgres.test.helper.js';
import { SharedHistory } from '../store/server/shared-history.js';
import { DumpQueue, Superseded, type Outcome } from './dump-queue.js';
import { cancelDumps, deadLetters, queueCounts, queueState, retryDumps } from './queue-state.js';
import { jobId, seal, unseal, type QueuedDump } from './queued-dump.js';
import { runShared, type SharedBatchOptions } from './run-shared.js';
import { runWorker } from './run-worker.js';
import type { WorkEvents } from './work.js';
import type { BatchEvents } from '../events.js';
import { setTimeout as sleep } from 'node:timers/promises';

const BAD = fileURLToPath(new URL('../bad-worker.test.helper.js', import.meta.url));
const GOOD = fileURLToPath(new URL('../batch-worker.js', import.meta.url));
const SETTINGS: Omit<AnalysisSettings, 'redactKey' | 'pages'> = {
  ...{ pooltag: [], symbols: null, images: [], knownIssues: [], issues: [], mostBytes: null, machineByFolder: false },
};

type Candidate = Omit<QueuedDump, 'ticket'>;

/** A dump for the queue; the file need not be there. */
function candidate(path: string, change: Partial<Candidate> = {}): Candidate {
  const status = statSync(path, { throwIfNoEntry: false });
  return {
    ...{ place: { path, member: null }, sealed: null, fileId: `id of ${path}`, expected: true },
    ...{ size: status?.size ?? 0, mtimeMs: status?.mtimeMs ?? 0, by: 'another host', again: false },
    ...{ machineByFolder: false, deaths: [], lost: 0, unseen: null, ...change },
  };
}

const itemOf = (path: string, id: string) => {
  const entry = { ...dumpEntry(path, { id }), fileId: `id of ${path}` };
  return { line: lineOf(entry), note: noteOf(entry) };
};
const OUTCOME: Outcome = { kind: 'dump', host: 'here', leak: true, headline: 'x', elapsedMs: 1 };

/** Records what a worker tells. */
function recorder() {
  const told: string[] = [];
  const events: WorkEvents = {
    taken: () => undefined,
    done: (place, { kind, code = '' }) => told.push(`${kind} ${place} ${code}`.trim()),
    returned: (place, why) => told.push(`back ${place} ${why}`),
    buried: (place, why) => told.push(`dead ${place} ${why}`),
    note: (message) => told.push(`note ${message}`),
  };
  return { told, events };
}

const silent = (): BatchEvents => ({
  ...{ more: () => undefined, step: () => undefined, analyzed: () => undefined, failed: () => undefined },
  ...{ known: () => undefined, passed: () => undefined, deferred: () => undefined, note: () => undefined },
});

describe('the queue of a shared history', function () {
  this.timeout(120_000);
  let server: Postgres;
  let folder: string;
  before(async function () {
    const started = await startPostgres();
    if (started === null) {
      process.stdout.write('      no PostgreSQL on this machine: the queue is not tested\n');
      this.skip();
    }
    server = started;
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  after(async () => {
    await (server as Postgres | undefined)?.stop();
    if ((folder as string | undefined) !== undefined) rmSync(folder, { recursive: true });
  });

  const addressOf = (database: string) => parseAddress(server.url(database), {});

  /** A history with queues of some workers. */
  async function open<T>(
    work: (parts: { database: string; history: SharedHistory; queue: DumpQueue; other: DumpQueue }) => Promise<T>,
  ): Promise<T> {
    const database = await server.createDatabase();
    const history = await SharedHistory.open(addressOf(database));
    const queue = await DumpQueue.open(history.server, { jobs: 1, leaseMs: 60_000 });
    const other = await DumpQueue.open(history.server, { jobs: 1, leaseMs: 60_000 });
    try {
      return await work({ database, history, queue, other });
    } finally {
      await queue.close();
      await other.close();
      await history.close();
    }
  }

  const worker = async (database: string, change: Partial<Parameters<typeof runWorker>[0]> = {}) => {
    const { told, events } = recorder();
    const left = await runWorker({
      ...{ address: addressOf(database), jobs: 1, timeoutMs: 60_000, memoryBytes: 2 ** 30, settings: SETTINGS },
      ...{ redact: null, leaseMs: 60_000, program: BAD, mappings: [], health: null, drain: true, graceMs: 1000 },
      ...{ stop: new AbortController().signal, events, ...change },
    });
    return { told, left };
  };

  it('takes a dump once, by its content, and not what the history knows', async () =>
    open(async ({ history, queue, other }) => {
      const [one, two] = [candidate('/s/1.dmp'), candidate('/s/2.dmp')];
      expect(await queue.put([one, two])).to.deep.equal([{ kind: 'queued' }, { kind: 'queued' }]);
      expect(await other.put([one])).to.deep.equal([{ kind: 'waiting', place: '/s/1.dmp' }]);
      const [taken, ...more] = await Promise.all([queue.take(2), other.take(2)]).then((both) => both.flat());
      expect([taken, ...more].map((claim) => claim?.id).sort()).to.deep.equal(['/s/1.dmp', '/s/2.dmp'].map((path) => jobId(`id of ${path}`)).sort()); // prettier-ignore
      expect(await queue.take(2)).to.deep.equal([]);
      if (taken === undefined) throw new Error('nothing was taken');
      const { path } = taken.dump.place;
      const within = async (session: Parameters<DumpQueue['complete']>[0]) => queue.complete(session, taken, OUTCOME);
      expect(await history.append(itemOf(path, 'aaaa1111'), { within })).to.equal('written');
      // A lost answer to the commit: the same once more is no harm.
      expect(await history.append(itemOf(path, 'aaaa1111'), { within })).to.equal('known');
      expect((await other.put([taken.dump])).map(({ kind }) => kind)).to.deep.equal(['known']);
      expect(await other.put([{ ...taken.dump, again: true }])).to.deep.equal([{ kind: 'queued' }]);
      const { queue: counts, done } = await queueState(history.server, 10);
      expect([counts.waiting, counts.reading, done.leak]).to.deep.equal([1, 1, 0]);
    }));

  it('takes the result of one of two who think that they have a dump', async () =>
    open(async ({ history, queue, other, database }) => {
      await queue.put([candidate('/s/1.dmp')]);
      const [first] = await queue.take(1);
      if (first === undefined) throw new Error('nothing was taken');
      expect(await other.lost()).to.deep.equal([]);
      await server.run(database, `update dumpleak_queue.claim set until = now() - interval '1 s'`);
      const [lost] = await other.lost();
      if (lost === undefined) throw new Error('it is not lost');
      await other.giveBack(lost.claim, { ...lost.claim.dump, lost: 1 }, 0);
      const [second] = await other.take(1);
      expect(second?.dump.lost).to.equal(1);
      const append = async (by: DumpQueue, claim = first) =>
        history.append(itemOf('/s/1.dmp', 'aaaa1111'), { within: async (session) => by.complete(session, claim, OUTCOME) }); // prettier-ignore
      const late: unknown = await append(queue).catch((error: unknown) => error);
      expect(late).to.be.instanceOf(Superseded);
      expect((await history.counts()).entries).to.equal(0);
      expect(await append(other, second)).to.equal('written');
    }));

  it('leaves a dump alone that kills its process three times, and tries it again when told to', async () =>
    open(async ({ history, queue, database }) => {
      const path = join(folder, 'die');
      writeFileSync(path, 'x');
      await queue.put([candidate(path)]);
      // The pauses between the tries are not waited for.
      const hurry = setInterval(() => {
        void server.run(
          database,
          `update dumpleak_queue.job set start_after = now() where state = 'retry' or state = 'created'`,
        );
      }, 300);
      const { told } = await worker(database).finally(() => {
        clearInterval(hurry);
      });
      expect(told.map((line) => line.split(' ')[0])).to.deep.equal(['back', 'back', 'dead']);
      const [letter] = await deadLetters(history.server, 10);
      expect(letter?.dump).to.equal(path);
      expect(letter?.why).to.match(/the process that read it ended unexpectedly \((?:SIGKILL|exit code 1)\)/);
      expect(letter?.deaths.length).to.equal(3);
      const fileId = `id of ${path}`;
      expect([...(await history.known([fileId])).values()]).to.deep.equal(['failure']);
      // Known as a failure: only --retry puts it in again.
      expect((await queue.put([candidate(path)])).map(({ kind }) => kind)).to.deep.equal(['known']);
      expect(await retryDumps(history.server, ['no such'])).to.deep.equal([]);
      expect(await retryDumps(history.server, ['/die'])).to.deep.equal([path]);
      expect(await deadLetters(history.server, 10)).to.deep.equal([]);
      const [again] = await queue.take(1);
      expect(again?.dump).to.deep.include({ deaths: [], lost: 0, fileId });
      if (again !== undefined) await queue.giveBack(again, again.dump, 0);
      expect(await cancelDumps(history.server, null, false)).to.deep.equal([path]);
      expect((await queueCounts(history.server)).waiting).to.equal(0);
    }));

  it('gives back what this host does not see, and says so', async () =>
    open(async ({ history, queue, database }) => {
      const gone = candidate(join(folder, 'gone.dmp'), { by: hostname() });
      await queue.put([candidate('/nowhere/x.dmp'), gone]);
      const { told, left } = await worker(database, { program: GOOD });
      expect(left).to.equal(1);
      expect(told.find((line) => line.startsWith('back'))).to.match(/^back \/nowhere\/x\.dmp this host \(.*\) does not see it \(.*--map/); // prettier-ignore
      // Who found it would see it: it is gone.
      expect(told.filter((line) => line.startsWith('failure'))).to.deep.equal([`failure ${gone.place.path} not-found`]);
      const { unseen, delayed } = await queueCounts(history.server);
      expect([unseen, delayed]).to.deep.equal([1, 1]);
      await server.run(
        database,
        `update dumpleak_queue.job set start_after = now(), data = jsonb_set(data, '{unseen,since}', '"2026-01-01T00:00:00.000Z"')`,
      );
      const later = await worker(database, { program: GOOD });
      expect(later.told).to.deep.equal(['failure /nowhere/x.dmp not-found']);
      expect(later.left).to.equal(0);
    }));

  const shared = async (database: string, change: Partial<SharedBatchOptions> = {}) =>
    runShared({
      ...{ address: addressOf(database), jobs: 1, timeoutMs: 60_000, memoryBytes: 2 ** 30, settings: SETTINGS },
      ...{ redact: null, leaseMs: 60_000, program: GOOD, mappings: [], graceMs: 1000, paths: [folder], without: [] },
      ...{
        followLinks: false,
        again: false,
        retry: false,
        enqueueOnly: true,
        followMs: null,
        stop: new AbortController().signal,
      },
      events: silent(),
      ...change,
    });

  it('reads under another path, and tells the one of the queue', async () => {
    const database = await server.createDatabase();
    const path = join(folder, 'machine-a', 'MEMORY.DMP');
    const other = join(folder, 'elsewhere');
    rmSync(folder, { recursive: true });
    for (const one of [path, join(other, 'x')]) writeFileSyncIn(one, buildDump({ kind: 'triage' }).toBytes());
    rmSync(join(other, 'x'));
    writeFileSync(join(folder, 'machine-a', 'broken.dmp'), 'PAGEDU64 and nothing else');
    await shared(database);
    renameSync(join(folder, 'machine-a'), join(other, 'machine-a'));
    const mappings = [{ from: folder, to: other }];
    const { told } = await worker(database, { program: GOOD, mappings });
    const broken = join(folder, 'machine-a', 'broken.dmp');
    expect(told.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).to.deep.equal([`dump ${path}`, `failure ${broken}`]); // prettier-ignore
    const history = await SharedHistory.open(addressOf(database));
    try {
      const { records, failures } = await history.overview();
      expect(records.map(({ place }) => place)).to.deep.equal([path]);
      expect(failures.map(({ place, message }) => [place, message.includes('elsewhere')])).to.deep.equal([[broken, false]]); // prettier-ignore
      const [entry] = await history.read(records);
      expect(JSON.stringify(entry)).not.to.contain('elsewhere');
    } finally {
      await history.close();
    }
  });

  it('holds no names where the history is redacted', async () => {
    const database = await server.createDatabase();
    const path = join(folder, 'SECRETHOST', 'SECRETUSER.DMP');
    writeFileSyncIn(path, buildDump({ kind: 'triage' }).toBytes());
    writeFileSyncIn(join(dirname(path), 'SECRETFILE.DMP'), Buffer.from('PAGEDU64 and nothing else'));
    await shared(database, { redact: 'own', paths: [dirname(path)] });
    const dump = async () =>
      JSON.stringify(await server.run(database, 'select to_jsonb(j) from dumpleak_queue.job j')) +
      JSON.stringify(await server.run(database, 'select note from dumpleak.entries'));
    expect(await dump()).not.to.match(/SECRET/i);
    const { told } = await worker(database, { program: GOOD });
    expect(told.map((line) => line.split(' ')[0]).sort()).to.deep.equal(['dump', 'failure']);
    expect(told.join()).not.to.match(/SECRET/i);
    expect(await dump()).not.to.match(/SECRET/i);
  });

  it('tells how it is over HTTP, and how far all hosts are', async () => {
    const database = await server.createDatabase();
    const path = join(folder, 'health', 'MEMORY.DMP');
    writeFileSyncIn(path, buildDump({ kind: 'triage' }).toBytes());
    await shared(database, { paths: [path] });
    const stop = new AbortController();
    let answers: Promise<[number, string][]> = Promise.resolve([]);
    const get = async (url: string): Promise<[number, string]> => {
      const response = await fetch(url);
      return [response.status, await response.text()];
    };
    const { events, told } = recorder();
    const done = events.done.bind(events);
    let port = 0;
    events.done = (place, outcome) => {
      done(place, outcome);
      // Once the dump is counted.
      answers = sleep(50).then(async () =>
        Promise.all(['healthz', 'readyz', 'metrics', 'x'].map(async (name) => get(`http://127.0.0.1:${port}/${name}`))),
      );
      void answers.finally(() => {
        stop.abort();
      });
    };
    const following = shared(database, { paths: [path], enqueueOnly: false, followMs: 100, events: { ...silent(), note: (text) => told.push(text) } }); // prettier-ignore
    await worker(database, {
      ...{ program: GOOD, drain: false, stop: stop.signal, events, health: { host: '127.0.0.1', port: 0 } },
      started: (_, at) => (port = at ?? 0),
    });
    const [health, ready, metrics, other] = await answers;
    expect([health, ready, other?.[0]]).to.deep.equal([[200, 'ok\n'], [200, 'ok\n'], 404]);
    const lines = metrics?.[1].split('\n') ?? [];
    expect(lines).to.include.members([
      ...['dumpleak_worker_dumps_total{result="undecided"} 1', 'dumpleak_worker_dump_seconds_count 1'],
      ...['dumpleak_queue_dumps{state="dead"} 0', 'dumpleak_queue_reachable 1', '# EOF'],
    ]);
    const { report } = await following;
    expect(report?.counts.known).to.equal(1);
    expect(told.filter((line) => line.includes(' wait, ')).at(-1)).to.match(/^0 wait, 0 are read, 1 done/);
  });

  it('reads the dump that lies there now', async () => {
    const database = await server.createDatabase();
    const path = join(folder, 'changing', 'MEMORY.DMP');
    writeFileSyncIn(path, buildDump({ kind: 'triage' }).toBytes());
    const { queued } = await shared(database, { paths: [path] });
    expect(queued).to.equal(1);
    writeFileSync(path, buildDump({ kind: 'triage', kernel: '6.1.7601.24540' }).toBytes());
    utimesSync(path, 1, 1);
    const { told } = await worker(database, { program: GOOD });
    expect(told).to.deep.equal([`moved ${path}`]);
    const again = await shared(database, { paths: [path], enqueueOnly: false });
    expect(again.report?.counts.analyzed).to.equal(1);
  });
});

function writeFileSyncIn(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

describe('the place of a queued dump', () => {
  it('is for who has the key', () => {
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const place = { path: '\\\\server\\share\\x.zip', member: 'a/MEMORY.DMP' };
    const sealed = seal(place, key);
    expect(sealed).not.to.contain('server');
    expect(unseal(sealed, key)).to.deep.equal(place);
    expect(unseal(sealed, other)).to.equal(null);
    expect(unseal('nonsense', key)).to.equal(null);
    expect(seal(place, key)).not.to.equal(sealed);
  });
});
