/**
 * Puts files into a store that several processes share: written beside their target under a name of their own,
 * checked, then renamed. Nobody ever sees half a file, and of two who bring the same file one wins and both use it.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFile } from './any-case.js';
import { errorCode } from './places.js';

/** Milliseconds between attempts to rename, about three seconds in all: virus scanners hold new files that long. */
const RENAME_DELAYS = [10, 20, 50, 100, 200, 400, 800, 1600];

/** What Windows says while another process has the target or the new file open. */
const RENAME_AGAIN = new Set(['EPERM', 'EACCES', 'EBUSY']);

const LEFTOVER = /\.\d+\.[0-9a-f]{16}\.partial$/;
const LEFTOVER_AGE = 24 * 60 * 60 * 1000;
/** Folders looked through for leftovers. */
const MOST_SWEPT = 256;

/** The parts of the platform that a test may replace. */
export interface CacheHooks {
  readonly rename?: ((from: string, to: string) => Promise<void>) | undefined;
  /** Milliseconds. */
  readonly delays?: readonly number[] | undefined;
}

/**
 * The place of one file in a store: `root`, the parts of its folder, its name. Temporary files are made by `begin`,
 * one becomes the file by `commit`, and `discard` removes the others; call it in any case.
 */
export class CacheSlot {
  readonly path: string;
  private readonly partials: string[] = [];

  constructor(
    readonly root: string,
    parts: readonly string[],
    private readonly name: string,
    private readonly hooks: CacheHooks = {},
  ) {
    this.path = join(root, ...parts, name);
  }

  /** The path of a new, empty temporary file beside the target. Throws the platform's error. */
  async begin(): Promise<string> {
    await mkdir(dirname(this.path), { recursive: true });
    const partial = join(dirname(this.path), `${this.name}.${process.pid}.${randomBytes(8).toString('hex')}.partial`);
    const file = await open(partial, 'wx');
    await file.close();
    this.partials.push(partial);
    return partial;
  }

  /**
   * Makes a complete, checked temporary file the file. `isGood` tells whether a file at the target may stay: the
   * winner's does, a damaged one is replaced. Throws the platform's error when it cannot be renamed.
   */
  async commit(partial: string, isGood: (path: string) => Promise<boolean>): Promise<string> {
    await flush(partial);
    if (isFile(this.path) && (await isGood(this.path))) return this.path;
    const delays = this.hooks.delays ?? RENAME_DELAYS;
    for (let attempt = 0; ; attempt++) {
      try {
        await (this.hooks.rename ?? rename)(partial, this.path);
        break;
      } catch (error) {
        if (isFile(this.path) && (await isGood(this.path))) return this.path;
        const delay = delays[attempt];
        if (delay === undefined || !RENAME_AGAIN.has(errorCode(error) ?? '')) throw error;
        await sleep(delay);
      }
    }
    this.partials.splice(this.partials.indexOf(partial), 1);
    await removeLeftovers(dirname(dirname(this.path)));
    return this.path;
  }

  /** Removes the temporary files that became nothing. */
  async discard(): Promise<void> {
    for (const partial of this.partials.splice(0)) await rm(partial, { force: true }).catch(() => undefined);
  }
}

/**
 * Removes temporary files older than a day, of runs that were killed, from the folders below `folder`: those of one
 * symbol file in all its versions. Whatever cannot be removed stays.
 */
export async function removeLeftovers(folder: string, now = Date.now()): Promise<void> {
  const children = (await list(folder)).slice(0, MOST_SWEPT);
  for (const child of children) {
    const inside = join(folder, child);
    for (const name of await list(inside)) {
      if (!LEFTOVER.test(name)) continue;
      const path = join(inside, name);
      try {
        if (now - (await stat(path)).mtimeMs > LEFTOVER_AGE) await rm(path, { force: true });
      } catch {
        // just removed or renamed by its owner
      }
    }
  }
}

/** Some network file systems cannot flush; that is no reason to lose the file. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    await file.close();
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
