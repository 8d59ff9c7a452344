/**
 * The queue's place in the database: pg-boss's schema with its two queues, and beside them who works on what. Jobs are claimed
 * for a while, and the claim is prolonged as long as the worker lives.
 */

import type PgBoss from 'pg-boss';
import { HistoryError } from '../journal/history-error.js';
import { lock } from '../store/server/entries.js';
import type { Server } from '../store/server/server.js';

export const QUEUE_SCHEMA = 'dumpleak_queue';
/** Names of queues. */
export const DUMPS = 'dumps';
export const DEAD = 'dead-letters';

const TABLES = `
  create table if not exists ${QUEUE_SCHEMA}.claim
    (job uuid primary key, worker uuid not null, taken timestamptz not null default now(), until timestamptz not null);
  create table if not exists ${QUEUE_SCHEMA}.worker
    (id uuid primary key, host text not null, pid integer not null, jobs integer not null,
     started timestamptz not null default now(), until timestamptz not null)`;

/** Ten years: what nobody has come to yet must not be forgotten. */
const KEPT_MINUTES = 3650 * 24 * 60;
/** What a worker does not end by itself ends after these; a claim that is not prolonged ends long before. */
const LONGEST_SECONDS = 23 * 3600;

/** pg-boss on the server's connections. */
export async function bossOf(server: Server, options: PgBoss.ConstructorOptions): Promise<PgBoss> {
  const { default: Boss } = await import('pg-boss');
  // Within a transaction: what fails halfway leaves no connection behind that has one open.
  const executeSql = async (text: string, values: unknown[]) =>
    server.transaction(async (session) => session.executeSql(text, values));
  const boss = new Boss({ schema: QUEUE_SCHEMA, db: { executeSql }, schedule: false, ...options });
  // What it does by itself it tries again; whoever needs the server hears of a failure from it.
  boss.on('error', () => undefined);
  return boss;
}

/** Makes the queue where it is not there, or brings it up to date. Two at once do it once. Throws HistoryError. */
export async function installQueue(server: Server): Promise<void> {
  await server.transaction(async (session) => {
    await lock(session, 'schema');
    const boss = await bossOf(server, { supervise: false, migrate: true });
    try {
      await boss.start();
      const kept = { retentionMinutes: KEPT_MINUTES };
      await boss.createQueue(DEAD, { name: DEAD, policy: 'standard', retryLimit: 0, ...kept });
      await boss.createQueue(DUMPS, {
        ...{ name: DUMPS, policy: 'standard', deadLetter: DEAD, expireInSeconds: LONGEST_SECONDS, ...kept },
        ...{ retryLimit: 2, retryDelay: 30, retryBackoff: true },
      });
      // In a transaction that began after the schema was there: one that looked for it before goes on not to see it.
      await server.transaction(async (later) => later.exec(TABLES));
    } finally {
      await boss.stop({ graceful: false });
    }
  });
}

/** The queue, ready; made or brought up to date where the role may. Throws HistoryError (`refused`, `not-supported`). */
export async function openBoss(server: Server, options: PgBoss.ConstructorOptions): Promise<PgBoss> {
  const boss = await bossOf(server, { migrate: false, ...options });
  if (!(await isReady(server, boss))) {
    try {
      await installQueue(server);
    } catch (error) {
      if (!(error instanceof HistoryError) || error.code !== 'refused') throw error;
      throw new HistoryError('refused', `${server.address.words}: it holds no queue of this version, and this role may not make it: the owner does it with "dumpleak store init". ${error.message}`); // prettier-ignore
    }
  }
  try {
    return await boss.start();
  } catch (error) {
    if (error instanceof HistoryError || !(error instanceof Error)) throw error;
    throw new HistoryError('not-supported', `${server.address.words}: its queue is of a newer version of dumpleak`);
  }
}

async function isReady(server: Server, boss: PgBoss): Promise<boolean> {
  const { rows } = await server.executeSql(`select to_regclass('${QUEUE_SCHEMA}.worker')::text as name`);
  if (((rows[0] as { name: string | null } | undefined)?.name ?? null) === null) return false;
  try {
    await boss.start();
    return true;
  } catch (error) {
    if (error instanceof HistoryError) throw error;
    return false;
  }
}
