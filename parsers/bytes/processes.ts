/** Which processes of this machine run: whoever leaves files for others to find writes the number of its process on them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporary } from '../files/remove.js';

/** Whether a process runs. One that has ended runs no more, also where nobody has asked for its exit code yet (Linux). */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const state = statusOf(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/**
 * Removes what processes that run no more have left in a folder under a prefix and their number, as far as the platform
 * lets it. Throws the platform's error for a folder that cannot be listed.
 */
export function removeLeft(folder: string, prefix: string, isInUse: (pid: number) => boolean = isRunning): void {
  for (const name of readdirSync(folder)) {
    const owner = name.startsWith(prefix) ? /^\d+(?=-)/.exec(name.slice(prefix.length))?.[0] : undefined;
    if (owner === undefined || isInUse(Number(owner))) continue;
    // It may also be another user's, or just being removed by another run.
    removeTemporary(join(folder, name));
  }
}

/** When a process started, in ticks since the machine did: Linux alone tells without asking another program. */
export function startOf(pid: number): string | null {
  return statusOf(pid)?.[19] ?? null;
}

/** The fields of /proc/PID/stat from `state` on. The name before them may hold blanks and brackets. */
function statusOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
