/**
 * Renaming over a file that somebody has open: Windows refuses it while a virus scanner, an indexer or a viewer holds
 * either file, mostly for a moment, so it is tried again.
 */

import { renameSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './system-errors.js';

/** Milliseconds between attempts, about three seconds in all: virus scanners hold new files that long. */
const DELAYS: readonly number[] = [10, 20, 50, 100, 200, 400, 800, 1600];

/** What Windows says while another process has the target or the new file open. */
const HELD: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** Whether an error of renaming says that somebody has a file open. */
export const isHeld = (error: unknown): boolean => HELD.has(errorCode(error) ?? '');

/** The parts of the platform that a test may replace. */
export interface RenameHooks<Result> {
  readonly rename?: ((from: string, to: string) => Result) | undefined;
  /** Milliseconds. */
  readonly delays?: readonly number[] | undefined;
}

/**
 * Renames, waiting for who holds a file. `isDone` is asked after an attempt that failed: true where somebody else has
 * brought the target meanwhile. Gives whether the file was renamed. Throws the platform's error of the last attempt.
 */
export async function renameAgain(
  from: string,
  to: string,
  isDone: () => Promise<boolean>,
  hooks: RenameHooks<Promise<void>> = {},
): Promise<boolean> {
  const delays = hooks.delays ?? DELAYS;
  for (let attempt = 0; ; attempt++) {
    try {
      await (hooks.rename ?? rename)(from, to);
      return true;
    } catch (error) {
      if (await isDone()) return false;
      const delay = delays[attempt];
      if (delay === undefined || !isHeld(error)) throw error;
      await sleep(delay);
    }
  }
}

/** Renames, waiting for who holds a file, while the process stands still. Throws the platform's error of the last attempt. */
export function renameAgainSync(from: string, to: string, hooks: RenameHooks<void> = {}): void {
  whenLetGo(() => {
    (hooks.rename ?? renameSync)(from, to);
  }, hooks.delays);
}

/**
 * Does something with a file, again after each delay (milliseconds) where somebody has it open; the process stands still
 * meanwhile. Throws the error of the last attempt.
 */
export function whenLetGo<Result>(attempt: () => Result, delays: readonly number[] = DELAYS): Result {
  for (const delay of delays) {
    try {
      return attempt();
    } catch (error) {
      if (!isHeld(error)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
    }
  }
  return attempt();
}
