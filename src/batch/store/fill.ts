/** Brings the tables of a store in line with a history. */

import type { PoolCounters } from '../../result/result.js';
import type { DumpEntry } from '../inputs/entries.js';
import type { DumpRecord, History } from '../journal/history.js';
import { shortHash } from '../machines.js';
import type { Overview } from '../outputs/overview.js';
import { storableJson, type Session } from './engine.js';

/** Dumps that are put in by one statement. */
const AT_ONCE = 50;

/** Reads the lines of dumps; null for one that is not there any more. */
export type ReadEntries = (records: readonly DumpRecord[]) => Promise<(DumpEntry | null)[]>;

/** From the journal of a folder. */
export const readerOf =
  (history: History): ReadEntries =>
  (records) =>
    Promise.resolve(records.map((record) => history.entryOf(record)));

/**
 * Puts in what is new, takes out what is gone or was read again. Machines, groups and failures follow from all dumps: what
 * changed in those is written. `put` puts in some dumps at once.
 */
export async function fill(
  store: Session,
  overview: Overview,
  read: ReadEntries,
  put: typeof putDumps = putDumps,
): Promise<void> {
  const { records, machineOf } = overview;
  const { rows } = await store.query<{ id: string; journal_offset: string | number }>(
    'select id, journal_offset from dumps',
  );
  const stored = new Map(rows.map(({ id, journal_offset: offset }) => [id, Number(offset)]));
  const fresh = records.filter(({ id, offset }) => stored.get(id) !== offset);
  const current = new Set(records.map(({ id }) => id));
  const gone = [...stored.keys()].filter((id) => !current.has(id));
  const old = [...gone, ...fresh.flatMap(({ id }) => (stored.has(id) ? [id] : []))];
  if (old.length > 0) await store.query('delete from dumps where id = any($1)', [old]);
  for (let i = 0; i < fresh.length; i += AT_ONCE) {
    const some = fresh.slice(i, i + AT_ONCE);
    const entries = await read(some);
    await put(
      store,
      some.flatMap((record, at) => {
        const entry = entries[at] ?? null;
        return entry === null ? [] : [{ record, entry }];
      }),
    );
  }
  await syncDerived(store, overview);
  const of = records.map(({ id, place, places }) => ({ id, machine: machineOf.get(id) ?? null, place, places }));
  await store.query(
    `update dumps set machine_id = x.machine, place = x.place, places = x.places
     from jsonb_to_recordset($1::jsonb) as x(id text, machine text, place text, places jsonb) where dumps.id = x.id
       and (dumps.machine_id, dumps.place, dumps.places) is distinct from (x.machine, x.place, x.places)`,
    [storableJson(of)],
  );
  if (old.length > 0) {
    await store.exec('delete from drivers where not exists (select from dump_drivers where driver_id = drivers.id)');
  }
}

/** A dump that is to be put in. */
export interface Fresh {
  readonly record: DumpRecord;
  readonly entry: DumpEntry;
}

/** Puts in dumps that are not there yet, with all that hangs on them alone. */
export async function putDumps(store: Session, dumps: readonly Fresh[]): Promise<void> {
  const rows = dumps.map(({ record: { place, places, offset, length }, entry }) => ({
    ...dumpRow(entry),
    ...{ place, places, journal_offset: offset, journal_length: length },
  }));
  await insert(store, 'dumps', rows);
  await insert(store, 'tag_rows', dumps.flatMap(({ entry }) => tagRows(entry))); // prettier-ignore
  await insert(store, 'suspects', dumps.flatMap(({ record }) => record.summary.suspects.map((suspect, position) => suspectRow(record.id, position, suspect)))); // prettier-ignore
  await insertDrivers(store, dumps.map(({ entry }) => entry)); // prettier-ignore
}

async function syncDerived(store: Session, { machines, groups, failures }: Overview): Promise<void> {
  // What refers to a machine is looked at when the transaction ends.
  await sync(
    store,
    'machines',
    ['id'],
    machines.map(({ id, name, dumps, firstSeen, lastSeen }) => {
      return { id, name, dumps, first_seen: firstSeen, last_seen: lastSeen };
    }),
  );
  await sync(
    store,
    'groups',
    ['id'],
    groups.map(({ growth, ...group }, position) => ({
      ...{ id: group.id, position, tag: group.tag, pool: group.pool, driver: group.driver, process: group.process },
      ...{ driver_version: group.driverVersion, company: group.company, confidence: group.confidence },
      ...{ bytes: group.bytes, dumps: group.dumps.length, machines: group.machines.length },
      ...{ first_seen: group.firstSeen, last_seen: group.lastSeen },
      ...{ growth_machine: growth?.machine ?? null, growth_judgement: growth?.judgement ?? null },
      ...{ growth_per_hour: growth?.perHour ?? null, growth_points: growth?.points ?? null },
    })),
  );
  await sync(
    store,
    'group_dumps',
    ['group_id', 'dump_id'],
    groups.flatMap(({ id, dumps }) => dumps.map((dump, position) => ({ group_id: id, dump_id: dump, position }))),
  );
  await sync(store, 'failures', ['place', 'at', 'code', 'message'], failures);
}

/** Makes a table hold these rows and no others, and writes only what differs. */
async function sync(store: Session, table: string, key: string[], rows: readonly object[]): Promise<void> {
  const json = storableJson(rows);
  const names = await columnsOf(store, table);
  const same = (a: string, b: string): string => key.map((name) => `${a}.${name} = ${b}.${name}`).join(' and ');
  const given = `jsonb_populate_recordset(null::${table}, $1::jsonb)`;
  await store.query(`delete from ${table} t where not exists (select from ${given} n where ${same('n', 't')})`, [json]);
  const rest = names.filter((name) => !key.includes(name));
  if (rest.length > 0) {
    const set = rest.map((name) => `${name} = n.${name}`).join(', ');
    const [old, now] = ['t', 'n'].map((of) => `(${rest.map((name) => `${of}.${name}`).join(', ')})`);
    await store.query(`update ${table} t set ${set} from ${given} n where ${same('n', 't')} and ${old} is distinct from ${now}`, [json]); // prettier-ignore
  }
  await store.query(`insert into ${table} select n.* from ${given} n where not exists (select from ${table} t where ${same('n', 't')})`, [json]); // prettier-ignore
}

async function columnsOf(store: Session, table: string): Promise<string[]> {
  const { rows } = await store.query<{ name: string }>(
    `select column_name as name from information_schema.columns
     where table_schema = current_schema() and table_name = $1 order by ordinal_position`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** Rows by the names of their columns, as one statement. */
async function insert(store: Session, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  await store.query(`insert into ${table} select n.* from jsonb_populate_recordset(null::${table}, $1::jsonb) n`, [storableJson(rows)]); // prettier-ignore
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

async function insertDrivers(store: Session, entries: readonly DumpEntry[]): Promise<void> {
  const drivers = new Map<string, object>();
  const pairs = new Map<string, object>();
  for (const entry of entries) {
    for (const { name, version, company, timeDateStamp } of entry.drivers) {
      const id = shortHash(JSON.stringify([name.toLowerCase(), version, company, timeDateStamp]));
      drivers.set(id, { id, name, version, company, time_date_stamp: timeDateStamp });
      pairs.set(`${entry.id} ${id}`, { dump_id: entry.id, driver_id: id });
    }
  }
  await store.query(
    `insert into drivers select n.* from jsonb_populate_recordset(null::drivers, $1::jsonb) n on conflict do nothing`,
    [storableJson([...drivers.values()])],
  );
  await insert(store, 'dump_drivers', [...pairs.values()]);
}
