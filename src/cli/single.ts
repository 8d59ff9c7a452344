#!/usr/bin/env node
/**
 * The program as a single file (tools/package): what starts it says what it is - a worker of a batch, the thread of a
 * prompt, or the program.
 */

import { isMainThread, workerData } from 'node:worker_threads';
import { WORKER_WORD } from '../batch/worker-program.js';
import { KD_THREAD } from './kd/messages.js';

const isPrompt = !isMainThread && (workerData as { readonly thread?: unknown } | null)?.thread === KD_THREAD;
// Only a batch starts a worker with a channel: whoever types the word gets the usual answer.
// No `await`: the program is also made a script that is no module.
if (isPrompt) void import('./kd/kd-thread.js');
else if (process.argv[2] === WORKER_WORD && process.send !== undefined) {
  void import('../batch/batch-worker.js');
} else {
  void import('./main.js');
}
