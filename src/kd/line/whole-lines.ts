/** Lines joined that belong together: a block in braces goes on over lines, and `.else` belongs to the block before it. */

/** Commands that a block, or a second one, may follow on the next line. */
const TAKES_BLOCK = /^\s*\.(?:if|for|while|foreach|do|block|catch)\b/;
const IS_COMMENT = /^\s*(?:\*|\$\$(?![><]))/;
const GOES_ON = /^\s*(?:\{|\.(?:elsif|else)\b)/;
/** Characters of joined lines. */
const LONGEST = 1 << 20;

/** Joins lines as they come. */
export class LineJoiner {
  private pending: string | null = null;
  private depth = 0;

  /** Takes a line; gives those that are whole now. */
  push(line: string): string[] {
    if (this.pending !== null && this.pending.length < LONGEST) {
      if (IS_COMMENT.test(line) && !line.includes('{') && !line.includes('}')) return [];
      if (IS_COMMENT.test(line) && this.depth > 0) return [];
      if (this.depth > 0 || GOES_ON.test(line)) {
        const isBound = this.depth === 0 || /[{;(]\s*$/.test(this.pending) || GOES_ON.test(line) || line.trim() === '';
        this.pending += (isBound ? ' ' : '; ') + line.trim();
        this.depth = Math.max(0, this.depth + depthOf(line));
        return [];
      }
    }
    const before = this.end();
    this.depth = IS_COMMENT.test(line) ? 0 : Math.max(0, depthOf(line));
    if (this.depth > 0 || TAKES_BLOCK.test(line)) this.pending = line.trimEnd();
    else before.push(line);
    return before;
  }

  /** What waits for a next line that does not come. */
  end(): string[] {
    const left = this.pending;
    this.pending = null;
    this.depth = 0;
    return left === null ? [] : [left];
  }
}

/** The lines of a text, joined. */
export function wholeLines(text: string): string[] {
  const joiner = new LineJoiner();
  return [...text.split(/\r?\n/).flatMap((line) => joiner.push(line)), ...joiner.end()];
}

/** Braces that are opened less those that are closed, outside of quotes. */
function depthOf(line: string): number {
  let depth = 0;
  let quoted = false;
  for (const c of line) {
    if (c === '"') quoted = !quoted;
    else if (!quoted && c === '{') depth++;
    else if (!quoted && c === '}') depth--;
  }
  return depth;
}
