/**
 * Structure layouts of real x64 kernels, each kept once in `layouts.txt`, and which kernel has which, in `layout-sets.txt`.
 *
 * `layouts.txt` is a table per type: the type's name, a line of columns (`Key:i32`), then one line a layout: the size and the
 * offset of every column in hex, `-` where this layout lacks the field, trailing `-` left out. A layout's number is its place.
 * `layout-sets.txt` has a line of types and then a line a set: its name and the number of the layout of each type.
 */

import type { FieldLayout, StructLayout } from '../../parsers/kernel/layout.js';
import { findLine, readDataFile, readDataLines } from './data-files.js';

interface TypeTable {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly string[];
}

const scalars = new Map<string, string>();
let typeStart: Map<string, number> | undefined;
let layoutLines: readonly string[] = [];
const tables = new Map<string, TypeTable>();
const layouts = new Map<string, StructLayout>();
let typeColumn: Map<string, number> | undefined;

/** `*u64[2]` as the published tables spell it: `*unsigned long long[2]`. */
function spell(type: string): string {
  return type.replace(
    /^(\**)([iu]\d\d?)(?=$|[[:])/,
    (_, stars: string, short: string) => stars + (scalars.get(short) ?? short),
  );
}

function startOfType(type: string): number | undefined {
  if (typeStart === undefined) {
    layoutLines = readDataLines('layouts.txt');
    typeStart = new Map();
    layoutLines.forEach((line, i) => {
      if (line.startsWith('= ')) {
        const [, short = '', ...long] = line.split(' ');
        scalars.set(short, long.join(' '));
      } else if (layoutLines[i - 1] === '' && line !== '') typeStart?.set(line, i);
    });
  }
  return typeStart.get(type);
}

function tableOf(type: string): TypeTable | null {
  const known = tables.get(type);
  if (known !== undefined) return known;
  const start = startOfType(type);
  if (start === undefined) return null;
  const columns = (layoutLines[start + 1] ?? '').split(' ').map((column) => {
    const colon = column.indexOf(':');
    return { name: column.slice(0, colon), type: spell(column.slice(colon + 1)) };
  });
  const end = layoutLines.indexOf('', start);
  const made = { columns, rows: layoutLines.slice(start + 2, end < 0 ? undefined : end) };
  tables.set(type, made);
  return made;
}

function layoutByNumber(type: string, number: string): StructLayout | null {
  const key = `${type} ${number}`;
  const known = layouts.get(key);
  if (known !== undefined) return known;
  const table = tableOf(type);
  const row = table?.rows[Number(number)]?.split(' ');
  if (table === null || row === undefined) return null;
  const fields: Record<string, FieldLayout> = {};
  table.columns.forEach((column, i) => {
    const offset = row[i + 1];
    if (offset !== undefined && offset !== '-')
      fields[column.name] = { offset: parseInt(offset, 16), type: column.type };
  });
  const layout = { name: type, size: parseInt(row[0] ?? '', 16), fields };
  layouts.set(key, layout);
  return layout;
}

function columnOfType(type: string): number | undefined {
  if (typeColumn === undefined) {
    const types = readDataLines('layout-sets.txt')[0] ?? '';
    typeColumn = new Map(types.split(' ').map((name, i) => [name, i + 1]));
  }
  return typeColumn.get(type);
}

/** The layout of `type` in a layout set (`s12`) or in a version known by its layouts alone (`10.0.17134.1`), or `null`. */
export function layoutInSet(set: string, type: string): StructLayout | null {
  const column = columnOfType(type);
  if (column === undefined) return null;
  const number = findLine(readDataFile('layout-sets.txt'), set)?.[column];
  return number === undefined || number === '-' ? null : layoutByNumber(type, number);
}

/** The versions in `layout-sets.txt` that no profile covers. */
export function versionsWithoutProfile(): readonly string[] {
  return readDataLines('layout-sets.txt')
    .map((line) => line.slice(0, line.indexOf(' ')))
    .filter((name) => /^\d/.test(name));
}
