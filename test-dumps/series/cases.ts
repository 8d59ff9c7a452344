/**
 * Series of a pool tag with a known truth. Shares no code with what judges them: the truth is what was put in.
 *
 * `signalToNoise` of a leak is its rise over the whole series by the standard deviation of the noise; leaks under load
 * besides have a daily cycle, whose height is given as `loadToRise`: height by rise.
 */

import { Prng } from '../prng.js';
import { dailyLoad, drawHabits, fadingNoise, logUniform, normal } from './noise.js';

export type SeriesClass =
  | 'leak' | 'leak-under-load' | 'leak-by-load' | 'leak-in-bursts' | 'leak-and-reboot' | 'leak-with-wrap' | 'leak-with-gaps'
  | 'leak-short' | 'leak-late' | 'load' | 'load-weekly' | 'load-with-gaps' | 'load-and-reboot' | 'load-short' | 'sawtooth' | 'wander' | 'warm-up' | 'step' | 'flat'; // prettier-ignore

/** What a judge should say. */
export type Truth = 'leak' | 'load' | 'step' | 'flat' | 'too-little-data';

export interface SeriesCase {
  class: SeriesClass;
  /** All answers that are right; the first is the best one. */
  truth: readonly Truth[];
  /** Bytes per hour that were put in, without noise; null where there is no one rate. */
  perHour: number | null;
  /** Milliseconds since 1970. */
  times: Float64Array;
  /** Bytes. In `leak-with-wrap` modulo 2^32. */
  bytes: Float64Array;
  /** Lifetime counters, modulo 2^32. */
  allocs: Float64Array;
  frees: Float64Array;
  /** Samples that come first after a restart of the machine. */
  reboots: readonly number[];
}

export interface Plan {
  /** Samples and the hours between two of them. */
  samples: number;
  stepHours: number;
}

/** How people collect: every quarter of an hour over two days to once a day over a month. */
export const PLANS: readonly Plan[] = [
  { samples: 200, stepHours: 0.25 },
  { samples: 200, stepHours: 1 },
  { samples: 144, stepHours: 0.5 },
  { samples: 60, stepHours: 4 },
  { samples: 30, stepHours: 24 },
];

export interface CaseOptions {
  /** Rise by noise, for leaks and steps. Default 8. */
  signalToNoise?: number;
  /** Height of the daily load by the rise, for leaks under load. Default 1. */
  loadToRise?: number;
  plan?: Plan;
}

export const MIB = 2 ** 20;
const WRAP = 2 ** 32;
const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);

/** Builds the series of a class and seed: the same seed gives the same series. */
export function buildCase(kind: SeriesClass, seed: number, options: CaseOptions = {}): SeriesCase {
  const random = new Prng(seed).fork(kind);
  const plan = options.plan ?? planFor(kind, random);
  const all = Float64Array.from({ length: plan.samples }, (_, i) => i * plan.stepHours);
  const hours = kind.endsWith('with-gaps') ? withGaps(random, all) : all;
  const span = hours.at(-1) ?? 0;
  const level = logUniform(random, 2 * MIB, 300 * MIB);
  const memory = logUniform(random, 0.25, 3);
  // For leaks the noise follows from the rise; for the rest the rise is how far they move.
  const rise = level * logUniform(random, 0.2, 2);
  const sigma = rise / (options.signalToNoise ?? 8);
  const context = { random, hours, span, level, rise, sigma, memory, loadToRise: options.loadToRise ?? 1 };
  const shape = SHAPES[kind](context);
  const noise = fadingNoise(random.fork('noise'), hours, shape.memory ?? memory);
  const scale = shape.noise ?? sigma;
  const values = shape.values.map((value, i) => Math.max(0, Math.round((value + scale * (noise[i] ?? 0)) / 16) * 16));
  return finish(kind, random.fork('counters'), hours, values, shape);
}

function planFor(kind: SeriesClass, random: Prng): Plan {
  if (kind === 'leak-short' || kind === 'load-short') {
    const samples = random.int(8, 100);
    return { samples, stepHours: (random.float() * 40 + 4) / samples };
  }
  // What is left of two days after a restart is too short.
  if (kind.endsWith('and-reboot') || kind === 'leak-late')
    return random.pick([PLANS[1], PLANS[3], PLANS[4]].filter((plan) => plan !== undefined));
  // Sawtooth and wander are about what happens between samples a few hours apart.
  return random.pick(kind === 'sawtooth' || kind === 'wander' ? PLANS.slice(0, 4) : PLANS);
}

interface Context {
  random: Prng;
  hours: Float64Array;
  span: number;
  level: number;
  rise: number;
  sigma: number;
  memory: number;
  loadToRise: number;
}

interface Shape {
  truth: readonly Truth[];
  values: Float64Array;
  perHour: number | null;
  reboots?: number[];
  /** Standard deviation of the noise where it is not the context's. */
  noise?: number;
  memory?: number;
  wrap?: boolean;
}

const SHAPES: Readonly<Record<SeriesClass, (context: Context) => Shape>> = {
  leak: (c) => leak(c, linear(c)),
  'leak-with-gaps': (c) => leak(c, c.random.chance(0.5) ? linear(c) : plus(linear(c), cycle(c, c.rise * c.loadToRise))),
  'leak-under-load': (c) => leak(c, plus(linear(c), cycle(c, c.rise * c.loadToRise))),
  'leak-by-load': byLoad,
  'leak-in-bursts': inBursts,
  'leak-and-reboot': (c) => restarted(c, true),
  'leak-with-wrap': wrapped,
  'leak-short': (c) => ({ ...leak(c, linear(c)), truth: ['leak'], noise: 0 }),
  'leak-late': (c) => {
    // At least two days of it, and a level part of a third to a half before.
    const start = c.span * (0.3 + 0.2 * c.random.float());
    const grown = c.hours.map((hour) => c.level + (c.rise * Math.max(0, hour - start)) / (c.span - start));
    return { ...leak(c, grown), perHour: c.rise / (c.span - start) };
  },
  load: (c) => load(c),
  'load-weekly': weekly,
  'load-with-gaps': (c) => load(c),
  'load-and-reboot': (c) => restarted(c, false),
  'load-short': (c) => ({ ...load(c), truth: ['too-little-data'] }),
  sawtooth,
  wander: (c) => ({
    truth: ['load', 'flat', 'step'],
    values: c.hours.map(() => c.level),
    perHour: null,
    noise: c.level * logUniform(c.random, 0.02, 0.15),
    memory: logUniform(c.random, 1, Math.min(8, c.span / 8)),
  }),
  'warm-up': warmUp,
  step,
  flat: (c) => ({
    truth: ['flat', 'load'],
    values: c.hours.map(() => c.level),
    perHour: 0,
    noise: c.level * logUniform(c.random, 1e-6, 1e-2),
  }),
};

function leak(c: Context, values: Float64Array): Shape {
  return { truth: ['leak'], values, perHour: c.rise / c.span };
}

function linear({ hours, level, rise, span }: Context): Float64Array {
  return hours.map((hour) => level + (rise * hour) / span);
}

function cycle({ random, hours }: Context, height: number): Float64Array {
  const part = random.fork('load');
  return dailyLoad(part, hours, drawHabits(part)).map((value) => value * height);
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] ?? 0));
}

/** It leaks where there is work: most of it by day. */
function byLoad(c: Context): Shape {
  const part = c.random.fork('rate');
  const habits = { ...drawHabits(part), weekend: 1 };
  const fine = Float64Array.from({ length: Math.ceil(c.span * 4) + 1 }, (_, i) => i / 4);
  let sum = 0;
  const sums = dailyLoad(part, fine, habits).map((rate) => (sum += rate));
  const total = sums.at(-1) ?? 1;
  const values = c.hours.map((hour) => c.level + (c.rise * (sums[Math.round(hour * 4)] ?? total)) / total);
  return { ...leak(c, values), perHour: null };
}

/** It leaks a block now and then: 30 to 100 of them. */
function inBursts(c: Context): Shape {
  const part = c.random.fork('bursts');
  const bursts = Float64Array.from({ length: part.int(30, 100) }, () => part.float() * c.span).sort();
  let next = 0;
  const values = c.hours.map((hour) => {
    while (next < bursts.length && (bursts[next] ?? 0) <= hour) next++;
    return c.level + (c.rise * next) / bursts.length;
  });
  return leak(c, values);
}

/** One restart, with at least two days on one side of it. */
function restarted(c: Context, leaking: boolean): Shape {
  const { random, hours, level, span, rise } = c;
  const at = random.int(Math.floor(hours.length * 0.1), Math.floor(hours.length * 0.25));
  const first = random.chance(0.5) ? at : hours.length - at;
  const base = leaking
    ? linear(c)
    : plus(
        c.hours.map(() => level),
        cycle(c, rise),
      );
  const fall = leaking ? (rise * (hours[first] ?? 0)) / span : 0;
  const values = base.map((value, i) => (i < first ? value : value - fall));
  return {
    truth: leaking ? ['leak'] : ['load', 'flat', 'too-little-data'],
    values,
    perHour: leaking ? rise / span : null,
    reboots: [first],
    // What grows is the part between restarts: the signal is smaller by the share that the longer part has.
    noise: leaking ? c.sigma * 0.75 : c.sigma,
  };
}

/** Bytes pass 2^32 on the way, in a log that shows 32 bits. */
function wrapped(c: Context): Shape {
  const cross = 0.2 + 0.6 * c.random.float();
  const values = c.hours.map((hour) => WRAP + c.rise * (hour / c.span - cross));
  return { ...leak(c, values), wrap: true };
}

function load(c: Context): Shape {
  const height = c.level * logUniform(c.random, 0.1, 2);
  return {
    truth: ['load', 'flat', 'step'],
    values: plus(
      c.hours.map(() => c.level),
      cycle(c, height),
    ),
    perHour: null,
    noise: height * logUniform(c.random, 0.02, 0.2),
  };
}

/** Not only the peaks but the level of the whole day is higher on working days. */
function weekly(c: Context): Shape {
  const shape = load(c);
  const firstDay = c.random.int(0, 6);
  const height = c.level * logUniform(c.random, 0.05, 0.5);
  const daily = c.hours.map((hour) => {
    const weekday = (Math.floor(hour / 24) + firstDay) % 7;
    return weekday === 0 || weekday === 6 ? 0 : height;
  });
  return { ...shape, values: plus(shape.values, daily) };
}

/** Rises and is emptied, at its own pace: at least twice within the series. */
function sawtooth(c: Context): Shape {
  const period = logUniform(c.random, 4, c.span / 2.2);
  const offset = c.random.float() * period;
  const height = c.level * logUniform(c.random, 0.2, 2);
  const values = c.hours.map((hour) => c.level + height * (((hour + offset) % period) / period));
  return { truth: ['load', 'flat', 'step'], values, perHour: null, noise: height * logUniform(c.random, 0.01, 0.1) };
}

/** A cache that fills after the start and stays full. */
function warmUp(c: Context): Shape {
  const fills = c.span * logUniform(c.random, 0.03, 0.15);
  const values = c.hours.map((hour) => c.level * (0.3 + 0.7 * (1 - Math.exp(-hour / fills))));
  return { truth: ['load', 'step', 'flat'], values, perHour: null, noise: c.level * logUniform(c.random, 0.005, 0.05) };
}

function step(c: Context): Shape {
  const at = c.span * (0.15 + 0.7 * c.random.float());
  const values = c.hours.map((hour) => c.level + (hour >= at ? c.rise : 0));
  const withLoad = c.random.chance(0.3) ? plus(values, cycle(c, c.rise * 0.5)) : values;
  return { truth: ['step', 'load'], values: withLoad, perHour: null };
}

/** Leaves out three stretches, together a quarter of the samples. */
function withGaps(random: Prng, hours: Float64Array): Float64Array {
  const n = hours.length;
  const gap = Math.floor(n / 12);
  const starts = [0, 1, 2].map(() => random.int(1, n - gap - 2));
  return hours.filter((_, i) => !starts.some((start) => i >= start && i < start + gap));
}

/** Adds the counters that a tag with these bytes has, and the wraps. */
function finish(kind: SeriesClass, random: Prng, hours: Float64Array, values: Float64Array, shape: Shape): SeriesCase {
  const size = 16 * random.int(2, 200);
  const churn = logUniform(random, 10, 1e5);
  const n = hours.length;
  const allocs = new Float64Array(n);
  const frees = new Float64Array(n);
  const reboots = shape.reboots ?? [];
  let total = kind === 'leak-with-wrap' ? WRAP - churn * n * 0.4 : Math.floor(churn * 50);
  let before = 0;
  for (let i = 0; i < n; i++) {
    const held = Math.round((values[i] ?? 0) / size);
    if (reboots.includes(i)) total = held;
    else if (i > 0) {
      const turnover = Math.floor(churn * (0.5 + random.float()));
      total += turnover + Math.max(0, held - before);
    } else total = Math.max(total, held);
    before = held;
    allocs[i] = total % WRAP;
    frees[i] = (total - held) % WRAP;
  }
  const bytes = shape.wrap === true ? values.map((value) => value % WRAP) : values;
  const start = START + Math.floor(random.float() * 7 * 24) * HOUR_MS;
  const times = hours.map((hour) => start + Math.round(hour * HOUR_MS + 500 * normal(random)));
  return { class: kind, truth: shape.truth, perHour: shape.perHour, times, bytes, allocs, frees, reboots };
}
