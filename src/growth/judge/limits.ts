/** How long until growth meets a limit of the machine. */

import type { Figures } from '../read/collector.js';
import type { Series } from '../read/series.js';
import type { SeriesVerdict } from './stretches.js';

/** A limit, in bytes, and when growth reaches it. */
export interface Limit {
  /** `nonpaged pool maximum`, `paged pool maximum`, `physical memory`, `commit limit`. */
  name: string;
  limit: number;
  /** What is used of it now. */
  used: number;
  /** At the slope. */
  hours: number;
  /** At the upper end of the slope's interval; null where there is none. */
  soonestHours: number | null;
}

/** The limits that a growing series meets, soonest first; empty for others. */
export function timeToLimits(series: Series, verdict: SeriesVerdict, figures: Readonly<Figures>): Limit[] {
  const { perHour, perHourHigh, perHourLow } = verdict.main.verdict;
  if (series.name.unit !== 'bytes' || perHour === null || !(perHour > 0)) return [];
  const growing = verdict.judgement === 'leak' || (verdict.judgement === 'too-little-data' && (perHourLow ?? 0) > 0);
  if (!growing) return [];
  return limitsOf(series, figures)
    .map(({ name, limit, used }): Limit => {
      const left = Math.max(0, limit - used);
      const high = perHourHigh !== null && perHourHigh > 0 ? left / perHourHigh : null;
      return { name, limit, used, hours: left / perHour, soonestHours: high };
    })
    .sort((a, b) => a.hours - b.hours);
}

function limitsOf({ name }: Series, figures: Readonly<Figures>): Pick<Limit, 'name' | 'limit' | 'used'>[] {
  const { memory, available, committed, commitLimit, nonPagedPool, pagedPool, nonPagedMaximum, pagedMaximum } = figures;
  const found: Pick<Limit, 'name' | 'limit' | 'used'>[] = [];
  const add = (label: string, limit: number | null, used: number | null): void => {
    if (limit !== null && limit > 0 && used !== null) found.push({ name: label, limit, used });
  };
  const isPool = name.kind === 'pool-tag' || name.kind === 'pool-total';
  if (isPool && name.pool === 'nonpaged') {
    add('nonpaged pool maximum', nonPagedMaximum, nonPagedPool);
    // Nonpaged pool stays in memory: what is available is what it can still take.
    add('physical memory', memory, memory !== null && available !== null ? memory - available : nonPagedPool);
  }
  if (isPool && name.pool === 'paged') add('paged pool maximum', pagedMaximum, pagedPool);
  const commits = isPool || /^(?:.*\\)?Committed Bytes$|Private Bytes$|Page File Bytes$/i.test(name.label);
  if (commits) add('commit limit', commitLimit, committed);
  return found;
}
