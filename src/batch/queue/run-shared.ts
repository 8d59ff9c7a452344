/** A batch on the shared history: puts what it finds into the queue, and works on the queue until it is empty. */

import type { BatchEvents, BatchCounts } from '../events.js';
import { findFiles } from '../inputs/find-files.js';
import { linksLeftText } from '../../../parsers/files/paths.js';
import type { Overview } from '../outputs/overview.js';
import { Notes } from '../notes.js';
import type { BatchReport } from '../run.js';
import { enqueue, type Enqueued } from './enqueue.js';
import { follow, progressText, type FollowOptions } from './follow.js';
import type { Server } from '../store/server/server.js';
import { openStation, type StationOptions } from './station.js';
import type { Mapping } from './path-map.js';
import { TablesUp } from './tables-up.js';
import { work, type WorkEvents } from './work.js';
import type { SharedHistory } from '../store/server/shared-history.js';

export interface SharedBatchOptions extends Omit<StationOptions, 'progress'> {
  readonly paths: readonly string[];
  /** Folders that hold no dumps but reports. */
  readonly without: readonly string[];
  readonly followLinks: boolean;
  readonly again: boolean;
  readonly retry: boolean;
  readonly mappings: readonly Mapping[];
  /** Only put them in. */
  readonly enqueueOnly: boolean;
  /** Put them in, and tell how far all hosts are, so often (milliseconds), until the queue is empty; null to work on it. */
  readonly followMs: number | null;
  readonly graceMs: number;
  readonly stop: AbortSignal;
  readonly events: BatchEvents;
  /** Done at the end, with what the history holds then. */
  readonly atEnd?: ((history: SharedHistory, overview: Overview) => Promise<readonly string[]>) | undefined;
}

export interface SharedReport extends Enqueued {
  counts: BatchCounts;
  /** Dumps that are left in the queue, for this host does not see them. */
  unseen: number;
  /** Null where the dumps were only put in. */
  report: BatchReport | null;
}

const BEATS = 4;

/** Gives how many dumps are left, which are none. */
async function followAll(
  server: Server,
  { events, ...options }: Omit<FollowOptions, 'tell'> & { readonly events: BatchEvents },
): Promise<number> {
  let last = '';
  await follow(server, {
    ...options,
    tell: (progress) => {
      const text = progressText(progress);
      if (text !== last) events.note(text);
      last = text;
    },
  });
  return 0;
}

/** Throws HistoryError. */
export async function runShared(options: SharedBatchOptions): Promise<SharedReport> {
  const { events, stop, jobs, mappings, again, retry, graceMs, leaseMs } = options;
  // What other hosts do while this one still puts dumps in is done in this time.
  const since = new Date();
  const station = await openStation({
    ...options,
    progress: (task, step, done, total) => {
      events.step(task, step, done, total);
    },
  });
  const { history, queue, pool, key, redactor } = station;
  const notes = new Notes(events);
  try {
    const { files, linksLeft } = findFiles(options.paths, options.without, options.followLinks);
    const left = linksLeftText(linksLeft);
    if (left !== null) notes.tell(left);
    const counts: BatchCounts = { analyzed: 0, known: 0, failed: 0, knownFailures: 0, passed: 0 };
    const { machineByFolder } = options.settings;
    events.more(files.length);
    const put = await enqueue(history, queue, files, { pool, jobs, mappings, redactor, key, again, retry, machineByFolder, counts, events, stop }); // prettier-ignore
    if (options.enqueueOnly) return { ...put, counts, unseen: 0, report: null };
    const tables = new TablesUp(history, () => undefined);
    const beatMs = leaseMs / BEATS;
    const readHere = async (): Promise<number> =>
      work(history, queue, {
        ...{ pool, jobs, mappings, redactor, key, drain: true, beatMs, graceMs, stop },
        events: tellingBatch(events, counts, notes, tables),
      });
    const { followMs } = options;
    const unseen =
      followMs === null
        ? await readHere()
        : await followAll(history.server, { since, everyMs: followMs, stop, events });
    if (unseen > 0) notes.tell(`${unseen} dumps are left in the queue, for this host does not see their files`);
    await tables.end();
    const overview = await history.overview();
    const read = overview.records.filter(({ fileId }) => put.fileIds.has(fileId)).length;
    // What other hosts read meanwhile is known as well.
    counts.known += Math.max(0, read - (counts.analyzed + counts.known - counts.knownFailures));
    notes.tell(...((await options.atEnd?.(history, overview)) ?? []));
    const verdicts = overview.records
      .filter(({ fileId }) => put.fileIds.has(fileId))
      .map(({ summary }) => summary.leakSuspected);
    const report: BatchReport = {
      ...{ counts, overview, interrupted: stop.aborted, notes: notes.all },
      leakSuspected: verdicts.includes(true),
      undecided: verdicts.filter((verdict) => verdict === null).length,
    };
    return { ...put, counts, unseen, report };
  } finally {
    await station.close();
  }
}

/** What a worker tells, as a batch does. */
function tellingBatch(events: BatchEvents, counts: BatchCounts, notes: Notes, tables: TablesUp): WorkEvents {
  return {
    taken: () => undefined,
    done: (place, { kind, leak = null, headline = '', elapsedMs = 0, code = '', message = '' }) => {
      tables.changed();
      if (kind === 'dump') {
        counts.analyzed++;
        events.analyzed(place, { leakSuspected: leak, headline, elapsedMs });
      } else if (kind === 'passed') {
        counts.passed++;
        events.passed(place);
      } else {
        counts.failed++;
        events.failed(place, { code: kind === 'moved' ? kind : code, message });
      }
    },
    returned: (place, why, seconds) => {
      events.note(`${why.startsWith(place) ? why : `${place}: ${why}`}; next try in ${seconds} s`);
    },
    buried: (place, why) => {
      tables.changed();
      counts.failed++;
      events.failed(place, { code: 'dead-letter', message: why });
    },
    note: (message) => {
      notes.tell(message);
    },
  };
}
