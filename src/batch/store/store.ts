/**
 * The history as a database: PGlite, which is PostgreSQL in this process. It holds nothing that the journal does not, so a
 * store that is missing, damaged, older than the journal or of another version is simply made again. Loaded only for the
 * questions of `dumpleak history`: opening it takes a second.
 */

import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { removeTemporary } from '../../../parsers/files/remove.js';
import { errorCode, isHiddenOutOfFiles } from '../../../parsers/files/system-errors.js';
import { HistoryError } from '../journal/history-error.js';
import { damageText, History } from '../journal/history.js';
import { journalPath, readHead } from '../journal/journal.js';
import { Lock } from '../journal/lock.js';
import { overviewOf } from '../outputs/overview.js';
import { asCell, setState, stateOf, type Asked, type Table } from './engine.js';
import { fill, readerOf } from './fill.js';
import { migrate, MIGRATIONS, schemaVersion } from './schema.js';

/** How long to wait for another command that uses the store, in milliseconds. */
const PATIENCE = 60_000;

export class Store implements Asked {
  private constructor(
    private readonly database: PGlite,
    private readonly lock: Lock | null,
    /** What is to be said of damaged lines of the journal; null where there are none. */
    readonly damage: string | null,
  ) {}

  /**
   * Opens the store of the history in a folder, in line with its journal. In a folder that cannot be written to, the store
   * is made in memory. Throws HistoryError, also (`locked`) when another command does not let go of it.
   */
  static async open(folder: string): Promise<Store> {
    const place = join(folder, 'store');
    let lock: Lock | null = null;
    try {
      lock = await Lock.wait(join(folder, 'store.lock'), PATIENCE);
    } catch (error) {
      if (!isReadOnly(error)) throw error;
    }
    try {
      const database = await openDatabase(lock === null ? null : place, folder);
      const damaged = JSON.parse((await stateOf(database, 'damaged')) ?? '[]') as number[];
      return new Store(database, lock, damageText(journalPath(folder), damaged));
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /** Forgets the store of a folder; the next question makes it again. */
  static async remove(folder: string): Promise<void> {
    const lock = await Lock.wait(join(folder, 'store.lock'), PATIENCE);
    try {
      rmSync(join(folder, 'store'), { recursive: true, force: true, maxRetries: 5, retryDelay: 60 });
    } finally {
      lock.release();
    }
  }

  /** Asks a question; nothing can be changed by it. Throws HistoryError (`bad-question`). */
  async ask(question: string, values: readonly unknown[] = []): Promise<Table> {
    try {
      return await this.database.transaction(async (transaction) => {
        await transaction.exec('set transaction read only');
        const { fields, rows } = await transaction.query<unknown[]>(question, [...values], { rowMode: 'array' });
        return { columns: fields.map(({ name }) => name), rows: rows.map((row) => row.map(asCell)) };
      });
    } catch (error) {
      throw new HistoryError(
        'bad-question',
        `the database says: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  async close(): Promise<void> {
    await this.database.close();
    this.lock?.release();
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code));
}

/** The database's engine: an optional part, for it is larger than all the rest. Throws InputError where it is missing. */
async function loadEngine() {
  try {
    return await import('@electric-sql/pglite');
  } catch (error) {
    if (errorCode(error) !== 'ERR_MODULE_NOT_FOUND' || isHiddenOutOfFiles(error)) throw error;
    throw new InputError(
      'not-supported',
      'questions to a history need the optional package @electric-sql/pglite: install it beside dumpleak (npm install @electric-sql/pglite in its folder, with -g where dumpleak was installed so), or use the packed program, which has it. "dumpleak history export" needs it for --csv and --sql only',
    );
  }
}

/** `place` is null for a store in memory. */
async function openDatabase(place: string | null, folder: string): Promise<PGlite> {
  const { PGlite } = await loadEngine();
  if (place !== null) {
    // Twice: what is damaged, or is no folder, is made again. Where that cannot be, the store is for this question alone.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        mkdirSync(place, { recursive: true });
        return await bringUp(new PGlite(place), folder);
      } catch (error) {
        if (error instanceof HistoryError || error instanceof InputError) throw error;
        removeTemporary(place);
      }
    }
  }
  return bringUp(new PGlite(), folder);
}

async function bringUp(database: PGlite, folder: string): Promise<PGlite> {
  try {
    await database.waitReady;
    await database.transaction(async (transaction) => {
      // Made again by whoever called.
      if ((await schemaVersion(transaction)) > MIGRATIONS.length)
        throw new Error('the store was made by a newer dumpleak');
      await migrate(transaction);
    });
    const now = stateOfJournal(folder);
    if ((await stateOf(database, 'journal')) !== now) {
      const history = History.load(folder);
      await database.transaction(async (transaction) => {
        await fill(transaction, overviewOf(history), readerOf(history));
        await setState(transaction, 'damaged', JSON.stringify(history.damaged));
        await setState(transaction, 'journal', now);
      });
    }
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

/** What the journal is, as far as the store must know: which one, and how much of it. */
function stateOfJournal(folder: string): string {
  const path = journalPath(folder);
  return `${readHead(path)?.id ?? 'none'} ${statSync(path, { throwIfNoEntry: false })?.size ?? 0}`;
}
