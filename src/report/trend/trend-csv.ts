/**
 * Growth as one table: a row a sample of a series, in the order of the ranking, as spreadsheets and data frames take it.
 * RFC 4180 with CRLF, UTF-8 with a byte order mark; unknown is an empty cell.
 */

import { outstanding } from '../../growth/read/counters.js';
import type { JudgedSeries, Trend } from '../../growth/trend.js';
import { csvCell } from '../csv-cell.js';
import { checkSize, isoTime } from './trend-json.js';

const COLUMNS = 'time,kind,tag,pool,label,unit,value,allocs,frees,outstanding,stretch,judgement';

/** More do not fit one string. */
const MOST_ROWS = 4_000_000;

/** All of the table. Throws InputError for more rows than one text can hold. */
export function renderTrendCsv(trend: Trend): string {
  checkSize(trend, MOST_ROWS);
  const times = Array.from(trend.times, (time) => isoTime(trend, time) ?? '');
  const rows = ['\ufeff' + COLUMNS];
  for (const judged of trend.series) addRows(judged, times, rows);
  rows.push('');
  return rows.join('\r\n');
}

function addRows({ series, verdict }: JudgedSeries, times: readonly string[], rows: string[]): void {
  const { name, ranks, values, allocs, frees } = series;
  const about = [name.kind, name.tag ?? '', name.pool ?? '', name.label, name.unit].map(cell).join(',');
  for (const [s, { from, to }] of verdict.stretches.entries()) {
    for (let i = from; i < to; i++) {
      const [made, gone] = [allocs?.[i] ?? NaN, frees?.[i] ?? NaN];
      const counters = `${number(made)},${number(gone)},${number(outstanding(made, gone))}`;
      rows.push(
        `${times[ranks[i] ?? 0] ?? ''},${about},${number(values[i] ?? NaN)},${counters},${s + 1},${verdict.judgement}`,
      );
    }
  }
}

const number = (value: number): string => (Number.isFinite(value) ? String(value) : '');

/** A text, quoted where it must be. */
function cell(text: string): string {
  const safe = csvCell(text);
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
