/**
 * pooltag.txt and localtag.txt: who uses which pool tag, as the debugger's and poolmon's lists write it
 * (`<PoolTag> - <binary-name> - <Description>`, the tag in the first four columns), with the oddities of real copies.
 */

import { Failure } from '../bytes/failure.js';
import { printable } from '../text-safety.js';

/** One tag line. */
export interface PoolTagEntry {
  /** Four characters. `?` stands for any one character, a last `*` (blanks may follow) for any run. Case-sensitive. */
  readonly tag: string;
  /** As written: `afd.sys`, `nt!mm`, `nt!store or rdyboost.sys`. Null where missing or `<unknown>`. */
  readonly binary: string | null;
  /** Trimmed, inner runs of blanks kept. Null where missing. */
  readonly description: string | null;
}

/** The longest list, in characters. The largest public copy has about 250,000. */
export const MAXIMUM_POOLTAG_TEXT = 16 * 2 ** 20;

/** The most tag lines: twenty times what the largest public copy has. */
export const MAXIMUM_POOLTAG_ENTRIES = 100_000;

/** The longest line, in characters: what is longer is not a tag list. */
export const MAXIMUM_POOLTAG_LINE = 4096;

/**
 * Reads a tag list: all tag lines in file order, duplicates included. Comments (`rem`, `//`), empty lines, prose and
 * lines without a tag are passed over. Names and descriptions are made safe to print.
 *
 * Read as well: a missing binary (`ATmp - AppTag mount point`), tags of one to three characters without padding, a
 * missing second hyphen (`EtwO - nt!etw   Etw partition`), a tag column of five, hyphens in descriptions, a last 0x1A.
 *
 * @returns a failure for a text past MAXIMUM_POOLTAG_TEXT, a line past MAXIMUM_POOLTAG_LINE, more than
 * MAXIMUM_POOLTAG_ENTRIES tag lines, or a NUL (a binary file).
 */
export function parsePoolTagFile(text: string): PoolTagEntry[] | Failure {
  if (text.length > MAXIMUM_POOLTAG_TEXT) {
    return new Failure('corrupt', `${text.length} characters; a tag list has at most ${MAXIMUM_POOLTAG_TEXT}`);
  }
  if (text.includes('\0')) return new Failure('corrupt', 'holds NUL characters: this is not a text file');
  const entries: PoolTagEntry[] = [];
  let number = 0;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    number++;
    if (end - start > MAXIMUM_POOLTAG_LINE) {
      return new Failure(
        'corrupt',
        `line ${number} has ${end - start} characters; a tag list has at most ${MAXIMUM_POOLTAG_LINE} a line`,
      );
    }
    const entry = parseLine(text.slice(start, end));
    if (entry && entries.push(entry) > MAXIMUM_POOLTAG_ENTRIES) {
      return new Failure('corrupt', `line ${number}: a tag list has at most ${MAXIMUM_POOLTAG_ENTRIES} tags`);
    }
    start = end + 1;
  }
  return entries;
}

const COMMENT = /^\s*(?:rem(?:\s|$)|\/\/)/i;

function parseLine(line: string): PoolTagEntry | null {
  if (COMMENT.test(line)) return null;
  const clean = printable(line.replaceAll('\t', ' ').replace(/[\r\u001a]/g, ' ')).trimEnd();
  const split = splitTag(clean);
  if (!split || split.tag.trim() === '') return null;
  return { tag: split.tag, ...splitBinary(split.rest) };
}

/** The tag and what follows the first hyphen. Columns first, since a tag may hold blanks; else a short unpadded tag. */
function splitTag(line: string): { tag: string; rest: string } | null {
  const columns = /^(.{4}) *-(?: +(.*))?$/.exec(line) ?? /^([^\s-]{1,3}) +-(?: +(.*))?$/.exec(line);
  if (columns?.[1] === undefined) return null;
  return { tag: columns[1].padEnd(4), rest: columns[2] ?? '' };
}

/** What is a binary's name wherever it stands: `<unknown>`, `nt!mm`, `afd.sys`. */
const BINARY_NAME = /^(?:<[^>]*>|[^!]+!.+|.*\.(?:sys|dll|exe|lib)(?:[/,].*)?)$/i;

function splitBinary(rest: string): { binary: string | null; description: string | null } {
  const hyphen = separator(rest);
  const field = hyphen < 0 ? rest : rest.slice(0, hyphen).trimEnd();
  if (hyphen === 0) return parts('', rest.slice(1));
  const named = BINARY_NAME.test(firstWord(field));
  const oneColumn = !field.includes('  ');
  if (hyphen > 0 && oneColumn && (named || !field.includes(' '))) {
    return parts(field, rest.slice(hyphen + 1));
  }
  if (!named) return parts('', rest);
  // No second hyphen, or it belongs to the description: the first column is the binary, or all of it is names.
  if (rest.split(/ +/).every((word) => BINARY_NAME.test(word))) return parts(rest, '');
  const columnEnd = rest.indexOf('  ') > 0 ? rest.indexOf('  ') : firstWord(rest).length;
  return parts(rest.slice(0, columnEnd), rest.slice(columnEnd));
}

/** Where the hyphen between binary and description stands: the first one after a blank; -1 without one. */
function separator(rest: string): number {
  for (let i = rest.indexOf('-'); i >= 0; i = rest.indexOf('-', i + 1)) {
    if (i === 0 || rest[i - 1] === ' ') return i;
  }
  return -1;
}

function firstWord(text: string): string {
  const blank = text.indexOf(' ');
  return blank < 0 ? text : text.slice(0, blank);
}

function parts(binary: string, description: string): { binary: string | null; description: string | null } {
  const name = binary.trim();
  const words = description.trim();
  return {
    binary: name === '' || name.toLowerCase() === '<unknown>' ? null : name,
    description: words === '' ? null : words,
  };
}

/**
 * Answers which line of a list a tag falls under: the exact line before any wildcard, then the wildcard with the most
 * fixed characters; among equals the first in the file. Works for any entries that have a `tag`. Look-ups take the same
 * time however many wildcard lines there are.
 */
export class PoolTagIndex<Entry extends { readonly tag: string } = PoolTagEntry> {
  private readonly exact = new Map<string, Entry>();
  /** By the set of fixed columns (bit n = column n), most columns first: fixed characters -> entry and its place. */
  private readonly wild: { columns: number; fixed: number; entries: Map<string, { entry: Entry; place: number }> }[] =
    [];

  constructor(entries: Iterable<Entry>) {
    let place = 0;
    for (const entry of entries) this.add(entry, place++);
    this.wild.sort((a, b) => b.fixed - a.fixed);
  }

  /** How many different exact tags there are. */
  get size(): number {
    return this.exact.size;
  }

  /** The line for a tag of four characters, or null. */
  lookup(tag4: string): Entry | null {
    return this.lookupExact(tag4) ?? this.lookupWildcard(tag4);
  }

  /** The line that spells this tag out, or null. */
  lookupExact(tag4: string): Entry | null {
    return this.exact.get(tag4) ?? null;
  }

  /** The best wildcard line for this tag, or null. */
  lookupWildcard(tag4: string): Entry | null {
    if (tag4.length !== 4) return null;
    let best: { entry: Entry; place: number } | null = null;
    let fixed = 0;
    for (const group of this.wild) {
      if (best && group.fixed < fixed) break;
      const found = group.entries.get(pick(tag4, group.columns));
      if (found && (!best || found.place < best.place)) {
        best = found;
        fixed = group.fixed;
      }
    }
    return best ? best.entry : null;
  }

  private add(entry: Entry, place: number): void {
    const columns = fixedColumns(entry.tag);
    if (columns === ALL_COLUMNS) {
      if (!this.exact.has(entry.tag)) this.exact.set(entry.tag, entry);
      return;
    }
    let group = this.wild.find((g) => g.columns === columns);
    if (!group) {
      group = { columns, fixed: fixedCharacters(entry.tag), entries: new Map() };
      this.wild.push(group);
    }
    const key = pick(entry.tag, columns);
    if (!group.entries.has(key)) group.entries.set(key, { entry, place });
  }
}

const ALL_COLUMNS = 0b1111;

function fixedColumns(tag: string): number {
  const trimmed = tag.trimEnd();
  const run = trimmed.endsWith('*') ? trimmed.length - 1 : 4;
  let columns = 0;
  for (let i = 0; i < run; i++) if (tag[i] !== '?') columns |= 1 << i;
  return columns;
}

/** How many of a listed tag's four columns are fixed. */
export function fixedCharacters(tag: string): number {
  const columns = fixedColumns(tag);
  return [0, 1, 2, 3].filter((i) => columns & (1 << i)).length;
}

/** True when some tag falls under both: two tags, a tag and a wildcard line, or two wildcards. Four characters each. */
export function tagsOverlap(a: string, b: string): boolean {
  const columns = fixedColumns(a) & fixedColumns(b);
  return pick(a, columns) === pick(b, columns);
}

function pick(tag: string, columns: number): string {
  let picked = '';
  for (let i = 0; i < 4; i++) if (columns & (1 << i)) picked += tag[i] ?? ' ';
  return picked;
}
