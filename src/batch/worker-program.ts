/**
 * What a worker of a batch runs: a file of its own beside this one, or, of a program that is a single file, that file again. An
 * executable is told by the word alone.
 */

import { fileURLToPath } from 'node:url';
import { fileBeside } from '../../parsers/files/file-beside.js';
import { startText } from '../../parsers/files/single-executable.js';

/** The first word that makes the single-file program a worker. */
export const WORKER_WORD = '--batch-worker';

/** `from` is the URL of the running code; another one for tests. */
export function workerProgram(from: string = import.meta.url): { path: string; args: string[] } {
  if (startText() !== null) return { path: WORKER_WORD, args: [] };
  const own = fileBeside('batch-worker', from);
  return own !== null ? { path: own, args: [] } : { path: fileURLToPath(from), args: [WORKER_WORD] };
}
