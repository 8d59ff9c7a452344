#!/usr/bin/env node
/**
 * The program as a single file (tools/package): what starts it says what it is - a worker of a batch, the second thread of
 * one, or the program.
 */

import { isMainThread } from 'node:worker_threads';
import { WORKER_WORD } from '../batch/worker-program.js';

// Only a batch starts a worker with a channel: whoever types the word gets the usual answer.
if (!isMainThread || (process.argv[2] === WORKER_WORD && process.send !== undefined)) {
  await import('../batch/batch-worker.js');
} else {
  await import('./main.js');
}
