/** Knowledge of leaks that were seen before, as it is kept: YAML files of entries by tag, driver and version. docs/known-issues.md. */

import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { ReadFailure } from '../../parsers/bytes/failure.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { packageFile } from '../../symbols/package-root.js';
import { versionOf, type KnownIssueEntry } from './known-issues.js';

const MOST_BYTES = 2 ** 20;
const MOST_ENTRIES = 10_000;
const LONGEST_TEXT = 2000;
const KEYS = ['tag', 'driver', 'from', 'before', 'known', 'fix', 'source'] as const;
type Key = (typeof KEYS)[number];

/** The entries that ship with dumpleak. Throws when the installation is damaged. */
export function builtInIssues(): KnownIssueEntry[] {
  const entries = parseKnownIssues(
    readFileSync(packageFile('symbols', 'tags', 'data', 'known-issues.yaml'), 'utf8'),
    null,
  );
  if (entries instanceof ReadFailure) throw new Error(entries.message);
  return entries;
}

/** The entries of the user's files, which come first, and the built-in ones. Throws InputError for a file that cannot be used. */
export function allIssues(paths: readonly string[]): KnownIssueEntry[] {
  const own = paths.flatMap((path) => {
    const entries = readKnownIssues(path);
    if (entries instanceof ReadFailure) throw new InputError('io', entries.message);
    return entries;
  });
  return [...own, ...builtInIssues()];
}

/** Reads a user's file; a failure says in which line what is wrong. */
export function readKnownIssues(path: string): KnownIssueEntry[] | ReadFailure {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) return new ReadFailure('corrupt', `${path}: ${size} bytes; at most ${MOST_BYTES} are read`);
    return parseKnownIssues(readFileSync(path, 'utf8'), path);
  } catch (error) {
    return new ReadFailure('short-file', `${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Parses a list of entries. Fails with `file:line: what is wrong`. */
export function parseKnownIssues(text: string, path: string | null): KnownIssueEntry[] | ReadFailure {
  const lines = new LineCounter();
  const name = path ?? 'known-issues.yaml';
  const wrong = (offset: number, what: string): ReadFailure =>
    new ReadFailure('corrupt', `${name}:${lines.linePos(offset).line}: ${what}`);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'failsafe', version: '1.2' });
  const [error] = document.errors;
  if (error) return wrong(error.pos[0], error.message);
  const { contents } = document;
  if (contents === null) return [];
  if (!isSeq(contents)) return wrong(contents.range[0], 'a list of entries is wanted, each beginning with "- tag:"');
  if (contents.items.length > MOST_ENTRIES) return wrong(0, `more than ${MOST_ENTRIES} entries`);
  const entries: KnownIssueEntry[] = [];
  for (const item of contents.items) {
    const at = (item as { range?: [number, number, number] }).range?.[0] ?? 0;
    if (!isMap(item)) return wrong(at, 'an entry is a list of names and values: tag, driver, known, source ...');
    const fields = fieldsOf(item);
    if ('what' in fields) return wrong(fields.offset, fields.what);
    const entry = entryOf(fields.texts, path === null ? null : basename(path));
    if (typeof entry === 'string') return wrong(at, entry);
    entries.push(entry);
  }
  return entries;
}

type Fields = { readonly texts: Map<Key, string> } | { readonly offset: number; readonly what: string };

function fieldsOf(item: YAMLMap): Fields {
  const texts = new Map<Key, string>();
  for (const { key, value } of item.items) {
    const offset = (key as { range?: [number, number, number] }).range?.[0] ?? 0;
    const name = KEYS.find((known) => isScalar(key) && key.value === known);
    if (name === undefined) return { offset, what: `"${String(key)}" is none of ${KEYS.join(', ')}` };
    if (!isScalar(value) || typeof value.value !== 'string') return { offset, what: `${name} wants a text` };
    if (value.value.length > LONGEST_TEXT) return { offset, what: `${name} is longer than ${LONGEST_TEXT} characters` };
    texts.set(name, value.value);
  }
  return { texts };
}

/** The entry, or what is wrong with it. */
function entryOf(texts: ReadonlyMap<Key, string>, file: string | null): KnownIssueEntry | string {
  const tag = texts.get('tag') ?? '';
  if (!/^[\x20-\x7e]{1,4}$/.test(tag)) return 'tag is missing, or is not one to four characters';
  const known = texts.get('known')?.trim() ?? '';
  if (known === '') return 'known is missing: what is known of it';
  const source = texts.get('source')?.trim() ?? '';
  if (source === '') return 'source is missing: where that stands';
  const driver = texts.get('driver')?.trim().toLowerCase() ?? null;
  if (driver !== null && !/^[^\\/:*?"<>|]+\.\w+$/.test(driver)) return 'driver is no file name: acme.sys';
  const [from, before] = [versionOf(texts.get('from')), versionOf(texts.get('before'))];
  if (from === undefined) return 'from is no version: 1.2.3.4';
  if (before === undefined) return 'before is no version: 1.2.3.4';
  if (driver === null && (from ?? before) !== null) return 'versions are those of a driver: driver is missing';
  return { tag: tag.padEnd(4), driver, from, before, known, fix: texts.get('fix')?.trim() ?? null, source, file };
}
