/**
 * A PostgreSQL server, as the shared history uses it: a few connections, transactions that are tried again for a while where
 * the connection was lost, and errors in the user's words.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import { asCell, type Answer, type Asked, type Session, type Table } from '../engine.js';
import { HistoryError } from '../../journal/history-error.js';
import type { StoreAddress } from './address.js';
import { inWords, isLost, isPassing } from './failures.js';
import { parserOf } from './values.js';

/** Where the tables are. */
export const SCHEMA = 'dumpleak';

const SETTINGS = `set search_path to ${SCHEMA}; set timezone to 'UTC'; set datestyle to 'ISO'; set client_min_messages to warning`;

export interface ServerOptions {
  /** How long a lost connection is tried again, in milliseconds. */
  readonly patienceMs?: number | undefined;
  /** Most connections at once. */
  readonly size?: number | undefined;
}

const PATIENCE = 10_000;
const SIZE = 4;
/** For one connection to come about. */
const CONNECT = 10_000;
/** Between two tries. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** A transaction on the server. */
export interface ServerSession extends Session {
  /** The same as pg-boss asks it. */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[]; rowCount: number }>;
}

export class Server implements Asked {
  private constructor(
    private readonly pool: Pool,
    readonly address: StoreAddress,
    private readonly patience: number,
  ) {}

  /** Connects. Throws HistoryError: `unreachable` where nothing answers within the patience, `refused`. */
  static async open(
    address: StoreAddress,
    { patienceMs = PATIENCE, size = SIZE }: ServerOptions = {},
  ): Promise<Server> {
    const pg = await import('pg');
    const pool = new pg.Pool({
      ...address.config,
      ...{ max: size, connectionTimeoutMillis: CONNECT, keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
      idleTimeoutMillis: 30_000,
      types: { getTypeParser: parserOf(pg.types) },
    });
    // Said before anything else; it fails only with the connection.
    pool.on('connect', (client) => {
      client.query(SETTINGS).catch(() => undefined);
    });
    // Of connections that nobody uses just now: the next who needs one gets another.
    pool.on('error', () => undefined);
    const server = new Server(pool, address, patienceMs);
    try {
      await server.transaction(async (session) => session.query('select 1'));
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** Any statements; tried again only where they cannot have begun. Throws HistoryError, or the server's own error. */
  async executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[]; rowCount: number }> {
    const client = await this.persistently(async () => this.pool.connect());
    try {
      return await using(client, async () => plain(await client.query(text, values)));
    } catch (error) {
      throw inWords(error, this.address);
    }
  }

  /**
   * Does work in one transaction. Where the connection is lost or another transaction was in the way, all of it is done again,
   * so it must be work that can be. Throws HistoryError, and what the work throws.
   */
  async transaction<T>(work: (session: ServerSession) => Promise<T>): Promise<T> {
    return this.persistently(async () => {
      const client = await this.pool.connect();
      return using(client, async () => {
        await client.query('begin');
        try {
          const done = await work(sessionOf(client));
          await client.query('commit');
          return done;
        } catch (error) {
          await client.query('rollback').catch(() => undefined);
          throw error;
        }
      });
    });
  }

  async ask(question: string, values: readonly unknown[] = []): Promise<Table> {
    return this.persistently(async () => {
      const client = await this.pool.connect();
      return using(client, async () => {
        await client.query('begin read only');
        try {
          // From the first query on, nothing makes a transaction one that writes.
          await client.query('select 1');
          // Extended: one statement, so it cannot end the transaction and go on.
          const asked = { text: question, values: [...values], rowMode: 'array' as const, queryMode: 'extended' };
          const { fields, rows } = await client.query<unknown[]>(asked);
          return { columns: fields.map(({ name }) => name), rows: rows.map((row) => row.map(asCell)) };
        } catch (error) {
          if (isPassing(error)) throw error;
          throw new HistoryError('bad-question', `the database says: ${error instanceof Error ? error.message : String(error)}`); // prettier-ignore
        } finally {
          await client.query('rollback').catch(() => undefined);
        }
      });
    });
  }

  async close(): Promise<void> {
    await this.pool.end().catch(() => undefined);
  }

  private async persistently<T>(attempt: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.patience;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      try {
        return await attempt();
      } catch (error) {
        // Somewhat apart, so that many hosts do not come back at the same moment.
        const next = pause * (0.5 + Math.random());
        if (!isPassing(error) || performance.now() + next > end) throw inWords(error, this.address);
        await sleep(next);
      }
    }
  }
}

/** A connection for some work; one that broke is thrown away. */
async function using<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  let broken = false;
  // Told while a query runs, its answer fails as well; told in between, nobody else would hear it.
  const breaks = (): void => {
    broken = true;
  };
  client.on('error', breaks);
  try {
    return await work();
  } catch (error) {
    broken ||= isLost(error);
    throw error;
  } finally {
    client.off('error', breaks);
    client.release(broken);
  }
}

/** Of several statements the last answers. */
function plain(result: QueryResult | QueryResult[]): { rows: unknown[]; rowCount: number } {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return { rows: last?.rows ?? [], rowCount: last?.rowCount ?? 0 };
}

const sessionOf = (client: PoolClient): ServerSession => ({
  query: async <Row>(text: string, values: unknown[] = []): Promise<Answer<Row>> =>
    client.query(text, values) as Promise<Answer<unknown>> as Promise<Answer<Row>>,
  exec: async (text) => client.query(text),
  executeSql: async (text, values) => plain(await client.query(text, values)),
});
