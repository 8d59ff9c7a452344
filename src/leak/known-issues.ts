/** Knowledge of leaks that were seen before: which of it fits a suspect. The files that hold it are read by known-issues-file.ts. */

import { tagsOverlap } from '../../parsers/text/pooltag.js';
import type { KnownIssue, ModuleInfo, Suspect } from '../result.js';

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

/** Null where there is none, undefined where it is no version. */
export function versionOf(text: string | undefined): number[] | null | undefined {
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
 * confidence, in a version that they are about. A driver of unknown version fits entries without versions only.
 */
export function issuesOf(
  suspect: Pick<Suspect, 'tag' | 'drivers'>,
  modules: readonly ModuleInfo[],
  entries: readonly KnownIssueEntry[],
): KnownIssue[] {
  return entries
    .filter(({ tag }) => tagsOverlap(tag, suspect.tag))
    .filter(({ driver, from, before }) => {
      if (driver === null) return true;
      const named = suspect.drivers.some(
        ({ module, confidence }) => confidence !== 'low' && module.toLowerCase() === driver,
      );
      if (!named || (from === null && before === null)) return named;
      const module = modules.find(({ name }) => name.toLowerCase() === driver);
      const version = versionOf(module?.version?.fileVersion ?? undefined) ?? null;
      if (version === null) return false;
      return (
        (from === null || compareVersions(version, from) >= 0) &&
        (before === null || compareVersions(version, before) < 0)
      );
    })
    .map(({ driver, known, fix, source, file }) => ({ driver, known, fix, source, file }));
}
