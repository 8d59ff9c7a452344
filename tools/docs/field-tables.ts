/**
 * The tables of docs/result.md that follow from the description of the result. They stand between a line
 * `<!-- fields: NAME -->` (or `<!-- evidence kinds -->`, `<!-- warning codes -->`, `<!-- csv -->`) and the next `<!-- end -->`; the rest is written by hand.
 */

import { TABLES } from '../../src/report/csv.js';
import { KIND_ORDER, kindFacts } from '../../src/result/evidence-kinds.js';
import { fieldsOf, type AnyShape, type Fields } from '../../src/result/leaves.js';
import { RESULT_SHAPE } from '../../src/result/shape.js';
import { WARNING_CODES, warningMeaning } from '../../src/result/warning-codes.js';

/** The text with all of its tables made anew. Throws where an object of the result has no table, or a table no object. */
export function withTables(text: string): string {
  const objects = namedObjects();
  const seen = new Set<string>();
  const result = text.replace(/(<!-- (fields: (\w+)|evidence kinds|warning codes|csv) -->\n)[^]*?(<!-- end -->)/g, (...found) => {
    const [, begin, what, name, end] = found as string[];
    if (what === 'evidence kinds') return `${begin ?? ''}\n${kinds()}\n${end ?? ''}`;
    if (what === 'warning codes') return `${begin ?? ''}\n${warnings()}\n${end ?? ''}`;
    if (what === 'csv') return `${begin ?? ''}\n${csv()}\n${end ?? ''}`;
    const shape = objects.get(name ?? '');
    if (shape === undefined) throw new Error(`docs/result.md has a table of ${name ?? ''}, which the result has not`);
    seen.add(shape.name ?? '');
    return `${begin ?? ''}\n${fieldTable(shape)}\n${end ?? ''}`;
  });
  const missing = [...objects.keys()].filter((name) => !seen.has(name));
  if (missing.length > 0) throw new Error(`docs/result.md has no table of ${missing.join(', ')}`);
  return result;
}

/** All objects with a name, in the order in which they are met. */
export function namedObjects(): Map<string, Fields> {
  const found = new Map<string, Fields>();
  const walk = (shape: AnyShape): void => {
    if (shape.node === 'list') walk(shape.of as AnyShape);
    if (shape.node !== 'object') return;
    if (shape.name !== null) {
      if (found.has(shape.name)) return;
      found.set(shape.name, shape);
    }
    for (const [, inner] of fieldsOf(shape)) walk(inner);
  };
  walk(RESULT_SHAPE);
  return found;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');

/** Values that stand in the table of fields; more have a table of their own. */
const MOST_LISTED = 20;

function fieldTable(shape: Fields): string {
  return table(['field', 'is', 'what'], rowsOf(shape, ''));
}

/** A row a field; those of an object without a name follow it. */
function rowsOf(shape: Fields, before: string): string[][] {
  return fieldsOf(shape).flatMap(([key, inner]) => {
    const name = `${before}${key}`;
    const item = inner.node === 'list' ? (inner.of as AnyShape) : inner;
    const below = item.node === 'object' && item.name === null ? item : null;
    const row = [`\`${name}\`${inner.nullable ? ' ?' : ''}`, isText(inner), inner.what];
    return [row, ...(below === null ? [] : rowsOf(below, `${name}${inner.node === 'list' ? '[]' : ''}.`))];
  });
}

function isText(shape: AnyShape): string {
  switch (shape.node) {
    case 'open':
      return 'object';
    case 'object':
      return shape.name === null ? 'object' : `[${shape.name}](#${shape.name.toLowerCase()})`;
    case 'list':
      return `list of ${isText(shape.of as AnyShape)}`;
    case 'leaf':
      return 'values' in shape && shape.values.length < MOST_LISTED
        ? shape.values.map((value) => `\`${value}\``).join(', ')
        : shape.is;
  }
}

function kinds(): string {
  const rows = KIND_ORDER.map((kind) => [`\`${kind}\``, kindFacts(kind).words]);
  return table(['kind', 'what'], rows);
}

function warnings(): string {
  const rows = WARNING_CODES.map((code) => [`\`${code}\``, warningMeaning(code)]);
  return table(['code', 'what'], rows);
}

function csv(): string {
  const rows = TABLES.map(({ name, of, columns }) => [
    `\`${name}\``,
    of,
    columns.map((column) => `\`${column}\``).join(', '),
  ]);
  return table(['file', 'rows', 'columns'], rows);
}
