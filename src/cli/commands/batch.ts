/** `dumpleak batch`: many dumps, with a history. */

import { resolve } from 'node:path';
import { isHistoryError } from '../../batch/journal/history-error.js';
import { historyFolder, runBatch } from '../../batch/run.js';
import { BatchDisplay } from '../terminal/batch-display.js';
import { defineCommand } from '../command.js';
import { finishBatch, stopOnSignals } from './queue/batch-endings.js';
import { runSharedBatch, SHARED } from './queue/shared-batch.js';
import { FileError, UsageError } from '../errors.js';
import { milliseconds } from '../options/growth-inputs.js';
import { FOLLOW_LINKS, GROUP, METRICS, outOption, QUIET } from '../options/options.js';
import { OPEN } from '../terminal/open-page.js';
import { ABOUT, askedKey, BESIDE, MINUTE, PROCESSES, readingMany, WORK } from '../options/reading-many.js';
import { expandAll } from '../options/wildcards.js';
import { namesStore, STORE } from '../options/store-options.js';
import { checkWritable, makeFolder } from '../terminal/write-file.js';

export const command = defineCommand({
  positionals: {
    paths: { describe: 'Dumps, archives of dumps, folders, patterns such as share/*/*.dmp', kind: 'list' },
  },
  options: {
    out: outOption('Folder for the report: index.html, pages, results.ndjson, groups.json'),
    history: {
      type: 'string',
      requiresArg: true,
      describe: 'Folder of the history; without it the folder history in that of --out',
      group: GROUP.output,
    },
    metrics: METRICS,
    'fail-on-leak': {
      type: 'boolean',
      describe: 'End with exit code 1 when a leak is suspected in one of the dumps',
      group: GROUP.output,
    },
    'fail-on-undecided': {
      type: 'boolean',
      describe: 'End with exit code 1 when one of the dumps cannot tell whether pool leaks',
      group: GROUP.output,
    },
    open: { ...OPEN, describe: 'Show index.html in a browser at the end' },
    ...ABOUT,
    'follow-links': FOLLOW_LINKS,
    'machine-by-folder': {
      type: 'boolean',
      describe: 'Each folder holds the dumps of one machine and is called like it',
      group: GROUP.what,
    },
    ...PROCESSES,
    again: { type: 'boolean', describe: 'Read all dumps, also those that the history knows', group: WORK },
    retry: { type: 'boolean', describe: 'Read again what could not be read before', group: WORK },
    watch: { type: 'boolean', describe: 'Go on as dumps arrive, until Ctrl+C', group: WORK },
    every: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--every'),
      describe: 'With --watch: time between two looks (30s)',
      group: WORK,
    },
    settle: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--settle'),
      describe: 'With --watch: a damaged file that was at rest for so long is taken as it is (10m)',
      group: WORK,
    },
    ...STORE,
    ...SHARED,
    ...BESIDE,
    ...QUIET,
  },
  examples: [
    ['batch //share/dumps --out report', 'all dumps below a folder'],
    ['batch *.dmp more.zip --out report --jobs 2', 'files and an archive, two at a time'],
    ['batch //share/dumps --out report --watch', 'go on as dumps arrive'],
    [
      'batch //share/dumps --store postgres://dumpleak@db/dumpleak --enqueue',
      'for workers on many hosts (docs/scale.md)',
    ],
  ],
  run: async (args, output, host) => {
    const { out, watch } = args;
    if (args.history === undefined && namesStore(args, host.env)) return runSharedBatch(args, output, host);
    if (args.store !== undefined || args['store-file'] !== undefined) {
      throw new UsageError('--history names a folder, --store a server: one of them');
    }
    if (args.enqueue === true || args.follow === true || args.map !== undefined) {
      throw new UsageError('--enqueue, --follow and --map are for --store');
    }
    if (out === undefined) throw new UsageError('say where the report goes with --out FOLDER');
    if (args.paths.length === 0) throw new UsageError('name dumps, or a folder that holds them');
    if (watch !== true && (args.every !== undefined || args.settle !== undefined)) {
      throw new UsageError('--every and --settle are for --watch');
    }
    const reading = await readingMany(args, host);
    if (args.metrics !== undefined) checkWritable(args.metrics);
    makeFolder(out);
    makeFolder(historyFolder({ out, history: args.history ?? null }));
    const display = new BatchDisplay(host.stderr, { quiet: args.quiet === true, ascii: output.style.ascii === true });
    const stop = new AbortController();
    const release = stopOnSignals(stop, () => {
      display.note('stopping');
    });
    try {
      const report = await runBatch({
        paths: expandAll(args.paths, host),
        out: resolve(out),
        history: args.history === undefined ? null : resolve(args.history),
        ...reading,
        followLinks: args['follow-links'] === true,
        redact: askedKey(args),
        again: args.again === true,
        retry: args.retry === true,
        watch: watch === true ? { everyMs: args.every ?? MINUTE / 2, settleMs: args.settle ?? 10 * MINUTE } : null,
        stop: stop.signal,
        events: display,
        metrics: args.metrics === undefined ? null : resolve(args.metrics),
      });
      display.end();
      return await finishBatch(report, args, output, host);
    } catch (error) {
      if (isHistoryError(error)) throw new FileError(error.message);
      throw error;
    } finally {
      display.end();
      release();
    }
  },
});
