/** Brings the tables of a store in line with a history. */

import type { Transaction } from '@electric-sql/pglite';
import type { PoolCounters } from '../../result/result.js';
import type { DumpEntry } from '../inputs/entries.js';
import type { History } from '../journal/history.js';
import { shortHash } from '../machines.js';
import { overviewOf, type Overview } from '../outputs/overview.js';

/** Dumps that are put in by one statement. */
const AT_ONCE = 50;

/**
 * Puts in what is new, takes out what is gone or was read again. Machines, groups and failures follow from all dumps, so
 * those tables are written anew.
 */
export async function fill(store: Transaction, history: History): Promise<void> {
  const overview = overviewOf(history);
  const { records, machineOf } = overview;
  const { rows } = await store.query<{ id: string; journal_offset: string | number }>(
    'select id, journal_offset from dumps',
  );
  const stored = new Map(rows.map(({ id, journal_offset: offset }) => [id, Number(offset)]));
  const fresh = records.filter(({ id, offset }) => stored.get(id) !== offset);
  const current = new Set(records.map(({ id }) => id));
  const gone = [...stored.keys()].filter((id) => !current.has(id));
  await store.query('delete from dumps where id = any($1)', [[...gone, ...fresh.map(({ id }) => id)]]);
  for (const table of ['group_dumps', 'groups', 'failures', 'machines']) await store.exec(`delete from ${table}`);
  for (let i = 0; i < fresh.length; i += AT_ONCE) {
    const some = fresh.slice(i, i + AT_ONCE);
    const entries = some.flatMap((record) => {
      const entry = history.entryOf(record);
      return entry === null ? [] : [{ record, entry }];
    });
    await insert(store, 'dumps', entries.map(({ record, entry }) => ({ ...dumpRow(entry), place: record.place, places: record.places, journal_offset: record.offset, journal_length: record.length }))); // prettier-ignore
    await insert(
      store,
      'tag_rows',
      entries.flatMap(({ entry }) => tagRows(entry)),
    );
    await insert(store, 'suspects', entries.flatMap(({ record }) => record.summary.suspects.map((suspect, position) => suspectRow(record.id, position, suspect)))); // prettier-ignore
    await insertDrivers(store, entries.map(({ entry }) => entry)); // prettier-ignore
  }
  await fillDerived(store, overview);
  const of = records.map(({ id, place, places }) => ({ id, machine: machineOf.get(id) ?? null, place, places }));
  await store.query(
    `update dumps set machine_id = x.machine, place = x.place, places = x.places
     from jsonb_to_recordset($1::jsonb) as x(id text, machine text, place text, places jsonb) where dumps.id = x.id`,
    [JSON.stringify(of)],
  );
  await store.exec('delete from drivers where id not in (select driver_id from dump_drivers)');
}

async function fillDerived(store: Transaction, { machines, groups, failures }: Overview): Promise<void> {
  await insert(
    store,
    'machines',
    machines.map(({ id, name, dumps, firstSeen, lastSeen }) => {
      return { id, name, dumps, first_seen: firstSeen, last_seen: lastSeen };
    }),
  );
  await insert(
    store,
    'groups',
    groups.map(({ growth, ...group }, position) => ({
      ...{ id: group.id, position, tag: group.tag, pool: group.pool, driver: group.driver, process: group.process },
      ...{ driver_version: group.driverVersion, company: group.company, confidence: group.confidence },
      ...{ bytes: group.bytes, dumps: group.dumps.length, machines: group.machines.length },
      ...{ first_seen: group.firstSeen, last_seen: group.lastSeen },
      ...{ growth_machine: growth?.machine ?? null, growth_judgement: growth?.judgement ?? null },
      ...{ growth_per_hour: growth?.perHour ?? null, growth_points: growth?.points ?? null },
    })),
  );
  await insert(
    store,
    'group_dumps',
    groups.flatMap(({ id, dumps }) => dumps.map((dump, position) => ({ group_id: id, dump_id: dump, position }))),
  );
  await insert(store, 'failures', failures);
}

/** Rows by the names of their columns, as one statement. */
async function insert(store: Transaction, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  // PostgreSQL takes no NUL in text.
  const json = JSON.stringify(rows).replaceAll('\\u0000', '\\ufffd');
  await store.query(`insert into ${table} select (jsonb_populate_recordset(null::${table}, $1::jsonb)).*`, [json]);
}

function dumpRow({ id, at, machine, result }: DumpEntry): object {
  const { dump, system, verdict } = result;
  return {
    ...{ id, analyzed_at: at, system_time: dump.systemTime, machine_id: null },
    boot_time: machine.bootTime === null ? null : new Date(machine.bootTime).toISOString(),
    ...{ system_name: system?.name ?? null, build_number: system?.buildNumber ?? null },
    ...{ type: dump.type, architecture: dump.architecture, file_bytes: dump.fileBytes },
    ...{ leak_suspected: verdict.leakSuspected, headline: verdict.headline },
  };
}

function tagRows({ id, result }: DumpEntry): object[] {
  return (result.poolTags?.rows ?? []).flatMap(({ tag, hex, nonPaged, paged, description }) => {
    const row = (pool: string, { allocs, frees, outstanding, bytes }: PoolCounters): object[] =>
      Number(allocs) === 0 ? [] : [{ dump_id: id, pool, tag, hex, allocs, frees, outstanding, bytes, description }];
    return [...row('nonpaged', nonPaged), ...row('paged', paged)];
  });
}

function suspectRow(
  id: string,
  position: number,
  suspect: Overview['records'][number]['summary']['suspects'][number],
): object {
  const { tag, pool, bytes, confidence, driver, version, driverConfidence, company, process } = suspect;
  return {
    ...{ dump_id: id, position, tag, pool, bytes, confidence },
    ...{ driver, driver_version: version, driver_confidence: driverConfidence, company, process },
  };
}

async function insertDrivers(store: Transaction, entries: readonly DumpEntry[]): Promise<void> {
  const drivers = new Map<string, object>();
  const pairs = new Map<string, object>();
  for (const entry of entries) {
    for (const { name, version, company, timeDateStamp } of entry.drivers) {
      const id = shortHash(JSON.stringify([name.toLowerCase(), version, company, timeDateStamp]));
      drivers.set(id, { id, name, version, company, time_date_stamp: timeDateStamp });
      pairs.set(`${entry.id} ${id}`, { dump_id: entry.id, driver_id: id });
    }
  }
  const json = JSON.stringify([...drivers.values()]).replaceAll('\\u0000', '\\ufffd');
  await store.query(
    `insert into drivers select (jsonb_populate_recordset(null::drivers, $1::jsonb)).* on conflict do nothing`,
    [json],
  );
  await insert(store, 'dump_drivers', [...pairs.values()]);
}
