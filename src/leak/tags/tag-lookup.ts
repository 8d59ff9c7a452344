/** What the lists of tags say of a tag, without a dump: all lines that it falls under, and what kind of tag it is. */

import { numberedTag, tagText, typedTag } from '../../result/tag.js';
import { hex } from '../../../parsers/bytes/failure.js';
import { fixedCharacters, tagsOverlap } from '../../../parsers/text/pooltag.js';
import type { TagFile } from '../../kernel/pool/tag-descriptions.js';
import type { Hex, PoolTagRow } from '../../result/result.js';
import { builtInTagList } from '../../../symbols/tags/built-in.js';
import { tagMeaning } from './tag-rules.js';
import { isCacheTag, isWindowsTag, sharedDefault } from './windows-tags.js';

/** One line of a list. */
export interface ListedTag {
  /** As listed, four characters: a tag, or with `?` and a last `*` a group of them. */
  tag: string;
  binary: string | null;
  description: string | null;
  tagSource: NonNullable<PoolTagRow['tagSource']>;
  /** The file; null for the built-in list. */
  file: string | null;
  /** The line spells the tag that was asked for; false for wildcards on either side. */
  exact: boolean;
}

/** The answer for a tag. */
export interface TagLookup {
  /** Four characters, as asked for; unprintable ones stand as `.`. */
  tag: string;
  /** The key without the protected bit; null for a wildcard. */
  hex: Hex | null;
  /** The number that was given had the protected bit. */
  protected: boolean;
  /** As C source spells it: a constant of four characters, in reverse. Null for a wildcard and for bytes that are no text. */
  inSource: string | null;
  /** In order of precedence: the first is what dumpleak describes the tag by. */
  lines: ListedTag[];
  /** What kind of tag it is: for people. Empty where nothing more is known. */
  notes: string[];
}

/**
 * Looks a tag up: up to four characters, with `?` for any one and a last `*` for any run, or `0x` and the number of the
 * key. Null for a text that is neither.
 *
 * @param files in order of preference; the built-in list comes last.
 */
export function lookUpTag(text: string, files: readonly TagFile[]): TagLookup | null {
  const asked = parseTag(text);
  if (asked === null) return null;
  const { tag, key, isProtected } = asked;
  const lists: TagList[] = [...files.map(listOf), builtInList()];
  const lines = lists.flatMap((list, place) => linesOf(list, place, asked));
  // As TagDescriptions decides: files before the built-in list; an exact line in any of them before a wildcard in any.
  lines.sort(
    (a, b) => Number(a.isLast) - Number(b.isLast) || a.loose - b.loose || a.place - b.place || a.free - b.free,
  );
  const ordered = lines.map(({ line }) => line);
  return {
    tag,
    hex: key === null ? null : hex(key),
    protected: isProtected,
    inSource: key === null || tag.includes('.') ? null : `'${tag.split('').reverse().join('')}'`,
    lines: ordered,
    notes: key === null ? [] : notesOf(tag, ordered[0] ?? null),
  };
}

/** A list in the order of its lines. */
interface TagList {
  tagSource: ListedTag['tagSource'];
  file: string | null;
  entries: Iterable<{ tag: string; binary: string | null; description: string | null }>;
}

interface Asked {
  tag: string;
  /** Without the protected bit; null for a group of tags. */
  key: number | null;
  /** The number that was typed has the protected bit. */
  isProtected: boolean;
}

interface Ranked {
  line: ListedTag;
  isLast: boolean;
  /** 0 for an exact line, 1 for a wildcard that catches the tag; all the same for a group. */
  loose: number;
  place: number;
  /** Columns that are not fixed; 0 for a group. */
  free: number;
}

function listOf({ path, tagSource, entries }: TagFile): TagList {
  return { tagSource, file: path, entries };
}

function builtInList(): TagList {
  const entries = builtInTagList().map(({ tag, binaries }) => ({
    tag,
    binary: binaries.join(' or '),
    description: null,
  }));
  return { tagSource: 'built-in', file: null, entries };
}

function linesOf({ tagSource, file, entries }: TagList, place: number, { tag, key }: Asked): Ranked[] {
  const found: Ranked[] = [];
  for (const entry of entries) {
    if (!tagsOverlap(entry.tag, tag)) continue;
    const exact = key !== null && entry.tag === tag;
    found.push({
      line: { tag: entry.tag, binary: entry.binary, description: entry.description, tagSource, file, exact },
      isLast: file === null,
      loose: exact || key === null ? 0 : 1,
      place,
      free: key === null ? 0 : 4 - fixedCharacters(entry.tag),
    });
  }
  return found;
}

/** What else is known of a tag: a default, a cache, a tag of those who allocate for others. */
function notesOf(tag: string, line: ListedTag | null): string[] {
  const row = { tag, binary: line?.binary ?? null, tagSource: line?.tagSource ?? null };
  const notes: string[] = [];
  const shared = sharedDefault(tag);
  if (shared !== null) {
    notes.push(`This is ${shared}, shared by drivers that have nothing in common: it names none of them.`);
  } else {
    const meaning = tagMeaning(row, null, null);
    if (meaning) notes.push(`${meaning.message}.`);
    else if (isWindowsTag(row, null)) {
      notes.push('A part of Windows is documented to use it: whoever makes it allocate is the cause, if it leaks.');
    }
    if (isCacheTag(tag))
      notes.push('It is a cache of Windows, which grows with the load and shrinks when memory is short.');
  }
  if (line === null && notes.length === 0) {
    notes.push(
      'A driver chose it, or the driver framework (WDF) made it of the first four characters of a service: search the drivers of a dump, or driver files, for it.',
    );
  }
  return notes;
}

function parseTag(text: string): Asked | null {
  const numbered = numberedTag(text);
  if (numbered !== null) return { tag: tagText(numbered.key), ...numbered };
  if (!/^[\x20-\x7e]{1,4}$/.test(text)) return unprintableTag(text);
  const isGroup = text.includes('?') || text.endsWith('*');
  return { tag: text.padEnd(4), key: isGroup ? null : typedTag(text), isProtected: false };
}

/** A tag with bytes that cannot be printed, of which no pattern is made: as its number would be asked for. */
function unprintableTag(text: string): Asked | null {
  const key = typedTag(text);
  return key === null ? null : { tag: tagText(key), key, isProtected: text.charCodeAt(3) >= 0x80 };
}
