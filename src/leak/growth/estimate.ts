/**
 * Estimators of growth that outliers, gaps and daily cycles do not mislead: Theil-Sen's slope, over pairs of points that
 * are whole cycles apart where the points allow it, and Mann-Kendall's S. Times in hours, any unit of values.
 */

import { median } from './select.js';

/** Most points of a series that pairs are made of; longer ones are condensed first. */
export const MOST_POINTS = 256;

const slopes = new Float64Array((MOST_POINTS * (MOST_POINTS - 1)) / 2);

/** Theil-Sen's slope: the median of the slopes of all pairs. NaN without two different times. */
export function theilSen(times: Float64Array, values: Float64Array, count: number): number {
  let pairs = 0;
  for (let i = 0; i < count; i++) {
    const time = times[i] ?? 0;
    const value = values[i] ?? 0;
    for (let j = i + 1; j < count; j++) {
      const span = (times[j] ?? 0) - time;
      if (span > 0) slopes[pairs++] = ((values[j] ?? 0) - value) / span;
    }
  }
  return median(slopes, pairs);
}

/**
 * Theil-Sen's slope over the pairs that are a whole number of cycles apart (within `tolerance`), so that a daily cycle
 * cancels out. `only` picks the points that may begin a pair. Null where fewer than `atLeast` pairs exist.
 */
export function cycleSlope(
  times: Float64Array,
  values: Float64Array,
  count: number,
  cycle: number,
  tolerance: number,
  atLeast: number,
  only: Uint8Array | null,
): number | null {
  let pairs = 0;
  const cycles = Math.floor(((times[count - 1] ?? 0) - (times[0] ?? 0) + tolerance) / cycle);
  for (let k = 1; k <= cycles; k++) {
    const lag = k * cycle;
    let j = 1;
    for (let i = 0; i < count - 1; i++) {
      if (only !== null && only[i] === 0) continue;
      const wanted = (times[i] ?? 0) + lag;
      if (j <= i) j = i + 1;
      while (j < count - 1 && Math.abs((times[j + 1] ?? 0) - wanted) <= Math.abs((times[j] ?? 0) - wanted)) j++;
      const span = (times[j] ?? 0) - (times[i] ?? 0);
      if (Math.abs(span - lag) <= tolerance) slopes[pairs++] = ((values[j] ?? 0) - (values[i] ?? 0)) / span;
    }
  }
  return pairs < atLeast ? null : median(slopes, pairs);
}

/** Mann-Kendall's S: pairs that rise less pairs that fall. */
export function mannKendall(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? 0;
    for (let j = i + 1; j < count; j++) {
      const other = values[j] ?? 0;
      sum += Number(other > value) - Number(other < value);
    }
  }
  return sum;
}
