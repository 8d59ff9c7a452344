/** Processes that do the reading: whatever one of them runs into costs one task. */

import { fork, type ChildProcess } from 'node:child_process';
import { removeLeftovers } from '../../parsers/bytes/block-store.js';
import {
  MEMORY_LIMIT_LINE,
  shownPathOf,
  type AnalysisSettings,
  type Analyzed,
  type Failed,
  type FromWorker,
  type Identified,
  type Task,
  type ToWorker,
  type Unwritten,
} from './messages.js';
import { withHeap } from '../../parsers/files/single-executable.js';
import { workerProgram } from './worker-program.js';

export interface PoolOptions {
  jobs: number;
  /** Longest time for one task, in milliseconds. */
  timeoutMs: number;
  /** Most memory of one worker, in bytes. */
  memoryBytes: number;
  settings: AnalysisSettings;
  /** Told of what a worker is doing. */
  progress?: ((task: Task, step: string, done: number, total: number) => void) | undefined;
  /** Told how much memory a worker has after a task, in bytes. */
  memory?: ((rssBytes: number) => void) | undefined;
  /** The program of a worker; another one for tests. */
  program?: string | undefined;
}

export type Outcome = Identified | Analyzed | Failed | Unwritten;

/** Part of the memory of a worker that its JavaScript objects may take; the rest is for buffers. */
const HEAP_SHARE = 0.75;
/** A worker that has grown past this part of its limit is replaced before its next task. */
const RECYCLE_SHARE = 0.5;
/**
 * No threads for compiling and collecting: a worker takes one processor, for the others have workers of their own. The
 * room for new objects need not grow first.
 */
const FOR_ONE_PROCESSOR = ['--single-threaded', '--min-semi-space-size=8'];
/** What is kept of what a worker writes to stderr, in characters. */
const STDERR_KEPT = 8192;
/** How long a worker may take to end by itself, in milliseconds. */
const GRACE = 1000;

/** What a task is rejected with when the pool is closed before it is done: a signal, and no failure that is told. */
export class PoolClosed extends Error {
  override readonly name = 'PoolClosed';
}

interface Waiting {
  task: Task;
  resolve: (outcome: Outcome) => void;
  reject: (error: Error) => void;
}

/** One place of the pool, with the process that is in it. */
interface Slot {
  child: ChildProcess | null;
  ready: boolean;
  current: Waiting | null;
  timer: NodeJS.Timeout | null;
  timedOut: boolean;
  stderr: string;
}

export class WorkerPool {
  private readonly slots: Slot[];
  private readonly queue: Waiting[] = [];
  private closing: Promise<void> | null = null;
  private readonly program: { readonly path: string; readonly args: readonly string[] };

  constructor(private readonly options: PoolOptions) {
    this.program = options.program === undefined ? workerProgram() : { path: options.program, args: [] };
    this.slots = Array.from({ length: options.jobs }, () => ({
      child: null,
      ready: false,
      current: null,
      timer: null,
      timedOut: false,
      stderr: '',
    }));
  }

  /** Has a task done. Rejects only when no worker can be started, or when the pool is closed. */
  async run(task: Task): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.next();
    });
  }

  /** Lets go what no worker has begun: it is rejected as by `close`. What is being done comes to its end. */
  withdraw(): void {
    for (const { reject } of this.queue.splice(0)) reject(new PoolClosed('the batch was stopped'));
  }

  /** Ends all workers, once; what they were doing is not done. */
  async close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    const ends = this.slots.map(async ({ child }) => {
      if (child?.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), GRACE);
      await ended;
      clearTimeout(kill);
    });
    this.withdraw();
    for (const { current } of this.slots) current?.reject(new PoolClosed('the batch was stopped'));
    for (const slot of this.slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
    }
    await Promise.all(ends);
    // One that had to be killed has left what it had unpacked.
    removeLeftovers();
  }

  private next(): void {
    for (const slot of this.slots) {
      if (this.closing !== null || this.queue.length === 0) return;
      if (slot.current !== null) continue;
      slot.current = this.queue.shift() ?? null;
      if (slot.child === null) this.start(slot);
      else if (slot.ready) this.begin(slot);
    }
  }

  private start(slot: Slot): void {
    const { memoryBytes, settings } = this.options;
    const heap = Math.max(64, Math.floor((memoryBytes * HEAP_SHARE) / 2 ** 20));
    const child = fork(this.program.path, this.program.args, {
      ...withHeap(heap, process.env, FOR_ONE_PROCESSOR),
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    Object.assign(slot, { child, ready: false, timedOut: false, stderr: '' });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      slot.stderr = (slot.stderr + text).slice(-STDERR_KEPT);
    });
    child.on('message', (message) => {
      this.hear(slot, message as FromWorker);
    });
    // A process that cannot be started ends without having begun; `close` comes when all that it wrote has arrived.
    child.on('error', (error) => {
      slot.stderr += error.message;
      if (child.pid === undefined) this.ended(slot, child, null, null);
    });
    child.on('close', (code, signal) => {
      this.ended(slot, child, code, signal);
    });
    this.tell(slot, { kind: 'start', settings, memoryBytes });
  }

  private tell(slot: Slot, message: ToWorker): void {
    // A worker that ends meanwhile is heard of by its end.
    slot.child?.send(message, () => undefined);
  }

  private begin(slot: Slot): void {
    if (slot.current === null) return;
    this.tell(slot, { kind: 'task', task: slot.current.task });
    slot.timer = setTimeout(() => {
      slot.timedOut = true;
      slot.child?.kill('SIGKILL');
    }, this.options.timeoutMs);
  }

  private hear(slot: Slot, message: FromWorker): void {
    if (message.kind === 'ready') {
      slot.ready = true;
      this.begin(slot);
    } else if (message.kind === 'step') {
      if (slot.current !== null) {
        this.options.progress?.(slot.current.task, message.step, message.done, message.total);
      }
    } else {
      this.options.memory?.(message.rssBytes);
      if (message.rssBytes > this.options.memoryBytes * RECYCLE_SHARE) this.retire(slot);
      if (this.closing === null) this.finish(slot, message.outcome);
    }
  }

  /** Lets a worker go that has done its task. */
  private retire(slot: Slot): void {
    const { child } = slot;
    Object.assign(slot, { child: null, ready: false });
    child?.kill('SIGTERM');
  }

  /** Whatever became of a task, the next one has its place. */
  private finish(slot: Slot, outcome: Outcome | Error): void {
    if (slot.timer !== null) clearTimeout(slot.timer);
    slot.timer = null;
    const { current } = slot;
    slot.current = null;
    if (outcome instanceof Error) current?.reject(outcome);
    else current?.resolve(outcome);
    this.next();
  }

  private ended(slot: Slot, child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (slot.child !== child) return;
    const { ready, current } = slot;
    const how = signal ?? `exit code ${String(code)}`;
    Object.assign(slot, { child: null, ready: false });
    if (this.closing !== null || current === null) return;
    if (ready) {
      removeLeftovers();
      this.finish(slot, { kind: 'failed', error: this.whyEnded(slot, shownPathOf(current.task), how), internal: false }); // prettier-ignore
      return;
    }
    const error = new Error(`a worker cannot be started (${how}): ${slot.stderr}`);
    const outOfFiles = /\b(?:EMFILE|ENFILE)\b/.exec(slot.stderr)?.[0];
    this.finish(slot, outOfFiles === undefined ? error : Object.assign(error, { code: outOfFiles }));
  }

  private whyEnded({ timedOut, stderr }: Slot, path: string, how: string): Failed['error'] {
    const { timeoutMs, memoryBytes } = this.options;
    if (timedOut) {
      const message = `${path}: reading it took longer than ${durationText(timeoutMs)} and was stopped. --timeout gives it more`;
      return { code: 'timeout', message };
    }
    if (stderr.includes(MEMORY_LIMIT_LINE) || /heap out of memory|Array buffer allocation failed/.test(stderr)) {
      const gigabytes = Number((memoryBytes / 2 ** 30).toFixed(2));
      return {
        code: 'out-of-memory',
        message: `${path}: reading it took more than ${gigabytes} GB of memory and was stopped. --memory gives it more`,
      };
    }
    const error = /^\w*Error: .*/m.exec(stderr)?.[0];
    const told = error === undefined ? how : `${how}, ${error}`;
    return {
      code: 'crashed',
      message: `${path}: the process that read it ended unexpectedly (${told}). Please report it`,
    };
  }
}

/** `45 s`, `30 min`, `2 h`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 120 || seconds % 60 !== 0) return `${seconds} s`;
  const minutes = seconds / 60;
  return minutes < 120 || minutes % 60 !== 0 ? `${minutes} min` : `${minutes / 60} h`;
}
