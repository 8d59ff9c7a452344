/** A Windows API layer on Linux: finding it, giving it a place of its own, running a Windows program in it. */

import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** Where distributions put the 64-bit program that their `wine` would start, if it did not ask for the 32-bit one first. */
const PLACES = ['/usr/lib/wine/wine64', '/usr/lib/x86_64-linux-gnu/wine/wine64', '/opt/wine-stable/bin/wine64'];

/** The layer's program; null where there is none. */
export function findWine(): string | null {
  if (process.platform !== 'linux') return null;
  const named = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'wine64'));
  return [...named, ...PLACES].find((path) => existsSync(path)) ?? null;
}

/** How a file of this machine is called in the layer. */
export const windowsPath = (path: string): string => `Z:${resolve(path).replaceAll('/', '\\')}`;

export interface RunOptions {
  /** Working folder. */
  readonly cwd: string;
  /** Added to the environment; `WINEPATH` goes before the layer's own PATH. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** A Windows of its own in a folder, made there where it is missing. */
export class Wine {
  private readonly env: NodeJS.ProcessEnv;

  /** Throws where the layer cannot make its folder. */
  constructor(
    private readonly program: string,
    private readonly folder: string,
  ) {
    const { HOME, USER, LANG } = process.env;
    // No screen, no sound, no questions to install other parts.
    this.env = { HOME, USER, LANG: LANG ?? 'C.UTF-8', PATH: '/usr/bin:/bin', WINEPREFIX: folder, WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=' }; // prettier-ignore
    const mark = join(folder, 'ready');
    if (existsSync(mark)) return;
    mkdirSync(folder, { recursive: true });
    const steps = [
      ['wineboot', '-i'],
      // The Node of today refuses an older one.
      ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'],
    ];
    for (const step of steps) {
      const { status } = this.run(step, { cwd: folder, timeout: 180_000 });
      if (status !== 0) throw new Error(`${program} ${step.join(' ')} ended with ${status}`);
    }
    writeFileSync(mark, '');
  }

  /** Runs a Windows program to its end. Its output goes through files: Windows' Node cannot write to a pipe of Linux. */
  run(command: readonly string[], { cwd, env = {}, timeout }: RunOptions): SpawnSyncReturns<string> {
    const [out, err] = ['stdout', 'stderr'].map((name) => join(this.folder, `${name}-${process.pid}`)) as [
      string,
      string,
    ];
    const files = [openSync(out, 'w'), openSync(err, 'w')];
    try {
      const result = spawnSync(this.program, command, {
        ...{ cwd, timeout, env: { ...this.env, ...env }, stdio: ['ignore', ...files], killSignal: 'SIGKILL' },
      });
      const [stdout, stderr] = [readFileSync(out, 'utf8'), readFileSync(err, 'utf8')];
      return { ...result, stdout, stderr, output: [null, stdout, stderr] };
    } finally {
      for (const file of files) closeSync(file);
      for (const path of [out, err]) rmSync(path, { force: true });
    }
  }

  /** Ends whatever still runs in this Windows, and nothing else. */
  end(): void {
    const server = [join(this.program, '../wineserver'), '/usr/bin/wineserver'].find((path) => existsSync(path));
    if (server !== undefined) spawnSync(server, ['-k'], { env: this.env, stdio: 'ignore' });
  }
}
