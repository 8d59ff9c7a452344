/** Knowledge of leaks that were seen before, by tag, driver and version: the built-in list, and what of it fits a suspect. */

import { moduleOfDriver } from '../result/joins.js';
import { tagsOverlap } from '../../parsers/text/pooltag.js';
import { readPackageFile } from '../../symbols/package-root.js';
import type { KnownIssue, ModuleInfo, Suspect } from '../result/result.js';

/** What an entry may have, in lists of any form. */
export const KEYS = ['tag', 'driver', 'from', 'before', 'known', 'fix', 'source'] as const;
export type Key = (typeof KEYS)[number];

/** One entry. Versions are file versions of the driver: `from` is the first that has it, `before` the first that has not. */
export interface KnownIssueEntry {
  /** Four characters; `?` and a last `*` as in a list of tags. */
  readonly tag: string;
  /** Lower-case file name; null for an entry about the tag alone. */
  readonly driver: string | null;
  readonly from: readonly number[] | null;
  readonly before: readonly number[] | null;
  readonly known: string;
  readonly fix: string | null;
  readonly source: string;
  /** Name of the file that it stands in; null for the built-in ones. */
  readonly file: string | null;
}

/** The entries that ship with dumpleak. Throws when the installation is damaged. */
export function builtInIssues(): KnownIssueEntry[] {
  const text = readPackageFile('symbols', 'tags', 'data', 'known-issues.json').toString('utf8');
  return (JSON.parse(text) as Partial<Record<Key, string>>[]).map((fields) => {
    const entry = entryOf(new Map(Object.entries(fields) as [Key, string][]), null);
    if (typeof entry === 'string') throw new Error(`known-issues.json: ${entry}`);
    return entry;
  });
}

/** The entry, or what is wrong with it. */
export function entryOf(texts: ReadonlyMap<Key, string>, file: string | null): KnownIssueEntry | string {
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

/** Null where there is none, undefined where it is no version. */
function versionOf(text: string | undefined): number[] | null | undefined {
  if (text === undefined) return null;
  return /^\d{1,9}(?:\.\d{1,9}){0,3}$/.test(text.trim()) ? text.trim().split('.').map(Number) : undefined;
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 4; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The entries that fit a suspect: by its tag, and where they name a driver, by one that is named with more than low
 * confidence, in a version that they are about. A driver of unknown version fits entries without versions only. Where tags in
 * lock step lead to a driver, its entries under those tags fit as well.
 */
export function issuesOf(
  suspect: Pick<Suspect, 'tag' | 'drivers' | 'cluster'>,
  modules: readonly ModuleInfo[],
  entries: readonly KnownIssueEntry[],
): KnownIssue[] {
  return entries
    .filter((entry) => isNamed(entry, suspect, modules))
    .map(({ driver, known, fix, source, file }) => ({ driver, known, fix, source, file }));
}

function isNamed(
  entry: KnownIssueEntry,
  { tag, drivers, cluster }: Pick<Suspect, 'tag' | 'drivers' | 'cluster'>,
  modules: readonly ModuleInfo[],
): boolean {
  const own = tagsOverlap(entry.tag, tag);
  if (entry.driver === null) return own;
  const culprit = cluster?.culprit ?? null;
  const named = [
    ...(own ? drivers : []),
    ...(culprit !== null && cluster?.members.some((member) => tagsOverlap(entry.tag, member.tag))
      ? [{ ...culprit, evidence: [] }]
      : []),
  ].find(({ module, confidence }) => confidence !== 'low' && module.toLowerCase() === entry.driver);
  return named !== undefined && isAbout(entry, moduleOfDriver(named, modules));
}

/** Is this version of the driver one that an entry is about? */
function isAbout({ from, before }: KnownIssueEntry, module: ModuleInfo | null): boolean {
  if (from === null && before === null) return true;
  const version = versionOf(module?.version?.fileVersion ?? undefined) ?? null;
  if (version === null) return false;
  return (
    (from === null || compareVersions(version, from) >= 0) && (before === null || compareVersions(version, before) < 0)
  );
}
