/** A table of the history for people: columns that line up, the last one as long as it is. */

import { printable } from '../../../parsers/text-safety.js';
import { humanBytes } from '../../views/print/format.js';
import type { Table } from '../store/engine.js';

/** Columns that hold bytes. */
const BYTES = new Set(['bytes', 'mostBytes', 'bytesPerHour', 'fileBytes']);
const WIDEST = 40;
const TITLES: Readonly<Record<string, string>> = {
  systemTime: 'time',
  firstSeen: 'first',
  lastSeen: 'last',
  mostBytes: 'most',
  bytesPerHour: 'an hour',
  leakSuspected: 'leak',
};

/** Lines that end in line feeds. */
export function renderTable({ columns, rows }: Table): string {
  const cells = [columns.map((name) => TITLES[name] ?? name), ...rows.map((row) => row.map((cell, i) => text(cell, columns[i] ?? '')))]; // prettier-ignore
  const widths = columns.map((_, i) => Math.min(WIDEST, Math.max(...cells.map((row) => row[i]?.length ?? 0))));
  return cells
    .map((row) =>
      row.map((cell, i) => (i === row.length - 1 ? cell : cell.slice(0, widths[i]).padEnd(widths[i] ?? 0))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function text(cell: Table['rows'][number][number], column: string): string {
  if (column === 'leakSuspected') return cell === null ? 'not decided' : String(cell) === 'true' ? 'yes' : 'no';
  if (cell === null) return '-';
  if (typeof cell === 'number' && BYTES.has(column)) return humanBytes(Math.round(cell));
  const plain = String(cell);
  // Times to the second.
  return printable(plain.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d{3}Z$/, '$1 $2'));
}
