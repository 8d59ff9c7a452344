/**
 * A result without the names of people and places: machine, users, servers, the dump's own path, and what stands in memory
 * around a tag. Every text is gone through, those of fields that are added later too, unless it is of a fixed set.
 * docs/privacy.md says what is replaced and what is not.
 */

import type { AnalysisResult, Warning } from '../../result/result.js';
import type { BatchFailure } from '../json.js';
import { Names, type Redactor } from './redactor.js';

/** Texts of a fixed set of values, numbers as text, and names that say nothing of people. */
const AS_THEY_ARE = new Set([
  'schemaVersion', 'tool', 'version', 'startedAt', 'format', 'type', 'architecture', 'source', 'kind', 'pool', 'confidence',
  'code', 'where', 'tag', 'hex', 'productType', 'guid', 'base', 'end', 'start', 'address', 'offset', 'bytes', 'ascii',
  'instruction', 'section', 'symbol', 'tagSource', 'basis', 'buildLab', 'fileVersion', 'productName', 'companyName',
  'fileDescription', 'systemTime', 'unloadedAt', 'timeDateStamp', 'checkSum', 'kernelBase', 'directoryTableBase',
  'parameters', 'parameter', 'attributes', 'allocator', 'pattern', 'secondHalf',
]); // prettier-ignore
/** Names of files: a driver's stays, but one that comes with a path loses what is of people in it. */
const FILES = new Set(['name', 'moduleName', 'module', 'path']);
/** Where the built-in known issues are written down. */
const PUBLIC = /^https:\/\/(?:learn|support)\.microsoft\.com\/[\w./-]*$/;
/** Evidence of code: its bytes are instructions, the same on all machines. */
const CODE = new Set(['code-immediate', 'code-immediate-pair']);
/** Of other evidence the tag itself stays. */
const TAG_BYTES = 4;

/** What the report says of itself: that names in it are pseudonyms. */
export function redactedNote({ lasting }: Redactor): { code: string; message: string } {
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
  learn(part, null, names);
  const copy = copied(part, null, names) as T;
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

/** Walks over everything and takes the names of machines, users and servers. */
function learn(value: unknown, key: string | null, names: Names): void {
  if (typeof value === 'string') {
    if (key === 'machineName') names.host(value);
    else if (key !== null && FILES.has(key)) names.path(value);
    else if (key === null || !AS_THEY_ARE.has(key)) names.learnFrom(value);
  } else if (Array.isArray(value)) {
    for (const item of value) learn(item, key, names);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) if (!isRelease(key, name, item)) learn(item, name, names);
  }
}

/** `system.name`, the name of a release: the slash of `Windows Server 2004/20H2` is none of a path. */
const isRelease = (parent: string | null, name: string, value: unknown): boolean =>
  parent === 'system' && name === 'name' && /^Windows [\w ./-]+$/.test(String(value));

function copied(value: unknown, key: string | null, names: Names): unknown {
  if (typeof value === 'string') return replaced(value, key, names);
  if (Array.isArray(value)) return value.map((item) => copied(item, key, names));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, item]): [string, unknown] => [
    name,
    isRelease(key, name, item) ? item : copied(item, name, names),
  ]);
  const out: Record<string, unknown> = Object.fromEntries(fields);
  if (typeof out['ascii'] === 'string' && !CODE.has(String(out['kind']))) onlyTag(out);
  // Where a known issue is written down is a text of the user's, not of a fixed set.
  if (typeof out['known'] === 'string' && typeof out['source'] === 'string' && !PUBLIC.test(out['source']))
    out['source'] = names.text(out['source']);
  if (out['code'] === 'comment') out['message'] = 'Its comment is left out';
  return out;
}

function replaced(text: string, key: string | null, names: Names): string {
  if (key === 'machineName') return names.host(text);
  if (key !== null && AS_THEY_ARE.has(key)) return text;
  if (key !== null && FILES.has(key)) return /[\\/]/.test(text) ? names.path(text) : text;
  return names.text(text);
}

/** Cuts what stands in memory around a tag, and the text that a note quotes. */
function onlyTag(evidence: Record<string, unknown>): void {
  const isContent = evidence['kind'] === 'allocation-content';
  evidence['ascii'] = isContent ? null : String(evidence['ascii']).slice(0, TAG_BYTES);
  if (typeof evidence['bytes'] === 'string')
    evidence['bytes'] = isContent ? null : evidence['bytes'].slice(0, 3 * TAG_BYTES - 1);
  if (typeof evidence['note'] === 'string') evidence['note'] = evidence['note'].replace(/".*"/s, '"..."');
}
