/** A worker that never comes to the end of a dump that is called slow.dmp, and reads the others. */

import { basename } from 'node:path';
import type { ToWorker } from './messages.js';

if (process.send !== undefined) {
  const emit = process.emit.bind(process) as (name: string, ...values: unknown[]) => boolean;
  process.emit = ((name: string, ...values: unknown[]): boolean => {
    const [message] = values as [ToWorker?];
    const isSlow =
      name === 'message' &&
      message?.kind === 'task' &&
      message.task.kind === 'analyze' &&
      basename(message.task.path) === 'slow.dmp';
    return isSlow || emit(name, ...values);
  }) as typeof process.emit;
  await import('./batch-worker.js');
}
