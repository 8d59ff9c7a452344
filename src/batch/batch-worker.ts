/**
 * The process that reads the dumps of a batch, and, as a second thread of it, the one that ends it when it takes too much
 * memory or when the batch is gone: an analysis is one long synchronous call, in which the process hears nothing.
 */

import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { isRunning } from '../../parsers/bytes/processes.js';
import { endingSignals } from '../../parsers/files/when-ending.js';
import { setEngine } from '../engine.js';
import { MEMORY_LIMIT_LINE, shownPathOf, type FromWorker, type ToWorker } from './messages.js';

/** Between two looks at the memory, in milliseconds. */
const LOOK_EVERY = 200;
/** Between two messages of progress. */
const SAY_EVERY = 250;

if (isMainThread) await work();
else watch(workerData as { memoryBytes: number; parent: number });

function watch({ memoryBytes, parent }: { memoryBytes: number; parent: number }): void {
  const look = (): void => {
    // Windows gives an orphan no other parent.
    if (process.platform === 'win32' ? !isRunning(parent) : process.ppid !== parent)
      process.kill(process.pid, 'SIGKILL');
    if (process.memoryUsage.rss() <= memoryBytes) return;
    writeSync(2, `${MEMORY_LIMIT_LINE}\n`);
    process.kill(process.pid, 'SIGKILL');
  };
  look();
  setInterval(look, LOOK_EVERY);
}

async function work(): Promise<void> {
  setEngine();
  const { InputError } = await import('../../parsers/bytes/input-error.js');
  const { asInputError } = await import('../../parsers/bytes/file-source.js');
  const { analyzeFile, identifyFile, makeTools } = await import('./analyze-file.js');
  const say = (message: FromWorker): void => {
    process.send?.(message);
  };
  let last = 0;
  const step = (name: string, done: number, total: number): void => {
    const now = performance.now();
    if (now - last < SAY_EVERY) return;
    last = now;
    say({ kind: 'step', step: name, done, total });
  };
  let settings: Extract<ToWorker, { kind: 'start' }>['settings'] | null = null;
  let tools: Awaited<ReturnType<typeof makeTools>> | null = null;

  const perform = async ({ task }: Extract<ToWorker, { kind: 'task' }>) => {
    try {
      if (task.kind === 'identify') return await identifyFile(task.path);
      if (settings === null) throw new Error('a task before the start');
      tools ??= await makeTools(settings, process.env);
      return await analyzeFile(task, settings, tools, step);
    } catch (error) {
      const known = asInputError(error, task.path);
      if (known instanceof InputError) {
        const message = known.message.replaceAll(task.path, shownPathOf(task));
        return { kind: 'failed', error: { code: known.code, message }, internal: false } as const;
      }
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return {
        kind: 'failed',
        error: { code: 'internal', message: `${shownPathOf(task)}: internal error: ${what}` },
        internal: true,
      } as const;
    }
  };

  process.on('message', (message: ToWorker) => {
    if (message.kind === 'start') {
      ({ settings } = message);
      const { memoryBytes } = message;
      new Worker(fileURLToPath(import.meta.url), { workerData: { memoryBytes, parent: process.ppid } }).unref();
      say({ kind: 'ready' });
      return;
    }
    void perform(message).then((outcome) => {
      say({ kind: 'done', outcome, rssBytes: process.memoryUsage.rss() });
    });
  });
  // Ctrl+C, Ctrl+Break and a closed console reach every process of a console; the batch tells its workers when to end.
  for (const signal of endingSignals()) process.on(signal, () => undefined);
  const end = (): never => process.exit();
  process.on('SIGTERM', end).on('disconnect', end);
}
