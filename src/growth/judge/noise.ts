/**
 * What a series does besides growing in a line: its daily profile, and noise with a memory.
 *
 * The arrays that are handed out are used again by the next call.
 */

import { PHASES, RESIDUAL_LIMIT } from './growth-thresholds.js';
import type { Scratch } from './scratch.js';
import { median } from './select.js';

export interface Profile {
  /** The values less the daily profile: what is left is growth and noise. */
  level: Float64Array;
  /** The level less its growth. */
  residual: Float64Array;
  /** Values that the profile took: 1 where there is none. */
  phases: number;
  /** Cycles covered; null where no cycle was taken out. */
  cycles: number | null;
  cycleHours: number | null;
}

export interface Noise {
  /** Standard deviation of the residual. */
  deviation: number;
  /** Correlation of neighbours, corrected for what short series hide of it. */
  memory: number;
  /** Standard error of a slope over this series, in units an hour. */
  slopeError: number;
}

/** Takes the growth and, with a cycle, the profile of the cycle out of a series. */
export function readProfile(
  hours: Float64Array,
  values: Float64Array,
  n: number,
  slope: number,
  cycleHours: number | null,
  typicalStep: number,
  scratch: Scratch,
): Profile {
  const { level, residual, phaseOf, profile, selected: buffer } = scratch;
  const first = hours[0] ?? 0;
  const growth = Number.isNaN(slope) ? 0 : slope;
  for (let i = 0; i < n; i++) residual[i] = (values[i] ?? 0) - growth * ((hours[i] ?? 0) - first);
  const phases = cycleHours === null ? 1 : Math.max(2, Math.min(PHASES, Math.round(cycleHours / typicalStep)));
  for (let i = 0; i < n; i++) {
    const turn = cycleHours === null ? 0 : ((hours[i] ?? 0) - first + typicalStep / 2) / cycleHours;
    phaseOf[i] = Math.min(phases - 1, Math.floor((turn - Math.floor(turn)) * phases));
  }
  phaseMedians(n, phases, scratch);
  buffer.set(profile.subarray(0, phases));
  const middle = median(buffer, phases);
  for (let i = 0; i < n; i++) {
    const own = profile[phaseOf[i] ?? 0] ?? 0;
    residual[i] = (residual[i] ?? 0) - own;
    level[i] = (values[i] ?? 0) - own + middle;
  }
  const span = (hours[n - 1] ?? 0) - first;
  return { level, residual, phases, cycles: cycleHours === null ? null : span / cycleHours, cycleHours };
}

/** The median of the residual in each phase, into `profile`; phases without a point take 0, which nothing reads. */
function phaseMedians(n: number, phases: number, scratch: Scratch): void {
  const { residual, phaseOf, counts, profile, selected: buffer } = scratch;
  counts.fill(0, 0, phases + 1);
  for (let i = 0; i < n; i++) {
    const next = (phaseOf[i] ?? 0) + 1;
    counts[next] = (counts[next] ?? 0) + 1;
  }
  for (let p = 1; p <= phases; p++) counts[p] = (counts[p] ?? 0) + (counts[p - 1] ?? 0);
  const fill = counts.slice(0, phases);
  for (let i = 0; i < n; i++) {
    const p = phaseOf[i] ?? 0;
    const at = fill[p] ?? 0;
    buffer[at] = residual[i] ?? 0;
    fill[p] = at + 1;
  }
  for (let p = 0; p < phases; p++) {
    const from = counts[p] ?? 0;
    const to = counts[p + 1] ?? 0;
    profile[p] = to > from ? median(buffer.subarray(from, to)) : 0;
  }
}

/**
 * Estimates the noise from what a profile left: its deviation, how much of it lasts until the next point, and from both
 * how wrong a slope may be. Outliers are cut.
 */
export function readNoise(
  hours: Float64Array,
  { residual: rest, cycles }: Profile,
  n: number,
  { selected: buffer }: Scratch,
): Noise {
  for (let i = 0; i < n; i++) buffer[i] = Math.abs(rest[i] ?? 0);
  const robust = 1.4826 * median(buffer, n);
  const limit = robust > 0 ? RESIDUAL_LIMIT * robust : Infinity;
  let mean = 0;
  for (let i = 0; i < n; i++) {
    const value = Math.max(-limit, Math.min(limit, rest[i] ?? 0));
    buffer[i] = value;
    mean += value / n;
  }
  let squares = 0;
  let neighbours = 0;
  let before = 0;
  for (let i = 0; i < n; i++) {
    const value = (buffer[i] ?? 0) - mean;
    squares += value * value;
    neighbours += value * before;
    before = value;
  }
  // A profile from C cycles takes 1/C of the slow noise with it.
  const hidden = cycles === null ? 1 : cycles / Math.max(0.5, cycles - 1);
  const seen = squares > 0 ? neighbours / squares : 0;
  const memory = Math.min(0.99, Math.max(0, seen + (hidden * (2 + 4 * Math.max(0, seen))) / n));
  const variance = (squares / Math.max(1, n - 2)) * hidden;
  const slopeError = Math.sqrt((variance * (1 + memory)) / (1 - memory) / spread(hours, n));
  return { deviation: Math.sqrt(variance), memory, slopeError };
}

/** Sum of the squared distances of the times from their mean. */
function spread(hours: Float64Array, n: number): number {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += (hours[i] ?? 0) / n;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += ((hours[i] ?? 0) - mean) ** 2;
  return sum;
}
