/** Tables that a script sorts, filters and pages; without one they are whole. */

import { markup, type HtmlValue, type SafeHtml } from './safe-html.js';

export interface Column {
  title: string;
  /** Numbers stand at the right and sort largest first; pictures do not sort. */
  kind: 'text' | 'number' | 'picture';
  /** What the column is, for who hovers. */
  about?: string;
  /** A title over neighbouring columns. */
  group?: string;
}

/** A cell: what is shown, and what it sorts by where that differs. */
export interface Cell {
  show: HtmlValue;
  sort?: number | string | bigint | null;
}

export interface TableParts {
  id: string;
  caption: string;
  /** What a row is, in the plural: `tags`. */
  noun: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
}

/** Rows that are shown at first, and more at a time. */
const ROWS_AT_ONCE = 100;

/** The table, in a region that can be scrolled sideways by keyboard too. */
export function dataTable({ id, caption, noun, columns, rows }: TableParts): SafeHtml {
  const kinds = columns.map(({ kind }) => (kind === 'number' ? markup` class="num"` : null));
  const body: SafeHtml[] = [];
  for (const cells of rows) body.push(rowMarkup(cells, kinds));
  return markup`<div class="scroll" role="region" aria-labelledby="${id}-caption" tabindex="0">
<table id="${id}" data-noun="${noun}" data-page="${ROWS_AT_ONCE}">
<caption id="${id}-caption">${caption}</caption>
<thead>${groupRow(columns)}<tr>${columns.map(headMarkup)}</tr></thead>
<tbody>
${body}</tbody>
</table>
</div>`;
}

// Loops, not functions made anew in each table: the engine would compile those again in every dump of a batch.
function rowMarkup(row: readonly Cell[], kinds: readonly (SafeHtml | null)[]): SafeHtml {
  const cells: SafeHtml[] = [];
  for (const [i, cell] of row.entries()) cells.push(cellMarkup(cell, kinds[i] ?? null, i));
  return markup`<tr>${cells}</tr>
`;
}

function cellMarkup({ show, sort }: Cell, kind: SafeHtml | null, index: number): SafeHtml {
  const key = sort === undefined || sort === null ? null : markup` data-v="${sort}"`;
  return index === 0 ? markup`<th scope="row"${key}>${show}</th>` : markup`<td${kind}${key}>${show}</td>`;
}

function headMarkup({ title, kind, about, group }: Column): SafeHtml {
  const number = kind === 'number' ? markup` class="num"` : null;
  const help = about === undefined ? null : markup` title="${about}"`;
  const over = group === undefined ? null : markup` data-group="${group}"`;
  return markup`<th scope="col" data-kind="${kind}"${number}${help}${over}>${title}</th>`;
}

function groupRow(columns: readonly Column[]): SafeHtml | null {
  if (columns.every(({ group }) => group === undefined)) return null;
  const spans: { group: string | undefined; span: number }[] = [];
  for (const { group } of columns) {
    const last = spans.at(-1);
    if (last !== undefined && last.group === group) last.span++;
    else spans.push({ group, span: 1 });
  }
  const cells = spans.map(({ group, span }) =>
    group === undefined
      ? markup`<td colspan="${span}"></td>`
      : markup`<th scope="colgroup" colspan="${span}">${group}</th>`,
  );
  return markup`<tr class="groups">${cells}</tr>`;
}
