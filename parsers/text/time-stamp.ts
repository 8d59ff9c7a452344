/**
 * Dates and times as scripts write them into logs: `%date% %time%` of many languages, ISO 8601, PowerShell's long form.
 *
 * A numeric date such as 03/04/2026 does not say which is the month. Such a stamp keeps both readings; the stamps of one
 * log together usually tell (`resolveStamps`).
 */

/** A date and time of day as written. */
export interface Stamp {
  readonly year: number;
  /** 1 to 12; where `swappable`, this is the second number of the date. */
  readonly month: number;
  readonly day: number;
  /** Milliseconds since midnight; null where only a date is written. */
  readonly time: number | null;
  /** Minutes to add to UTC to get the written time; null where nothing says (local time). */
  readonly offsetMinutes: number | null;
  /** Month and day may be the other way round. */
  readonly swappable: boolean;
  /** 0 = Sunday, where the name of the day is written in English; null else. */
  readonly weekday: number | null;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Longer lines hold no stamp: a bound on what the patterns see. */
const LONGEST_LINE = 200;

const ISO_DATE = /(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)/;
const NUMERIC_DATE = /(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/;
const DAY_MONTH = /(?<!\d)(\d{1,2})[ -](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ,-]+(\d{4})(?!\d)/i;
const MONTH_DAY = /(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* (\d{1,2}),? (\d{4})(?!\d)/i;
const TIME = /(?<![\d.:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?: ?([ap])\.?m\.?)?(?![\d:])/i;
const OFFSET = /^ ?(?:(z|utc|gmt)|([+-])(\d{2}):?(\d{2}))(?![\w])/i;
const WEEKDAY = /(?<![a-z])(sun|mon|tue|wed|thu|fri|sat)[a-z]*(?![a-z])/i;

/** The stamp in a line, which may hold other text; null where there is no date that can exist. */
export function parseStamp(line: string): Stamp | null {
  if (line.length > LONGEST_LINE) return null;
  const text = line.replace(/(\d)[T_](\d)/g, '$1 $2').replace(/[\u00a0\u202f]/g, ' ');
  const date = parseDate(text);
  if (date === null) return null;
  const { time, end } = timeIn(text);
  const zone = end === null ? null : OFFSET.exec(text.slice(end));
  const name = WEEKDAY.exec(text)?.[1]?.toLowerCase();
  return {
    ...date,
    time,
    offsetMinutes: zone === null ? null : zoneMinutes(zone),
    weekday: name === undefined ? null : DAYS.indexOf(name),
  };
}

/** The time of day in a line without a date, in milliseconds; null where there is none. */
export function parseTimeOfDay(line: string): number | null {
  return line.length > LONGEST_LINE ? null : timeIn(line).time;
}

type DateParts = Pick<Stamp, 'year' | 'month' | 'day' | 'swappable'>;

function parseDate(text: string): DateParts | null {
  const iso = ISO_DATE.exec(text);
  if (iso !== null) return valid(Number(iso[1]), Number(iso[3]), Number(iso[4]), false);
  const named = DAY_MONTH.exec(text);
  if (named !== null) return valid(Number(named[3]), monthOf(named[2]), Number(named[1]), false);
  const long = MONTH_DAY.exec(text);
  if (long !== null) return valid(Number(long[3]), monthOf(long[1]), Number(long[2]), false);
  const numeric = NUMERIC_DATE.exec(text);
  if (numeric === null) return null;
  const [first, second] = [Number(numeric[1]), Number(numeric[3])];
  const year = Number(numeric[4]) + (numeric[4]?.length === 2 ? 2000 : 0);
  // Only with slashes do some countries put the month first.
  const slashes = numeric[2] === '/';
  if (slashes && second > 12) return valid(year, first, second, false);
  return valid(year, second, first, slashes && first <= 12 && first !== second);
}

const monthOf = (name = ''): number => MONTHS.indexOf(name.toLowerCase()) + 1;

function valid(year: number, month: number, day: number, swappable: boolean): DateParts | null {
  if (year < 1990 || year > 2199 || month < 1 || month > 12 || day < 1) return null;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  return { year, month, day, swappable };
}

function timeIn(text: string): { time: number | null; end: number | null } {
  const found = TIME.exec(text);
  if (found === null) return { time: null, end: null };
  const [all, hours, minutes, seconds = '0', fraction = '0', half] = found;
  let hour = Number(hours);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return { time: null, end: null };
    hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  }
  if (hour > 23 || Number(minutes) > 59 || Number(seconds) > 60) return { time: null, end: null };
  const ms =
    hour * HOUR + Number(minutes) * MINUTE + Number(seconds) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000);
  return { time: ms, end: found.index + all.length };
}

function zoneMinutes([, utc, sign, hours, minutes]: RegExpExecArray): number {
  if (utc !== undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** The same stamp with a time of day. */
export function withTime(stamp: Stamp, time: number): Stamp {
  return { ...stamp, time };
}

/**
 * Times of stamps that one script wrote, in milliseconds since 1970. Local times are taken as UTC plus `localOffset`
 * minutes. Month and day are read in the one order that fits all of them: a name of a day decides, else the
 * order in which the times do not run backwards, else day first.
 */
export function resolveStamps(stamps: readonly Stamp[], localOffset = 0): number[] {
  const swap = monthFirst(stamps);
  return stamps.map((stamp) => stampTime(stamp, swap, localOffset));
}

function monthFirst(stamps: readonly Stamp[]): boolean {
  const open = stamps.filter((stamp) => stamp.swappable);
  if (open.length === 0) return false;
  let asWritten = 0;
  let swapped = 0;
  for (const stamp of open) {
    if (stamp.weekday === null) continue;
    if (weekday(stamp, false) === stamp.weekday) asWritten++;
    if (weekday(stamp, true) === stamp.weekday) swapped++;
  }
  if (asWritten !== swapped) return swapped > asWritten;
  const backwards = (swap: boolean): number => {
    let count = 0;
    let before = -Infinity;
    let span = 0;
    for (const stamp of stamps) {
      const time = stampTime(stamp, swap, 0);
      if (time < before) count++;
      else if (before !== -Infinity) span += time - before;
      before = time;
    }
    // Among orders that run forwards, the one with fewer days in between: a log is not taken once a month.
    return count * 1e15 + span;
  };
  return backwards(true) < backwards(false);
}

function weekday(stamp: Stamp, swap: boolean): number {
  return new Date(stampTime({ ...stamp, time: 0, offsetMinutes: 0 }, swap, 0)).getUTCDay();
}

function stampTime(stamp: Stamp, swap: boolean, localOffset: number): number {
  const [month, day] = swap && stamp.swappable ? [stamp.day, stamp.month] : [stamp.month, stamp.day];
  const offset = stamp.offsetMinutes ?? localOffset;
  return Date.UTC(stamp.year, month - 1, day) + (stamp.time ?? 0) - offset * MINUTE;
}
