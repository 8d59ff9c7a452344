/** One pass of a batch over files: what is known is left, the rest is read by the workers and written down. */

import { join } from 'node:path';
import { removeTemporary } from '../../../parsers/files/remove.js';
import type { Redactor } from '../../redact/redactor.js';
import { isHistoryError } from '../journal/history-error.js';
import { placeText, type CopyEntry, type FailureEntry, type Place } from './entries.js';
import type { BatchCounts, BatchEvents } from '../events.js';
import type { FoundFile } from './find-files.js';
import type { History } from '../journal/history.js';
import type { Journal } from '../journal/journal.js';
import type { Analyzed, Failed, Unwritten } from '../messages.js';
import { pageName } from '../outputs/pages.js';
import { redactError, redactMember, redactPlace } from '../redaction.js';
import type { Notes } from '../notes.js';
import { keepFile } from '../journal/replace-file.js';
import type { DumpNote } from '../outputs/summary.js';
import type { Watcher } from './watcher.js';
import { PoolClosed, type WorkerPool } from '../worker-pool.js';

/** Failures that say that a file of unknown kind is no dump. */
const NO_DUMP = new Set(['not-a-dump', 'text-file', 'wrong-kind', 'empty', 'all-zero']);

/** Whether a file that nobody called a dump is none. */
export const isNoDump = ({ expected }: { readonly expected: boolean }, code: string): boolean =>
  !expected && NO_DUMP.has(code);
/** Failures of a file that is still being written. */
const NOT_WHOLE = new Set(['corrupt', 'empty', 'all-zero', 'header-only', 'not-a-dump', 'in-use', 'io']);

export interface PassOptions {
  out: string;
  jobs: number;
  again: boolean;
  retry: boolean;
  stop: AbortSignal;
  events: BatchEvents;
}

export interface PassState {
  pool: WorkerPool;
  journal: Journal;
  history: History;
  counts: BatchCounts;
  seen: Set<string>;
  /** Null for a history with names. */
  redactor: Redactor | null;
  notes: Notes;
  /** Told of each line that was written. */
  changed: () => void;
}

/** Under way at once, for each worker: while what it read is written down, it reads the next. */
const AHEAD = 2;

/** A file to be identified, or a dump of it to be analyzed. */
interface Item {
  file: FoundFile;
  dump: { member: string | null; fileId: string } | null;
}

/** Reads files; gives how many lines were written. Throws what writing throws, and when no worker can be started. */
export async function readFiles(
  files: readonly FoundFile[],
  options: PassOptions,
  state: PassState,
  watcher: Watcher | null,
): Promise<number> {
  const pass = new Pass(options, state, watcher);
  await pass.run(files);
  return pass.written;
}

class Pass {
  written = 0;
  private readonly work: Item[] = [];
  /** Identities that are being read, or were in this pass. */
  private readonly taken = new Set<string>();

  constructor(
    private readonly options: PassOptions,
    private readonly state: PassState,
    private readonly watcher: Watcher | null,
  ) {}

  async run(files: readonly FoundFile[]): Promise<void> {
    this.work.push(...files.map((file) => ({ file, dump: null })));
    this.options.events.more(files.length);
    let active = 0;
    await new Promise<void>((resolve, reject) => {
      const errors: Error[] = [];
      const pump = (): void => {
        const { jobs, stop } = this.options;
        while (active < jobs * AHEAD && errors.length === 0 && !stop.aborted) {
          const item = this.work.shift();
          if (item === undefined) break;
          active++;
          void this.do(item)
            .catch((reason: unknown) => {
              if (!(reason instanceof PoolClosed))
                errors.push(reason instanceof Error ? reason : new Error(String(reason)));
            })
            .finally(() => {
              active--;
              pump();
            });
        }
        if (active > 0) return;
        if (errors[0] === undefined) resolve();
        else reject(errors[0]);
      };
      pump();
    });
  }

  private async do({ file, dump }: Item): Promise<void> {
    if (dump !== null) {
      await this.consider(file, dump.member, dump.fileId);
      return;
    }
    const { pool } = this.state;
    const outcome = await pool.run({ kind: 'identify', path: file.path });
    if (outcome.kind === 'failed') {
      this.fail(file, { path: file.path, member: null }, null, outcome);
    } else if (outcome.kind === 'identify') {
      if (outcome.cut && this.mayGrow(file)) this.defer(file);
      else if (outcome.members === null) await this.consider(file, null, outcome.fileId);
      else this.addMembers(file, outcome.members, outcome.fileId);
    }
  }

  private addMembers(file: FoundFile, members: readonly string[], fileId: string): void {
    const { redactor } = this.state;
    this.options.events.more(members.length - 1);
    const items = members.map((member): Item => ({
      file,
      dump: { member, fileId: `${fileId}#${redactMember(member, redactor)}` },
    }));
    this.work.unshift(...items);
  }

  /** Reads a dump unless it is known. */
  private async consider(file: FoundFile, member: string | null, fileId: string): Promise<void> {
    const { history, pool, seen } = this.state;
    const { again, retry } = this.options;
    const place: Place = { path: file.path, member };
    seen.add(fileId);
    const known = again ? null : history.known(fileId);
    if (this.taken.has(fileId) || (known !== null && !(known === 'failure' && retry))) {
      this.leave(file, place, fileId, known);
      return;
    }
    this.taken.add(fileId);
    const outcome = await pool.run({ kind: 'analyze', path: file.path, member, fileId });
    if (outcome.kind === 'failed') this.fail(file, place, fileId, outcome);
    else if (outcome.kind === 'unwritten') throw asWriteError(outcome);
    else if (outcome.kind === 'analyze') this.accept(file, place, outcome);
  }

  /** Nothing to do; the place is noted where it is new. */
  private leave(file: FoundFile, place: Place, fileId: string, known: ReturnType<History['known']>): void {
    const { history, counts, redactor } = this.state;
    const { events } = this.options;
    const written = redactPlace(place, redactor);
    if (known === 'passed') {
      counts.passed++;
      events.passed(placeText(place));
    } else {
      counts.known++;
      if (known === 'failure') counts.knownFailures++;
      events.known(placeText(place));
      if (!history.knownAt(fileId, written)) this.write({ kind: 'copy', at: now(), ...written, fileId });
    }
    this.watcher?.done(file);
  }

  private accept(file: FoundFile, place: Place, { line, note, truncated, elapsedMs, page }: Analyzed): void {
    if (truncated && this.mayGrow(file)) {
      if (page !== null) removeTemporary(page);
      this.taken.delete(note.fileId);
      this.defer(file);
      return;
    }
    // The page first: a dump that is in the journal is never read again.
    try {
      if (page !== null) keepFile(page, join(this.options.out, pageName(note.id)));
    } catch (error) {
      if (!isHistoryError(error, 'not-replaced')) throw error;
      this.state.notes.tell(error.message);
    }
    this.remember(note, this.state.journal.append(line));
    this.state.counts.analyzed++;
    const { leakSuspected, headline } = note.summary;
    this.options.events.analyzed(placeText(place), { leakSuspected, headline, elapsedMs });
    this.watcher?.done(file);
  }

  private fail(file: FoundFile, place: Place, fileId: string | null, { error }: Failed): void {
    if (NOT_WHOLE.has(error.code) && this.mayGrow(file)) {
      if (fileId !== null) this.taken.delete(fileId);
      this.defer(file);
      return;
    }
    const passed = isNoDump(file, error.code);
    const { history, redactor } = this.state;
    const written = { ...redactPlace(place, redactor), error: redactError(place, error, redactor) };
    if (!history.failedAlike(written, fileId, written.error)) {
      this.write({ kind: 'failure', at: now(), ...written, fileId, passed });
    }
    const { counts } = this.state;
    const { events } = this.options;
    if (passed) {
      counts.passed++;
      events.passed(placeText(place));
    } else {
      counts.failed++;
      events.failed(placeText(place), error);
    }
    this.watcher?.done(file);
  }

  private mayGrow(file: FoundFile): boolean {
    return this.watcher?.mayGrow(file, Date.now()) ?? false;
  }

  private defer(file: FoundFile): void {
    this.watcher?.deferred(file);
    this.options.events.deferred(file.path, 'cut');
  }

  private write(entry: FailureEntry | CopyEntry): void {
    this.remember(entry, this.state.journal.append(entry));
  }

  private remember(entry: DumpNote | FailureEntry | CopyEntry, line: { offset: number; length: number }): void {
    this.state.history.add(entry, line.offset, line.length);
    this.written++;
    this.state.changed();
  }
}

/** What a worker was told by its platform. */
function asWriteError({ code, path, message }: Unwritten): Error {
  return Object.assign(new Error(message), { code, path });
}

const now = (): string => new Date().toISOString();
