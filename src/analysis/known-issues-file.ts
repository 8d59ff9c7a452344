/** What a user knows of leaks: YAML files of entries by tag, driver and version. docs/known-issues.md. */

import { basename } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { Failure } from '../../parsers/bytes/failure.js';
import { InputError } from '../../parsers/bytes/input-error.js';
import { readRegularFile } from '../../parsers/files/regular-file.js';
import { errorText } from '../../parsers/files/system-errors.js';
import { entryOf, KEYS, type Key, type KnownIssueEntry } from '../leak/known-issues.js';

const MOST_BYTES = 2 ** 20;
const MOST_ENTRIES = 10_000;
const LONGEST_TEXT = 2000;

/** Reads a user's file; a failure says in which line what is wrong. */
export function readKnownIssues(path: string): KnownIssueEntry[] | Failure {
  try {
    return parseKnownIssues(readRegularFile(path, MOST_BYTES).toString('utf8'), path);
  } catch (error) {
    if (error instanceof InputError) return new Failure('corrupt', error.message);
    return new Failure('short-file', `${path}: ${errorText(error)}`);
  }
}

/** Parses a list of entries. Fails with `file:line: what is wrong`. */
export function parseKnownIssues(text: string, path: string): KnownIssueEntry[] | Failure {
  const lines = new LineCounter();
  const wrong = (offset: number, what: string): Failure =>
    new Failure('corrupt', `${path}:${lines.linePos(offset).line}: ${what}`);
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
    const entry = entryOf(fields.texts, basename(path));
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
