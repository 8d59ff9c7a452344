/** Delimited text (CSV, TSV) row by row: quoted cells with doubled quotes, line ends inside quotes, bounded rows. */

/** More columns than any counter log has. */
export const MAXIMUM_COLUMNS = 20_000;

/** The longest cell in quotes that is kept, in characters. */
const MAXIMUM_CELL = 65_536;

/** The delimiter that a header line uses: the one that stands most often outside quotes. */
export function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '');
  let best = ',';
  for (const candidate of [';', '\t']) if (count(bare, candidate) > count(bare, best)) best = candidate;
  return best;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

/**
 * Calls `row` with the cells of each row and the number of its line (from 1). The list of cells is used again for the
 * next row. Empty lines are passed over. Cells past MAXIMUM_COLUMNS are left out. Stops when `row` returns false.
 */
export function eachRow(text: string, delimiter: string, row: (cells: string[], line: number) => boolean): void {
  const cells: string[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    cells.length = 0;
    const start = line;
    for (;;) {
      let cell: string;
      if (text.charCodeAt(at) === QUOTE) {
        const end = closingQuote(text, at + 1);
        cell = text.slice(at + 1, Math.min(end, at + 1 + MAXIMUM_CELL));
        if (cell.includes('\n')) line += cell.split('\n').length - 1;
        if (cell.includes('"')) cell = cell.replaceAll('""', '"');
        at = end + 1;
        const rest = cellEnd(text, at, delimiter);
        if (rest > at) cell += text.slice(at, rest);
        at = rest;
      } else {
        const end = cellEnd(text, at, delimiter);
        cell = text.slice(at, end);
        at = end;
      }
      if (cells.length < MAXIMUM_COLUMNS) cells.push(cell);
      if (text[at] !== delimiter) break;
      at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    line++;
    if (cells.length === 1 && cells[0]?.trim() === '') continue;
    if (!row(cells, start)) return;
  }
}

const QUOTE = 0x22;

/** The next quote that is not doubled; the end of the text without one. */
function closingQuote(text: string, from: number): number {
  let at = from;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return text.length;
    if (text.charCodeAt(end + 1) !== QUOTE) return end;
    at = end + 2;
  }
}

function cellEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === delimiter || character === '\n' || (character === '\r' && text[at + 1] === '\n')) break;
  }
  return at;
}
