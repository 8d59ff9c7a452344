/** A worker that hears nothing any more once it has a task, as in the middle of a long analysis. */

import type { ToWorker } from './messages.js';

if (process.send !== undefined) {
  await import('./batch-worker.js');
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'task') for (;;);
  });
}
