/** A whole series: its stretches between restarts judged one by one, and what they say together. */

import type { SeriesReason } from '../codes.js';
import { Scratch } from './scratch.js';
import { judge, type Judgement, type JudgeOptions, type Verdict } from './judge.js';
import type { Series } from '../read/series.js';

/** One stretch between restarts. */
export interface Stretch {
  /** Points of the series from (included) and to (not included). */
  from: number;
  to: number;
  verdict: Verdict;
}

export interface SeriesVerdict {
  judgement: Judgement;
  reasons: SeriesReason[];
  /** All stretches, in order. */
  stretches: Stretch[];
  /** The one that figures and judgement are taken from. */
  main: Stretch;
}

const MS_PER_HOUR = 3_600_000;

/**
 * Judges a series. `times` are those of all samples by their place: milliseconds, or places where `timed` is false.
 * `cuts` are the places of the first samples after restarts. `scratch` is written over.
 */
export function judgeSeries(
  series: Series,
  times: Float64Array,
  cuts: readonly number[],
  options: JudgeOptions,
  scratch: Scratch = new Scratch(),
): SeriesVerdict {
  const stretches = split(series.ranks, cuts).map(([from, to]): Stretch => {
    return { from, to, verdict: judgeStretch(series, from, to, times, options, scratch) };
  });
  const main = mainStretch(stretches);
  const reasons: SeriesReason[] = [...main.verdict.reasons];
  if (stretches.length > 1) reasons.push(aboutRestarts(stretches, main));
  if (main.verdict.judgement === 'leak') reasons.push(...fromCounters(series, main));
  if (series.name.unit === 'other' && main.verdict.judgement === 'leak') {
    const message =
      'grows, but by its name it is no amount that could leak: a rate, a share, or a name in another language';
    return { judgement: 'load', reasons: [{ code: 'no-amount', message }, ...reasons], stretches, main };
  }
  return { judgement: main.verdict.judgement, reasons, stretches, main };
}

function split(ranks: Int32Array, cuts: readonly number[]): [number, number][] {
  const out: [number, number][] = [];
  let from = 0;
  for (const cut of cuts) {
    let to = from;
    while (to < ranks.length && (ranks[to] ?? 0) < cut) to++;
    if (to > from) out.push([from, to]);
    from = to;
  }
  if (from < ranks.length || out.length === 0) out.push([from, ranks.length]);
  return out;
}

function judgeStretch(
  series: Series,
  from: number,
  to: number,
  times: Float64Array,
  options: JudgeOptions,
  scratch: Scratch,
): Verdict {
  const { hours, values } = scratch.points(to - from);
  const start = times[series.ranks[from] ?? 0] ?? 0;
  const unit = options.timed ? MS_PER_HOUR : 1;
  let n = 0;
  let before = -Infinity;
  for (let i = from; i < to; i++) {
    const time = times[series.ranks[i] ?? 0] ?? 0;
    const value = series.values[i] ?? NaN;
    // A second sample of the same moment tells nothing new.
    if (Number.isNaN(value) || time <= before) continue;
    before = time;
    hours[n] = (time - start) / unit;
    values[n] = value;
    n++;
  }
  return judge(hours.subarray(0, n), values.subarray(0, n), options, scratch);
}

const WEIGHT: Readonly<Record<Judgement, number>> = {
  leak: 4,
  slow: 4,
  step: 2,
  load: 2,
  flat: 2,
  'too-little-data': 0,
};

/** The latest stretch with a leak; else the longest that could be judged; else the longest. */
function mainStretch(stretches: readonly Stretch[]): Stretch {
  let main = stretches[0] ?? { from: 0, to: 0, verdict: judge(new Float64Array(0), new Float64Array(0), NOTHING) };
  for (const stretch of stretches.slice(1)) {
    const [weight, best] = [WEIGHT[stretch.verdict.judgement], WEIGHT[main.verdict.judgement]];
    const longer = stretch.to - stretch.from >= main.to - main.from;
    if (weight > best || (weight === best && (weight === WEIGHT.leak || longer))) main = stretch;
  }
  return main;
}

const NOTHING: JudgeOptions = { unit: 'other', cycleHours: 24, timed: false };

function aboutRestarts(stretches: readonly Stretch[], main: Stretch): SeriesReason {
  const restarts = stretches.length - 1;
  const leaks = stretches.filter(({ verdict }) => verdict.judgement === 'leak').length;
  const last = stretches.at(-1);
  const count = `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`;
  if (leaks > 1)
    return {
      code: 'grows-again',
      message: `grows again after a restart: in ${leaks} of ${stretches.length} stretches between restarts`,
    };
  if (leaks === 1 && last !== main && last !== undefined && last.verdict.judgement !== 'too-little-data') {
    return { code: 'not-since-restart', message: 'did not grow any more after the last restart' };
  }
  return {
    code: 'restarts',
    message: `${count} split the samples; the figures are of the ${main === last ? 'last' : 'longest'} stretch`,
  };
}

/** What allocations and frees say about a leak. */
function fromCounters({ allocs, frees }: Series, { from, to }: Stretch): SeriesReason[] {
  const [a, b] = [allocs?.[from] ?? NaN, allocs?.[to - 1] ?? NaN];
  const [x, y] = [frees?.[from] ?? NaN, frees?.[to - 1] ?? NaN];
  const [allocated, freed] = [b - a, y - x];
  if (!(allocated > 0) || !(freed >= 0)) return [];
  const counts = `${text(allocated)} allocations since the first sample, ${text(freed)} frees`;
  const held = `${text(a - x)} outstanding at first, ${text(b - y)} at last`;
  return [{ code: freed < allocated / 100 ? 'never-freed' : 'more-outstanding', message: `${counts}: ${held}` }];
}

const text = (count: number): string => count.toLocaleString('en-US');
