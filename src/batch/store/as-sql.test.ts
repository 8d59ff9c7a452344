import type { PGlite } from '@electric-sql/pglite';
import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dumpEntry, failureEntry } from '../inputs/entries.test.helper.js';
import { Journal } from '../journal/journal.js';
import { asSql } from './as-sql.js';
import { OWN_TABLES } from './schema.js';
import { Store } from './store.js';

interface Panel {
  title: string;
  type: string;
  targets: { rawSql: string; format: string }[];
}
interface Dashboard {
  panels: Panel[];
  templating: { list: { name: string; query: string; type: string }[] };
}

const DASHBOARD = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../../docs/grafana-dashboard.json', import.meta.url)), 'utf8'),
) as Dashboard;

/** What Grafana puts in for its macros and for All of a variable. */
const asGrafana = (sql: string): string =>
  sql
    .replace(/\$__timeFilter\(([\w.]+)\)/g, "$1 between '2000-01-01' and '2100-01-01'")
    .replace(/\$\{tag:sqlstring\}/g, "'Leak','o''k '");

describe('a history as SQL for a server', function () {
  this.timeout(120_000);
  let folder = '';
  let store: Store;
  /** The database below the store, which stands in for a server: its schema `public` holds what was exported. */
  let server: PGlite;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dumpleak-sql-'));
    const journal = Journal.open(folder);
    for (const entry of [
      dumpEntry('/s/1.dmp', { id: 'aaaa1111', bytes: 100_000_000, systemTime: '2026-03-01T00:00:00.000Z' }),
      dumpEntry("/s/o'k\\'; drop table x;--\n.dmp", {
        id: 'aaaa2222',
        bytes: 200_000_000,
        tag: "o'k ",
        systemTime: '2026-03-02T00:00:00.000Z',
      }),
      failureEntry('/s/bad.dmp'),
    ]) {
      journal.append(entry);
    }
    journal.close();
    store = await Store.open(folder);
    let sql = '';
    for await (const part of asSql(store)) sql += part;
    server = (store as unknown as { database: PGlite }).database;
    // Twice: the second time takes the place of the first.
    await server.exec(sql);
    await server.exec(sql);
  });
  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has all rows of all tables, and texts as they are', async () => {
    const { rows: tables } = await server.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> all($1)`,
      [OWN_TABLES],
    );
    expect(tables).to.have.length(9);
    for (const { name } of tables) {
      const { rows: found } = await server.query<{ same: boolean; count: string }>(
        `select count(*) as count, count(*) = (select count(*) from public.${name}) as same from dumpleak.${name}`,
      );
      expect(found[0]!.same, name).to.equal(true);
      expect(Number(found[0]!.count), name).to.be.greaterThan(0);
    }
    const { rows } = await server.query<{ place: string }>(`select place from dumpleak.dumps where id = 'aaaa2222'`);
    expect(rows[0]!.place).to.equal("/s/o'k\\'; drop table x;--\n.dmp");
  });

  it('is what the Grafana dashboard asks: every panel gives rows', async () => {
    expect(DASHBOARD.panels.length).to.be.greaterThan(8);
    for (const { title, targets } of DASHBOARD.panels) {
      for (const { rawSql, format } of targets) {
        const { rows, fields } = await server.query<Record<string, unknown>>(asGrafana(rawSql));
        expect(rows.length, title).to.be.greaterThan(0);
        if (format === 'time_series') {
          expect(
            fields.map(({ name }) => name),
            title,
          ).to.deep.equal(['time', 'metric', 'value']);
          for (const row of rows) expect(Number(row['value']), title).to.be.greaterThan(0);
        }
      }
    }
    for (const { type, query } of DASHBOARD.templating.list) {
      if (type === 'query') expect((await server.query(query)).rows.length).to.equal(2);
    }
  });
});
