/** Rows of `db`, `dw`, `dd`, `dq`, `dc` and their like: cells of one size, characters beside them or not. */

import { numberAt, type PartialBytes } from './bytes.js';

/** How a command shows memory. */
export interface RowForm {
  /** Bytes of a cell. */
  readonly size: 1 | 2 | 4 | 8;
  /** Cells of a row. */
  readonly cells: number;
  /** Characters stand behind the cells. */
  readonly text: boolean;
}

/** `wide` parts the halves of 64 bits by a backquote, as core commands do. */
function cell(value: bigint | null, size: number): string {
  if (size === 8) {
    const digits = value === null ? '?'.repeat(16) : value.toString(16).padStart(16, '0');
    return `${digits.slice(0, 8)}\`${digits.slice(8)}`;
  }
  return value === null ? '?'.repeat(size * 2) : value.toString(16).padStart(size * 2, '0');
}

/** `.` for what cannot be printed, `?` for what was not read. */
function characters({ bytes, present }: PartialBytes, from: number, length: number): string {
  let text = '';
  for (let i = from; i < from + length; i++) {
    const byte = bytes[i] ?? 0;
    text += present[i] !== 1 ? '?' : byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.';
  }
  return text;
}

/** The cells of a row, from byte `from` on; `count` of them. */
export function rowText(part: PartialBytes, from: number, count: number, form: RowForm): string {
  const { size, cells, text } = form;
  let shown = '';
  for (let i = 0; i < count; i++) {
    if (i > 0) shown += size === 1 && i === 8 ? '-' : ' ';
    shown += cell(numberAt(part, from + i * size, size), size);
  }
  if (!text) return shown;
  const width = cells * (size * 2 + 1) - 1 + (size === 8 ? cells : 0);
  return `${shown.padEnd(width)}  ${characters(part, from, count * size)}`;
}
