import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isRunning, startOf } from './processes.js';

describe('processes', () => {
  it('run, or are gone', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    expect([process.pid, process.ppid, pid].map(isRunning)).to.deep.equal([true, true, false]);
  });

  it('that have ended and wait for a parent to notice do not run', async function () {
    if (process.platform !== 'linux') this.skip();
    // The child ends once its parent is a program that asks for no child: the shell would.
    const script = 'exec 3<&0; cat <&3 & echo $!; exec sleep 30 3<&-';
    const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    const until = async (isSo: () => boolean): Promise<void> => {
      for (let tries = 0; !isSo() && tries < 100; tries++) await new Promise((next) => setTimeout(next, 20));
    };
    try {
      const [text] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(text.toString());
      await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'latin1') === 'sleep\n');
      expect(isRunning(pid)).to.equal(true);
      parent.stdin.end();
      await until(() => !isRunning(pid));
      expect(isRunning(pid)).to.equal(false);
      expect(() => process.kill(pid, 0), 'its number is still taken').not.to.throw();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('have a start, which tells two with the same number apart', function () {
    if (process.platform !== 'linux') this.skip();
    expect(startOf(process.pid)).to.match(/^\d+$/).and.equal(startOf(process.pid));
    expect(startOf(2 ** 30)).to.equal(null);
  });
});
