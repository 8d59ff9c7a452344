/**
 * A history that many hosts share, on a PostgreSQL server. Its lines are the truth, as those of a journal are; the tables for
 * questions follow from them. What is appended costs the same however many dumps there are.
 */

import { HistoryError } from '../../journal/history-error.js';
import type { History, Known } from '../../journal/history.js';
import type { Overview } from '../../outputs/overview.js';
import { setState, type Asked, type Table } from '../engine.js';
import { checkVersion, migrate, MIGRATIONS, schemaVersion } from '../schema.js';
import type { StoreAddress } from './address.js';
import { bringUp, isUp, overviewOn, Refused } from './bring-up.js';
import {
  append,
  known,
  lastSequence,
  loadHistory,
  lock,
  pack,
  readEntries,
  tryLock,
  type AppendOptions,
  type Item,
} from './entries.js';
import { chooseKey, type AskedKey } from './redaction.js';
import { SCHEMA, Server, type ServerOptions, type ServerSession } from './server.js';
import type { DumpEntry } from '../../inputs/entries.js';
import type { DumpRecord } from '../../journal/history.js';

export type { Item } from './entries.js';

/** Sequence that the tables are in line with where they are in line with nothing. */
const NOTHING = '-1';

/** What stands in the history, without the tables. */
export interface SharedCounts {
  dumps: number;
  failures: number;
  copies: number;
  /** All lines, also those that later ones took the place of. */
  entries: number;
}

export class SharedHistory implements Asked {
  /** What the history is as to names: undefined while nobody said. */
  private mark: string | undefined;

  private constructor(readonly server: Server) {}

  /**
   * Connects and brings the tables up to this version where the role may. Throws HistoryError: `unreachable`, `refused`,
   * `not-supported` for tables of a newer dumpleak.
   */
  static async open(address: StoreAddress, options?: ServerOptions): Promise<SharedHistory> {
    const server = await Server.open(address, options);
    try {
      await prepareSchema(server);
      return new SharedHistory(server);
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /**
   * The key of pseudonyms; null for a history with names. `asked` is what the user wants: null for no redaction, a key, or `own`
   * for the history's own, which is kept in the database for workers alone. To be asked before anything is appended. Throws
   * HistoryError (`other-key`) where the history is of another kind or another key.
   */
  async redaction(asked: AskedKey): Promise<Uint8Array | null> {
    return this.server.transaction(async (session) => {
      await lock(session, 'append');
      const { key, mark } = await chooseKey(session, asked, this.server.address.words);
      this.mark = mark;
      return key;
    });
  }

  /** As `History.known`, for many files; those to be read are left out. */
  async known(fileIds: readonly string[]): Promise<Map<string, Known>> {
    return this.server.transaction(async (session) => known(session, fileIds));
  }

  /**
   * Puts in one item, in one transaction with what `within` does, which is done also where the item is known. A result that comes
   * twice, by its token or for a dump that is known, is taken once. Throws HistoryError.
   */
  async append(
    item: Item,
    options: AppendOptions & { readonly within?: ((session: ServerSession) => Promise<void>) | undefined } = {},
  ): Promise<'written' | 'known'> {
    const packed = 'line' in item ? { packed: pack(item.line), note: item.note } : item;
    return this.server.transaction(async (session) => {
      // First what may wait for other jobs: the lock that all hosts want is held for as short as can be.
      await options.within?.(session);
      return (await append(session, packed, this.mark, options)) ? 'written' : 'known';
    });
  }

  /**
   * Brings the tables in line with what was appended. Without `wait`, false where somebody else does just that. Throws HistoryError.
   */
  async bringUp({ wait = true }: { readonly wait?: boolean } = {}): Promise<boolean> {
    for (;;) {
      try {
        return await this.server.transaction(async (session) => {
          if (await isUp(session)) return true;
          if (wait) await lock(session, 'fill');
          else if (!(await tryLock(session, 'fill'))) return false;
          if (!(await isUp(session))) await bringUp(session, this.server.address.words);
          return true;
        });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        await this.setAside(error);
      }
    }
  }

  /**
   * The same for whoever asks: a role that may only read asks the tables as they are. Gives what is to be said of them.
   */
  async bringUpForReading(): Promise<string[]> {
    const { rows } = await this.server.transaction(async (session) =>
      session.query<{ may: boolean; behind: number }>(
        `select has_table_privilege('dumps', 'insert') and not pg_is_in_recovery() as may,
           (select count(*) from entries where sequence > coalesce((select value::bigint from state where key = 'journal'), 0)) as behind`,
      ),
    );
    const { may, behind } = rows[0] ?? { may: false, behind: 0 };
    const notes: string[] = [];
    if (may) await this.bringUp();
    else if (behind > 0) {
      notes.push(`${behind} results are not in the tables yet, and this role may not bring them there: a worker does`);
    }
    const damage = await this.damage();
    return damage === null ? notes : [...notes, damage];
  }

  private async setAside({ lines }: Refused): Promise<void> {
    await this.server.transaction(async (session) => {
      for (const { sequence, why } of lines) {
        await session.query('update entries set refused = $2 where sequence = $1', [sequence, why]);
      }
    });
  }

  /** What is to be said of lines that the tables could not take; null where there are none. */
  async damage(): Promise<string | null> {
    const { rows } = await this.server.transaction(async (session) =>
      session.query<{ count: number; why: string }>(
        'select count(*) as count, min(refused) as why from entries where refused is not null',
      ),
    );
    const [{ count, why } = { count: 0, why: '' }] = rows;
    return count === 0 ? null : `${this.server.address.words}: ${count} results are set aside, for the tables cannot take them (${why})`; // prettier-ignore
  }

  async counts(): Promise<SharedCounts> {
    const { rows } = await this.server.transaction(async (session) =>
      session.query<SharedCounts>(
        `select count(distinct file_key) filter (where kind = 'dump') as dumps,
           count(*) filter (where kind = 'failure') as failures, count(*) filter (where kind = 'copy') as copies, count(*) as entries
         from entries`,
      ),
    );
    return rows[0] ?? { dumps: 0, failures: 0, copies: 0, entries: 0 };
  }

  /** The history in memory, as its lines tell it now. */
  async load(): Promise<History> {
    return this.server.transaction(async (session) =>
      loadHistory(session, this.server.address.words, await lastSequence(session)),
    );
  }

  /** The history as a whole, for the pages. */
  async overview(): Promise<Overview> {
    const history = await this.load();
    return this.server.transaction(async (session) => (await overviewOn(session, history)).overview);
  }

  /** The lines of some dumps; null for one that is gone. */
  async read(records: readonly Pick<DumpRecord, 'offset'>[]): Promise<(DumpEntry | null)[]> {
    return this.server.transaction(async (session) => readEntries(session, records));
  }

  async ask(question: string, values?: readonly unknown[]): Promise<Table> {
    return this.server.ask(question, values);
  }

  /** Takes dumps out of the history, and with them the copies that were seen of them. Gives the dumps that went. */
  async remove(choose: (history: History) => readonly DumpRecord[]): Promise<DumpRecord[]> {
    const gone = await this.server.transaction(async (session) => {
      await lock(session, 'append');
      await lock(session, 'fill');
      const { words } = this.server.address;
      const history = await loadHistory(session, words, await lastSequence(session));
      const chosen = [...choose(history)];
      if (chosen.length === 0) return [];
      await session.query('delete from entries where sequence = any($1)', [history.linesOf(chosen)]);
      await setState(session, 'journal', NOTHING);
      return chosen;
    });
    if (gone.length > 0) await this.bringUp();
    return gone;
  }

  /** Forgets the tables and makes them again. */
  async rebuild(): Promise<void> {
    await this.server.transaction(async (session) => {
      await lock(session, 'fill');
      for (const table of ['dumps', 'drivers', 'groups', 'machines', 'failures'])
        await session.exec(`delete from ${table}`);
      await session.exec('update entries set refused = null where refused is not null');
      await setState(session, 'growth', '{}');
      await setState(session, 'journal', NOTHING);
    });
    await this.bringUp();
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}

/**
 * Brings the tables up to this version; two at once do it once. Throws HistoryError: `refused` for a role that may not,
 * `not-supported` for tables of a newer dumpleak.
 */
export async function prepareSchema(server: Server): Promise<void> {
  const version = await server.transaction(schemaVersion);
  checkVersion(version);
  if (version === MIGRATIONS.length) return;
  try {
    await server.transaction(async (session) => {
      await lock(session, 'schema');
      const { rows } = await session.query(`select from pg_namespace where nspname = $1`, [SCHEMA]);
      if (rows.length === 0) await session.exec(`create schema ${SCHEMA}`);
      await migrate(session);
    });
  } catch (error) {
    if (!(error instanceof HistoryError) || error.code !== 'refused') throw error;
    const state =
      version === 0
        ? 'it holds no history, or none that this role may see'
        : `its tables are of an older version (${version})`;
    throw new HistoryError('refused', `${server.address.words}: ${state}, and this role may not make tables: the owner does it with "dumpleak store init". ${error.message}`); // prettier-ignore
  }
}
