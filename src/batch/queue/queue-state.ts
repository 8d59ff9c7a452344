/** What stands in the queue, and what its owner does with it: again, or not at all. */

import { placeText } from '../inputs/entries.js';
import type { Server, ServerSession } from '../store/server/server.js';
import { DEAD, DUMPS, QUEUE_SCHEMA } from './install.js';
import type { QueuedDump } from './queued-dump.js';

export interface QueueCounts {
  /** Can be taken now. */
  readonly waiting: number;
  /** Wait for their next try. */
  readonly delayed: number;
  /** Of both, those that a host did not see. */
  readonly unseen: number;
  readonly reading: number;
  readonly dead: number;
  /** Seconds since the one was put in that waits longest; null where none does. */
  readonly oldestSeconds: number | null;
}

/** Of dumps that were done in the last hours. */
export interface DoneCounts {
  readonly leak: number;
  readonly noLeak: number;
  readonly undecided: number;
  readonly failed: number;
  readonly passed: number;
}

export interface WorkerState {
  readonly host: string;
  readonly pid: number;
  readonly jobs: number;
  readonly reading: number;
  /** ISO 8601. */
  readonly started: string;
}

export interface DeadLetter {
  readonly id: string;
  readonly dump: string;
  readonly why: string;
  readonly deaths: readonly string[];
  readonly lost: number;
  /** Since when it is one, ISO 8601. */
  readonly at: string;
}

export interface QueueState {
  readonly queue: QueueCounts;
  readonly done: DoneCounts;
  /** Not more than are asked for; `queue.dead` counts all. */
  readonly deadLetters: readonly DeadLetter[];
  readonly workers: readonly WorkerState[];
}

export async function queueCounts(server: Server): Promise<QueueCounts> {
  const [counts] = await ask<QueueCounts>(
    server,
    `select (count(*) filter (where state < 'active' and start_after <= now()))::int as waiting,
       (count(*) filter (where state < 'active' and start_after > now()))::int as delayed,
       (count(*) filter (where state < 'active' and data -> 'unseen' <> 'null'))::int as unseen,
       (count(*) filter (where state = 'active'))::int as reading,
       (select count(*)::int from ${QUEUE_SCHEMA}.job where name = '${DEAD}') as dead,
       extract(epoch from now() - min(created_on) filter (where state < 'active'))::float8 as "oldestSeconds"
     from ${QUEUE_SCHEMA}.job where name = '${DUMPS}' and state <= 'active'`,
  );
  return counts ?? { waiting: 0, delayed: 0, unseen: 0, reading: 0, dead: 0, oldestSeconds: null };
}

/** Since a time (ISO 8601), or all that still stand there. */
export async function doneCounts(server: Server, since: string | null = null): Promise<DoneCounts> {
  const [counts] = await ask<DoneCounts>(
    server,
    `select (count(*) filter (where output ->> 'kind' = 'dump' and output ->> 'leak' = 'true'))::int as leak,
       (count(*) filter (where output ->> 'kind' = 'dump' and output ->> 'leak' = 'false'))::int as "noLeak",
       (count(*) filter (where output ->> 'kind' = 'dump' and output ->> 'leak' is null))::int as undecided,
       (count(*) filter (where output ->> 'kind' in ('failure', 'moved')))::int as failed,
       (count(*) filter (where output ->> 'kind' = 'passed'))::int as passed
     from ${QUEUE_SCHEMA}.job
     where name = '${DUMPS}' and state = 'completed' and ($1::timestamptz is null or completed_on >= $1)`,
    [since],
  );
  return counts ?? { leak: 0, noLeak: 0, undecided: 0, failed: 0, passed: 0 };
}

export async function workersOf(server: Server): Promise<WorkerState[]> {
  const rows = await ask<Omit<WorkerState, 'started'> & { started: Date }>(
    server,
    `select w.host, w.pid, w.jobs, w.started, count(c.job)::int as reading from ${QUEUE_SCHEMA}.worker w
       left join ${QUEUE_SCHEMA}.claim c on c.worker = w.id
     where w.until > now() group by w.id order by w.host, w.started`,
  );
  return rows.map((row) => ({ ...row, started: row.started.toISOString() }));
}

export async function deadLetters(server: Server, most: number): Promise<DeadLetter[]> {
  const rows = await ask<{ id: string; data: QueuedDump & { why?: string }; output: unknown; at: Date }>(
    server,
    `select id, data, output, created_on as at from ${QUEUE_SCHEMA}.job where name = '${DEAD}'
     order by created_on desc, id limit $1`,
    [most],
  );
  return rows.map(({ id, data, output, at }) => {
    const { why = textOf(output), deaths, lost } = data;
    return { id, dump: placeText(data.place), why, deaths, lost, at: at.toISOString() };
  });
}

/** Of those that the queue itself gave up, it has only what it says. */
const textOf = (output: unknown): string => (output === null ? 'not said' : JSON.stringify(output));

export async function queueState(server: Server, mostDead: number): Promise<QueueState> {
  return {
    queue: await queueCounts(server),
    done: await doneCounts(server),
    deadLetters: await deadLetters(server, mostDead),
    workers: await workersOf(server),
  };
}

/** Which dumps: by a part of their place or by the id of a dead letter; null for all. */
export type Chosen = readonly string[] | null;

const CHOSEN = `($1::text[] is null or id::text = any($1) or exists
  (select from unnest($1::text[]) word where position(word in
     coalesce(data -> 'place' ->> 'path', '') || coalesce('/' || (data -> 'place' ->> 'member'), '')) > 0))`;

/** Puts dead letters back into the queue, and has dumps tried now that wait for their next try. Gives their places. */
export async function retryDumps(server: Server, chosen: Chosen): Promise<string[]> {
  return server.transaction(async (session) => {
    const { rows } = await session.query<{ id: string; data: QueuedDump & { why?: string } }>(
      `delete from ${QUEUE_SCHEMA}.job where name = '${DEAD}' and ${CHOSEN} returning id, data`,
      [chosen],
    );
    for (const { id, data } of rows) {
      const dump = { ...data, deaths: [], lost: 0, unseen: null };
      delete dump.why;
      await putBack(session, id, dump);
    }
    const { rows: delayed } = await session.query<{ data: QueuedDump }>(
      `update ${QUEUE_SCHEMA}.job set start_after = now()
       where name = '${DUMPS}' and state < 'active' and start_after > now() and ${CHOSEN} returning data`,
      [chosen],
    );
    return [...rows, ...delayed].map(({ data }) => placeText(data.place));
  });
}

/** As the queue has its jobs; what it knows of this one by now is of the past. */
async function putBack(session: ServerSession, id: string, dump: QueuedDump): Promise<void> {
  await session.query(`delete from ${QUEUE_SCHEMA}.job where name = '${DUMPS}' and id = $1 and state > 'active'`, [id]);
  await session.query(
    `insert into ${QUEUE_SCHEMA}.job (id, name, data, retry_limit, retry_delay, retry_backoff, expire_in, keep_until, dead_letter, policy)
       select $1, name, $2::jsonb, retry_limit, retry_delay, retry_backoff, expire_seconds * interval '1 s',
         now() + retention_minutes * interval '1 min', dead_letter, policy
       from ${QUEUE_SCHEMA}.queue where name = '${DUMPS}' on conflict do nothing`,
    [id, JSON.stringify(dump)],
  );
}

/** Takes dumps out of the queue that nobody reads; or dead letters. Gives their places. */
export async function cancelDumps(server: Server, chosen: Chosen, dead: boolean): Promise<string[]> {
  const which = dead ? `name = '${DEAD}'` : `name = '${DUMPS}' and state < 'active'`;
  const rows = await server.transaction(async (session) => {
    const answer = await session.query<{ data: QueuedDump }>(
      `delete from ${QUEUE_SCHEMA}.job where ${which} and ${CHOSEN} returning data`,
      [chosen],
    );
    return answer.rows;
  });
  return rows.map(({ data }) => placeText(data.place));
}

async function ask<Row>(server: Server, text: string, values: unknown[] = []): Promise<Row[]> {
  const { rows } = await server.executeSql(text, values);
  return rows as Row[];
}
