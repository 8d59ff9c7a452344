/** The questions that `dumpleak history` asks. */

import type { Asked, Table } from './engine.js';
import { OWN_TABLES } from './schema.js';

export interface Filter {
  tag?: string | undefined;
  driver?: string | undefined;
  process?: string | undefined;
  machine?: string | undefined;
  /** ISO 8601. */
  since?: string | undefined;
  until?: string | undefined;
  leaks?: boolean | undefined;
  /** Only dumps that cannot tell. */
  undecided?: boolean | undefined;
}

/** Text as a pattern of LIKE in which `*` stands for anything. */
const pattern = (text: string): string => text.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');

const DUMPS = `
  select left(d.id, 12) as id, d.system_time as "systemTime", coalesce(m.name, m.id) as machine, d.system_name as system,
    d.leak_suspected as "leakSuspected", s.tag, s.pool, s.bytes::float8 as bytes, s.driver, s.driver_version as version,
    s.process,
    coalesce(s.driver_confidence, s.confidence) as confidence, d.headline, d.place
  from dumps d left join machines m on m.id = d.machine_id left join suspects s on s.dump_id = d.id and s.position = 0`;

/** Dumps, the newest first. */
export async function listDumps(store: Asked, filter: Filter): Promise<Table> {
  const { tag, driver, process, machine, since, until, leaks, undecided } = filter;
  return store.ask(
    `${DUMPS}
     where ($1::text is null or exists (select from suspects x where x.dump_id = d.id and rtrim(x.tag) like rtrim($1)))
       and ($2::text is null or exists (select from suspects x where x.dump_id = d.id and x.driver ilike $2))
       and ($3::text is null or m.name ilike $3 or m.id = $3)
       and ($4::timestamptz is null or d.system_time >= $4) and ($5::timestamptz is null or d.system_time < $5)
       and (not $6::boolean or d.leak_suspected) and (not $7::boolean or d.leak_suspected is null)
       and ($8::text is null or exists (select from suspects x where x.dump_id = d.id and x.process ilike $8))
     order by d.system_time desc nulls last, d.place collate "C", d.id collate "C"`,
    [tag, driver, machine].map((text) => (text === undefined ? null : pattern(text))).concat([since ?? null, until ?? null]).concat([String(leaks === true), String(undecided === true), process === undefined ? null : pattern(process)]),
  ); // prettier-ignore
}

/** Groups in their order: most dumps first. */
export async function listGroups(store: Asked): Promise<Table> {
  return store.ask(`
    select id, tag, pool, driver, driver_version as version, process, company, confidence, dumps, machines,
      first_seen as "firstSeen", last_seen as "lastSeen", bytes::float8 as "mostBytes",
      growth_judgement as growth, growth_per_hour as "bytesPerHour"
    from groups order by position`);
}

export async function listMachines(store: Asked): Promise<Table> {
  return store.ask(`
    select m.id, m.name, m.dumps, count(d.id) filter (where d.leak_suspected) as leaks,
      count(d.id) filter (where d.leak_suspected is null) as undecided,
      m.first_seen as "firstSeen", m.last_seen as "lastSeen",
      (array_agg(d.system_name order by d.system_time desc nulls last, d.id collate "C"))[1] as system
    from machines m left join dumps d on d.machine_id = m.id group by m.id order by m.dumps desc, m.name collate "C", m.id collate "C"`);
}

/** Where a word stands: as a tag, in the name of an accused process or of a driver that was loaded, in a machine's name, a headline or a place. */
export async function search(store: Asked, word: string): Promise<Table> {
  return store.ask(
    `with hits as (
       select dump_id, 1 as rank, 'suspect' as found, tag || coalesce(' ' || driver, '') || coalesce(' ' || process, '') as what from suspects
         where rtrim(tag) like rtrim($2) or driver ilike $1 or process ilike $1
       union all select dump_id, 2, 'tag', tag || ' (' || pool || ', ' || bytes || ' bytes)' from tag_rows where rtrim(tag) like rtrim($2)
       union all select x.dump_id, 3, 'driver', d.name || coalesce(' ' || d.version, '') || coalesce(' ' || d.company, '')
         from dump_drivers x join drivers d on d.id = x.driver_id where d.name ilike $1 or d.company ilike $1 or d.version ilike $1
       union all select d.id, 4, 'machine', m.name from dumps d join machines m on m.id = d.machine_id where m.name ilike $1
       union all select id, 5, 'headline', headline from dumps where headline ilike $1
       union all select id, 6, 'place', place from dumps where place ilike $1)
     select h.found, h.what, left(d.id, 12) as id, d.system_time as "systemTime", coalesce(m.name, m.id) as machine, d.place
     from hits h join dumps d on d.id = h.dump_id left join machines m on m.id = d.machine_id
     order by h.rank, d.system_time desc nulls last, d.place collate "C", h.what collate "C", d.id collate "C"`,
    [`%${pattern(word)}%`, pattern(word)],
  );
}

/** A row a dump and suspect, with all that is known in columns. */
export async function exportRows(store: Asked): Promise<Table> {
  return store.ask(`select * from (
    select d.id, d.place, coalesce(m.name, m.id) as machine, d.system_time as "systemTime", d.boot_time as "bootTime",
      d.system_name as system, d.build_number as build, d.type, d.architecture, d.file_bytes::float8 as "fileBytes",
      d.analyzed_at as "analyzedAt", d.leak_suspected as "leakSuspected", d.headline, s.tag, s.pool, s.bytes::float8 as bytes,
      s.confidence, s.driver, s.driver_version as version, s.driver_confidence as "driverConfidence", s.company, s.process,
      null as "errorCode", null as error
    from dumps d left join machines m on m.id = d.machine_id left join suspects s on s.dump_id = d.id
    union all select null, place, null, null, null, null, null, null, null, null, at, null, null, null, null, null,
      null, null, null, null, null, null, code, message from failures
    ) rows order by place collate "C", tag collate "C", id collate "C", pool collate "C"`);
}

/** Ids of the dumps that a word means: the beginning of an id, or a place. */
export async function findDumps(store: Asked, word: string): Promise<{ id: string; offset: number; length: number }[]> {
  const { rows } = await store.ask(
    `select id, journal_offset::float8, journal_length::float8 from dumps
     where (length($1) >= 4 and id like $2 || '%') or place = $1 or places ? $1 order by id collate "C"`,
    [word, pattern(word)],
  );
  return rows.map(([id, offset, length]) => ({ id: String(id), offset: Number(offset), length: Number(length) }));
}

/** Tables that the store keeps for itself. */
const OWN = `(${OWN_TABLES.map((name) => `'${name}'`).join(', ')})`;

/** Every column that `sql` can ask for. */
export async function listTables(store: Asked): Promise<Table> {
  return store.ask(
    `select table_name as "table", column_name as "column", data_type as type from information_schema.columns
     where table_schema = current_schema() and table_name not in ${OWN} order by table_name collate "C", ordinal_position`,
  );
}

export async function tableNames(store: Asked): Promise<string[]> {
  const { rows } = await store.ask(
    `select table_name from information_schema.tables where table_schema = current_schema() and table_name not in ${OWN} order by table_name collate "C"`,
  );
  return rows.map(([name]) => String(name));
}
