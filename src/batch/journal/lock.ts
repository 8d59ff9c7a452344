/**
 * One writer of a folder at a time. The lock is a file that names its owner: process, machine, and when the process
 * started, so that a lock whose owner is gone is known as such, also after its process number was given to another.
 */

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { readRegularFile } from '../../../parsers/files/regular-file.js';
import { removeTemporary } from '../../../parsers/files/remove.js';
import { isHeld, whenLetGo } from '../../../parsers/files/rename.js';
import { errorCode } from '../../../parsers/files/system-errors.js';
import { isRunning, startOf } from '../../../parsers/bytes/processes.js';
import { HistoryError, isHistoryError } from './history-error.js';

export interface LockOwner {
  pid: number;
  host: string;
  /** Of the process, as the platform counts it; null where it does not tell. */
  started: string | null;
  nonce: string;
}

function locked(path: string, owner: LockOwner | null): HistoryError {
  const who = owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`;
  const advice = `Wait until it is done; if it is gone for good, delete ${path}`;
  return new HistoryError('locked', `${dirname(path)} is in use by ${who}. ${advice}`);
}

/** How often an owner says that it is alive, in milliseconds. */
const BEAT = 20_000;
/** An owner whose end cannot be seen, and who has not said so for this long, is gone. */
const SILENCE = 15 * 60_000;
/** Milliseconds between attempts to read a lock that another program has open. */
const DELAYS: readonly number[] = [10, 20, 50, 100, 200];

/** The parts of the platform that a test may replace. */
export interface LockHooks {
  /** When a process started, where the platform tells. */
  readonly started?: (pid: number) => string | null;
  readonly read?: (path: string) => Buffer;
}

export class Lock {
  private readonly beat: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    private readonly owner: LockOwner,
    private readonly hooks: LockHooks,
  ) {
    this.beat = setInterval(() => {
      try {
        utimesSync(path, new Date(), new Date());
      } catch {
        // A network that is away for a moment; there is another beat.
      }
    }, BEAT);
    this.beat.unref();
  }

  /**
   * Takes the lock, or one whose owner is gone. Throws HistoryError (`locked`) where it is held.
   */
  static take(path: string, hooks: LockHooks = {}): Lock {
    mkdirSync(dirname(path), { recursive: true });
    const owner: LockOwner = {
      pid: process.pid,
      host: hostname(),
      started: (hooks.started ?? startOf)(process.pid),
      nonce: randomUUID(),
    };
    // A lock whose owner is gone is moved away and the next attempt makes a new one.
    for (let attempt = 0; attempt < 3; attempt++) {
      if (create(path, owner)) {
        removeDrafts(path);
        return new Lock(path, owner, hooks);
      }
      const held = read(path, hooks);
      if (held === 'missing') continue;
      if (!isGone(path, held, hooks)) throw locked(path, held);
      moveAway(path, held);
    }
    throw locked(path, null);
  }

  /** Takes the lock, waiting for its owner at most so many milliseconds. Throws HistoryError (`locked`) then. */
  static async wait(path: string, milliseconds: number): Promise<Lock> {
    const until = Date.now() + milliseconds;
    for (;;) {
      try {
        return Lock.take(path);
      } catch (error) {
        if (!isHistoryError(error, 'locked') || Date.now() >= until) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  release(): void {
    clearInterval(this.beat);
    const held = read(this.path, this.hooks);
    if (held !== 'missing' && held?.nonce === this.owner.nonce) removeTemporary(this.path);
  }
}

/** Makes the file with its content at once: a lock is never seen half written. */
function create(path: string, owner: LockOwner): boolean {
  const draft = `${path}.${owner.nonce}`;
  writeFileSync(draft, JSON.stringify(owner), { flag: 'w' });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // A file system without links (FAT, some networks): not as good, and good enough.
    return createPlainly(path, owner);
  } finally {
    removeTemporary(draft);
  }
}

function createPlainly(path: string, owner: LockOwner): boolean {
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** What processes that were killed while they took the lock have left. One that is just trying finds the lock taken. */
function removeDrafts(path: string): void {
  const start = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(start) && /^[0-9a-f-]{36}$/.test(name.slice(start.length))) {
      removeTemporary(join(dirname(path), name));
    }
  }
}

/** The owner of a lock; null where the file does not tell. */
function read(path: string, hooks: LockHooks = {}): LockOwner | null | 'missing' {
  let text: string;
  try {
    text = whenLetGo(() => (hooks.read ?? readRegularFile)(path), DELAYS).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'missing';
    if (isHeld(error)) return null;
    throw error;
  }
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    if (typeof owner?.pid !== 'number' || typeof owner.host !== 'string' || typeof owner.nonce !== 'string')
      return null;
    return { pid: owner.pid, host: owner.host, started: owner.started ?? null, nonce: owner.nonce };
  } catch {
    return null;
  }
}

function isGone(path: string, owner: LockOwner | null, hooks: LockHooks): boolean {
  if (owner?.host !== hostname()) return isSilent(path);
  if (!isRunning(owner.pid)) return true;
  const started = (hooks.started ?? startOf)(owner.pid);
  // Where start times are not known (Windows), the number may be another process's by now.
  return started === null || owner.started === null ? isSilent(path) : started !== owner.started;
}

function isSilent(path: string): boolean {
  try {
    const beat = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return beat === undefined || Date.now() - beat > SILENCE;
  } catch (error) {
    if (isHeld(error)) return false;
    throw error;
  }
}

/** Moves a lock away, but not one that somebody else has just taken in its place. */
function moveAway(path: string, gone: LockOwner | null): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = read(aside);
  if (moved !== 'missing' && moved?.nonce !== gone?.nonce) {
    try {
      linkSync(aside, path);
    } catch {
      // Taken again already.
    }
  }
  removeTemporary(aside);
}
