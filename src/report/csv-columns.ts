/** Columns of a table by the description of its rows: an object in a row is spread out, its name before those of its fields. */

import { fieldsOf, type AnyShape, type Fields } from '../result/leaves.js';
import type { CsvValue } from './csv-cell.js';

/** A column and where its value stands in a row. */
export interface Column {
  readonly name: string;
  readonly path: readonly string[];
}

export interface ColumnOptions {
  /** Names by path; of an object, what its fields begin with. */
  readonly names?: Readonly<Record<string, string>>;
  /** Paths of what comes behind all others: columns were added to tables that programs read. */
  readonly last?: readonly string[];
  /** Which of the row's own fields are taken. */
  readonly only?: (shape: AnyShape) => boolean;
}

/** The columns of a row's leaves and of lists of texts; other lists have no column. */
export function columnsOf(row: Fields, { names = {}, last = [], only = () => true }: ColumnOptions = {}): Column[] {
  const found: Column[] = [];
  const walk = (shape: AnyShape, path: readonly string[], name: string): void => {
    if (shape.node === 'object') {
      for (const [key, inner] of fieldsOf(shape)) {
        const below = [...path, key];
        if (path.length === 0 && !only(inner)) continue;
        walk(inner, below, names[below.join('.')] ?? joined(name, key));
      }
    } else if (shape.node === 'leaf' || (shape.node === 'list' && (shape.of as AnyShape).node === 'leaf')) {
      found.push({ name, path });
    }
  };
  walk(row, [], '');
  const isLast = ({ path }: Column): boolean => last.some((one) => `${path.join('.')}.`.startsWith(`${one}.`));
  return [...found.filter((column) => !isLast(column)), ...found.filter(isLast)];
}

const joined = (before: string, key: string): string =>
  before === '' ? key : `${before}${key.charAt(0).toUpperCase()}${key.slice(1)}`;

export function namesOf(columns: readonly Column[]): string[] {
  return columns.map(({ name }) => name);
}

/** The cells of a row; null where a part of it is. */
export function cellsOf(columns: readonly Column[], row: object | null): CsvValue[] {
  return columns.map(({ path }) => {
    let value: unknown = row;
    for (const key of path) {
      if (typeof value !== 'object' || value === null) return null;
      value = (value as Readonly<Record<string, unknown>>)[key];
    }
    return Array.isArray(value) ? value.join('; ') : ((value ?? null) as CsvValue);
  });
}
