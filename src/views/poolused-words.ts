/** The words after `!poolused`: `/t5 2 Leak*`, read as WinDbg reads them, and the tag patterns among them. */

import { debuggerNumber, unquoted } from './words.js';

/** The bits of `!poolused` flags. */
export const POOL_USED = { verbose: 1, sortNonPaged: 2, sortPaged: 4, session: 8 } as const;

export interface PoolUsedOptions {
  /** Bits of `POOL_USED`. */
  flags: number;
  /** Rows to list; all of them without it. */
  top?: number | undefined;
  /** Say who allocates under the largest tags. Not one of the debugger's words. */
  owners?: boolean | undefined;
  /** Tags to list, with `*` and `?`, case-sensitive; all of them without it. */
  pattern?: string | undefined;
}

const USAGE = '[/tN] [flags] [tag pattern]';

function flagsError(flags: number, word: string): string | null {
  if (flags > 15) {
    return `flags ${word}: known bits are 1 (verbose), 2 (sort by nonpaged), 4 (sort by paged), 8 (session pool); to list tag ${word}, put flags before it: 0 ${word}`;
  }
  return (flags & 6) === 6 ? `flags ${word}: 2 (sort by nonpaged) and 4 (sort by paged) exclude each other` : null;
}

function patternError(pattern: string): string | null {
  if (pattern === '') return 'the tag pattern is empty';
  if (pattern.includes('*') || pattern.length === 4) return null;
  return `tag pattern "${pattern}" has ${pattern.length} characters: a tag has exactly 4, blanks count ("Abc "); use * for any run, as in "${pattern.slice(0, 3)}*"`;
}

/**
 * Reads the words after `poolused`: `/t5` or `/t 5` (decimal) anywhere, then flags, then a tag pattern, which may stand
 * in double quotes. Without flags they are 0.
 */
export function parsePoolUsedArguments(words: readonly string[]): PoolUsedOptions | { error: string } {
  const options: PoolUsedOptions = { flags: 0 };
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (!/^[/-]t/i.test(word) || rest.length > 1) {
      rest.push(word);
      continue;
    }
    const number = word.length > 2 ? word.slice(2) : (words[++i] ?? '');
    if (!/^\d{1,9}$/.test(number) || Number(number) === 0) {
      return { error: `${word}: /t wants a number of rows, as in /t5` };
    }
    options.top = Number(number);
  }

  const [flagsWord, patternWord, ...more] = rest;
  if (flagsWord !== undefined) {
    const flags = debuggerNumber(flagsWord);
    if (flags === null) {
      return { error: `"${flagsWord}" is no number: flags stand before the tag pattern, as in: 0 ${flagsWord}` };
    }
    const error = flagsError(flags, flagsWord);
    if (error !== null) return { error };
    options.flags = flags;
  }
  if (patternWord !== undefined) {
    const pattern = unquoted(patternWord);
    const error = patternError(pattern);
    if (error !== null) return { error };
    options.pattern = pattern;
  }
  if (more.length > 0) {
    return { error: `too many words: expected ${USAGE}; a tag with a blank in it stands in quotes ("Dh 1")` };
  }
  return options;
}

/** Whether a tag matches a pattern as a whole: `*` is any run, `?` any one character, the rest literal, case counts. */
export function matchesTag(pattern: string, tag: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < tag.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === tag[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
