/** `dumpleak batch --store`: puts dumps into the queue of a shared history, and works on it. */

import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { isHistoryError } from '../../../batch/journal/history-error.js';
import { pagesFolder, writeMetrics } from '../../../batch/outputs/outputs.js';
import { writeReport } from '../../../batch/outputs/report.js';
import type { Mapping } from '../../../batch/queue/path-map.js';
import type { SharedBatchOptions } from '../../../batch/queue/run-shared.js';
import { FileError, UsageError } from '../../errors.js';
import { EXIT, type ExitCode } from '../../exit-codes.js';
import { MAP } from '../../options/queue-options.js';
import { askedKey, MINUTE, readingMany, WORK, type ManyArguments } from '../../options/reading-many.js';
import { requireStore, type StoreArguments } from '../../options/store-options.js';
import { expandAll } from '../../options/wildcards.js';
import { BatchDisplay } from '../../terminal/batch-display.js';
import type { Host, Output } from '../../terminal/output.js';
import { checkWritable, makeFolder } from '../../terminal/write-file.js';
import { finishBatch, stopOnSignals, type FailOn } from './batch-endings.js';

/** Options of `batch` beside those of STORE. */
export const SHARED = {
  enqueue: {
    type: 'boolean',
    describe: 'With --store: only put the dumps into the queue, for workers to read',
    group: WORK,
  },
  follow: {
    type: 'boolean',
    describe: 'With --store: put them there, and show how far all hosts are until the queue is empty',
    group: WORK,
  },
  map: MAP,
} as const satisfies Record<string, Options>;

interface SharedArguments extends StoreArguments, FailOn, ManyArguments {
  readonly paths: readonly string[];
  readonly out?: string | undefined;
  readonly open?: boolean | undefined;
  readonly metrics?: string | undefined;
  readonly watch?: boolean | undefined;
  readonly enqueue?: boolean | undefined;
  readonly follow?: boolean | undefined;
  readonly map?: readonly Mapping[] | undefined;
  readonly 'follow-links'?: boolean | undefined;
  readonly again?: boolean | undefined;
  readonly retry?: boolean | undefined;
  readonly redact?: boolean | undefined;
  readonly 'redact-key'?: string | undefined;
  readonly quiet?: boolean | undefined;
}

const GRACE = 25_000;
/** Between two looks at what all hosts did, in milliseconds. */
const FOLLOW = 2_000;

export async function runSharedBatch(args: SharedArguments, output: Output, host: Host): Promise<ExitCode> {
  if (args.paths.length === 0) throw new UsageError('name dumps, or a folder that holds them');
  if (args.watch === true) throw new UsageError('--watch is for a history in a folder: with --store run batch --enqueue from time to time'); // prettier-ignore
  const { out, metrics } = args;
  if (args.enqueue === true && (out !== undefined || metrics !== undefined || args.open === true)) {
    throw new UsageError('--enqueue only fills the queue: "dumpleak report --store" writes the report later');
  }
  if (args.open === true && out === undefined) throw new UsageError('--open shows the report of --out FOLDER');
  if (metrics !== undefined) checkWritable(metrics);
  if (out !== undefined) makeFolder(out);
  const address = await requireStore(args, host.env);
  const reading = await readingMany(args, host);
  const display = new BatchDisplay(host.stderr, { quiet: args.quiet === true, ascii: output.style.ascii === true });
  for (const note of address.notes) display.note(note);
  const stop = new AbortController();
  const release = stopOnSignals(stop, () => {
    display.note('stopping');
  });
  const { runShared } = await import('../../../batch/queue/run-shared.js');
  const options: SharedBatchOptions = {
    ...{ address, ...reading, redact: askedKey(args), leaseMs: MINUTE, graceMs: GRACE },
    ...{
      paths: expandAll(args.paths, host).map((path) => resolve(path)),
      without: out === undefined ? [] : [pagesFolder(out)],
    },
    ...{ followLinks: args['follow-links'] === true, again: args.again === true, retry: args.retry === true },
    ...{
      mappings: args.map ?? [],
      enqueueOnly: args.enqueue === true && args.follow !== true,
      followMs: args.follow === true ? FOLLOW : null,
      stop: stop.signal,
      events: display,
    },
    atEnd: async (history, overview) => {
      const now = new Date();
      const notes: string[] = [];
      const read = history.read.bind(history);
      if (out !== undefined) notes.push(...(await writeReport(out, { overview, read }, now)).notes);
      if (metrics !== undefined) notes.push(...writeMetrics(metrics, overview, now));
      return notes;
    },
  };
  try {
    const { queued, waiting, counts, unseen, report } = await runShared(options);
    display.end();
    if (report === null) {
      await output.text(`${enqueuedText(queued, waiting, counts)}\n`);
      return stop.signal.aborted ? EXIT.interrupted : EXIT.done;
    }
    const code = await finishBatch(report, args, output, host);
    return code === EXIT.done && unseen > 0 ? EXIT.badInput : code;
  } catch (error) {
    if (isHistoryError(error)) throw new FileError(error.message);
    throw error;
  } finally {
    display.end();
    release();
  }
}

function enqueuedText(queued: number, waiting: number, { known, failed, passed }: { known: number; failed: number; passed: number }): string {
  const parts = [`${queued} ${queued === 1 ? 'dump is' : 'dumps are'} in the queue now`];
  if (waiting > 0) parts.push(`${waiting} were there already`);
  if (known > 0) parts.push(`${known} are known already`);
  if (failed > 0) parts.push(`${failed} could not be read`);
  if (passed > 0) parts.push(`${passed} other files passed over`);
  return parts.join(', ');
} // prettier-ignore
