/** The prompt's side of the thread that runs its commands: starts it, stops a command, and starts another where one hangs. */

import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { removeOwnTemporary } from '../../../parsers/bytes/block-store.js';
import { fileBeside } from '../../../parsers/files/file-beside.js';
import type { Completions } from '../../kd/completion.js';
import { startText } from '../../../parsers/files/single-executable.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Environment } from '../terminal/terminal.js';
import { KD_THREAD, type FromThread, type ThreadState, type ToThread } from './messages.js';
import type { RunKdArguments } from './kd-arguments.js';

/** A command that was stopped may go on so long, in milliseconds, before its thread is ended. */
const PATIENCE = 2000;

/** Ends the prompt: the dump cannot be opened, or this program made a mistake. */
export class ThreadFailure extends Error {
  override readonly name = 'ThreadFailure';
  constructor(
    readonly code: ExitCode,
    /** For stderr, ended by a line feed. */
    readonly text: string,
  ) {
    super(text);
  }
}

/** How a line ended. */
export interface LineResult {
  readonly quit: boolean;
  readonly code: ExitCode;
  /** The thread had to be ended, and another one has taken its place. */
  readonly restarted: boolean;
}

/** Shows a piece of output; resolves when there is room for more. */
export type Show = (text: string) => Promise<void>;

/** The file of the thread: one beside this, or, of a program that is a single file, that file again. */
function threadProgram(): string {
  return fileBeside('kd-thread', import.meta.url) ?? fileURLToPath(import.meta.url);
}

export class ThreadClient {
  private worker: Worker | null = null;
  private readonly stop = new Int32Array(new SharedArrayBuffer(4));
  private state: ThreadState | null = null;
  private heard: (message: FromThread) => void = () => undefined;
  private hardStop: (() => void) | null = null;

  constructor(
    private readonly args: RunKdArguments,
    private readonly env: Environment,
    private readonly program = threadProgram(),
  ) {}

  /** Opens the dump. Throws ThreadFailure. */
  async start(): Promise<void> {
    const inside = startText();
    const worker = new Worker(inside ?? this.program, {
      eval: inside !== null,
      workerData: {
        thread: KD_THREAD,
        args: this.args,
        env: { ...this.env },
        stop: this.stop.buffer,
        state: this.state,
      },
    });
    this.worker = worker;
    await new Promise<void>((resolve, reject) => {
      this.heard = (message) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed') reject(new ThreadFailure(message.code, message.text));
      };
      worker.on('message', (message: FromThread) => {
        if (this.worker === worker) this.heard(message);
      });
      worker.on('error', (error) => {
        if (this.worker === worker) this.heard({ kind: 'failed', code: EXIT.internal, text: `dumpleak: internal error: ${error.message}\n` }); // prettier-ignore
      });
    });
  }

  /** Runs a line. Throws ThreadFailure. */
  async run(text: string, show: Show): Promise<LineResult> {
    Atomics.store(this.stop, 0, 0);
    const ended = await new Promise<LineResult | 'hangs'>((resolve, reject) => {
      this.heard = (message) => {
        if (message.kind === 'text') {
          show(message.text).then(() => {
            this.say({ kind: 'shown' });
          }, reject);
        } else if (message.kind === 'ended') {
          this.state = message.state;
          resolve({ quit: message.quit, code: message.code, restarted: false });
        } else if (message.kind === 'failed') reject(new ThreadFailure(message.code, message.text));
      };
      this.hardStop = () => {
        resolve('hangs');
      };
      this.say({ kind: 'line', text });
    });
    this.hardStop = null;
    if (ended !== 'hangs') return ended;
    await this.end();
    await this.start();
    return { quit: false, code: EXIT.interrupted, restarted: true };
  }

  /** Asks the command that runs to end; one that does not hear loses its thread. */
  interrupt(): void {
    Atomics.store(this.stop, 0, 1);
    const { hardStop } = this;
    if (hardStop === null) return;
    setTimeout(() => {
      if (this.hardStop === hardStop) hardStop();
    }, PATIENCE).unref();
  }

  /** Whether the command that runs was asked to end. */
  get stopping(): boolean {
    return Atomics.load(this.stop, 0) !== 0;
  }

  /** What may stand for the last word of a line. */
  async complete(line: string): Promise<Completions> {
    return new Promise((resolve) => {
      this.heard = (message) => {
        if (message.kind === 'completions') resolve(message.found);
        else if (message.kind === 'failed') resolve({ candidates: [], word: '' });
      };
      this.say({ kind: 'complete', line });
    });
  }

  /** Closes the dump. */
  async close(): Promise<void> {
    const { worker } = this;
    if (worker === null) return;
    await new Promise<void>((resolve) => {
      worker.once('exit', () => {
        resolve();
      });
      this.say({ kind: 'close' });
      setTimeout(() => void this.end().then(resolve), PATIENCE).unref();
    });
    this.worker = null;
  }

  /** Ends the thread on the spot, and removes what it had unpacked. */
  async end(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
    removeOwnTemporary();
  }

  private say(message: ToThread): void {
    this.worker?.postMessage(message);
  }
}
