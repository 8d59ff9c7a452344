/** Growth that goes on but would take years to matter: it is told, and is no leak. */

import { SLOW_GROWTH } from './growth-thresholds.js';
import type { Limit } from './limits.js';
import type { SeriesVerdict } from './stretches.js';

const HOURS_IN_YEAR = 24 * 365.25;

/** The verdict of a series of bytes with its limits: `slow` where a leak would take years to matter, else as it is. */
export function unlessSlow(verdict: SeriesVerdict, limits: readonly Limit[]): SeriesVerdict {
  const { perHour, perHourHigh } = verdict.main.verdict;
  if (verdict.judgement !== 'leak' || perHour === null) return verdict;
  const fastest = Math.max(perHour, perHourHigh ?? 0) * HOURS_IN_YEAR;
  const soonest = Math.min(...limits.map(({ hours, soonestHours }) => soonestHours ?? hours));
  if (fastest >= SLOW_GROWTH.bytesInYear || soonest < SLOW_GROWTH.years * HOURS_IN_YEAR) return verdict;
  const message = `grows on, but by less than ${SLOW_GROWTH.bytesInYear / 2 ** 20} MB in a year: it would take years to matter`;
  return { ...verdict, judgement: 'slow', reasons: [{ code: 'grows-slowly', message }, ...verdict.reasons] };
}
