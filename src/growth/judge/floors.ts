/** How the low values of a series go from cycle to cycle: load comes back to them, a leak raises them. */

import type { Scratch } from './scratch.js';
import { FLOOR_QUANTILE } from './growth-thresholds.js';
import { median, quantile } from './select.js';

export interface Floors {
  /** Windows that were compared: cycles, or an eighth of a series without cycles each. */
  cycles: number;
  /** Last floor less the first. */
  rise: number;
  /** Hours between the two. */
  hours: number;
  /** The most that a floor lies below an earlier one, by the range of all floors; 1 where they do not rise. */
  fallBack: number;
}

const WINDOWS_WITHOUT_CYCLE = 8;
const LEAST_IN_WINDOW = 3;
/** A window with less than this share of its samples has a gap. */
const LEAST_SHARE = 0.8;

/**
 * The floors of whole cycles; without a cycle, of stretches of one length. Where a cycle has gaps its low hours may be
 * missing: then those of `level`, from which the cycle was taken out, if they fall back less.
 */
export function floors(
  hours: Float64Array,
  values: Float64Array,
  level: Float64Array,
  n: number,
  cycleHours: number | null,
  scratch: Scratch,
): Floors {
  const plain = floorsOf(hours, values, n, cycleHours, scratch);
  if (!plain.hasGaps) return plain;
  const without = floorsOf(hours, level, n, cycleHours, scratch);
  return without.fallBack < plain.fallBack ? without : plain;
}

function floorsOf(
  hours: Float64Array,
  values: Float64Array,
  n: number,
  cycleHours: number | null,
  { selected: buffer }: Scratch,
): Floors & { hasGaps: boolean } {
  const first = hours[0] ?? 0;
  const last = hours[n - 1] ?? 0;
  const span = last - first;
  const windows =
    cycleHours === null
      ? Math.max(2, Math.min(WINDOWS_WITHOUT_CYCLE, Math.floor(n / 4)))
      : Math.max(2, Math.floor(span / cycleHours + 0.02));
  const width = cycleHours ?? (span / windows) * 1.000001;
  const found = { cycles: 0, rise: 0, hours: 0, fallBack: 0, hasGaps: false };
  let firstFloor = NaN;
  let firstWindow = 0;
  let lowest = Infinity;
  let highest = -Infinity;
  let fall = 0;
  let at = 0;
  for (let w = 0; w < windows; w++) {
    const end = first + (w + 1) * width;
    let count = 0;
    while (at < n && ((hours[at] ?? 0) < end || (w === windows - 1 && cycleHours === null)))
      buffer[count++] = values[at++] ?? 0;
    if (count < LEAST_SHARE * n * (width / span)) found.hasGaps = true;
    if (count < LEAST_IN_WINDOW) continue;
    const floor = quantile(buffer, count, FLOOR_QUANTILE);
    if (found.cycles === 0) {
      firstFloor = floor;
      firstWindow = w;
    }
    found.cycles++;
    lowest = Math.min(lowest, floor);
    highest = Math.max(highest, floor);
    fall = Math.max(fall, highest - floor);
    found.rise = floor - firstFloor;
    found.hours = (w - firstWindow) * width;
  }
  found.fallBack = highest > lowest ? fall / (highest - lowest) : 1;
  return found;
}

/** The medians of four stretches of a series that hold the same number of samples. */
export function quarters(
  values: Float64Array,
  n: number,
  { selected: buffer }: Scratch,
): [number, number, number, number] {
  const level = (from: number, to: number): number => {
    const count = Math.max(1, to - from);
    for (let i = 0; i < count; i++) buffer[i] = values[Math.min(n - 1, from + i)] ?? 0;
    return median(buffer, count);
  };
  const border = (quarter: number): number => Math.round((quarter * n) / 4);
  return [level(0, border(1)), level(border(1), border(2)), level(border(2), border(3)), level(border(3), n)];
}
