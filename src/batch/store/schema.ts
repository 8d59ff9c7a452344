/**
 * The tables of a history, in the dialect of PostgreSQL: the same in the store of a folder and on a server. A new version of
 * the schema is one more entry in MIGRATIONS: what stands here is never changed once it was published.
 */

import { HistoryError } from '../journal/history-error.js';
import type { Session } from './engine.js';

export const MIGRATIONS: readonly string[] = [
  `
  create table state (key text primary key, value text not null);

  -- A machine that dumps are of; its name is null where nothing tells it.
  create table machines (
    id text primary key, name text, dumps integer not null, first_seen timestamptz, last_seen timestamptz
  );

  -- A dump. journal_offset and journal_length say where its line is: the whole result is there.
  create table dumps (
    id text primary key, place text not null, places jsonb not null,
    machine_id text references machines deferrable initially deferred,
    analyzed_at timestamptz not null, system_time timestamptz, boot_time timestamptz,
    system_name text, build_number integer, type text not null, architecture text, file_bytes numeric,
    leak_suspected boolean not null, headline text not null,
    journal_offset bigint not null, journal_length bigint not null
  );
  create index on dumps (machine_id);
  create index on dumps (system_time);

  -- The largest tags of a dump: a row a pool that was ever used.
  create table tag_rows (
    dump_id text not null references dumps on delete cascade, pool text not null, tag text not null, hex text not null,
    allocs numeric, frees numeric, outstanding numeric, bytes numeric, description text
  );
  create index on tag_rows (dump_id);
  create index on tag_rows (tag);

  -- What a dump's leak is put down to. The driver is null where none may be named.
  create table suspects (
    dump_id text not null references dumps on delete cascade, position integer not null,
    tag text not null, pool text not null, bytes numeric, confidence text not null,
    driver text, driver_version text, driver_confidence text, company text, primary key (dump_id, position)
  );
  create index on suspects (tag);

  create table drivers (id text primary key, name text not null, version text, company text, time_date_stamp text);
  create index on drivers (lower(name));
  create table dump_drivers (
    dump_id text not null references dumps on delete cascade, driver_id text not null references drivers,
    primary key (dump_id, driver_id)
  );

  -- Dumps with the same cause. growth_points: [milliseconds since 1970, bytes].
  create table groups (
    id text primary key, position integer not null, tag text not null, pool text not null,
    driver text, driver_version text, company text, confidence text not null, bytes numeric,
    dumps integer not null, machines integer not null, first_seen timestamptz, last_seen timestamptz,
    growth_machine text, growth_judgement text, growth_per_hour double precision, growth_points jsonb
  );
  create table group_dumps (
    group_id text not null references groups on delete cascade, dump_id text not null references dumps on delete cascade,
    position integer not null, primary key (group_id, dump_id)
  );

  create table failures (place text not null, at timestamptz not null, code text not null, message text not null);
  `,
  // Null where the dump cannot tell: what was said of dumps without tags as well.
  `
  alter table dumps alter column leak_suspected drop not null;
  update dumps d set leak_suspected = null
    where not leak_suspected and not exists (select from tag_rows t where t.dump_id = d.id);
  `,
  // The image of the process that is accused of holding what leaks.
  `
  alter table suspects add column process text;
  alter table groups add column process text;
  `,
  // The journal of a history on a server; in the store of a folder, whose journal is a file, it stays empty. A line is put in
  // under a lock, so the order of sequences is that of the commits. Paths and names of an archive's members can be longer than
  // an index takes: the keys are hashes of them.
  `
  create table entries (
    sequence bigint generated always as identity primary key,
    kind text not null check (kind in ('dump', 'failure', 'copy')),
    file_key text, place_key text not null, header_id text,
    -- Of a dump: the last line when another state of the same crash took its place; null where none did.
    forgotten_at bigint,
    -- Why the tables do not have it; null where they do.
    refused text,
    -- Of the job that brought it: what comes twice is taken once.
    token text unique,
    -- What is kept of it in memory, as JSON.
    note text not null,
    -- The line of a dump with its whole result, packed by Brotli; null where a later line counts.
    line bytea
  );
  alter table entries alter column line set storage external;
  create index on entries (file_key);
  create index on entries (place_key);
  -- The key of pseudonyms, where the history keeps it itself. No reader may see it.
  create table redact_key (key text not null);
  -- The name of a driver can be longer than an ordered index takes.
  drop index if exists drivers_lower_idx;
  create index on drivers using hash (lower(name));
  -- Where a driver was loaded; without it, taking a driver out reads what every dump loaded.
  create index on dump_drivers (driver_id);
  `,
];

/** Tables that the store keeps for itself. */
export const OWN_TABLES: readonly string[] = ['migrations', 'state', 'entries', 'redact_key'];

/** The version of the schema that stands in the database; 0 for none. */
export async function schemaVersion(session: Session): Promise<number> {
  const { rows: found } = await session.query<{ there: boolean }>(
    `select to_regclass(quote_ident(current_schema()) || '.migrations') is not null as there`,
  );
  if (found[0]?.there !== true) return 0;
  const { rows } = await session.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from migrations',
  );
  return rows[0]?.version ?? 0;
}

/** Throws HistoryError (`not-supported`) for a schema that a newer dumpleak has made. */
export function checkVersion(version: number): void {
  if (version <= MIGRATIONS.length) return;
  throw new HistoryError(
    'not-supported',
    `the database was made by a newer dumpleak (version ${version} of its tables, this one knows ${MIGRATIONS.length}): use that one`,
  );
}

/** Brings the tables up to this version, within the caller's transaction. Throws HistoryError for tables of a newer one. */
export async function migrate(session: Session): Promise<void> {
  const version = await schemaVersion(session);
  checkVersion(version);
  if (version === MIGRATIONS.length) return;
  await session.exec('create table if not exists migrations (version integer primary key, applied_at timestamptz)');
  for (const [i, statements] of MIGRATIONS.entries()) {
    if (i < version) continue;
    await session.exec(statements);
    await session.query('insert into migrations values ($1, now())', [i + 1]);
  }
}
