/** A batch: finds the dumps, has workers read them, writes the journal and, at the end, the outputs. */

import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { linksLeftText } from '../../parsers/files/paths.js';
import { Redactor } from '../redact/redactor.js';
import type { BatchCounts, BatchEvents } from './events.js';
import { findFiles, type FoundFile } from './inputs/find-files.js';
import { History } from './journal/history.js';
import { Journal } from './journal/journal.js';
import { Lock } from './journal/lock.js';
import type { AnalysisSettings } from './messages.js';
import { overviewOf, type Overview } from './outputs/overview.js';
import { pagesFolder, writeMetrics, writeOutputs } from './outputs/outputs.js';
import { readFiles } from './inputs/read-files.js';
import { historyKey } from './redaction.js';
import { Notes } from './notes.js';
import { RollingOutputs } from './outputs/rolling-outputs.js';
import { errorText } from '../../parsers/files/system-errors.js';
import { removeTemporaryFiles } from './journal/replace-file.js';
import { Watcher } from './inputs/watcher.js';
import { WorkerPool } from './worker-pool.js';

export interface BatchOptions {
  /** Files and folders; patterns are expanded already. */
  paths: readonly string[];
  out: string;
  /** Folder of the history; within `out` where null. */
  history: string | null;
  jobs: number;
  timeoutMs: number;
  memoryBytes: number;
  settings: Omit<AnalysisSettings, 'redactKey' | 'pages'>;
  /** Follow links in folders that lead out of what was named. */
  followLinks: boolean;
  /** Names become pseudonyms: under this key, or the history's `own`. Null: only in a history that was begun so. */
  redact: Uint8Array | 'own' | null;
  /** Read all again, also what the history knows. */
  again: boolean;
  /** Read again what could not be read before. */
  retry: boolean;
  /** Go on as dumps arrive. */
  watch: { everyMs: number; settleMs: number } | null;
  /** Ends the batch. What is done stays done. */
  stop: AbortSignal;
  events: BatchEvents;
  /** A file for OpenMetrics text, written whenever the outputs are; none where null or left out. */
  metrics?: string | null | undefined;
  /** Path of the program of a worker; another one for tests. */
  worker?: string | undefined;
}

export interface BatchReport {
  counts: BatchCounts;
  /** One of the dumps, read now or before, is suspected of a leak. */
  leakSuspected: boolean;
  /** Of them, those that cannot tell whether pool leaks. */
  undecided: number;
  interrupted: boolean;
  overview: Overview;
  /** What went wrong beside the dumps, one line each. */
  notes: readonly string[];
}

export const historyFolder = ({ out, history }: Pick<BatchOptions, 'out' | 'history'>): string =>
  history ?? join(out, 'history');

/**
 * Runs a batch to its end. Throws HistoryError where another one writes the history (`locked`) and for a journal that cannot
 * be gone on with, and the platform's error where the folder cannot be written.
 */
export async function runBatch(options: BatchOptions): Promise<BatchReport> {
  const { out, stop, events } = options;
  const folder = historyFolder(options);
  mkdirSync(pagesFolder(out), { recursive: true });
  const lock = Lock.take(join(folder, 'lock'));
  let journal: Journal | null = null;
  let pool: WorkerPool | null = null;
  let rolling: RollingOutputs | null = null;
  const closePool = (): void => void pool?.close();
  try {
    for (const place of [folder, out, pagesFolder(out)]) removeTemporaryFiles(place);
    journal = Journal.open(folder);
    const key = historyKey(folder, options.redact);
    const redactor = key === null ? null : new Redactor(key, true);
    const history = History.load(folder);
    const notes = new Notes(events);
    if (journal.takenOut > 0) {
      notes.tell(`${journal.path}: its first line was damaged; ${journal.takenOut} damaged lines were taken out of it`);
    }
    if (history.damage !== null) notes.tell(history.damage);
    const { jobs, timeoutMs, memoryBytes } = options;
    const redactKey = key === null ? null : Buffer.from(key).toString('hex');
    const settings = { ...options.settings, redactKey, pages: pagesFolder(out) };
    pool = new WorkerPool({
      ...{ jobs, timeoutMs, memoryBytes, settings, program: options.worker },
      progress: (task, step, done, total) => {
        events.step(task, step, done, total);
      },
    });
    stop.addEventListener('abort', closePool);
    const counts: BatchCounts = { analyzed: 0, known: 0, failed: 0, knownFailures: 0, passed: 0 };
    const seen = new Set<string>();
    rolling = new RollingOutputs(() => {
      try {
        notes.tell(...writeAll(options, history, overviewOf(history)));
      } catch (error) {
        // Tried again at the end, which says what is wrong.
        notes.tell(`the report could not be written yet: ${errorText(error)}`);
      }
    });
    const changed = rolling.changed.bind(rolling);
    await passes(options, { pool, journal, history, counts, seen, folder, redactor, notes, changed });
    rolling.end();
    // They end while the outputs are written.
    closePool();
    const overview = overviewOf(history);
    notes.tell(...writeAll(options, history, overview));
    const verdicts = overview.records.filter(({ fileId }) => seen.has(fileId)).map((one) => one.summary.leakSuspected);
    const undecided = verdicts.filter((verdict) => verdict === null).length;
    const leakSuspected = verdicts.includes(true);
    return { counts, leakSuspected, undecided, interrupted: stop.aborted, overview, notes: notes.all };
  } finally {
    rolling?.end();
    stop.removeEventListener('abort', closePool);
    await pool?.close();
    removeTemporaryFiles(pagesFolder(out));
    journal?.close();
    lock.release();
  }
}

/** Writes all that a batch leaves. Gives what is to be said of it. */
function writeAll({ out, metrics }: BatchOptions, history: History, overview: Overview): string[] {
  const now = new Date();
  const told = writeOutputs(out, history, overview, now);
  if (metrics !== null && metrics !== undefined) told.push(...writeMetrics(metrics, overview, now));
  return told;
}

interface Running {
  pool: WorkerPool;
  journal: Journal;
  history: History;
  counts: BatchCounts;
  /** Identities of the files that this run came by. */
  seen: Set<string>;
  folder: string;
  redactor: Redactor | null;
  notes: Notes;
  /** A line was written. */
  changed: () => void;
}

/** One pass over the files; when watching, one after the other until the batch is stopped. */
async function passes(options: BatchOptions, running: Running): Promise<void> {
  const { watch, stop, out, events } = options;
  const watcher = watch === null ? null : new Watcher(watch.settleMs, statOf);
  for (let first = true; !stop.aborted; first = false) {
    const { files: found, linksLeft } = findFiles(
      options.paths,
      [running.folder, pagesFolder(out)],
      options.followLinks,
    );
    const left = linksLeftText(linksLeft);
    if (left !== null) running.notes.tell(left);
    const files =
      watcher === null
        ? found
        : watcher.ready(found, Date.now(), (place) => {
            events.deferred(place, 'new');
          });
    const done = await readFiles(files, { ...options, again: options.again && first, retry: options.retry && first }, running, watcher); // prettier-ignore
    if (watch === null) return;
    if (done > 0 || first) {
      running.notes.tell(...writeAll(options, running.history, overviewOf(running.history)));
    }
    await sleep(watch.everyMs, null, { signal: stop }).catch(() => undefined);
  }
}

/** Size and time of change of a file; null where there is none. */
function statOf({ path }: FoundFile): { size: number; mtimeMs: number } | null {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? null : { size: status.size, mtimeMs: status.mtimeMs };
}
