/**
 * The journal of a shared history: the table `entries`. A line is put in under a lock, so lines are in the order of their
 * commits, and what was put in before is known; the same result never comes in twice.
 */

import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { placeText, type CopyEntry, type DumpEntry, type FailureEntry } from '../../inputs/entries.js';
import { HistoryError } from '../../journal/history-error.js';
import { History, isPassingFailure, type DumpRecord, type Known } from '../../journal/history.js';
import { entryOfLine } from '../../journal/journal.js';
import type { DumpNote } from '../../outputs/summary.js';
import type { Session } from '../engine.js';

/** A dump's line for the journal, with what is kept of it in memory; a file that could not be read; another place of a known one. */
export type Item = { readonly line: Uint8Array; readonly note: DumpNote } | FailureEntry | CopyEntry;

/** The same with its line packed: before the lock that all hosts want is taken. */
export type Packed = { readonly packed: Buffer; readonly note: DumpNote } | FailureEntry | CopyEntry;

/** Locks of the database that belong to a history; the first number is that of all of them. */
export const LOCKS = { all: 0x64_75_6d_70, append: 1, fill: 2, schema: 3 } as const;

export async function lock(session: Session, which: Exclude<keyof typeof LOCKS, 'all'>): Promise<void> {
  await session.query('select pg_advisory_xact_lock($1::int, $2::int)', [LOCKS.all, LOCKS[which]]);
}

/** The lock, unless another has it. */
export async function tryLock(session: Session, which: Exclude<keyof typeof LOCKS, 'all'>): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>(
    'select pg_try_advisory_xact_lock($1::int, $2::int) as taken',
    [LOCKS.all, LOCKS[which]],
  );
  return rows[0]?.taken === true;
}

/** Beyond this more work makes a result hardly smaller. */
const QUALITY = 5;
/** No line unpacks to more. */
const LONGEST_LINE = 64 << 20;

const keyOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

export interface AppendOptions {
  /** Whose result it is: a job. Under one token one line is written. */
  readonly token?: string | undefined;
  /** Write it though the dump is known. */
  readonly again?: boolean | undefined;
}

/**
 * Puts in an item, within the caller's transaction; false where it is known. `mark` is what the caller took the history for
 * (see `redaction`). Throws HistoryError (`other-key`) where it is of another kind by now.
 */
export async function append(
  session: Session,
  item: Packed,
  mark: string | undefined,
  { token, again = false }: AppendOptions,
): Promise<boolean> {
  await lock(session, 'append');
  const { rows } = await session.query<{ mark: string | null; taken: boolean }>(
    `select (select value from state where key = 'redact') as mark,
       $1::text is not null and exists (select from entries where token = $1) as taken`,
    [token ?? null],
  );
  if ((rows[0]?.mark ?? undefined) !== mark) {
    throw new HistoryError(
      'other-key',
      'the shared history was begun with --redact by another host: do so here as well',
    );
  }
  if (rows[0]?.taken === true) return false;
  if ('packed' in item) return appendDump(session, item, token ?? null, again);
  const isNew = item.kind === 'failure' ? !(await failedAlike(session, item)) : !(await knownAt(session, item));
  if (isNew) await write(session, item, token ?? null, null, null);
  return isNew;
}

async function appendDump(
  session: Session,
  { packed, note }: Extract<Packed, { packed: Buffer }>,
  token: string | null,
  again: boolean,
): Promise<boolean> {
  const { fileId, headerId } = note;
  if (!again && (await known(session, [fileId])).get(fileId) === 'dump') return false;
  const place = keyOf(placeText(note));
  const { rows: before } = await session.query<{ kind: string; header_id: string | null }>(
    'select kind, header_id from entries where place_key = $1 order by sequence desc limit 1',
    [place],
  );
  if (before[0]?.kind === 'dump' && before[0].header_id === headerId) {
    // The same crash at the same place in another state: as History has it.
    await session.query(
      `update entries e set forgotten_at = (select max(sequence) from entries) where kind = 'dump' and place_key = $1 and header_id = $2 and not exists
         (select from entries later where later.kind = 'dump' and later.file_key = e.file_key and later.sequence > e.sequence)`,
      [place, headerId],
    );
  }
  await write(session, note, token, headerId, packed);
  return true;
}

/** A line as it is kept. */
export function pack(line: Uint8Array): Buffer {
  return brotliCompressSync(line.at(-1) === 10 ? line.subarray(0, -1) : line, {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: line.length },
  });
}

async function write(
  session: Session,
  note: DumpNote | FailureEntry | CopyEntry,
  token: string | null,
  headerId: string | null,
  line: Buffer | null,
): Promise<void> {
  const file = note.fileId === null ? null : keyOf(note.fileId);
  await session.query(
    'insert into entries (kind, file_key, place_key, header_id, token, note, line) values ($1, $2, $3, $4, $5, $6, $7)',
    [note.kind, file, keyOf(placeText(note)), headerId, token, JSON.stringify(note), line],
  );
}

/** What is known of files by their identities; those to be read are left out. */
export async function known(session: Session, fileIds: readonly string[]): Promise<Map<string, Known>> {
  const byKey = new Map(fileIds.map((id) => [keyOf(id), id]));
  const { rows } = await session.query<{ file_key: string; kind: string; sequence: number; forgotten_at: number | null; note: string | null }>(
    `select distinct on (file_key, kind) file_key, kind, sequence, forgotten_at, case when kind = 'failure' then note end as note
     from entries where file_key = any($1) and kind in ('dump', 'failure') order by file_key, kind, sequence desc`,
    [[...byKey.keys()]],
  ); // prettier-ignore
  const found = new Map<string, Known>();
  const forgotten = new Map<string, number>();
  // Of a file the row of its dump comes first.
  for (const { file_key: key, kind, sequence, forgotten_at: at, note } of rows) {
    const id = byKey.get(key) ?? '';
    if (kind === 'dump') {
      if (at === null) found.set(id, 'dump');
      else forgotten.set(id, at);
    } else if (note !== null && !found.has(id) && sequence > (forgotten.get(id) ?? 0)) {
      const { passed, error } = JSON.parse(note) as FailureEntry;
      if (!isPassingFailure(error.code)) found.set(id, passed ? 'passed' : 'failure');
    }
  }
  return found;
}

/** Whether the last that is known of the place is this very failure. */
async function failedAlike(session: Session, entry: FailureEntry): Promise<boolean> {
  const { fileId, error } = entry;
  if (fileId !== null && (await known(session, [fileId])).get(fileId) === 'dump') return false;
  const { rows } = await session.query<{ kind: string; file_key: string | null; note: string }>(
    'select kind, file_key, note from entries where place_key = $1 order by sequence desc limit 1',
    [keyOf(placeText(entry))],
  );
  const [last] = rows;
  if (last?.kind !== 'failure' || last.file_key !== (fileId === null ? null : keyOf(fileId))) return false;
  const before = (JSON.parse(last.note) as FailureEntry).error;
  return before.code === error.code && before.message === error.message;
}

/** Whether the file is known to lie there. */
async function knownAt(session: Session, entry: CopyEntry): Promise<boolean> {
  const place = keyOf(placeText(entry));
  const { rows } = await session.query<{ place_key: string }>(
    `(select place_key from entries where file_key = $1 and kind = 'copy' and place_key = $2 limit 1)
     union all (select place_key from entries where file_key = $1 and kind <> 'copy' order by kind, sequence desc limit 1)`,
    [keyOf(entry.fileId), place],
  );
  return rows.some(({ place_key: at }) => at === place);
}

/** Rows that are fetched at once. */
const NOTES_AT_ONCE = 5_000;

/** The sequence of the last line; 0 for none. */
export async function lastSequence(session: Session): Promise<number> {
  const { rows } = await session.query<{ last: number }>('select coalesce(max(sequence), 0) as last from entries');
  return rows[0]?.last ?? 0;
}

/** The history as its lines tell it, up to one of them: of dumps only what is kept in memory. */
export async function loadHistory(session: Session, words: string, last: number): Promise<History> {
  const history = new History(words);
  for (let from = 0; ;) {
    const { rows } = await session.query<{ sequence: number; note: string }>(
      'select sequence, note from entries where sequence > $1 and sequence <= $2 and refused is null order by sequence limit $3',
      [from, last, NOTES_AT_ONCE],
    );
    for (const { sequence, note } of rows) {
      history.add(JSON.parse(note) as DumpNote | FailureEntry | CopyEntry, sequence, 0);
    }
    if (rows.length < NOTES_AT_ONCE) return history;
    from = rows.at(-1)?.sequence ?? last;
  }
}

/** The lines of dumps; null for what is not there any more, or is damaged. */
export async function readEntries(
  session: Session,
  records: readonly Pick<DumpRecord, 'offset'>[],
): Promise<(DumpEntry | null)[]> {
  const { rows } = await session.query<{ sequence: number; line: Buffer | null }>(
    'select sequence, line from entries where sequence = any($1)',
    [records.map(({ offset }) => offset)],
  );
  const found = new Map(rows.map(({ sequence, line }) => [sequence, line]));
  return records.map(({ offset }) => unpack(found.get(offset) ?? null));
}

function unpack(line: Buffer | null): DumpEntry | null {
  if (line === null) return null;
  try {
    const entry = entryOfLine(brotliDecompressSync(line, { maxOutputLength: LONGEST_LINE }));
    return entry?.kind === 'dump' ? entry : null;
  } catch {
    return null;
  }
}
