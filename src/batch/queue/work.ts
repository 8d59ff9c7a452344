/**
 * A worker of the queue: takes dumps, has its processes read them, and puts what they came to into the shared history. A
 * process that dies costs a try of that dump; a worker that dies costs one of each that it had, for the others take them over.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redactor } from '../../redact/redactor.js';
import { isPassingFailure } from '../journal/history.js';
import { placeText, type FailureEntry, type Place } from '../inputs/entries.js';
import { isNoDump } from '../inputs/read-files.js';
import type { Failed } from '../messages.js';
import { redactError } from '../redaction.js';
import type { Item, SharedHistory } from '../store/server/shared-history.js';
import { PoolClosed, type Outcome as TaskOutcome, type WorkerPool } from '../worker-pool.js';
import { Superseded, type Claim, type DumpQueue, type Outcome } from './dump-queue.js';
import { FileOnHost, type Seen } from './file-on-host.js';
import { afterLoss } from './losses.js';
import type { QueuedDump } from './queued-dump.js';
import type { Mapping } from './path-map.js';

/** Told as a worker goes on. Places are as the history shows them. */
export interface WorkEvents {
  taken(place: string): void;
  done(place: string, outcome: Outcome): void;
  /** It is for another try, by whomever, after so many seconds. */
  returned(place: string, why: string, seconds: number): void;
  /** It is among the dead letters. */
  buried(place: string, why: string): void;
  note(message: string): void;
}

export interface WorkOptions {
  readonly pool: WorkerPool;
  readonly jobs: number;
  readonly mappings: readonly Mapping[];
  /** Null for a history with names. */
  readonly redactor: Redactor | null;
  /** Opens sealed places; as of the redactor. */
  readonly key: Uint8Array | null;
  /** End when nothing is left that this host can read. */
  readonly drain: boolean;
  /** So often a worker tells that it lives, in milliseconds. */
  readonly beatMs: number;
  /** So long what is being read may go on after `stop`, in milliseconds. */
  readonly graceMs: number;
  /** Take nothing more; what is being read comes to its end or is given back. */
  readonly stop: AbortSignal;
  readonly events: WorkEvents;
}

/** Deaths of processes that read a dump until it is left alone. */
export const MOST_DEATHS = 3;
/** So long hosts look for a file that none of them sees. */
const LOOKED_FOR = 24 * 3600 * 1000;
/** So long a worker waits that finds nothing: first, and at most, in milliseconds. */
const SOON = 50;
const IDLE = 1000;
const FIRST_DELAY = 5;
const LONGEST_DELAY = 600;
/** Files in a row that this host does not see until it goes slow. */
const BLIND = 3;
const LONGEST_BLIND = 60_000;
const REAP_EVERY = 5_000;

const DEATHS = new Set(['crashed', 'out-of-memory', 'timeout']);

/** Works on the queue until it is stopped, or drained. Gives how many dumps are left that this host does not see. */
export async function work(history: SharedHistory, queue: DumpQueue, options: WorkOptions): Promise<number> {
  return new Worker(history, queue, options).run();
}

class Worker {
  /** What it has, of which its processes read as much as they can. */
  private readonly running = new Set<Claim>();
  private readonly settling = new Set<Promise<void>>();
  private readonly failures: Error[] = [];
  private readonly files: FileOnHost;
  private wake: () => void = () => undefined;
  private blind = 0;
  private blindUntil = 0;
  /** The next wait of one that finds nothing. */
  private wait = SOON;
  private reaped = 0;

  constructor(
    private readonly history: SharedHistory,
    private readonly queue: DumpQueue,
    private readonly options: WorkOptions,
  ) {
    this.files = new FileOnHost(options.mappings, options.key);
  }

  async run(): Promise<number> {
    const { stop, pool, graceMs, beatMs } = this.options;
    await this.queue.beat();
    const beats = setInterval(() => {
      this.queue.beat().catch((error: unknown) => {
        this.fail(error);
      });
    }, beatMs);
    let end: NodeJS.Timeout | undefined;
    const onStop = (): void => {
      pool.withdraw();
      end = setTimeout(() => void pool.close(), graceMs);
      this.wake();
    };
    if (stop.aborted) onStop();
    stop.addEventListener('abort', onStop);
    try {
      const left = await this.takeAll();
      const failure = this.failures.at(0);
      if (failure !== undefined) {
        // Without the server nothing can be given back: others take it over.
        await pool.close();
        throw failure;
      }
      while (this.running.size > 0 || this.settling.size > 0) await this.something();
      if (this.failures[0] !== undefined) throw this.failures[0];
      return left;
    } finally {
      clearInterval(beats);
      clearTimeout(end);
      stop.removeEventListener('abort', onStop);
    }
  }

  private async takeAll(): Promise<number> {
    const { jobs, stop, drain } = this.options;
    while (!stop.aborted && this.failures.length === 0) {
      // While some are read, as many wait in the pool: a process has the next one at once.
      const wanted = 2 * jobs - this.running.size;
      if (wanted < jobs || Date.now() < this.blindUntil) {
        await this.something();
        continue;
      }
      const claims = await this.queue.take(wanted);
      for (const claim of claims) this.begin(claim);
      if (claims.length > 0) {
        this.wait = SOON;
        continue;
      }
      await this.takeOver();
      if (drain && this.running.size === 0 && this.settling.size === 0) {
        const { left, unseen } = await this.queue.remaining();
        if (left === unseen) return unseen;
      }
      await this.something(this.wait);
      this.wait = Math.min(IDLE, this.wait * 1.5);
    }
    return 0;
  }

  /** Waits until one is done, or for a moment. */
  private async something(most = IDLE): Promise<void> {
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    await Promise.race([woken, sleep(most, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }

  private begin(claim: Claim): void {
    this.options.events.taken(placeText(claim.dump.place));
    this.running.add(claim);
    const settled: Promise<void> = this.do(claim)
      .catch((error: unknown) => {
        if (!(error instanceof Superseded)) this.fail(error);
      })
      .finally(() => {
        this.running.delete(claim);
        this.settling.delete(settled);
        this.wake();
      });
    this.settling.add(settled);
  }

  private fail(error: unknown): void {
    this.failures.push(error instanceof Error ? error : new Error(String(error)));
    this.wake();
  }

  private async do(claim: Claim): Promise<void> {
    const { dump } = claim;
    const seen = await this.files.look(dump);
    if (seen.kind === 'other-key') {
      await this.giveBack(claim, dump, 'its place is sealed under another key than this worker has (--redact-key)', LONGEST_DELAY); // prettier-ignore
      return;
    }
    if (seen.kind === 'unseen' && dump.by !== this.queue.host) {
      await this.unseen(claim, seen);
      return;
    }
    this.blind = 0;
    const outcome = await this.read(claim, seen);
    this.running.delete(claim);
    this.wake();
    if (outcome === null) await this.giveBack(claim, dump, 'this worker ends', 0);
    else await this.settle(claim, seen.whole, outcome);
  }

  /** Null where the worker ends meanwhile. */
  private async read({ dump }: Claim, { path, whole, changed }: Exclude<Seen, { kind: 'other-key' }>) {
    const { pool, stop } = this.options;
    if (stop.aborted) return null;
    const { fileId, machineByFolder } = dump;
    const { member } = whole;
    try {
      if (changed) {
        const now = await pool.run({ kind: 'identify', path });
        if (now.kind === 'failed') return now;
        if (now.kind === 'identify' && now.fileId !== fileId.split('#')[0]) return 'moved' as const;
      }
      return await pool.run({ kind: 'analyze', path, member, fileId, shownPath: whole.path, machineByFolder });
    } catch (error) {
      if (error instanceof PoolClosed) return null;
      throw error;
    }
  }

  private async settle(claim: Claim, whole: Place, outcome: TaskOutcome | 'moved'): Promise<void> {
    const { dump } = claim;
    const { host } = this.queue;
    if (outcome === 'moved') {
      const message = `${placeText(dump.place)}: it is another dump by now than the one that was queued`;
      await this.history.server.transaction(async (session) => this.queue.complete(session, claim, { kind: 'moved', host, message })); // prettier-ignore
      this.options.events.done(placeText(dump.place), { kind: 'moved', host, message });
    } else if (outcome.kind === 'analyze') {
      const { line, note, elapsedMs } = outcome;
      const { leakSuspected: leak, headline } = note.summary;
      await this.keep(claim, { line, note }, { kind: 'dump', host, leak, headline, elapsedMs });
    } else if (outcome.kind === 'failed') {
      await this.failed(claim, redactError(whole, outcome.error, this.options.redactor));
    } else {
      throw new Error(`a process of the worker did something else: ${outcome.kind}`);
    }
  }

  private async keep(claim: Claim, item: Item, outcome: Outcome): Promise<void> {
    const { again } = claim.dump;
    await this.history.append(item, {
      again,
      within: async (session) => this.queue.complete(session, claim, outcome),
    });
    this.options.events.done(placeText(claim.dump.place), outcome);
  }

  private async failed(claim: Claim, error: Failed['error']): Promise<void> {
    const { dump } = claim;
    const passes = isPassingFailure(error.code) && error.code !== 'not-found';
    if (!DEATHS.has(error.code) && !passes) {
      const kind = isNoDump(dump, error.code) ? 'passed' : 'failure';
      await this.keep(claim, failureOf(dump, error), { kind, host: this.queue.host, ...error });
      return;
    }
    const deaths = [...dump.deaths, error.message];
    if (deaths.length < MOST_DEATHS)
      await this.giveBack(claim, { ...dump, deaths }, error.message, delayAfter(deaths.length)); // prettier-ignore
    else await this.bury(claim, { ...dump, deaths }, error);
  }

  private async bury(claim: Claim, dump: QueuedDump, error: Failed['error']): Promise<void> {
    await this.history.append(failureOf(dump, error), {
      within: async (session) => this.queue.bury(session, claim, dump, error.message),
    });
    this.options.events.buried(placeText(dump.place), error.message);
  }

  private async giveBack(claim: Claim, dump: QueuedDump, why: string, seconds: number): Promise<void> {
    try {
      await this.queue.giveBack(claim, dump, seconds);
    } catch (error) {
      if (error instanceof Superseded) return;
      throw error;
    }
    this.options.events.returned(placeText(dump.place), why, seconds);
  }

  /** Another host may see it; where none does for long, it is gone. */
  private async unseen(claim: Claim, { why }: { readonly why: string }): Promise<void> {
    const { dump } = claim;
    const { host } = this.queue;
    this.blind++;
    if (this.blind >= BLIND) this.blindUntil = Date.now() + Math.min(LONGEST_BLIND, IDLE * 2 ** (this.blind - BLIND));
    const before = dump.unseen ?? { since: new Date().toISOString(), hosts: [], times: 0 };
    const hosts = [...new Set([...before.hosts, host])];
    const place = placeText(dump.place);
    if (Date.now() - Date.parse(before.since) > LOOKED_FOR) {
      const message = `${place}: not found by ${hosts.join(', ')} in 24 hours; ${dump.by} had found it`;
      await this.keep(claim, failureOf(dump, { code: 'not-found', message }), { kind: 'failure', host, code: 'not-found', message }); // prettier-ignore
      return;
    }
    const text = `this host (${host}) does not see it (${why}); where it lies elsewhere here, say so with --map`;
    const unseen = { ...before, hosts, times: before.times + 1 };
    await this.giveBack(claim, { ...dump, unseen }, text, delayAfter(unseen.times));
  }

  /** Takes over what workers had that are not heard of any more. */
  private async takeOver(): Promise<void> {
    const now = Date.now();
    if (now - this.reaped < REAP_EVERY) return;
    this.reaped = now;
    for (const { claim, host } of await this.queue.lost()) {
      const { dump, then } = afterLoss(claim.dump, now);
      const why = `the worker on ${host} is not heard of any more`;
      try {
        if (then.kind === 'again') await this.giveBack(claim, dump, why, then.seconds);
        else await this.bury(claim, dump, { code: 'crashed', message: `${placeText(dump.place)}: ${dump.lost} workers were lost while they read it` }); // prettier-ignore
      } catch (error) {
        if (!(error instanceof Superseded)) throw error;
      }
    }
  }
}

const failureOf = (dump: QueuedDump, error: Failed['error']): FailureEntry => ({
  ...{ kind: 'failure', ...dump.place, at: new Date().toISOString(), fileId: dump.fileId },
  passed: isNoDump(dump, error.code),
  error,
});

/** Seconds until the next try; somewhat apart, so that what failed together does not come back together. */
const delayAfter = (times: number): number =>
  Math.round(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (times - 1)) * (0.5 + Math.random() / 2));
