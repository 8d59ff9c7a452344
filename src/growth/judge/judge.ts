/**
 * One stretch of a series between two restarts: how fast it grows, and whether that is a leak, load, a step, nothing, or
 * not yet to be told. docs/trend.md says why it is done this way and how often it is wrong.
 */

import type { JudgeReason, LoadCode } from '../codes.js';
import { condense } from './condense.js';
import { cycleSlope, mannKendall, theilSen } from './estimate.js';
import { MOST_POINTS, Scratch } from './scratch.js';
import {
  CYCLE_SLACK,
  CYCLES_NEEDED,
  FLAT_BYTES,
  FLAT_COUNT,
  FLAT_SHARE,
  FLOOR_RISE,
  INTERVAL_ERRORS,
  LARGEST_FALL_BACK,
  LARGEST_STEP_SHARE,
  LAST_QUARTER,
  LATE_GROWTH,
  LEAST_RISES,
  LEAST_SHARE_OF_RANGE,
  LONE_JUMP,
  PLAIN_STEP,
  LEAST_RISING_SAMPLES,
  LEAST_SAMPLES,
  LEAST_SIGNIFICANCE,
  LEAST_TAU,
  SAMPLES_PER_CYCLE,
  STEP_EXPLAINS,
  STEP_GROWTH,
} from './growth-thresholds.js';
import { floors, quarters, type Floors } from './floors.js';
import { fitOnset, fitStep, loneJump, type Step } from './models.js';
import { readNoise, readProfile, type Profile } from './noise.js';
import { median, quantile } from './select.js';
import { readSteps, type Steps } from './steps.js';

export type Judgement = 'leak' | 'slow' | 'load' | 'step' | 'flat' | 'too-little-data';
export type Unit = 'bytes' | 'count' | 'other';

export interface JudgeOptions {
  unit: Unit;
  /** Hours of the cycle that load is expected to have. */
  cycleHours: number;
  /** The times are real ones; else only the order is known, and a time is the number of the sample. */
  timed: boolean;
  /** Set when what came before these hours was level and is left out. */
  since?: number;
}

export interface Verdict {
  judgement: Judgement;
  reasons: JudgeReason[];
  /** Theil-Sen slope in units an hour; null with fewer than two times. */
  perHour: number | null;
  /** Its interval of about 95 %, which allows for noise with a memory; null where noise cannot be told. */
  perHourLow: number | null;
  perHourHigh: number | null;
  /** Mann-Kendall's tau, -1 to 1, with the daily cycle taken out where it can be. */
  monotonic: number | null;
  /** Share of the steps between samples that fall. */
  fallShare: number | null;
  /** Slope by its standard error. */
  significance: number | null;
  /** It never falls. */
  neverFalls: boolean;
}

/**
 * Judges one stretch. `hours` rise strictly; `values` hold no NaN; both have `values.length` entries.
 * `scratch` is written over.
 */
export function judge(
  hours: Float64Array,
  values: Float64Array,
  options: JudgeOptions,
  scratch: Scratch = new Scratch(),
): Verdict {
  const n = values.length;
  const steps = readSteps(values);
  const start: Verdict = {
    judgement: 'too-little-data',
    reasons: [],
    perHour: null,
    perHourLow: null,
    perHourHigh: null,
    monotonic: null,
    fallShare: n > 1 ? steps.falls / (n - 1) : null,
    significance: null,
    neverFalls: n > 1 && steps.falls === 0,
  };
  if (n < 2) return because(start, 'too-few-samples', n === 1 ? 'one sample' : 'no sample');
  const points = n > MOST_POINTS ? condense(hours, values, options.cycleHours) : { hours, values };
  return new Case(points.hours, points.values, steps, start, options, scratch).verdict();
}

function because(verdict: Verdict, code: JudgeReason['code'], message: string): Verdict {
  verdict.reasons.push({ code, message });
  return verdict;
}

class Case {
  private readonly n: number;
  private readonly span: number;
  private readonly cycles: number;
  /** What a change must exceed to count. */
  private readonly least: number;
  /** The same as a share of its level: for what is no leak. */
  private readonly leastShare: number;
  private slopeError = 0;

  constructor(
    private readonly hours: Float64Array,
    private readonly values: Float64Array,
    private readonly steps: Steps,
    private readonly found: Verdict,
    private readonly options: JudgeOptions,
    private readonly scratch: Scratch,
  ) {
    this.n = values.length;
    this.span = (hours[this.n - 1] ?? 0) - (hours[0] ?? 0);
    this.cycles = options.timed ? this.span / options.cycleHours : 0;
    scratch.selected.set(values);
    const level = Math.abs(median(scratch.selected, this.n));
    this.least = { bytes: FLAT_BYTES, count: FLAT_COUNT, other: 0 }[options.unit];
    this.leastShare = FLAT_SHARE * level;
  }

  verdict(): Verdict {
    const { found, steps, n, span } = this;
    if (steps.high === steps.low) {
      Object.assign(found, { perHour: 0, perHourLow: 0, perHourHigh: 0, monotonic: 0, significance: 0 });
      return this.say('flat', 'constant', `the same value in all ${n} samples`);
    }
    if (span <= 0) return this.say('too-little-data', 'one-time', 'all samples are of one moment');
    const range = steps.high - steps.low;
    if (range < this.least) {
      this.measureSlope();
      found.monotonic = mannKendall(this.values, n, this.scratch) / ((n * (n - 1)) / 2);
      return this.say('flat', 'small', 'moves by less than what is counted as growth');
    }
    const profile = this.measure();
    if (this.neverFallsAndGrows()) return this.neverFalls();
    if (!this.options.timed) {
      return this.say(
        'too-little-data',
        'no-times',
        'falls now and then, and no times tell how long the samples cover',
      );
    }
    if (this.cycles < CYCLES_NEEDED - CYCLE_SLACK) {
      if (range < this.leastShare) return this.say('flat', 'small', 'moves by less than a hundredth of its size');
      return this.say(
        'too-little-data',
        'short',
        'falls now and then, and the samples cover less than two full cycles of load',
      );
    }
    if (n < LEAST_SAMPLES) return this.say('too-little-data', 'too-few-samples', `${n} samples`);
    this.longVerdict(profile);
    if (found.judgement === 'load' || found.judgement === 'leak') {
      const late = this.lateGrowth(profile.level);
      if (late?.judgement === 'leak' || (late !== null && found.judgement === 'load')) return late;
    }
    if (found.judgement !== 'leak' && range < this.leastShare) {
      found.reasons.length = 0;
      this.say('flat', 'small', 'moves by less than a hundredth of its size');
    }
    return found;
  }

  private neverFalls(): Verdict {
    this.say('leak', 'never-falls', `rises in ${this.steps.rises} steps and never falls`);
    if (this.cycles < CYCLES_NEEDED - CYCLE_SLACK && this.options.timed) {
      because(this.found, 'short', 'the samples cover less than two days: load that only rises could look the same');
    }
    return this.found;
  }

  private say(judgement: Judgement, code: JudgeReason['code'], message: string): Verdict {
    this.found.judgement = judgement;
    return because(this.found, code, message);
  }

  /** The slope; the cycle where only pairs whole cycles apart were taken. */
  private measureSlope(): { slope: number; cycle: number | null; typical: number } {
    const { hours, values, n, found } = this;
    const typical = typicalStep(hours, n, this.scratch);
    const cycle = this.options.cycleHours;
    const seasonal = this.cycles >= CYCLES_NEEDED - CYCLE_SLACK && typical * SAMPLES_PER_CYCLE <= cycle * 1.001;
    const tolerance = Math.max(0.55 * typical, cycle / 80);
    const inCycles = seasonal ? cycleSlope(hours, values, n, cycle, tolerance, n / 4, this.scratch) : null;
    const slope = inCycles ?? theilSen(hours, values, n, this.scratch);
    if (!Number.isNaN(slope)) found.perHour = slope;
    return { slope, cycle: inCycles === null ? null : cycle, typical };
  }

  /** Slope, its interval and tau. */
  private measure(): Profile {
    const { hours, values, n, found } = this;
    const { slope, cycle, typical } = this.measureSlope();
    const profile = readProfile(hours, values, n, slope, cycle, typical, this.scratch);
    const noise = readNoise(hours, profile, n, this.scratch);
    this.slopeError = noise.slopeError;
    found.monotonic = mannKendall(profile.level, n, this.scratch) / ((n * (n - 1)) / 2);
    if (n >= 4 && !Number.isNaN(slope)) {
      found.perHourLow = slope - INTERVAL_ERRORS * noise.slopeError;
      found.perHourHigh = slope + INTERVAL_ERRORS * noise.slopeError;
      found.significance = slope === 0 ? 0 : slope / noise.slopeError;
    }
    return profile;
  }

  /** Rises all the way and never falls, in more than a step or two. */
  private neverFallsAndGrows(): boolean {
    const { steps, found } = this;
    if (!found.neverFalls || this.n < LEAST_RISING_SAMPLES || steps.rises < LEAST_RISES) return false;
    if (steps.largestRise > LARGEST_STEP_SHARE * steps.rise) return false;
    const levels = quarters(this.values, this.n, this.scratch);
    const rising = [levels[1] > levels[0], levels[2] > levels[1], levels[3] > levels[2]];
    return (
      rising[2] === true &&
      rising.filter(Boolean).length >= 2 &&
      (levels[3] - levels[2]) * 3 >= LAST_QUARTER * (levels[3] - levels[0])
    );
  }

  private longVerdict(profile: Profile): Verdict {
    const { found, n, hours } = this;
    const slope = found.perHour ?? 0;
    const tau = found.monotonic ?? 0;
    const rise = slope * this.span;
    const level = profile.level;
    const step = this.step(level);
    const low = floors(hours, this.values, level, n, profile.cycleHours, this.scratch);
    if (step !== null) {
      const way = step.height > 0 ? 'rose' : 'fell';
      return this.say('step', 'one-step', `${way} once, and moves little before and after`);
    }
    if (Math.abs(rise) < this.least) return this.isLoad('returns', 'moves, and ends where it began');
    if (slope < 0) return this.isLoad('falls', 'falls over the time');
    const few = profile.cycles !== null && profile.cycles < LONE_JUMP.cycles;
    if ((found.significance ?? 0) < LEAST_SIGNIFICANCE[few ? 'few' : 'many']) {
      return this.isLoad('within-noise', 'rises and falls: the growth is within what it varies anyway');
    }
    if (tau < LEAST_TAU)
      return this.isLoad('not-steady', 'rises and falls: too many later samples are lower than earlier ones');
    return this.rising(low, slope, profile);
  }

  private rising(low: Floors, slope: number, profile: Profile): Verdict {
    const expected = slope * low.hours;
    const share = expected > 0 ? low.rise / expected : 0;
    if (share < FLOOR_RISE[0])
      return this.isLoad('floor-returns', 'its peaks grow, but the low values come back to where they were');
    if (share > FLOOR_RISE[1])
      return this.isLoad('uneven', 'the low values rose far more than the rest: not one steady growth');
    if (low.fallBack > LARGEST_FALL_BACK)
      return this.isLoad('falls-back', 'falls back on the way by much of what it had grown');
    if (slope * this.span < LEAST_SHARE_OF_RANGE * (this.steps.high - this.steps.low)) {
      return this.isLoad('small-beside-load', 'grows by little beside what it rises and falls');
    }
    if (profile.cycles !== null && profile.cycles < LONE_JUMP.cycles && profile.phases >= LONE_JUMP.samplesPerCycle) {
      const jump = loneJump(this.hours, this.values, this.n, this.options.cycleHours, this.scratch);
      if (
        jump.height >= Math.max(LONE_JUMP.shareOfCycle * slope * this.options.cycleHours, LONE_JUMP.usual * jump.usual)
      ) {
        return this.say('step', 'one-jump', 'most of the growth came in one jump that the other days do not have');
      }
    }
    const q = quarters(profile.level, this.n, this.scratch);
    const doubt = (this.slopeError * this.span) / 4;
    if ((q[3] - q[2] + doubt) * 3 < LAST_QUARTER * (q[3] - q[0])) {
      return this.isLoad('levels-off', 'grew at first and has levelled off');
    }
    this.say('leak', 'grows-on', 'grows on and does not come back: neither its low values nor its high ones');
    if (low.rise > 0 && low.cycles >= 2) {
      because(this.found, 'floor-rises', `the lowest level of a cycle rose over ${low.cycles} cycles`);
    }
    return this.found;
  }

  private isLoad(code: LoadCode, message: string): Verdict {
    return this.say('load', code, message);
  }

  /** Where growth began after a level time: what the samples since then say; null where that fits no better. */
  private lateGrowth(level: Float64Array): Verdict | null {
    const { hours, values, n, steps, options } = this;
    if (options.since !== undefined) return null;
    const onset = fitOnset(hours, level, n);
    const range = steps.high - steps.low;
    if (onset === null || onset.ratio > LATE_GROWTH.ratio) return null;
    if (onset.rise < Math.max(this.least, LATE_GROWTH.shareOfRange * range)) return null;
    const { selected, inner } = this.scratch;
    selected.set(level.subarray(0, onset.at));
    const before = quantile(selected, onset.at, 0.9);
    if (before > median(selected, onset.at) + onset.rise / 2) return null;
    const since = hours[onset.at] ?? 0;
    const rest = judge(hours.slice(onset.at, n), values.slice(onset.at, n), { ...options, since }, inner);
    if (rest.judgement !== 'leak' && rest.judgement !== 'too-little-data') return null;
    return because(
      rest,
      'began-late',
      `did not grow at first: it began ${Math.round(since)} hours after the first sample`,
    );
  }

  /**
   * One step that fits better than a line and explains nearly all; what grows before and after is small beside it. Taking
   * out the profile of two or three cycles can hide a step in their middle, so the plain values are tried too.
   */
  private step(level: Float64Array): Step | null {
    const { hours, values, n } = this;
    const found = fitStep(hours, level, n);
    if (found !== null && found.ratio < 1 && found.explained >= STEP_EXPLAINS && this.isOneStep(found)) return found;
    const plain = fitStep(hours, values, n);
    if (plain === null || plain.ratio >= PLAIN_STEP.ratio || plain.explained < PLAIN_STEP.explains) return null;
    return this.isOneStep(plain) ? plain : null;
  }

  private isOneStep({ height, within }: Step): boolean {
    return Math.abs(height) >= this.least && Math.abs(within) < STEP_GROWTH * Math.abs(height);
  }
}

/** The usual distance of two samples, in hours. */
function typicalStep(hours: Float64Array, n: number, { selected }: Scratch): number {
  for (let i = 1; i < n; i++) selected[i - 1] = (hours[i] ?? 0) - (hours[i - 1] ?? 0);
  return median(selected, n - 1);
}
