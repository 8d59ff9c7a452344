import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdFile } from '../../../test-dumps/held-file.test.helper.js';
import { HistoryError } from './history-error.js';
import { Lock } from './lock.js';

describe('batch: lock', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
    path = join(folder, 'lock');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (owner: object) => {
    writeFileSync(path, JSON.stringify({ pid: 1, host: hostname(), started: null, nonce: 'n', ...owner }));
  };
  const endedPid = () => spawnSync(process.execPath, ['-e', '']).pid;

  it('is one owner’s, who is named to others, and free after it', () => {
    const lock = Lock.take(path);
    expect(() => Lock.take(path)).to.throw(HistoryError, `in use by process ${process.pid} on ${hostname()}`);
    lock.release();
    expect(existsSync(path)).to.equal(false);
    Lock.take(path).release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('of a process that is gone is taken over', () => {
    write({ pid: endedPid() });
    Lock.take(path).release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('of a process whose number is another’s by now is taken over', function () {
    if (process.platform !== 'linux') this.skip();
    write({ pid: process.pid, started: '1' });
    Lock.take(path).release();
  });

  it('of a number that runs, where start times are not known (Windows), is respected until it has been silent for long', () => {
    const unknown = () => null;
    write({ pid: process.ppid });
    expect(() => Lock.take(path, { started: unknown })).to.throw(HistoryError, `process ${process.ppid}`);
    const past = new Date(Date.now() - 16 * 60_000);
    utimesSync(path, past, past);
    Lock.take(path, { started: unknown }).release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('of a process that is known to be the owner is respected, however silent', function () {
    if (process.platform !== 'linux') this.skip();
    const lock = Lock.take(path);
    const past = new Date(Date.now() - 16 * 60_000);
    utimesSync(path, past, past);
    expect(() => Lock.take(path)).to.throw(HistoryError);
    lock.release();
  });

  it('that somebody has open for a moment is waited for, by who takes it and who releases it', () => {
    let refuse = 0;
    const read = (at: string): Buffer => {
      if (refuse-- > 0) throw Object.assign(new Error('EBUSY: resource busy or locked'), { code: 'EBUSY' });
      return readFileSync(at);
    };
    const lock = Lock.take(path, { read });
    refuse = 3;
    expect(() => Lock.take(path, { read })).to.throw(HistoryError, `process ${process.pid}`);
    refuse = 3;
    lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('that somebody does not let go of is another’s, and costs whoever has it nothing', () => {
    const codes = ['EBUSY', 'EPERM', 'EACCES'];
    for (const code of codes) {
      const read = (): never => {
        throw Object.assign(new Error(code), { code });
      };
      const lock = Lock.take(path, { read });
      expect(() => Lock.take(path, { read }), code).to.throw(HistoryError, 'another process');
      lock.release();
      expect(readdirSync(folder), 'it counts for nothing once its process is gone').to.deep.equal(['lock']);
      rmSync(path);
    }
  });

  it('under Windows, whoever has the file open', function () {
    if (process.platform !== 'win32') this.skip();
    const lock = Lock.take(path);
    const letGo = holdFile(path);
    expect(() => Lock.take(path)).to.throw(HistoryError, 'another process');
    lock.release();
    letGo();
    expect(() => Lock.take(path)).to.throw(HistoryError, `process ${process.pid}`);
  });

  it('of another machine is respected until it has been silent for long', () => {
    write({ host: `${hostname()}-other`, pid: endedPid() });
    expect(() => Lock.take(path)).to.throw(HistoryError, '-other');
    const past = new Date(Date.now() - 16 * 60_000);
    utimesSync(path, past, past);
    Lock.take(path).release();
  });

  it('that cannot be read is respected likewise', () => {
    writeFileSync(path, '{');
    expect(() => Lock.take(path)).to.throw(HistoryError, 'another process');
    const past = new Date(Date.now() - 16 * 60_000);
    utimesSync(path, past, past);
    Lock.take(path).release();
  });

  it('is not released by one that has lost it', () => {
    const lock = Lock.take(path);
    write({ nonce: 'another' });
    lock.release();
    expect(existsSync(path)).to.equal(true);
  });

  it('clears away what processes that were killed while they took it have left', () => {
    const mine = join(folder, 'lock.txt');
    writeFileSync(mine, '');
    writeFileSync(`${path}.7e2c61b7-71d5-4d6d-b572-7c3e4f6ae91e`, '{}');
    Lock.take(path).release();
    expect(readdirSync(folder)).to.deep.equal(['lock.txt']);
  });

  it('can be waited for', async () => {
    const lock = Lock.take(path);
    setTimeout(() => {
      lock.release();
    }, 100);
    (await Lock.wait(path, 10_000)).release();
    write({ pid: process.pid });
    await Lock.wait(path, 60).then(
      () => expect.fail('was taken'),
      (error: unknown) => expect(error).to.be.instanceOf(HistoryError),
    );
  });
});
