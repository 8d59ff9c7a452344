/** Puts the dumps of a share into the queue: what the history knows, and what is queued already, is left. */

import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Redactor } from '../../redact/redactor.js';
import type { BatchCounts, BatchEvents } from '../events.js';
import { placeText, type FailureEntry, type Place } from '../inputs/entries.js';
import type { FoundFile } from '../inputs/find-files.js';
import { isNoDump } from '../inputs/read-files.js';
import type { Failed, Identified } from '../messages.js';
import { redactError, redactMember, redactPlace } from '../redaction.js';
import type { SharedHistory } from '../store/server/shared-history.js';
import type { WorkerPool } from '../worker-pool.js';
import type { DumpQueue } from './dump-queue.js';
import { sharedPath, type Mapping } from './path-map.js';
import { seal, type QueuedDump } from './queued-dump.js';

export interface EnqueueOptions {
  readonly pool: WorkerPool;
  readonly jobs: number;
  readonly mappings: readonly Mapping[];
  readonly redactor: Redactor | null;
  readonly key: Uint8Array | null;
  readonly again: boolean;
  readonly retry: boolean;
  readonly machineByFolder: boolean;
  readonly counts: BatchCounts;
  readonly events: Pick<BatchEvents, 'known' | 'passed' | 'failed'>;
  readonly stop: AbortSignal;
}

export interface Enqueued {
  /** Now in the queue by this call, and by others. */
  queued: number;
  waiting: number;
  /** Of all dumps that were come by. */
  fileIds: Set<string>;
}

/** Dumps that are put in at once. */
const AT_ONCE = 100;

type Candidate = Omit<QueuedDump, 'ticket'>;

/** Throws HistoryError, and what `pool` throws. */
export async function enqueue(
  history: SharedHistory,
  queue: DumpQueue,
  files: readonly FoundFile[],
  options: EnqueueOptions,
): Promise<Enqueued> {
  const { pool, jobs, stop } = options;
  const done: Enqueued = { queued: 0, waiting: 0, fileIds: new Set() };
  const found: Candidate[] = [];
  let flushing: Promise<void> = Promise.resolve();
  const flush = async (least: number): Promise<void> => {
    if (found.length < least) return flushing;
    const some = found.splice(0);
    flushing = flushing.then(async () => putIn(history, queue, some, options, done));
    return flushing;
  };
  const rest = [...files];
  const identify = async (): Promise<void> => {
    for (let file = rest.shift(); file !== undefined && !stop.aborted; file = rest.shift()) {
      const outcome = await pool.run({ kind: 'identify', path: file.path });
      if (outcome.kind === 'failed') await unreadable(history, file, outcome, options);
      else if (outcome.kind === 'identify') found.push(...candidates(file, outcome, options));
      await flush(AT_ONCE);
    }
  };
  await Promise.all(Array.from({ length: 2 * jobs }, identify));
  await flush(1);
  return done;
}

function candidates(file: FoundFile, { fileId, members }: Identified, options: EnqueueOptions): Candidate[] {
  const { mappings, redactor, key, again, machineByFolder } = options;
  const path = sharedPath(file.path, mappings);
  const status = statSync(file.path, { throwIfNoEntry: false });
  return (members ?? [null]).map((member) => ({
    place: redactPlace({ path, member }, redactor),
    sealed: key === null ? null : seal({ path, member }, key),
    fileId: member === null ? fileId : `${fileId}#${redactMember(member, redactor)}`,
    ...{ expected: file.expected, size: status?.size ?? 0, mtimeMs: status?.mtimeMs ?? 0 },
    ...{ by: hostname(), again, machineByFolder, deaths: [], lost: 0, unseen: null },
  }));
}

async function putIn(
  history: SharedHistory,
  queue: DumpQueue,
  found: readonly Candidate[],
  options: EnqueueOptions,
  done: Enqueued,
): Promise<void> {
  // Of the same bytes at several places the first is read; the others are copies.
  const first = new Map<string, Candidate>();
  const copies: Candidate[] = [];
  for (const one of found) {
    if (first.has(one.fileId)) copies.push(one);
    else first.set(one.fileId, one);
    done.fileIds.add(one.fileId);
  }
  const dumps = [...first.values()];
  const put = await queue.put(dumps, { retry: options.retry });
  for (const [i, dump] of dumps.entries()) {
    const what = put[i];
    if (what?.kind === 'queued') done.queued++;
    else if (what?.kind === 'waiting') {
      if (what.place === placeText(dump.place)) done.waiting++;
      else copies.push(dump);
    } else if (what?.kind === 'known') await leave(history, dump, what.known, options);
  }
  for (const dump of copies) await leave(history, dump, 'dump', options);
}

/** Nothing to do; the place is noted where it is new. */
async function leave(
  history: SharedHistory,
  { place, fileId }: Candidate,
  known: 'dump' | 'failure' | 'passed',
  { counts, events }: EnqueueOptions,
): Promise<void> {
  if (known === 'passed') {
    counts.passed++;
    events.passed(placeText(place));
    return;
  }
  counts.known++;
  if (known === 'failure') counts.knownFailures++;
  await history.append({ kind: 'copy', at: new Date().toISOString(), ...place, fileId });
  events.known(placeText(place));
}

/** A file that could not even be read. */
async function unreadable(
  history: SharedHistory,
  file: FoundFile,
  { error: told }: Failed,
  { mappings, redactor, counts, events }: EnqueueOptions,
): Promise<void> {
  const whole: Place = { path: sharedPath(file.path, mappings), member: null };
  const error = redactError(whole, { ...told, message: told.message.replaceAll(file.path, whole.path) }, redactor);
  const passed = isNoDump(file, error.code);
  const entry: FailureEntry = {
    ...{ kind: 'failure', at: new Date().toISOString(), ...redactPlace(whole, redactor), fileId: null, passed, error },
  };
  await history.append(entry);
  if (passed) {
    counts.passed++;
    events.passed(placeText(whole));
  } else {
    counts.failed++;
    events.failed(placeText(whole), error);
  }
}
