/**
 * The program as a process of its own, for one question: an analysis is one long call in which nothing else is heard, and what
 * it runs into costs one answer. It can be ended at any time.
 */

import { spawn } from 'node:child_process';
import { printable } from '../../parsers/text-safety.js';
import { programWords, withHeap } from '../../parsers/files/single-executable.js';
import { ToolError } from './tool-error.js';

export interface ChildLimits {
  /** Longest time for one question, in milliseconds. */
  readonly timeoutMs: number;
  /** Most memory for JavaScript objects, in bytes. */
  readonly memoryBytes: number;
}

export interface ChildOptions extends ChildLimits {
  /** Path of the program. */
  readonly program: string;
  readonly signal: AbortSignal;
}

const MOST_OUTPUT = 256 * 2 ** 20;
const STDERR_KEPT = 2000;

/** Runs a command line and gives what it wrote. Throws ToolError with what it said when it failed. */
export async function runProgram(args: readonly string[], options: ChildOptions): Promise<string> {
  const { program, signal, timeoutMs, memoryBytes } = options;
  if (signal.aborted) throw new ToolError('cancelled');
  // Nothing is fetched, whatever the environment names.
  const offline = { ...process.env, _NT_SYMBOL_PATH: '', _NT_ALT_SYMBOL_PATH: '' };
  const { execArgv, env } = withHeap(Math.floor(memoryBytes / 2 ** 20), offline);
  const child = spawn(process.execPath, [...execArgv, ...programWords(program), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true }); // prettier-ignore
  const parts: Buffer[] = [];
  let [size, stderr, why] = [0, '', ''];
  const stop = (reason: string): void => {
    why ||= reason;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => {
    stop(`it took longer than ${Math.round(timeoutMs / 1000)} s and was stopped`);
  }, timeoutMs);
  const cancel = (): void => {
    stop('cancelled');
  };
  signal.addEventListener('abort', cancel);
  child.stdout.on('data', (part: Buffer) => {
    size += part.length;
    if (size > MOST_OUTPUT) stop('the answer is too large');
    else parts.push(part);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_KEPT)));
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.on('error', fail).on('close', done);
    });
    if (why !== '') throw new ToolError(why);
    if (code !== 0) throw new ToolError(saidBy(stderr, code));
    return Buffer.concat(parts).toString('utf8');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

function saidBy(stderr: string, code: number | null): string {
  if (stderr.includes('heap out of memory')) return 'it took too much memory and was stopped';
  const line = stderr.split('\n').find((one) => one.startsWith('dumpleak: '));
  return line === undefined ? `it ended with exit code ${String(code)}` : printable(line.slice('dumpleak: '.length));
}
