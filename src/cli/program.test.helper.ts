/** The program for tests: as a process of its own, and inside this one with a console that records. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.js';
import type { Environment } from './terminal/terminal.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Starts the program with nothing in its environment that changes its output, but for `env`. */
export function start(args: readonly string[], env: Environment = {}, cwd?: string): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], SYSTEMROOT: process.env['SYSTEMROOT'], LANG: 'C.UTF-8', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** Waits for the end of a process and gives what it wrote. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => (text[name] += part));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      resolve({ code, signal, ...text });
    });
  });
}

export async function program(args: readonly string[], env: Environment = {}, cwd?: string): Promise<Ended> {
  return ended(start(args, env, cwd));
}

export interface HostSpec {
  env?: Environment;
  platform?: NodeJS.Platform;
  /** Columns of stdout and stderr; undefined for no terminal. */
  columns?: number;
}

/** Runs a command line inside this process. */
export async function runHere(args: readonly string[], spec: HostSpec = {}): Promise<Omit<Ended, 'signal'>> {
  const text = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof text) => ({
    isTTY: spec.columns !== undefined,
    columns: spec.columns,
    write(part: string, done?: () => void): boolean {
      text[name] += part;
      done?.();
      return true;
    },
  });
  const host = { env: spec.env ?? { LANG: 'C.UTF-8' }, platform: spec.platform ?? process.platform };
  const code = await run(args, { ...host, stdout: stream('stdout'), stderr: stream('stderr') });
  return { code, ...text };
}

/** A folder for a suite of tests, made before it and removed after it. */
export function temporaryFolder(): { path(name: string): string } {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-test-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return { path: (name) => join(folder, name) };
}
