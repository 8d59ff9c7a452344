/** Keeps a process that feeds inputs, ends it when an input does not, and starts another after a crash. */

import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './attempt.js';
import type { Job } from './child.js';

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));
/** What is kept of what a process said before it died. */
const LAST_WORDS = 4000;
/** A process is replaced after so many inputs: small leaks of the fuzzer's own must not add up. */
const INPUTS = 500;

/** An input that waits, instead of working, gets this many times as long: on a busy machine all do. */
const IDLE = 20;
/** Clock ticks a second, in which Linux counts processor time. */
const TICKS = 100;

/** Milliseconds of processor time that a process has used; null where the system does not tell. */
function processorTime({ pid }: ChildProcess): number | null {
  try {
    // After the name in parentheses: utime and stime are the 12th and 13th.
    const fields =
      readFileSync(`/proc/${pid ?? 0}/stat`, 'latin1')
        .split(') ')
        .at(-1)
        ?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
  } catch {
    return null;
  }
}

/** One process at a time. Close it when done. */
export class Feeder {
  private child: ChildProcess | null = null;
  private fed = 0;
  private words = '';

  /** @param patience milliseconds of processor time after which an input that has no end is ended. */
  constructor(
    private readonly folder: string,
    private readonly patience = 10_000,
  ) {}

  /** Feeds an input; one that took too long or too much is fed again to a new process, and that counts. */
  async feed(job: Job): Promise<Outcome> {
    const outcome = await this.once(job);
    if (!outcome.measured) return outcome;
    this.close();
    const again = await this.once(job);
    this.close();
    return again;
  }

  close(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = null;
    this.fed = 0;
  }

  private once(job: Job): Promise<Outcome> {
    if (this.fed++ >= INPUTS) this.close();
    const child = (this.child ??= this.start());
    this.words = '';
    return new Promise((resolve) => {
      const end = (outcome: Outcome): void => {
        clearInterval(timer);
        child.removeAllListeners('message').removeAllListeners('exit');
        resolve(outcome);
      };
      const lost = (message: string, measured: boolean): void => {
        this.close();
        end({ message, measured, ms: 0, bytes: 0 });
      };
      const started = performance.now();
      const busy = processorTime(child) ?? 0;
      const look = (): void => {
        const waited = performance.now() - started;
        const used = (processorTime(child) ?? busy + waited) - busy;
        if (used > this.patience || waited > this.patience * IDLE) lost(`no end after ${this.patience} ms`, false);
      };
      const timer = setInterval(look, Math.min(1000, this.patience / 5));
      child.once('message', (outcome) => {
        end(outcome as Outcome);
      });
      child.once('exit', (code, signal) => {
        lost(`the process died (${String(signal ?? code)})\n${this.words}`, false);
      });
      child.send(job);
    });
  }

  private start(): ChildProcess {
    const child = fork(CHILD, [this.folder], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.words = (this.words + chunk.toString('utf8')).slice(-LAST_WORDS);
    });
    return child;
  }
}
