/** Lines of a file as a bit map: which of them ran, from ranges of characters as the engine tells them. */

/** Of one function: the range of it first, then ranges within, each with how often it ran. */
interface FunctionRanges {
  readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
}

/**
 * The lines of which a part ran. `starts` has the offset of each line's first character. Functions come outermost first; a line
 * that a range shares with what is around it keeps what it was when the range did not run.
 */
export function linesRun(starts: readonly number[], functions: readonly FunctionRanges[]): Uint8Array {
  const lines = new Uint8Array((starts.length >> 3) + 1);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      const [first, last] = [lineAt(starts, startOffset), lineAt(starts, endOffset - 1)];
      for (let line = first; line <= last; line++) {
        const bit = 1 << (line & 7);
        const byte = lines[line >> 3] ?? 0;
        if (count > 0) lines[line >> 3] = byte | bit;
        else if (line > first && line < last) lines[line >> 3] = byte & ~bit;
      }
    }
  }
  return lines;
}

/** The line of an offset, both counted from 0. */
function lineAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** True when a bit map has a line, counted from 0. */
export function hasLine(lines: Uint8Array, line: number): boolean {
  return ((lines[line >> 3] ?? 0) & (1 << (line & 7))) !== 0;
}
