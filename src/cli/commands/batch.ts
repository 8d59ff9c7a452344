/** `dumpleak batch`: many dumps, with a history. */

import { join, resolve } from 'node:path';
import { availableParallelism, totalmem } from 'node:os';
import { allIssues } from '../../analysis/known-issues.js';
import { isHistoryError } from '../../batch/journal/history-error.js';
import { readKey } from '../../redact/key.js';
import { historyFolder, runBatch, type BatchReport } from '../../batch/run.js';
import { renderBatchSummary } from '../../batch/outputs/summary-text.js';
import { BatchDisplay } from '../terminal/batch-display.js';
import { defineCommand } from '../command.js';
import { FileError, UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { onEndingSignals } from '../interrupt.js';
import { milliseconds } from '../options/growth-inputs.js';
import { FOLLOW_LINKS, GROUP, IMAGES, KNOWN_ISSUES, MAX_UNPACKED, POOLTAG, QUIET } from '../options/options.js';
import { OPEN, openPage } from '../terminal/open-page.js';
import { REDACT } from '../options/redact-options.js';
import { requireProfiles, SYMBOLS, type SymbolArguments } from '../options/symbol-options.js';
import { readTagLists } from '../options/tag-lists.js';
import { expandWildcards } from '../options/wildcards.js';
import { checkWritable, makeFolder } from '../terminal/write-file.js';

const WORK = 'How to work:';
const MINUTE = 60_000;
const GIGABYTE = 2 ** 30;

const positive =
  (name: string, what: string, whole: boolean, most: number) =>
  (value: unknown): number => {
    const number = Number(value);
    if (!(number > 0 && number <= most) || (whole && !Number.isInteger(number))) {
      throw new Error(`${name} wants ${what}`);
    }
    return number;
  };

export const command = defineCommand({
  positionals: {
    paths: { describe: 'Dumps, archives of dumps, folders, patterns such as share/*/*.dmp', kind: 'list' },
  },
  options: {
    out: {
      type: 'string',
      requiresArg: true,
      describe: 'Folder for the report: index.html, pages, results.ndjson, groups.json',
      group: GROUP.output,
    },
    history: {
      type: 'string',
      requiresArg: true,
      describe: 'Folder of the history; without it the folder history in that of --out',
      group: GROUP.output,
    },
    metrics: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write counts to this file, as OpenMetrics text (docs/monitoring.md)',
      group: GROUP.output,
    },
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
    pooltag: POOLTAG,
    images: IMAGES,
    'known-issues': KNOWN_ISSUES,
    'follow-links': FOLLOW_LINKS,
    'machine-by-folder': {
      type: 'boolean',
      describe: 'Each folder holds the dumps of one machine and is called like it',
      group: GROUP.what,
    },
    jobs: {
      type: 'number',
      requiresArg: true,
      coerce: positive('--jobs', 'a number of processes, 1 to 64', true, 64),
      describe: 'Processes that read dumps at a time; without it as many as processors and memory allow',
      group: WORK,
    },
    timeout: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--timeout'),
      describe: 'Longest time for one dump (30m): 90s, 10m, 2h',
      group: WORK,
    },
    memory: {
      type: 'number',
      requiresArg: true,
      coerce: positive('--memory', 'a number of GB, as 2 or 0.5', false, 1024),
      describe: 'Most memory of one process, in GB (2)',
      group: WORK,
    },
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
    ...REDACT,
    ...SYMBOLS,
    ...MAX_UNPACKED,
    ...QUIET,
  },
  examples: [
    ['batch //share/dumps --out report', 'all dumps below a folder'],
    ['batch *.dmp more.zip --out report --jobs 2', 'files and an archive, two at a time'],
    ['batch //share/dumps --out report --watch', 'go on as dumps arrive'],
  ],
  run: async (args, output, host) => {
    const { out, watch } = args;
    if (out === undefined) throw new UsageError('say where the report goes with --out FOLDER');
    if (args.paths.length === 0) throw new UsageError('name dumps, or a folder that holds them');
    if (watch !== true && (args.every !== undefined || args.settle !== undefined)) {
      throw new UsageError('--every and --settle are for --watch');
    }
    const memoryBytes = (args.memory ?? 2) * GIGABYTE;
    const tagLists = readTagLists(args.pooltag, host.env);
    for (const folder of args.profiles ?? []) requireProfiles(folder);
    const issues = await allIssues(args['known-issues'] ?? []);
    if (args.metrics !== undefined) checkWritable(args.metrics);
    makeFolder(out);
    makeFolder(historyFolder({ out, history: args.history ?? null }));
    const display = new BatchDisplay(host.stderr, { quiet: args.quiet === true, ascii: output.style.ascii === true });
    const stop = new AbortController();
    const release = onStop(stop, () => {
      display.note('stopping');
    });
    try {
      const report = await runBatch({
        paths: args.paths.flatMap((path) => {
          const found = expandWildcards(path, host.platform);
          return found.length === 0 ? [path] : found;
        }),
        out: resolve(out),
        history: args.history === undefined ? null : resolve(args.history),
        jobs: args.jobs ?? defaultJobs(memoryBytes),
        timeoutMs: args.timeout ?? 30 * MINUTE,
        memoryBytes,
        settings: {
          pooltag: tagLists.files.map((file) => resolve(file)),
          images: (args.images ?? []).map((folder) => resolve(folder)),
          knownIssues: (args['known-issues'] ?? []).map((file) => resolve(file)),
          issues,
          symbols: symbolSettings(args, host.env),
          mostBytes: args['max-unpacked'] === undefined ? null : args['max-unpacked'] * GIGABYTE,
          machineByFolder: args['machine-by-folder'] === true,
        },
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
      await output.text(renderBatchSummary(report, out));
      if (args.open === true) await openPage(join(out, 'index.html'), host);
      return exitCode(report, args);
    } catch (error) {
      if (isHistoryError(error)) throw new FileError(error.message);
      throw error;
    } finally {
      display.end();
      release();
    }
  },
});

function askedKey(args: {
  redact?: boolean | undefined;
  'redact-key'?: string | undefined;
}): Uint8Array | 'own' | null {
  if (args['redact-key'] !== undefined) return readKey(args['redact-key']);
  return args.redact === true ? 'own' : null;
}

/** As many processes as there are processors, and as fit into three quarters of the memory. */
function defaultJobs(memoryBytes: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor((totalmem() * 0.75) / memoryBytes)));
}

/** Ctrl+C, an ended session or a closed console stops the batch in order; a second one at once. */
function onStop(stop: AbortController, told: () => void): () => void {
  const handle = (code: ExitCode) => () => {
    if (stop.signal.aborted) process.exit(code);
    told();
    stop.abort();
  };
  return onEndingSignals(handle);
}

/** Options that make a verdict the exit code. */
interface FailOn {
  readonly 'fail-on-leak'?: boolean | undefined;
  readonly 'fail-on-undecided'?: boolean | undefined;
}

function exitCode({ counts, interrupted, leakSuspected, undecided }: BatchReport, on: FailOn): ExitCode {
  if (interrupted) return EXIT.interrupted;
  const read = counts.analyzed + counts.known - counts.knownFailures;
  if (read === 0) return EXIT.badInput;
  const fails = (on['fail-on-leak'] === true && leakSuspected) || (on['fail-on-undecided'] === true && undecided > 0);
  return fails ? EXIT.leak : EXIT.done;
}

/** What workers need to look for symbols; null where neither the options nor the environment name a place. */
function symbolSettings(args: SymbolArguments, env: Readonly<Record<string, string | undefined>>) {
  const { symbols: path = [], 'symbol-server': servers = [], profiles = [] } = args;
  const variables = [env['_NT_SYMBOL_PATH'], env['_NT_ALT_SYMBOL_PATH']];
  const named = [...path, ...servers, ...profiles, ...variables];
  if (named.every((text) => (text ?? '').trim() === '')) return null;
  return {
    path,
    servers,
    profiles: profiles.map((folder) => resolve(folder)),
    offline: args.offline === true,
    allowRedirects: args['allow-redirects'] === true,
  };
}
