/** The table "where physical memory and commit are": one line for what stands in either, the totals last. */

import { pagesOf } from '../result/pool.js';
import { toNumber, type AnalysisResult, type Count, type MemoryPart } from '../result/result.js';
import { UNEXPLAINED } from '../leak/where-memory.js';

/** A line; a total is undefined where the thing is no part of it, and null where it is not known. */
export interface WhereLine {
  readonly what: string;
  readonly physical: Count | null | undefined;
  readonly commit: Count | null | undefined;
}

/** The lines that hold something or are not known, what is unexplained and the totals last; null without such a table. */
export function whereLines({
  whereMemoryIs,
  memory,
}: Pick<AnalysisResult, 'whereMemoryIs' | 'memory'>): WhereLine[] | null {
  if (!whereMemoryIs || whereMemoryIs.length === 0) return null;
  const names = [...new Set(whereMemoryIs.map(({ what }) => what))];
  const isTold = (pages: Count | null | undefined): boolean =>
    pages === null || (pages !== undefined && toNumber(pages) !== 0);
  const pagesIn = (of: MemoryPart['of'], what: string): Count | null | undefined =>
    whereMemoryIs.find((part) => part.of === of && part.what === what)?.pages;
  const lineOf = (what: string): WhereLine => ({
    what,
    physical: pagesIn('physical memory', what),
    commit: pagesIn('commit', what),
  });
  const lines = names.filter((what) => what !== UNEXPLAINED).map(lineOf);
  return [
    ...lines.filter(({ physical, commit }) => isTold(physical) || isTold(commit)),
    lineOf(UNEXPLAINED),
    { what: 'all', physical: pagesOf(memory?.physicalMemory), commit: pagesOf(memory?.committedPages) },
  ];
}

/** What is left over where every part is known, in words. */
const LEFT_OVER = {
  'physical memory':
    'working sets of processes, files and paged pool in memory, drivers, kernel stacks and what this kernel has no known counter for',
  commit: 'kernel stacks and what this kernel has no known counter for',
} as const;

/** What the lines do not tell, for people. */
export function whereNotes(parts: readonly MemoryPart[]): string[] {
  return (['physical memory', 'commit'] as const).flatMap((of) => {
    const rows = parts.filter((part) => part.of === of);
    const rest = rows.find(({ what }) => what === UNEXPLAINED);
    if (rest === undefined) return [];
    const unknown = rows.filter((row) => row !== rest && row.pages === null).map(({ what }) => what);
    if (unknown.length > 0) {
      const are = unknown.length === 1 ? 'is' : 'are';
      return [`Of ${of} what is left over is not told: ${unknown.join(', ')} ${are} not known`];
    }
    return toNumber(rest.pages ?? 0) < 0
      ? [`Parts of ${of} are counted more than once: together they are more than all of it`]
      : [`Unexplained of ${of}: ${LEFT_OVER[of]}`];
  });
}
