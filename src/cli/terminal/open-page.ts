/** Shows a page that was written, in the browser of who sits there. */

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { UsageError } from '../errors.js';
import { GROUP } from '../options/options.js';
import { writeTo, type Host } from './output.js';

/** `--open`. */
export const OPEN = {
  type: 'boolean',
  describe: 'Show the page in a browser once it is written',
  group: GROUP.output,
} as const satisfies Options;

/** The program of a platform that opens a file as a double click would. No shell reads the path. */
export function openerOf(platform: NodeJS.Platform, path: string): readonly [program: string, ...args: string[]] {
  if (platform === 'win32') return ['explorer.exe', path];
  return [platform === 'darwin' ? 'open' : 'xdg-open', path];
}

/** Throws UsageError where a page is to be shown and none is written. */
export function checkOpen(open: boolean | undefined, html: string | undefined): void {
  if (open === true && html === undefined) throw new UsageError('--open shows the page of --html FILE');
}

/** Shows a page and does not wait for the browser. That none can be started is said and is no failure. */
export async function openPage(path: string, host: Host): Promise<void> {
  const [program, ...args] = openerOf(host.platform, resolve(path));
  const failure = await new Promise<Error | null>((done) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.on('error', done).on('spawn', () => {
      child.unref();
      done(null);
    });
  });
  if (failure !== null) await writeTo(host.stderr, `dumpleak: ${path} could not be shown: ${failure.message}\n`);
}
