import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../parsers/bytes/processes.js';

const BUSY = fileURLToPath(new URL('./busy-worker.test.helper.js', import.meta.url));

/** A batch that has given its worker a task: it prints the number of the worker's process. */
const BATCH = `
  const { fork } = require('node:child_process');
  const child = fork(${JSON.stringify(BUSY)}, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.send({ kind: 'start', settings: {}, memoryBytes: 2 ** 31 });
  child.on('message', ({ kind }) => {
    if (kind !== 'ready') return;
    child.send({ kind: 'task', task: { kind: 'identify', path: 'x' } }, () => setTimeout(() => console.log(child.pid), 500));
  });
`;

/** Whether a process works: one that ended and that nobody has asked for its end still has its number on Linux. */
function works(pid: number): boolean {
  if (!isRunning(pid)) return false;
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return process.platform !== 'linux';
  }
}

describe('batch: a worker', function () {
  this.timeout(60_000);

  it('does not outlive a batch that is killed, also in the middle of an analysis', async () => {
    const batch = spawn(process.execPath, ['-e', BATCH], { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit'] });
    const worker = Number(await new Promise((resolve) => batch.stdout.once('data', resolve)));
    try {
      await sleep(500);
      expect(works(worker), 'while the batch runs').to.equal(true);
      const ended = new Promise((resolve) => batch.once('exit', resolve));
      batch.kill('SIGKILL');
      await ended;
      for (let i = 0; i < 200 && works(worker); i++) await sleep(100);
      expect(works(worker)).to.equal(false);
    } finally {
      if (works(worker)) process.kill(worker, 'SIGKILL');
    }
  });
});
