/**
 * A result for search engines: NDJSON with one flat document for the dump, one a tag and one a suspect. Unknown is left out:
 * Elasticsearch ignores `null`, and Splunk would take it for a word.
 */

import type { AnalysisResult } from '../../result/result.js';
import { safeJson } from '../json.js';
import { COMMON, OF_DUMP, OF_SUSPECT, OF_TAG, type FlatField, type FlatValue } from './fields.js';

export type FlatKind = 'dump' | 'tag' | 'suspect';

/** The documents in order: the dump, its tags by what they hold, its suspects. Each ends with a line feed. */
export function renderFlat(result: AnalysisResult): string {
  const common = values(COMMON, result);
  const line = (kind: FlatKind, own: Entries): string =>
    `${safeJson(JSON.stringify(Object.fromEntries([['kind', kind], ...common, ...own])))}\n`;
  return [
    line('dump', values(OF_DUMP, result)),
    ...(result.poolTags?.rows ?? []).map((row) => line('tag', values(OF_TAG, { result, row }))),
    ...result.suspects.map((suspect, i) => line('suspect', values(OF_SUSPECT, { result, suspect, number: i + 1 }))),
  ].join('');
}

type Entries = [string, FlatValue][];

function values<Of>(fields: readonly FlatField<Of>[], from: Of): Entries {
  return fields.flatMap(({ name, of }): Entries => {
    const value = of(from);
    return isKnown(value) ? [[name, value]] : [];
  });
}

function isKnown(value: FlatValue): boolean {
  if (value === null || value === undefined) return false;
  return typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'object' || value.length > 0;
}
