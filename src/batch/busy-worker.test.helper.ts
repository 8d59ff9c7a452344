/** A worker that hears nothing any more once it has a task, as in the middle of a long analysis. */

import { setImmediate as turn } from 'node:timers/promises';
import type { ToWorker } from './messages.js';

if (process.send !== undefined) {
  await import('./batch-worker.js');
  // Who listens first is told first, and messages come as soon as anybody listens.
  while (process.listenerCount('message') === 0) await turn();
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'task') for (;;);
  });
}
