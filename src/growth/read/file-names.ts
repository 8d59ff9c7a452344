/** What the name of a snapshot file tells: its place in the order, and perhaps when it was taken. */

/** Compares as people count: `log-2` before `log-10`; letter case does not matter. */
export function naturalOrder(a: string, b: string): number {
  const [x, y] = [pieces(a), pieces(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const [p, q] = [x[i] ?? '', y[i] ?? ''];
    if (p === q) continue;
    if (isNumber(p) && isNumber(q)) {
      const [m, n] = [p.replace(/^0+/, ''), q.replace(/^0+/, '')];
      if (m.length !== n.length) return m.length - n.length;
      if (m !== n) return m < n ? -1 : 1;
      continue;
    }
    return p < q ? -1 : 1;
  }
  return x.length - y.length || (a < b ? -1 : a > b ? 1 : 0);
}

const pieces = (text: string): string[] => text.toLowerCase().match(/\d+|\D+/g) ?? [];
const isNumber = (text: string): boolean => /^\d/.test(text);

/** True when the name, without its extension, holds a number. */
export function hasNumber(name: string): boolean {
  return /\d/.test(name.replace(/\.[^.]*$/, ''));
}

const DATE_TIME =
  /(?<!\d)((?:19|20)\d{2})([-_.]?)(\d{2})\2(\d{2})(?:[-_T. ]{0,2}(\d{2})[-_.h:]?(\d{2})(?:[-_.m:]?(\d{2}))?s?(Z)?)?(?!\d)/gi;
/** Seconds since 1970, from 2001 to 2033. */
const UNIX_TIME = /(?<!\d)(1\d{9})(?!\d)/;

/**
 * The date, and the time of day where it has one, in a file's name. Milliseconds, read as UTC. Of several (a machine may
 * be called after a year) the last with a time of day, else the last.
 */
export function timeInName(name: string): { time: number; utc: boolean } | null {
  let found: { time: number; utc: boolean; full: boolean } | null = null;
  for (const match of name.matchAll(DATE_TIME)) {
    const date = dateOf(match);
    if (date !== null && (found === null || date.full || !found.full)) found = date;
  }
  if (found !== null) return { time: found.time, utc: found.utc };
  const unix = UNIX_TIME.exec(name);
  return unix === null ? null : { time: Number(unix[1]) * 1000, utc: true };
}

function dateOf(match: RegExpMatchArray): { time: number; utc: boolean; full: boolean } | null {
  const [, year, , month, day, hour = '0', minute = '0', second = '0', zone] = match;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const back = new Date(time);
  if (back.getUTCMonth() !== Number(month) - 1 || back.getUTCDate() !== Number(day)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  return { time, utc: zone !== undefined, full: match[5] !== undefined };
}
