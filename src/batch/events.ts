/** What a batch tells as it goes on, and what it comes to. */

import type { Task } from './messages.js';

/** Told as a batch goes on. Places are those of dumps and files. */
export interface BatchEvents {
  /** So many more files, or dumps of an archive, are to be looked at. */
  more(count: number): void;
  step(task: Task, step: string, done: number, total: number): void;
  analyzed(place: string, dump: AnalyzedDump): void;
  failed(place: string, error: { code: string; message: string }): void;
  /** It is in the history; nothing is done. */
  known(place: string): void;
  /** No dump, and nobody said so. */
  passed(place: string): void;
  /** Left for a later pass: a `new` file may still be growing, a `cut` one was read and is not whole. */
  deferred(place: string, why: 'new' | 'cut'): void;
  note(message: string): void;
}

/** What a dump came to. */
export interface AnalyzedDump {
  /** Null where the dump cannot tell. */
  leakSuspected: boolean | null;
  headline: string;
  elapsedMs: number;
}

/** How many dumps and files came to what. */
export interface BatchCounts {
  analyzed: number;
  known: number;
  failed: number;
  /** Of `failed`, those that an earlier run failed to read, and that were left alone. */
  knownFailures: number;
  passed: number;
}
