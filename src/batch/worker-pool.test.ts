import { expect } from 'chai';
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildDump } from '../../test-dumps/build-dump.js';
import type { DumpEntry } from './inputs/entries.js';
import type { AnalysisSettings, FromWorker, ToWorker } from './messages.js';
import { durationText, PoolClosed, WorkerPool, type Outcome, type PoolOptions } from './worker-pool.js';

const SETTINGS: AnalysisSettings = {
  pooltag: [],
  symbols: null,
  images: [],
  knownIssues: [],
  issues: [],
  mostBytes: null,
  machineByFolder: false,
  redactKey: null,
  pages: tmpdir(),
};
const BAD = fileURLToPath(new URL('./bad-worker.test.helper.js', import.meta.url));

describe('batch: worker pool', function () {
  this.timeout(60_000);
  let pool: WorkerPool;
  const open = (change: Partial<PoolOptions> = {}): WorkerPool => {
    const limits = { jobs: 1, timeoutMs: 30_000, memoryBytes: 2 ** 30 };
    return (pool = new WorkerPool({ ...limits, settings: SETTINGS, program: BAD, ...change }));
  };
  afterEach(async () => {
    await pool.close();
  });
  const run = async (name: string) => pool.run({ kind: 'identify', path: `/x/${name}` });
  const codeOf = (outcome: Outcome) => (outcome.kind === 'failed' ? outcome.error.code : outcome.kind);
  const pidOf = (outcome: Outcome) => (outcome.kind === 'identify' ? outcome.fileId : '');

  it('costs a task whose worker dies, and goes on', async () => {
    open({ jobs: 2 });
    const outcomes = await Promise.all(['good', 'die', 'exit', 'good', 'throw', 'good'].map(run));
    expect(outcomes.map(codeOf)).to.deep.equal(['identify', 'crashed', 'crashed', 'identify', 'crashed', 'identify']);
    const [, died, exited, , threw] = outcomes.map((outcome) =>
      outcome.kind === 'failed' ? outcome.error.message : '',
    );
    expect(died).to.match(/^\/x\/die: the process that read it ended unexpectedly \((?:SIGKILL|exit code 1)\)/);
    expect(exited).to.match(/\(exit code 3\)/);
    expect(threw).to.match(/\(exit code 1, Error: planted\)/);
  });

  it('stops what takes too long', async () => {
    open({ timeoutMs: 300 });
    const [hung, good] = await Promise.all([run('hang'), run('good')]);
    expect(codeOf(hung)).to.equal('timeout');
    expect(hung.kind === 'failed' && hung.error.message).to.match(/^\/x\/hang: .* longer than 0 s .*--timeout/);
    expect(codeOf(good)).to.equal('identify');
  });

  it('stops what takes too much memory, in objects', async () => {
    open({ memoryBytes: 100 * 2 ** 20 });
    const [full, good] = await Promise.all([run('hoard'), run('good')]);
    expect(codeOf(full)).to.equal('out-of-memory');
    expect(full.kind === 'failed' && full.error.message).to.match(/more than 0\.1 GB .*--memory/);
    expect(codeOf(good)).to.equal('identify');
  });

  it('keeps a worker for the next task, unless it has grown large', async () => {
    open();
    const first = pidOf(await run('good'));
    expect(pidOf(await run('large'))).to.equal(first);
    const next = pidOf(await run('good'));
    expect(next).to.not.equal(first);
  });

  it('has workers that go on when the console is closed: the batch tells them when to end', async function () {
    if (process.platform === 'win32') this.skip(); // no signal can be sent there
    const worker = fork(join(dirname(BAD), 'batch-worker.js'), { serialization: 'advanced' });
    const heard = async (kind: FromWorker['kind']): Promise<FromWorker> =>
      new Promise((resolve, reject) => {
        worker.once('exit', (code, signal) => {
          reject(new Error(`the worker ended: ${code ?? signal}`));
        });
        const hear = (message: unknown): void => {
          if ((message as FromWorker).kind !== kind) return;
          worker.off('message', hear);
          resolve(message as FromWorker);
        };
        worker.on('message', hear);
      });
    worker.send({ kind: 'start', settings: SETTINGS, memoryBytes: 2 ** 30 } satisfies ToWorker);
    await heard('ready');
    for (const signal of ['SIGINT', 'SIGHUP'] as const) worker.kill(signal);
    worker.send({ kind: 'task', task: { kind: 'identify', path: BAD } } satisfies ToWorker);
    expect(await heard('done')).to.have.nested.property('outcome.kind', 'identify');
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.disconnect();
    await ended;
  });

  it('when closed, rejects what is not done', async () => {
    open();
    const tasks = [run('hang'), run('good')].map(async (task) => task.catch((error: unknown) => error));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await pool.close();
    for (const result of await Promise.all(tasks)) expect(result).to.be.instanceOf(PoolClosed);
  });

  it('says so when no worker can be started', async () => {
    open({ program: '/nowhere/worker.js' });
    const tasks = ['good', 'good too'].map(async (name) => run(name).catch((reason: unknown) => reason));
    for (const error of await Promise.all(tasks)) {
      expect(error).to.be.instanceOf(Error);
      expect(String(error)).to.match(/a worker cannot be started/);
    }
  });

  it('tells of progress', async () => {
    const steps: string[] = [];
    open({ progress: ({ path }, step, done, total) => steps.push(`${path} ${step} ${done}/${total}`) });
    await run('good');
    expect(steps).to.deep.equal(['/x/good reading 1/2']);
  });

  it('of real workers: reads a dump, and is stopped at its memory limit whatever it is doing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    try {
      const path = join(folder, 'a.dmp');
      writeFileSync(path, buildDump({ kind: 'triage' }).toBytes());
      const task = { kind: 'analyze', path, member: null, fileId: 'f' } as const;
      const program = fileURLToPath(new URL('./batch-worker.js', import.meta.url));
      open({ program, settings: { ...SETTINGS, pages: folder } });
      const analyzed = await pool.run(task);
      if (analyzed.kind !== 'analyze') throw new Error(`it is ${analyzed.kind}`);
      const line = JSON.parse(Buffer.from(analyzed.line).toString()) as DumpEntry;
      expect([line.result.dump.type, analyzed.note.summary.type]).to.deep.equal(['triage', 'triage']);
      expect(dirname(analyzed.page ?? '')).to.equal(folder);
      expect(readFileSync(analyzed.page ?? '', 'utf8')).to.match(/^<!doctype html>[^]*triage/i);
      await pool.close();
      open({ program, settings: { ...SETTINGS, pages: join(folder, 'gone') } });
      const unwritten = await pool.run(task);
      expect(unwritten).to.include({ kind: 'unwritten', code: 'ENOENT' });
      await pool.close();
      // No Node is smaller than that: the limit is met as soon as it is looked at.
      open({ program, memoryBytes: 20 * 2 ** 20 });
      // Members of a gzip file follow each other, so this is quickly made and slowly unpacked.
      const member = gzipSync(Buffer.alloc(1 << 20, 'PAGEDU64'));
      writeFileSync(`${path}.gz`, Buffer.concat(Array<Buffer>(3000).fill(member)));
      expect(codeOf(await pool.run({ ...task, path: `${path}.gz` }))).to.equal('out-of-memory');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('batch: durations', () => {
  it('are told in the largest unit that fits', () => {
    expect([45_000, 90_000, 1_800_000, 7_200_000].map(durationText)).to.deep.equal(['45 s', '90 s', '30 min', '2 h']);
  });
});
