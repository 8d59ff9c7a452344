/**
 * Puts files into a store that several processes share: written beside their target under a name of their own,
 * checked, then renamed. Nobody ever sees half a file, and of two who bring the same file one wins and both use it.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { whenEnding } from '../../parsers/files/when-ending.js';
import { isFile } from './any-case.js';
import { removeTemporary } from '../../parsers/files/remove.js';
import { renameAgain, type RenameHooks } from '../../parsers/files/rename.js';
import { errorCode } from '../../parsers/files/system-errors.js';

const LEFTOVER = /\.\d+\.[0-9a-f]{16}\.partial$/;
const LEFTOVER_AGE = 24 * 60 * 60 * 1000;
/** Folders looked through for leftovers. */
const MOST_SWEPT = 256;

/** The parts of the platform that a test may replace. */
export type CacheHooks = RenameHooks<Promise<void>>;

/**
 * The place of one file in a store: `root`, the parts of its folder, its name. Temporary files are made by `begin`,
 * one becomes the file by `commit`, and `discard` removes the others; call it in any case.
 */
export class CacheSlot {
  readonly path: string;
  private readonly partials = new Map<string, () => void>();

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
    // First: the process may be ended while the file is made.
    const release = whenEnding(() => {
      removeTemporary(partial);
    });
    try {
      await (await open(partial, 'wx')).close();
    } catch (error) {
      release();
      throw error;
    }
    this.partials.set(partial, release);
    return partial;
  }

  /**
   * Makes a complete, checked temporary file the file. `isGood` tells whether a file at the target may stay: the
   * winner's does, a damaged one is replaced. Throws the platform's error when it cannot be renamed.
   */
  async commit(partial: string, isGood: (path: string) => Promise<boolean>): Promise<string> {
    await flush(partial);
    const isThere = async (): Promise<boolean> => isFile(this.path) && (await isGood(this.path));
    if ((await isThere()) || !(await renameAgain(partial, this.path, isThere, this.hooks))) return this.path;
    this.partials.get(partial)?.();
    this.partials.delete(partial);
    await removeLeftovers(dirname(dirname(this.path)));
    return this.path;
  }

  /** Removes the temporary files that became nothing. */
  async discard(): Promise<void> {
    for (const [partial, release] of this.partials) {
      await rm(partial, { force: true }).catch(() => undefined);
      release();
    }
    this.partials.clear();
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
