/**
 * The queue of dumps that many hosts work on: what pg-boss does not say by itself. A dump is in it once, by its content. Who
 * takes one has a claim, which ends unless it is prolonged; whatever becomes of the dump ends the claim in the same
 * transaction, so that of two who think that they have it only one is right.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type PgBoss from 'pg-boss';
import { placeText } from '../inputs/entries.js';
import type { Known } from '../journal/history.js';
import { known } from '../store/server/entries.js';
import type { Server, ServerSession } from '../store/server/server.js';
import { DEAD, DUMPS, openBoss, QUEUE_SCHEMA } from './install.js';
import { jobId, type QueuedDump } from './queued-dump.js';

/** A dump that this worker has. */
export interface Claim {
  readonly id: string;
  readonly worker: string;
  readonly dump: QueuedDump;
}

/** What became of a dump, as it is kept for a while with its job. */
export interface Outcome {
  readonly kind: 'dump' | 'failure' | 'passed' | 'moved';
  readonly host: string;
  readonly leak?: boolean | null;
  readonly headline?: string;
  readonly elapsedMs?: number;
  readonly code?: string;
  readonly message?: string;
}

/** What putting a dump in came to: in the queue now, or there already (with its place), or known to the history. */
export type Put =
  | { readonly kind: 'queued' }
  | { readonly kind: 'waiting'; readonly place: string }
  | { readonly kind: 'known'; readonly known: Known };

/** Another has the dump by now: this one was taken for dead. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

export interface QueueOptions {
  /** So long a worker that is not heard of is taken for alive, in milliseconds. */
  readonly leaseMs?: number | undefined;
  /** Processes of this worker that read; 0 for one that only looks. */
  readonly jobs?: number | undefined;
}

const LEASE = 60_000;
/** Of finished jobs, those that are counted still stand in the queue for so long, in seconds. */
const SHOWN = 12 * 3600;
const MAINTENANCE_SECONDS = 60;
/** For the last word of a worker, in milliseconds. */
const GOODBYE = 3000;

export class DumpQueue {
  readonly worker = randomUUID();
  readonly host = hostname();

  private constructor(
    readonly server: Server,
    private readonly boss: PgBoss,
    private readonly options: QueueOptions,
  ) {}

  /** Throws HistoryError where the queue is not there and the role may not make it. */
  static async open(server: Server, options: QueueOptions = {}): Promise<DumpQueue> {
    const works = (options.jobs ?? 0) > 0;
    const kept = { archiveCompletedAfterSeconds: SHOWN, archiveFailedAfterSeconds: SHOWN, deleteAfterDays: 7 };
    const boss = await openBoss(server, { supervise: works, maintenanceIntervalSeconds: MAINTENANCE_SECONDS, ...kept });
    return new DumpQueue(server, boss, options);
  }

  /** Ends the worker's part; the server's connections stay. */
  async close(): Promise<void> {
    await this.boss.stop({ graceful: false });
    if ((this.options.jobs ?? 0) === 0) return;
    const gone = this.server.executeSql(`delete from ${QUEUE_SCHEMA}.worker where id = $1`, [this.worker]);
    // A server that is not there is not waited for: the entry ends by itself.
    await Promise.race([gone.catch(() => undefined), sleep(GOODBYE, undefined, { ref: false })]);
  }

  /** Puts dumps in that neither the queue nor the history has. `retry`: also those that could not be read before. */
  async put(dumps: readonly Omit<QueuedDump, 'ticket'>[], { retry = false } = {}): Promise<Put[]> {
    const ticket = randomUUID();
    return this.server.transaction(async (session) => {
      const ids = dumps.map(({ fileId }) => jobId(fileId));
      const before = await waiting(session, ids);
      const told = await known(
        session,
        dumps.map(({ fileId }) => fileId),
      );
      const wanted = dumps.filter(({ fileId, again }, i) => {
        const found = told.get(fileId);
        return !before.has(ids[i] ?? '') && (found === undefined || again || (found === 'failure' && retry));
      });
      const wantedIds = wanted.map(({ fileId }) => jobId(fileId));
      if (wanted.length > 0) {
        const db = asDatabase(session);
        await session.query(
          `delete from ${QUEUE_SCHEMA}.job where name in ('${DUMPS}', '${DEAD}') and id = any($1::uuid[]) and
             (name = '${DEAD}' or state > 'active')`,
          [wantedIds],
        );
        await this.boss.insert(
          wanted.map((dump, i) => jobOf(wantedIds[i] ?? '', { ...dump, ticket })),
          { db },
        );
      }
      const now = await waiting(session, ids);
      return dumps.map(({ fileId }, i): Put => {
        const job = now.get(ids[i] ?? '');
        const knownAs = told.get(fileId);
        if (job?.ticket === ticket) return { kind: 'queued' };
        if (job !== undefined) return { kind: 'waiting', place: placeText(job.place) };
        return knownAs === undefined ? { kind: 'queued' } : { kind: 'known', known: knownAs };
      });
    });
  }

  /** Takes up to so many dumps. */
  async take(count: number): Promise<Claim[]> {
    return this.server.transaction(async (session) => {
      const jobs = await this.fetch(session, count);
      if (jobs.length > 0) {
        await session.query(
          `insert into ${QUEUE_SCHEMA}.claim (job, worker, until)
             select job, $2, now() + $3 * interval '1 ms' from unnest($1::uuid[]) as job
           on conflict (job) do update set worker = excluded.worker, taken = now(), until = excluded.until`,
          [jobs.map(({ id }) => id), this.worker, this.lease],
        );
      }
      return jobs.map(({ id, data }) => ({ id, worker: this.worker, dump: data }));
    });
  }

  /** pg-boss keeps to itself what taking jobs fails with. */
  private async fetch(session: ServerSession, count: number): Promise<PgBoss.Job<QueuedDump>[]> {
    const errors: unknown[] = [];
    const executeSql = async (text: string, values: unknown[]) => {
      try {
        return await session.executeSql(text, values);
      } catch (error) {
        errors.push(error);
        throw error;
      }
    };
    const jobs = await this.boss.fetch<QueuedDump>(DUMPS, { batchSize: count, db: { executeSql } });
    if (errors.length > 0) throw errors[0];
    return jobs;
  }

  /** Tells that this worker lives, and prolongs its claims. */
  async beat(): Promise<void> {
    await this.server.transaction(async (session) => {
      const values = [this.worker, this.lease];
      await session.query(
        `update ${QUEUE_SCHEMA}.claim set until = now() + $2 * interval '1 ms' where worker = $1`,
        values,
      );
      await session.query(
        `insert into ${QUEUE_SCHEMA}.worker (id, host, pid, jobs, until) values ($1, $3, $4, $5, now() + $2 * interval '1 ms')
         on conflict (id) do update set until = excluded.until`,
        [...values, this.host, process.pid, this.options.jobs ?? 0],
      );
      await session.query(`delete from ${QUEUE_SCHEMA}.worker where until < now() - interval '1 hour'`);
    });
  }

  /** The dump is done. To be called within the transaction that keeps its result. Throws Superseded. */
  async complete(session: ServerSession, claim: Claim, outcome: Outcome): Promise<void> {
    const ours = { ...outcome, worker: claim.worker };
    if (!(await endClaim(session, claim))) {
      // The commit may have come through though its answer did not.
      const job = await this.boss.getJobById(DUMPS, claim.id, { db: asDatabase(session), includeArchive: false });
      const done = job?.state === 'completed' ? (job.output as { worker?: string } | null) : null;
      if (done?.worker === claim.worker) return;
      throw new Superseded();
    }
    await this.boss.complete(DUMPS, claim.id, ours, { db: asDatabase(session) });
  }

  /** Gives a dump back, as it is now, for later. Throws Superseded. */
  async giveBack(claim: Claim, dump: QueuedDump, delaySeconds: number): Promise<void> {
    await this.server.transaction(async (session) => {
      if (!(await endClaim(session, claim))) {
        // As above: it is there again, or another has it.
        throw new Superseded();
      }
      const db = asDatabase(session);
      await this.boss.deleteJob(DUMPS, claim.id, { db });
      await this.boss.insert([{ ...jobOf(claim.id, dump), startAfter: String(delaySeconds) }], { db });
    });
  }

  /** Puts a dump among the dead letters. To be called within the transaction that keeps why. Throws Superseded. */
  async bury(session: ServerSession, claim: Claim, dump: QueuedDump, why: string): Promise<void> {
    if (!(await endClaim(session, claim))) throw new Superseded();
    const db = asDatabase(session);
    await this.boss.deleteJob(DUMPS, claim.id, { db });
    await this.boss.deleteJob(DEAD, claim.id, { db });
    await this.boss.insert([{ id: claim.id, name: DEAD, data: { ...dump, why } }], { db });
  }

  /** Dumps of workers that are not heard of any more, as if this one had them: whoever ends the claim first is right. */
  async lost(): Promise<{ claim: Claim; host: string }[]> {
    const { rows } = await this.server.executeSql(
      `select c.job as id, c.worker, j.data as dump, coalesce(w.host, '?') as host from ${QUEUE_SCHEMA}.claim c
         join ${QUEUE_SCHEMA}.job j on j.id = c.job and j.name = '${DUMPS}' and j.state = 'active'
         left join ${QUEUE_SCHEMA}.worker w on w.id = c.worker
       where c.until < now() limit 100`,
    );
    return (rows as (Claim & { host: string })[]).map(({ host, ...claim }) => ({ claim, host }));
  }

  /** Dumps that are not done, and those of them that nobody reads and this host has looked for in vain. */
  async remaining(): Promise<{ left: number; unseen: number }> {
    const { rows } = await this.server.executeSql(
      `select count(*)::int as left, (count(*) filter (where state < 'active' and data -> 'unseen' -> 'hosts' ? $1))::int as unseen
       from ${QUEUE_SCHEMA}.job where name = '${DUMPS}' and state <= 'active'`,
      [this.host],
    );
    return (rows as { left: number; unseen: number }[])[0] ?? { left: 0, unseen: 0 };
  }

  private get lease(): number {
    return this.options.leaseMs ?? LEASE;
  }
}

/** The jobs that are not finished, of these. */
async function waiting(session: ServerSession, ids: readonly string[]): Promise<Map<string, QueuedDump>> {
  const { rows } = await session.query<{ id: string; data: QueuedDump }>(
    `select id, data from ${QUEUE_SCHEMA}.job where name = '${DUMPS}' and id = any($1::uuid[]) and state <= 'active'`,
    [ids],
  );
  return new Map(rows.map(({ id, data }) => [id, data]));
}

const jobOf = (id: string, dump: QueuedDump): PgBoss.JobInsert<QueuedDump> => ({ id, name: DUMPS, data: dump });

/** False where it is not this worker's any more. */
async function endClaim(session: ServerSession, { id, worker }: Claim): Promise<boolean> {
  const { rows } = await session.query(
    `delete from ${QUEUE_SCHEMA}.claim where job = $1 and worker = $2 returning job`,
    [id, worker],
  );
  return rows.length > 0;
}

const asDatabase = (session: ServerSession): PgBoss.Db => ({
  executeSql: async (text: string, values: unknown[]) => session.executeSql(text, values),
});
