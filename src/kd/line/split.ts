/**
 * A line of the debugger into commands: `;` parts them but inside of quotes and braces; `*` begins a comment to the end of the
 * line, `$$` one to the next `;`.
 */

/** Commands whose parentheses hold commands, and so `;`. */
const WITH_PARTS = /^\s*(?:\.for|\.while|\.if|\.do)\b/;

/** The commands of a line, blanks around them taken away but for those at their end, which belong to the command. */
export function splitLine(line: string): string[] {
  const commands: string[] = [];
  let from = 0;
  let depth = 0;
  /** Parentheses of a command that takes commands in them. */
  let inner = 0;
  let quoted = false;
  /** Only blanks since the last command. */
  let blank = true;
  const take = (to: number): void => {
    const command = line.slice(from, to).trimStart();
    if (command.trimEnd() !== '' && !/^\$\$(?!>*<|>a<)/.test(command)) commands.push(command);
    from = to + 1;
    blank = true;
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? '';
    const isBlank = blank;
    blank &&= /\s/.test(c);
    if (c === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (c === '{') depth++;
    else if (c === '}') depth = Math.max(0, depth - 1);
    else if (c === '(' && depth === 0 && (inner > 0 || WITH_PARTS.test(line.slice(from, i)))) inner++;
    else if (c === ')' && inner > 0) inner--;
    else if (c === ';' && depth === 0 && inner === 0) {
      if (NAMES_FILE.test(line.slice(from, Math.min(i, from + LONGEST_START)))) break;
      take(i);
    } else if (c === '*' && isBlank) return commands;
    else if (c === ' ' && i - from < LONGEST_START && takesRest(line.slice(from, i + 1))) break;
  }
  take(line.length);
  return commands;
}

/** `$<` and `$><` take all of the line for the name of a file. */
const NAMES_FILE = /^\s*\$>?</;

/** Blanks before `as` that are looked at. */
const LONGEST_START = 64;
/** `as` defines an alias of everything after it. */
const takesRest = (start: string): boolean => /^\s*as\s$/.test(start);

/** The words of a text: parted by blanks, quotes kept around what stands in them. */
export function wordsOf(text: string): string[] {
  return text.match(/(?:[^\s"]*"[^"]*"?[^\s"]*|[^\s"]+)/g) ?? [];
}

/** What stands between two signs. */
interface Enclosed {
  readonly inside: string;
  /** Behind the closing sign. */
  readonly end: number;
}

/** A block in braces at `from` (blanks before it left out); null where there is none or it is not closed. */
export const blockAt = (text: string, from: number): Enclosed | null => enclosedAt(text, from, '{', '}');

/** The same in parentheses. */
export const parenthesesAt = (text: string, from: number): Enclosed | null => enclosedAt(text, from, '(', ')');

function enclosedAt(text: string, from: number, opening: string, closing: string): Enclosed | null {
  let at = from;
  while (/\s/.test(text[at] ?? '')) at++;
  if (text[at] !== opening) return null;
  let depth = 0;
  let quoted = false;
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (c === opening) depth++;
    else if (c === closing && --depth === 0) return { inside: text.slice(at + 1, i), end: i + 1 };
  }
  return null;
}
