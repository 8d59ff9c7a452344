/** A warm process (`warm.ts`) seen from the mutation run: started, asked, and ended when it works longer than it may. */

import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Order } from './warm.js';

/** How often the time of a process is read, in milliseconds. */
const PULSE = 250;
/** It may wait for a busy machine this many times as long as it may work. */
const MOST_WAITING = 20;

export class WarmProcess {
  readonly #child: ChildProcess;
  #ended = false;

  /** Started in `project`, whose compiled `warm.js` and tests it runs. */
  constructor(project: string) {
    const seed = join(project, 'build', 'test-dumps', 'property-seed.js');
    this.#child = fork(join(project, 'build', 'tools', 'mutation', 'warm.js'), [], {
      cwd: project,
      execArgv: ['--import', `file://${seed}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child.on('exit', () => (this.#ended = true));
    this.#child.on('error', () => (this.#ended = true));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The answer, or null when the process ended or worked longer than `milliseconds` of processor time, which ends it. */
  ask(order: Order, milliseconds: number): Promise<Answer | null> {
    if (this.#ended) return Promise.resolve(null);
    const [begun, started] = [this.#worked(), performance.now()];
    return new Promise((resolve) => {
      const done = (answer: Answer | null): void => {
        clearInterval(pulse);
        this.#child.off('message', done).off('exit', gone);
        resolve(answer);
      };
      const gone = (): void => {
        done(null);
      };
      const pulse = setInterval(() => {
        const waited = performance.now() - started;
        const worked = this.#worked();
        const spent = worked === null || begun === null ? waited : worked - begun;
        if (spent > milliseconds || waited > milliseconds * MOST_WAITING) this.end();
      }, PULSE);
      this.#child.on('message', done).on('exit', gone);
      this.#child.send(order);
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  /** Milliseconds of processor time so far; null where the system does not tell. */
  #worked(): number | null {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return null;
    }
  }
}
