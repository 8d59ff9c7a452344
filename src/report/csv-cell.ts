/** What every CSV writer makes of a value, so that a file from a hostile dump or log is safe to open in a spreadsheet. */

import { printable } from '../../parsers/text-safety.js';

export type CsvValue = string | number | boolean | null;

const PLAIN_NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
/**
 * What begins a formula, in its ordinary and its full-width form, and blanks that a program may trim before one.
 * Tabulators and line ends stand as `?` by then and begin nothing.
 */
const FORMULA_START = /^\s*[=+\-@\uff0b\uff0d\uff1d\uff20]/;

/**
 * The value as text that a spreadsheet takes for text or a plain number: printable, with an apostrophe before what it
 * would take for a formula. Null is empty. Not yet quoted.
 */
export function csvCell(value: CsvValue): string {
  if (value === null) return '';
  const text = printable(String(value));
  return FORMULA_START.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
}
