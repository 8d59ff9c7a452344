/**
 * The process that reads the dumps of a batch, and, as a second thread of it, the one that ends it when it takes too much
 * memory or when the batch is gone: an analysis is one long synchronous call, in which the process hears nothing.
 */

import { Worker } from 'node:worker_threads';
import { endingSignals } from '../../parsers/files/when-ending.js';
import { setEngine } from '../engine.js';
import { MEMORY_LIMIT_LINE, shownPathOf, type FromWorker, type ToWorker } from './messages.js';

/** Between two looks at the memory, in milliseconds. */
const LOOK_EVERY = 200;
/** Between two messages of progress. */
const SAY_EVERY = 250;

/**
 * The second thread's program. As text, for a file of the program would load much of it a second time: its memory counts,
 * for a hundred workers a hundred times.
 */
const WATCH = `
const { writeSync } = require('node:fs');
const { memoryBytes, parent, line, every } = require('node:worker_threads').workerData;
// Windows gives an orphan no other parent.
function isOrphan() {
  if (process.platform !== 'win32') return process.ppid !== parent;
  try {
    process.kill(parent, 0);
    return false;
  } catch (error) {
    return error.code !== 'EPERM';
  }
}
function look() {
  if (isOrphan()) process.kill(process.pid, 'SIGKILL');
  if (process.memoryUsage.rss() <= memoryBytes) return;
  writeSync(2, line);
  process.kill(process.pid, 'SIGKILL');
}
look();
setInterval(look, every);
`;

void work();

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
      const watched = { memoryBytes, parent: process.ppid, line: `${MEMORY_LIMIT_LINE}\n`, every: LOOK_EVERY };
      new Worker(WATCH, { eval: true, workerData: watched }).unref();
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
