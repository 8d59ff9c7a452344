/**
 * poolmon output: logs of `poolmon -n` (narrow and wide columns, with or without Mapped_Driver), several snapshots in one
 * file, and captures of its screen with change columns. Rows go into columns of numbers: a log of 200 snapshots
 * has close to a million of them.
 *
 * The tag is cut by column (blanks belong to it), numbers by token (their columns differ by version).
 */

import { failed, Failure } from '../bytes/failure.js';
import { u32 } from '../bytes/fields.js';
import { plainTag } from '../kernel/tag.js';
import { decodeText } from './decode.js';
import { emptyHeader, readCommitLine, readMemoryLine, type PoolmonHeader } from './poolmon-header.js';
import { RowColumns, RowNumbers } from './poolmon-rows.js';
import { parseStamp, parseTimeOfDay, withTime, type Stamp } from './time-stamp.js';

/** Which pool a table is about: the system's, or that of sessions (screens only). */
export type PoolmonScope = 'system' | 'session';

export interface PoolmonSnapshot {
  readonly header: PoolmonHeader | null;
  /** A date that a script wrote between the tables. */
  readonly stamp: Stamp | null;
  readonly scope: PoolmonScope;
  /** It was on screen: its PageFlts are of one refresh, and it may hold only part of the rows. */
  readonly screen: boolean;
  readonly firstRow: number;
  readonly rowCount: number;
}

/** What a file holds. Row columns are as long as `rows` says or longer. */
export interface PoolmonLog {
  readonly snapshots: readonly PoolmonSnapshot[];
  readonly rows: number;
  /** The four bytes of the tag as they stand in the file, little-endian, without the protected bit. */
  readonly tags: Uint32Array;
  /** 0 = nonpaged, 1 = paged. */
  readonly pools: Uint8Array;
  readonly allocs: Float64Array;
  readonly frees: Float64Array;
  readonly bytes: Float64Array;
  /** Mapped_Driver by tag, as written in the first snapshot; brackets left out. Unsafe to print as it is. */
  readonly drivers: ReadonlyMap<number, string>;
  /** Lines that look like rows but cannot be read. */
  readonly badRows: number;
  /** The table has the narrow columns, whose Bytes are a 32-bit number. */
  readonly narrow: boolean;
}

export interface PoolmonOptions {
  /** Keep the Mapped_Driver column. Default true. */
  readonly drivers?: boolean;
}

/** Bytes of a narrow row without its line end. */
const SHORTEST_USUAL_ROW = 61;

/** Tables in a file that are read. */
const MOST_SNAPSHOTS = 100_000;
/** Lines that are no rows, after which a file is read no further: a table has six or seven. */
const MOST_OTHER_LINES = 2_000_000;

const BLANK = 0x20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const UPPER_N = 0x4e;
const UPPER_P = 0x50;

/**
 * Reads a poolmon log in any usual encoding.
 *
 * @returns a failure when the text is too large to decode or holds no row of a pool tag table.
 */
export function parsePoolmonLog(data: Uint8Array, options: PoolmonOptions = {}): PoolmonLog | Failure {
  const bytes = eightBit(data);
  if (failed(bytes)) return bytes;
  const reader = new Reader(bytes, options.drivers ?? true);
  reader.read();
  if (reader.count === 0) return new Failure('corrupt', 'holds no row of a pool tag table');
  return reader.log();
}

/** True when the beginning of a file looks like poolmon output: a header line or a row. */
export function looksLikePoolmon(head: Uint8Array): boolean {
  const bytes = eightBit(head.subarray(0, 16_384));
  if (failed(bytes)) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return /^\s*Memory:\s*\d+K\s+Avail:/m.test(text) || TABLE_HEADER.test(text) || ROW.test(text);
}

const TABLE_HEADER = /^\s*Tag\s+Type\s+Allocs\b/m;
const ROW = /^ ?.{4,12} (?:Nonp|Paged)\s+\d/m;

/** The bytes of the text in one byte a character; other characters as `?`. Most logs need no change. */
function eightBit(data: Uint8Array): Uint8Array | Failure {
  const [b0, b1, b2] = data;
  const marked = (b0 === 0xff && b1 === 0xfe) || (b0 === 0xfe && b1 === 0xff);
  const head = data.subarray(0, 64);
  let zeros = 0;
  for (const byte of head) if (byte === 0) zeros++;
  if (!marked && zeros * 4 < head.length) {
    return b0 === 0xef && b1 === 0xbb && b2 === 0xbf ? data.subarray(3) : data;
  }
  const text = decodeText(data);
  return failed(text) ? text : Buffer.from(text.replace(/[^\0-\xff]/g, '?'), 'latin1');
}

/** A snapshot that is being read. */
interface Open {
  header: PoolmonHeader | null;
  stamp: Stamp | null;
  scope: PoolmonScope;
  screen: boolean;
  firstRow: number;
}

class Reader {
  private readonly rows: RowColumns;
  private readonly cursor: RowNumbers;
  private readonly drivers = new Map<number, string>();
  private readonly snapshots: PoolmonSnapshot[] = [];
  private badRows = 0;
  private narrow = false;
  private open: Open = { header: null, stamp: null, scope: 'system', screen: false, firstRow: 0 };
  private otherLines = 0;
  private hasHeader = false;
  /** A stamp after the last row: of the table that follows, unless the file puts stamps after the tables. */
  private pending: Stamp | null = null;
  private stampsBefore = 0;
  private firstTable = true;
  private readonly after: (Stamp | null)[] = [];

  constructor(
    private readonly data: Uint8Array,
    private readonly keepDrivers: boolean,
  ) {
    this.rows = new RowColumns(Math.max(64, Math.ceil(data.length / SHORTEST_USUAL_ROW)));
    this.cursor = new RowNumbers(data);
  }

  /** Rows so far. */
  get count(): number {
    return this.rows.count;
  }

  read(): void {
    const { data } = this;
    const end = data.length;
    while (this.cursor.position < end && this.snapshots.length < MOST_SNAPSHOTS && this.otherLines < MOST_OTHER_LINES) {
      const at = this.cursor.position;
      const type = data[at + 6];
      if (data[at + 5] === BLANK && (type === UPPER_N || type === UPPER_P) && this.row(at)) continue;
      this.cursor.position = at;
      this.otherLines++;
      this.otherLine();
    }
    this.close();
  }

  log(): PoolmonLog {
    // Stamps below their tables: none stands above the first one, and one follows every table.
    const below = this.stampsBefore === 0 && this.after.every((stamp) => stamp !== null);
    const snapshots = below
      ? this.snapshots.map((snapshot, i) => ({ ...snapshot, stamp: this.after[i] ?? null }))
      : this.snapshots;
    const { drivers, badRows, narrow } = this;
    const { count: rows, tags, pools, allocs, frees, bytes } = this.rows;
    return { snapshots, rows, tags, pools, allocs, frees, bytes, drivers, badRows, narrow };
  }

  /** A row whose tag stands at columns 1 to 4 and whose type at 6. False when it is something else. */
  private row(at: number): boolean {
    const { data } = this;
    for (let i = 0; i < 5; i++) if (data[at + i] === NEWLINE) return false;
    const paged = data[at + 6] === UPPER_P;
    if (paged) {
      if (data[at + 7] !== 0x61 || data[at + 8] !== 0x67 || data[at + 9] !== 0x65 || data[at + 10] !== 0x64)
        return false;
    } else if (data[at + 7] !== 0x6f || data[at + 8] !== 0x6e || data[at + 9] !== 0x70) return false;
    const from = at + (paged ? 11 : 10);
    if (!this.cursor.readPlain(from) && this.cursor.read(from) < 4) {
      this.badRows++;
      this.skipLine();
      return true;
    }
    this.add(plainTag(u32(data, at + 1)), paged ? 1 : 0);
    return true;
  }

  private add(tag: number, pool: number): void {
    if (!this.hasHeader && this.count > this.open.firstRow && this.repeatsFirst(tag, pool)) this.close();
    if (this.count === this.open.firstRow) this.begin();
    this.rows.push(tag, pool, this.cursor.numbers);
    if (this.cursor.changes) this.open.screen = true;
    const byte = this.data[this.cursor.position];
    if (byte === RETURN || byte === NEWLINE) this.cursor.position += byte === RETURN ? 2 : 1;
    else this.endOfRow(tag);
    if (byte === RETURN && this.data[this.cursor.position - 1] !== NEWLINE) this.cursor.position--;
  }

  /** Rows without any header line: where the first tag comes again, the next table begins. */
  private repeatsFirst(tag: number, pool: number): boolean {
    return this.rows.tags[this.open.firstRow] === tag && this.rows.pools[this.open.firstRow] === pool;
  }

  private begin(): void {
    if (this.pending !== null) {
      this.open.stamp = this.pending;
      if (this.firstTable) this.stampsBefore++;
      this.pending = null;
    }
    this.firstTable = false;
  }

  /** What stands behind the numbers: Mapped_Driver. */
  private endOfRow(tag: number): void {
    const from = this.cursor.position;
    this.skipLine();
    if (!this.keepDrivers || this.snapshots.length > 0 || this.drivers.has(tag)) return;
    const text = this.text(from, Math.min(this.cursor.position, from + 300)).trim();
    const inner = /^\[([^[\]]*)\]?/.exec(text)?.[1] ?? '';
    if (inner !== '') this.drivers.set(tag, inner);
  }

  private skipLine(): void {
    const next = this.data.indexOf(NEWLINE, this.cursor.position);
    this.cursor.position = next < 0 ? this.data.length : next + 1;
  }

  private text(from: number, to: number): string {
    return Buffer.from(this.data.buffer, this.data.byteOffset + from, to - from).toString('latin1');
  }

  private otherLine(): void {
    const from = this.cursor.position;
    this.skipLine();
    // Shorter than any row, header or date.
    if (this.cursor.position - from < 5) return;
    const line = this.text(from, Math.min(this.cursor.position, from + 400)).trimEnd();
    if (line === '') return;
    if (this.oddRow(line, from)) return;
    if (/^\s*Memory:/.test(line)) this.headerLine(line);
    else if (/^\s*Commit:/.test(line)) readCommitLine(line, (this.open.header ??= emptyHeader()));
    else if (TABLE_HEADER.test(line)) this.tableHeader(line);
    else if (/session.* pool information/i.test(line)) this.open.scope = 'session';
    else if (/pool information/i.test(line)) this.open.screen = true;
    else this.stampLine(line);
  }

  private headerLine(line: string): void {
    this.hasHeader = true;
    this.close();
    readMemoryLine(line, (this.open.header ??= emptyHeader()));
  }

  private tableHeader(line: string): void {
    this.hasHeader = true;
    if (this.count > this.open.firstRow) this.close();
    if (this.snapshots.length === 0) this.narrow = !/Allocs {10,}Frees/.test(line);
  }

  /** Rows whose first blank was trimmed away, or whose tag takes more bytes in UTF-8. */
  private oddRow(line: string, from: number): boolean {
    const match = /^( ?)(.{4,12}?) (Nonp|Paged)(?=\s+[\d(])/.exec(line);
    if (match?.[2] === undefined) return false;
    const tag = fourBytes(match[2]);
    if (tag === null) return false;
    const end = this.cursor.position;
    if (this.cursor.read(from + match[0].length) < 4) {
      this.badRows++;
      this.cursor.position = end;
      return true;
    }
    this.add(tag, match[3] === 'Paged' ? 1 : 0);
    this.cursor.position = end;
    return true;
  }

  private stampLine(line: string): void {
    const stamp = parseStamp(line);
    if (stamp !== null) this.pending = stamp;
    else if (this.pending !== null && this.pending.time === null) {
      const time = parseTimeOfDay(line);
      if (time !== null) this.pending = withTime(this.pending, time);
    }
  }

  /** Ends the snapshot at hand, if it has rows. */
  private close(): void {
    const { open } = this;
    if (this.count > open.firstRow) {
      this.snapshots.push({ ...open, rowCount: this.count - open.firstRow });
      this.after.push(this.pending);
      this.open = { header: null, stamp: null, scope: 'system', screen: false, firstRow: this.count };
    }
  }
}

/** A tag's number from its text: four characters, perhaps written in UTF-8. */
function fourBytes(text: string): number | null {
  let bytes = Buffer.from(text, 'latin1');
  if (bytes.length !== 4) bytes = Buffer.from(bytes.toString('utf8').replace(/[^\0-\xff]/g, '?'), 'latin1');
  return bytes.length === 4 ? plainTag(bytes.readUInt32LE()) : null;
}
