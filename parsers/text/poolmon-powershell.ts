/**
 * CSV with a pool tag a row: what poolmon written in PowerShell logs (a row a tag and time, a column for each pool), and
 * tables with a pool column such as `dumpleak trend --csv` writes. Columns are found by name, in any order; the
 * names differ between versions of the script, so letter case, blanks and `Used` do not matter.
 */

import { failed, Failure } from '../bytes/failure.js';
import { plainTag } from '../kernel/tag.js';
import { decodeText } from './decode.js';
import { delimiterOf, eachRow } from './delimited.js';
import { parseStamp, resolveStamps, withTime, type Stamp } from './time-stamp.js';

/** One row. NaN where a cell is missing or not a number. */
export interface TagSample {
  /** Index into `times`; -1 without a time. */
  readonly time: number;
  /** The tag's four bytes, little-endian. */
  readonly tag: number;
  readonly pool: 'nonpaged' | 'paged';
  readonly allocs: number;
  readonly frees: number;
  readonly bytes: number;
}

export interface TagCsv {
  /** Different times in the order of the file, milliseconds since 1970. */
  readonly times: readonly number[];
  /** The times tell their zone. */
  readonly offsetKnown: boolean;
  readonly rows: readonly TagSample[];
  readonly badRows: number;
}

/** Rows past this are not read: 4,000 tags over 400 snapshots. */
export const MAXIMUM_TAG_ROWS = 1_600_000;

interface Columns {
  time: number;
  clock: number;
  tag: number;
  pool: number;
  utc: boolean;
  counters: { pool: 'nonpaged' | 'paged' | null; allocs: number; frees: number; bytes: number }[];
}

/** True when the first line of a text names a tag column and a column of bytes. */
export function looksLikeTagCsv(head: string): boolean {
  const line = firstLine(head);
  return line.length < 4000 && findColumns(cellsOf(line)) !== null;
}

function firstLine(text: string): string {
  const start = /^(?:#TYPE[^\n]*\n|\s)*/.exec(text)?.[0].length ?? 0;
  const end = text.indexOf('\n', start);
  return text.slice(start, end < 0 ? text.length : end).trimEnd();
}

function cellsOf(line: string): string[] {
  let found: string[] = [];
  eachRow(line, delimiterOf(line), (cells) => {
    found = [...cells];
    return false;
  });
  return found;
}

const clean = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace('used', '');

function findColumns(header: readonly string[]): Columns | null {
  const names = header.map(clean);
  const find = (...wanted: string[]): number => {
    for (const name of wanted) if (names.includes(name)) return names.indexOf(name);
    return -1;
  };
  const tag = find('tag', 'pooltag');
  if (tag < 0) return null;
  const of = (prefix: string): { allocs: number; frees: number; bytes: number } => ({
    allocs: find(`${prefix}allocs`),
    frees: find(`${prefix}frees`),
    bytes: find(`${prefix}bytes`, `${prefix}size`, prefix === '' ? 'value' : prefix),
  });
  const nonPaged = { pool: 'nonpaged' as const, ...of('nonpaged') };
  const paged = { pool: 'paged' as const, ...of('paged') };
  const single = { pool: null, ...of('') };
  const pool = find('pool', 'type', 'pooltype');
  const counters = [nonPaged, paged].filter(({ bytes }) => bytes >= 0);
  if (counters.length === 0 && (pool < 0 || single.bytes < 0)) return null;
  // A time that tells its zone comes before a local one.
  const zoned = find('datetimeutciso', 'datetimeutc', 'timeutc');
  return {
    time: zoned >= 0 ? zoned : find('datetime', 'timestamp', 'time', 'date'),
    clock: find('date') >= 0 && find('time') >= 0 ? find('time') : -1,
    utc: zoned >= 0,
    tag,
    pool,
    counters: counters.length > 0 ? counters : [single],
  };
}

/** Reads the table. A failure when it is too large or the first line does not name the columns. */
export function parseTagCsv(data: Uint8Array): TagCsv | Failure {
  const text = decodeText(data);
  if (failed(text)) return text;
  const header = firstLine(text);
  const columns = findColumns(cellsOf(header));
  if (columns === null) return new Failure('corrupt', 'has no header line with a tag and its bytes');
  const stamps: Stamp[] = [];
  const indexOf = new Map<string, number>();
  const rows: TagSample[] = [];
  let badRows = 0;
  let first = true;
  eachRow(text.slice(text.indexOf(header)), delimiterOf(header), (cells) => {
    if (first) {
      first = false;
      return true;
    }
    const tag = tagOf(cells[columns.tag] ?? '');
    const time = timeIndex(cells, columns, stamps, indexOf);
    let used = false;
    if (tag !== null) {
      for (const counter of columns.counters) {
        const pool = counter.pool ?? poolOf(cells[columns.pool] ?? '');
        const bytes = whole(cells[counter.bytes]);
        if (pool === null || Number.isNaN(bytes)) continue;
        rows.push({ time, tag, pool, allocs: whole(cells[counter.allocs]), frees: whole(cells[counter.frees]), bytes });
        used = true;
      }
    }
    if (!used) badRows++;
    return rows.length <= MAXIMUM_TAG_ROWS;
  });
  if (rows.length > MAXIMUM_TAG_ROWS) return new Failure('corrupt', `holds more than ${MAXIMUM_TAG_ROWS} rows`);
  if (rows.length === 0) return new Failure('corrupt', 'holds no row with a tag');
  return {
    times: resolveStamps(stamps),
    offsetKnown: columns.utc || (stamps.length > 0 && stamps.every((stamp) => stamp.offsetMinutes !== null)),
    rows,
    badRows,
  };
}

function timeIndex(cells: readonly string[], columns: Columns, stamps: Stamp[], indexOf: Map<string, number>): number {
  if (columns.time < 0) return -1;
  const text = `${cells[columns.time] ?? ''}${columns.clock < 0 ? '' : ` ${cells[columns.clock] ?? ''}`}`;
  const known = indexOf.get(text);
  if (known !== undefined) return known;
  const stamp = parseStamp(text);
  if (stamp === null) return -1;
  const timed = stamp.time === null ? withTime(stamp, 0) : stamp;
  stamps.push(columns.utc && timed.offsetMinutes === null ? { ...timed, offsetMinutes: 0 } : timed);
  indexOf.set(text, stamps.length - 1);
  return stamps.length - 1;
}

function tagOf(cell: string): number | null {
  const bytes = Buffer.from(cell.slice(0, 4).padEnd(4, ' '), 'latin1');
  return cell === '' || cell.length > 4 ? null : plainTag(bytes.readUInt32LE());
}

function poolOf(cell: string): 'nonpaged' | 'paged' | null {
  const text = cell.trim().toLowerCase();
  if (text.startsWith('non')) return 'nonpaged';
  return text.startsWith('page') ? 'paged' : null;
}

/** A whole number, its groups of digits perhaps separated; NaN else. */
function whole(cell: string | undefined): number {
  const text = cell?.trim() ?? '';
  if (/^-?\d{1,20}(?:\.0+)?$/.test(text)) return Number(text);
  return /^-?\d{1,3}(?:[.,'\u00a0\u202f ]\d{3}){1,6}$/.test(text) ? Number(text.replace(/[^\d-]/g, '')) : NaN;
}
