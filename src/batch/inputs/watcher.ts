/**
 * Which files of a watched folder are whole. A file that changes is still being copied. One that is at rest may be too -
 * a copy that stalls, or one that was given its full size first - so what turns out to be cut or damaged is looked at
 * again when it changes, and taken as it is only once it has been at rest for long.
 */

import type { FoundFile } from './find-files.js';

export interface FileState {
  size: number;
  mtimeMs: number;
}

interface Seen extends FileState {
  /** It was read in this state. */
  done: boolean;
  /** It was read in this state and is not whole. */
  deferred: boolean;
}

export class Watcher {
  private readonly files = new Map<string, Seen>();

  constructor(
    /** Time after which a file at rest is taken as it is, in milliseconds. */
    private readonly settleMs: number,
    private readonly stateOf: (file: FoundFile) => FileState | null,
  ) {}

  /** The files to read now, at a time in milliseconds. `waits` is told of those that are left, once for each. */
  ready(found: readonly FoundFile[], now: number, waits: (path: string) => void): FoundFile[] {
    return found.filter((file) => {
      const state = this.stateOf(file);
      if (state === null) return false;
      const before = this.files.get(file.path);
      const changed = before?.size !== state.size || before.mtimeMs !== state.mtimeMs;
      const rested = this.rested(state, now);
      if (changed) this.files.set(file.path, { ...state, done: false, deferred: false });
      if (changed && !rested) {
        if (before === undefined) waits(file.path);
        return false;
      }
      const seen = this.files.get(file.path);
      if (seen === undefined || seen.done) return false;
      return !seen.deferred || rested;
    });
  }

  /** Whether a file that is not whole may still be growing: a later pass reads it. */
  mayGrow(file: FoundFile, now: number): boolean {
    const state = this.stateOf(file);
    return state !== null && !this.rested(state, now);
  }

  /** The file was read in the state that `ready` saw. */
  done(file: FoundFile): void {
    this.mark(file, { done: true });
  }

  /** The file was read in that state, and is not whole. */
  deferred(file: FoundFile): void {
    this.mark(file, { deferred: true });
  }

  private mark(file: FoundFile, what: Partial<Seen>): void {
    const seen = this.files.get(file.path);
    if (seen !== undefined) Object.assign(seen, what);
  }

  private rested({ mtimeMs }: FileState, now: number): boolean {
    return now - mtimeMs >= this.settleMs;
  }
}
