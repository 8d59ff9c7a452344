/**
 * Performance counter logs as text: what relog, typeperf, logman and perfmon write (`PDH-CSV 4.0`, also tab-separated).
 * The binary form (.blg) is recognised, not read.
 */

import { failed, Failure } from '../bytes/failure.js';
import { printable } from '../text-safety.js';
import { decodeText } from './decode.js';
import { delimiterOf, eachRow } from './delimited.js';
import { parseStamp, resolveStamps, type Stamp } from './time-stamp.js';

/** A column's name taken apart: `\\HOST\Object(instance)\Counter`. Made safe to print. */
export interface CounterPath {
  /** Null where the path names none. */
  readonly machine: string | null;
  readonly object: string;
  /** As written, `name#1` for a second process of that name. Null for counters without instances. */
  readonly instance: string | null;
  readonly counter: string;
}

export interface PerfmonLog {
  readonly counters: readonly CounterPath[];
  /** Milliseconds since 1970, in UTC where `offsetKnown`, else local time read as UTC. */
  readonly times: Float64Array;
  /** By counter: a value a sample; NaN for a missing sample. */
  readonly values: readonly Float64Array[];
  /** The header told the time zone. */
  readonly offsetKnown: boolean;
  /** The time zone's name as the header has it, or null. */
  readonly timeZone: string | null;
  /** Rows that are no samples: cut lines, messages of the tool. */
  readonly badRows: number;
  /** Cells that hold something, but no number. */
  readonly badValues: number;
}

/** Most values in a log: 400 counters over 40,000 samples. */
export const MAXIMUM_VALUES = 16_000_000;
/** Most samples in a log: a day, every second. */
export const MAXIMUM_SAMPLES = 100_000;

/** The header's first cell; the zone's name may be empty, or cut at a special character. */
const PDH_HEADER = /\(PDH-[CT]SV [\d.]+\)\s*(?:\(([^)]*)\)?\s*(?:\((-?\d{1,4})\))?)?/;

/** True when the beginning of a text looks like a counter log: the PDH mark, or a first row of counter paths. */
export function looksLikePerfmon(head: string): boolean {
  const start = head.trimStart().slice(0, 4000);
  return (
    start.startsWith('"') && (/^"\s*\(PDH-[CT]SV /.test(start) || /^"[^"\n]*"[,;\t]"\\\\[^"\n]+\\[^"\n]+"/.test(start))
  );
}

/**
 * True when the beginning of a file is a binary counter log (.blg): the mark of its first record, or a binary file that
 * holds UTF-16 counter paths. Inferred from the names of its record types; no specimen was at hand.
 */
export function looksLikeBlg(head: Uint8Array): boolean {
  if (head[0] === 0x01 && head[1] === 0x43) return true;
  if (!head.subarray(0, 64).includes(0)) return false;
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  return /\\\0\\\0(?:[^\0]\0){1,63}\\\0(?:[^\0]\0){1,200}\\\0/.test(text);
}

/** Reads a counter log. A failure for what is too large, or has no header of counter paths or no sample. */
export function parsePerfmonLog(data: Uint8Array): PerfmonLog | Failure {
  const text = decodeText(data);
  if (failed(text)) return text;
  // typeperf begins with an empty line.
  const start = text.search(/\S/);
  if (start < 0) return new Failure('corrupt', 'is empty');
  const newline = text.indexOf('\n', start);
  const header = text.slice(start, newline < 0 ? text.length : newline);
  const reader = new SampleReader();
  eachRow(text.slice(start), delimiterOf(header), (cells) => reader.row(cells));
  return reader.log();
}

class SampleReader {
  private paths: CounterPath[] | null = null;
  private zone: { name: string | null; bias: number | null } = { name: null, bias: null };
  private readonly stamps: Stamp[] = [];
  private values: Float64Array[] = [];
  private capacity = 64;
  private samples = 0;
  private badRows = 0;
  private badValues = 0;
  private failure: Failure | null = null;

  row(cells: readonly string[]): boolean {
    if (this.paths === null) return this.header(cells);
    const stamp = parseStamp(cells[0] ?? '');
    if (stamp?.time === undefined || stamp.time === null) {
      this.badRows++;
      return true;
    }
    if (cells.length < 2 && this.paths.length > 0) {
      this.badRows++;
      return true;
    }
    if ((this.samples + 1) * this.paths.length > MAXIMUM_VALUES || this.samples >= MAXIMUM_SAMPLES) {
      const bounds = `${MAXIMUM_SAMPLES} samples or ${MAXIMUM_VALUES} values`;
      this.failure = new Failure('corrupt', `holds more than ${bounds}; thin it with relog -t`);
      return false;
    }
    if (this.samples === this.capacity) this.grow();
    // Month first, whatever the locale; other writers may have put the day first.
    this.stamps.push(stamp.swappable ? swapped(stamp) : stamp);
    for (let c = 0; c < this.paths.length; c++) {
      const column = this.values[c];
      if (column === undefined) continue;
      const value = parseValue(cells[c + 1]);
      column[this.samples] = value;
      if (Number.isNaN(value) && (cells[c + 1] ?? '').trim() !== '') this.badValues++;
    }
    this.samples++;
    return true;
  }

  log(): PerfmonLog | Failure {
    if (this.failure !== null) return this.failure;
    if (this.paths === null || this.paths.length === 0) {
      return new Failure('corrupt', 'has no header line with counter paths');
    }
    if (this.samples === 0) return new Failure('corrupt', 'holds no sample');
    // The bias is what to add to local time to get UTC.
    const offset = this.zone.bias === null ? 0 : -this.zone.bias;
    return {
      counters: this.paths,
      times: Float64Array.from(resolveStamps(this.stamps, offset)),
      values: this.values.map((column) => column.subarray(0, this.samples)),
      offsetKnown: this.zone.bias !== null,
      timeZone: this.zone.name,
      badRows: this.badRows,
      badValues: this.badValues,
    };
  }

  private header(cells: readonly string[]): boolean {
    const first = PDH_HEADER.exec(cells[0] ?? '');
    if (first !== null) {
      const name = first[1]?.trim();
      const bias = first[2] === undefined ? null : Number(first[2]);
      this.zone = {
        name: name === undefined || name === '' ? null : printable(name),
        bias: bias !== null && Math.abs(bias) <= 15 * 60 ? bias : null,
      };
    }
    const paths = cells.slice(1).map(parseCounterPath);
    if (paths.length === 0 || (first === null && paths.every((path) => path === null))) {
      this.badRows++;
      return this.badRows < 50;
    }
    this.paths = paths.map((path, i) => path ?? unnamed(cells[i + 1] ?? ''));
    this.capacity = Math.max(1, Math.min(this.capacity, Math.floor(MAXIMUM_VALUES / this.paths.length)));
    this.values = this.paths.map(() => new Float64Array(this.capacity));
    return true;
  }

  private grow(): void {
    this.capacity *= 2;
    this.values = this.values.map((old) => {
      const column = new Float64Array(this.capacity);
      column.set(old);
      return column;
    });
  }
}

function swapped(stamp: Stamp): Stamp {
  return { ...stamp, month: stamp.day, day: stamp.month, swappable: false };
}

function unnamed(text: string): CounterPath {
  return { machine: null, object: '', instance: null, counter: printable(text.trim()).slice(0, 200) };
}

/** `\\HOST\Object(instance)\Counter` taken apart; null for other text. Instances may hold parentheses and backslashes. */
export function parseCounterPath(text: string): CounterPath | null {
  if (text.length > 1024) return null;
  const match = /^\s*(?:\\\\([^\\]+))?\\(.+)\\([^\\]+)$/.exec(text);
  if (match?.[2] === undefined || match[3] === undefined) return null;
  const open = match[2].indexOf('(');
  const close = match[2].lastIndexOf(')');
  const hasInstance = open > 0 && close > open;
  return {
    machine: match[1] === undefined ? null : printable(match[1]),
    object: printable(hasInstance ? match[2].slice(0, open) : match[2]),
    instance: hasInstance ? printable(match[2].slice(open + 1, close)) : null,
    counter: printable(match[3].trimEnd()),
  };
}

/**
 * A value with a decimal point or comma; NaN for a blank or other text, also for one whose exponent was cut off: how
 * large it was cannot be known. Values are written without groups of digits.
 */
function parseValue(cell: string | undefined): number {
  const text = cell?.trim() ?? '';
  return /^[-+]?\d{1,30}(?:[.,]\d{0,40})?(?:e[-+]?\d{1,3})?$/i.test(text) ? Number(text.replace(',', '.')) : NaN;
}
