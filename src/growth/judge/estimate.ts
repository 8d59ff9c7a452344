/**
 * Estimators of growth that outliers, gaps and daily cycles do not mislead: Theil-Sen's slope, over pairs of points that
 * are whole cycles apart where the points allow it, and Mann-Kendall's S. Times in hours, any unit of values.
 */

import type { Scratch } from './scratch.js';
import { median } from './select.js';

/** Theil-Sen's slope: the median of the slopes of all pairs. NaN without two different times. */
export function theilSen(times: Float64Array, values: Float64Array, count: number, { slopes }: Scratch): number {
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
 * cancels out. Null where fewer than `atLeast` pairs exist.
 */
export function cycleSlope(
  times: Float64Array,
  values: Float64Array,
  count: number,
  cycle: number,
  tolerance: number,
  atLeast: number,
  { slopes }: Scratch,
): number | null {
  let pairs = 0;
  const cycles = Math.floor(((times[count - 1] ?? 0) - (times[0] ?? 0) + tolerance) / cycle);
  for (let k = 1; k <= cycles; k++) {
    const lag = k * cycle;
    let j = 1;
    for (let i = 0; i < count - 1; i++) {
      const wanted = (times[i] ?? 0) + lag;
      if (j <= i) j = i + 1;
      while (j < count - 1 && Math.abs((times[j + 1] ?? 0) - wanted) <= Math.abs((times[j] ?? 0) - wanted)) j++;
      const span = (times[j] ?? 0) - (times[i] ?? 0);
      if (Math.abs(span - lag) <= tolerance) slopes[pairs++] = ((values[j] ?? 0) - (values[i] ?? 0)) / span;
    }
  }
  return pairs < atLeast ? null : median(slopes, pairs);
}

/** Stretches of this length are sorted by insertion before they are merged. */
const SHORT_RUN = 8;

/** Mann-Kendall's S: pairs that rise less pairs that fall. Counted while sorting, so that not every pair is looked at. */
export function mannKendall(values: Float64Array, count: number, { sorted, merged }: Scratch): number {
  for (let i = 0; i < count; i++) sorted[i] = values[i] ?? 0;
  let falls = 0;
  for (let low = 0; low < count; low += SHORT_RUN) falls += insertRun(sorted, low, Math.min(count, low + SHORT_RUN));
  let [from, to] = [sorted, merged];
  for (let width = SHORT_RUN; width < count; width *= 2) {
    for (let low = 0; low < count; low += 2 * width) {
      falls += mergeRuns(from, to, low, Math.min(count, low + width), Math.min(count, low + 2 * width));
    }
    [from, to] = [to, from];
  }
  let ties = 0;
  let run = 1;
  for (let i = 1; i < count; i++) {
    run = from[i] === from[i - 1] ? run + 1 : 1;
    ties += run - 1;
  }
  return (count * (count - 1)) / 2 - ties - 2 * falls;
}

/** Sorts a stretch; the number of pairs that fell. */
function insertRun(sorted: Float64Array, low: number, high: number): number {
  let falls = 0;
  for (let i = low + 1; i < high; i++) {
    const value = sorted[i] ?? 0;
    let j = i - 1;
    while (j >= low && (sorted[j] ?? 0) > value) {
      sorted[j + 1] = sorted[j] ?? 0;
      j--;
    }
    sorted[j + 1] = value;
    falls += i - 1 - j;
  }
  return falls;
}

/** Merges two sorted stretches; the number of pairs across them that fell. */
function mergeRuns(from: Float64Array, to: Float64Array, low: number, middle: number, high: number): number {
  let falls = 0;
  let a = low;
  let b = middle;
  for (let k = low; k < high; k++) {
    if (b >= high || (a < middle && (from[a] ?? 0) <= (from[b] ?? 0))) to[k] = from[a++] ?? 0;
    else {
      falls += middle - a;
      to[k] = from[b++] ?? 0;
    }
  }
  return falls;
}
