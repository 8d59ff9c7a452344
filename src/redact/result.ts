/**
 * A result without the names of people and places: machine, users, servers, the dump's own path, and what stands in memory
 * around a tag. What a text loses follows from its class (src/result/leaves.ts); a text of a field that the contract does
 * not know is treated as free text.
 * docs/privacy.md says what is replaced and what is not.
 */

import { isCodeKind } from '../result/evidence-kinds.js';
import type { AnyShape, FreeTextClass, Leaf, PlainTextClass } from '../result/leaves.js';
import type { AnalysisResult, BatchFailure, Note, Warning } from '../result/result.js';
import { PARTS_SHAPE } from '../result/shape.js';
import { NOTE } from '../result/shape-common.js';
import { redactPath } from './paths.js';
import { Names, type Redactor } from './redactor.js';

/** Where the built-in known issues are written down. */
const PUBLIC = /^https:\/\/(?:learn|support)\.microsoft\.com\/[\w./-]*$/;
const RELEASE = /^Windows [\w ./-]+$/;
const PAIRS = /^(?:[\da-f]{2}(?: |$))*$/;
/** Of evidence that is no code the tag itself stays. */
const TAG_BYTES = 4;

/** What texts of these classes look like. One that does not is treated as free text. */
const FORMS: Readonly<Record<PlainTextClass, RegExp>> = {
  code: /^[A-Za-z\d-]{1,60}$/,
  hex: /^0x[\da-f]+$/,
  address: /^0x[\da-f]+$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/,
  guid: /^[\dA-F]{32}$/,
  language: /^[\da-f]{8}$/,
  tag: /^.{0,4}$/su,
};

type Around = Readonly<Record<string, unknown>>;
/** A text without names; `around` is the object that it is a field of. */
type Rule = (text: string, names: Names, around: Around) => string | null;

const file: Rule = (text, names) => (/[\\/]/.test(text) ? names.path(text) : text);

/** `CONTOSO\anna`, as an account is written; a path begins with a backslash. */
const ACCOUNT = /^[^\\/]+\\[^\\/]+$/;

/** What a handle leads to. Of a path the file's name goes too, for it is not a driver's. */
const target: Rule = (text, names) =>
  ACCOUNT.test(text)
    ? names.user(text)
    : /[\\/]/.test(text)
      ? names.sweep(redactPath(text, names, false))
      : names.sweep(text);

const RULES: Readonly<Record<FreeTextClass, Rule>> = {
  text: (text, names) => names.text(text),
  given: (text, names) => names.text(text),
  message: (text, names, { code }) => (code === 'comment' ? 'Its comment is left out' : names.text(text)),
  note: (text, names, around) => names.text(isCode(around) ? text : text.replace(/".*"/s, '"..."')),
  bytes: (text, _names, around) => (PAIRS.test(text) ? memory(text, 3 * TAG_BYTES - 1, around) : null),
  memory: (text, names, around) => memory(names.sweep(text), TAG_BYTES, around),
  host: (text, names) => names.host(text),
  user: (text, names) => names.user(text),
  process: (text, names) => (/[\\/]/.test(text) ? names.path(text) : names.sweep(text)),
  target,
  file,
  path: file,
  release: (text, names) => (RELEASE.test(text) ? text : names.text(text)),
  reference: (text, names) => (PUBLIC.test(text) ? text : names.text(text)),
};

const isCode = ({ kind }: Around): boolean => typeof kind === 'string' && isCodeKind(kind);

/** What stands in an image from a tag on: code stays, of data the tag alone. Of what was allocated nothing stays. */
function memory(text: string, most: number, around: Around): string | null {
  if (isCode(around)) return text;
  return typeof around['ascii'] !== 'string' || around['kind'] === 'allocation-content' ? null : text.slice(0, most);
}

/** What the report says of itself: that names in it are pseudonyms. */
export function redactedNote({ lasting }: Redactor): Note<'redacted'> {
  const what = 'names of machines, users, folders and files are pseudonyms, and memory around tags is left out';
  const how = lasting ? '' : ', under a key of this run: other runs give other ones unless --redact-key is given';
  return { code: 'redacted', message: `--redact: ${what}${how}` };
}

/** A copy of a result without names; `files` are others that the user named, for the case that a text names them. */
export function redactResult(
  result: AnalysisResult,
  redactor: Redactor,
  files: readonly string[] = [],
): AnalysisResult {
  return redactPart(result, redactor, files);
}

/** The same for what other commands write: an object with `dump`, `system`, `warnings` and one part. */
export function redactPart<T extends { dump: { path: string }; warnings: Warning[] }>(
  part: T,
  redactor: Redactor,
  files: readonly string[] = [],
): T {
  const names = new Names(redactor);
  const path = names.learnFile('dump', part.dump.path);
  for (const file of files) names.learnFile('file', file);
  learn(part, PARTS_SHAPE, names);
  const copy = copied(part, PARTS_SHAPE, {}, names) as T;
  copy.dump.path = path;
  copy.warnings.push({ ...redactedNote(redactor), where: 'dump' });
  return copy;
}

/** What a batch says of a dump that could not be analyzed. */
export function redactFailure(
  { dump, error }: BatchFailure,
  redactor: Redactor,
  files: readonly string[] = [],
): BatchFailure {
  const names = new Names(redactor);
  const path = names.learnFile('dump', dump.path);
  for (const file of files) names.learnFile('file', file);
  names.learnFrom(error.message);
  return { dump: { path }, error: { code: error.code, message: names.text(error.message) } };
}

/** A value's description: null for what the contract does not know, such as fields of a later version. */
type Known = AnyShape | null;

/** The description of a field, and of an item of a list. */
function below(shape: Known, name: string): Known {
  if (shape?.node !== 'object' || !Object.hasOwn(shape.fields, name)) return null;
  return (shape.fields as Readonly<Record<string, AnyShape>>)[name] ?? null;
}

const itemOf = (shape: Known): Known => (shape?.node === 'list' ? (shape.of as AnyShape) : shape);

/** Walks over everything and takes the names of machines, users and servers. */
function learn(value: unknown, shape: Known, names: Names): void {
  if (typeof value === 'string') learnText(value, leafOf(shape), names);
  else if (Array.isArray(value)) for (const item of value) learn(item, itemOf(shape), names);
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) learn(item, below(shape, name), names);
}

function learnText(text: string, leaf: Leaf | null, names: Names): void {
  if (leaf?.is === 'host') names.host(text);
  else if (leaf?.is === 'user') learnUser(text, names);
  else if (leaf?.is === 'file' || leaf?.is === 'path' || leaf?.is === 'process') names.path(text);
  else if (leaf?.is === 'target') learnTarget(text, names);
  else if (!staysAsItIs(text, leaf)) names.learnFrom(text);
}

/** Accounts stand in texts by their name alone too. */
function learnUser(text: string, names: Names): void {
  const pseudonym = names.user(text);
  if (ACCOUNT.test(text)) names.learn(text.split('\\').at(-1) ?? text, pseudonym);
}

function learnTarget(text: string, names: Names): void {
  if (ACCOUNT.test(text)) learnUser(text, names);
  else if (/[\\/]/.test(text)) redactPath(text, names, false);
}

const leafOf = (shape: Known): Leaf | null => (shape?.node === 'leaf' ? shape : null);

/** Text of a set of values, or of a form that no name has; and a release, whose slash is none of a path. */
function staysAsItIs(text: string, leaf: Leaf | null): boolean {
  if (leaf === null) return false;
  if (leaf.is === 'fixed') return 'values' in leaf && (leaf.values as readonly string[]).includes(text);
  if (leaf.is === 'release') return RELEASE.test(text);
  return leaf.is in FORMS && FORMS[leaf.is as PlainTextClass].test(text);
}

function copied(value: unknown, shape: Known, around: Around, names: Names): unknown {
  if (typeof value === 'string') return replaced(value, leafOf(shape), around, names);
  if (Array.isArray(value)) return value.map((item) => copied(item, itemOf(shape), around, names));
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Around;
  const of = shape?.node === 'object' ? shape : isNote(fields) ? NOTE : null;
  return Object.fromEntries(
    Object.entries(fields).map(([name, item]) => [name, copied(item, below(of, name), fields, names)]),
  );
}

/** What other commands than `analyze` have to remark. */
const isNote = ({ code, message }: Around): boolean => typeof code === 'string' && typeof message === 'string';

function replaced(text: string, leaf: Leaf | null, around: Around, names: Names): string | null {
  if (staysAsItIs(text, leaf)) return text;
  const rule = leaf !== null && leaf.is in RULES ? RULES[leaf.is as FreeTextClass] : RULES.text;
  return rule(text, names, around);
}
