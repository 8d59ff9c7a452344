/**
 * How often the judge is right: every class of series, seeded, with the shares of each answer. Prints the table of
 * docs/trend.md, or puts it there: `node build/tools/evaluate/trend.js [series a class] [docs/trend.md]`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { findReboots, unwrap, type SampleFacts } from '../../src/growth/read/counters.js';
import { CYCLE_HOURS } from '../../src/growth/judge/growth-thresholds.js';
import type { Judgement } from '../../src/growth/judge/judge.js';
import { SeriesStore } from '../../src/growth/read/series.js';
import { judgeSeries, type SeriesVerdict } from '../../src/growth/judge/stretches.js';
import { buildCase, type CaseOptions, type SeriesCase, type SeriesClass } from '../../test-dumps/series/cases.js';

/** One line of the table. */
export interface Score {
  name: string;
  series: number;
  judged: Record<Judgement, number>;
  /** Series with an answer that is right. */
  right: number;
  /** Series whose true rate lies in the interval, of those with one rate. */
  covered: number;
  rated: number;
}

/** A class as it is evaluated. */
export interface Trial {
  name: string;
  kind: SeriesClass;
  options: CaseOptions;
  /** The bound that the documentation promises, by the judgement it is about. */
  promise: { judgement: Judgement; atLeast?: number; atMost?: number } | null;
}

const LEAST_FOUND = { judgement: 'leak', atLeast: 0.95 } as const;
const MOST_FALSE = { judgement: 'leak', atMost: 0.01 } as const;

/** The judge was tuned on the seeds 1 to 1000 and 40001 to 43000: the table is of others. */
export const FIRST_SEED = 5001;

/** All trials, in the order of the table. */
export const TRIALS: readonly Trial[] = [
  ...[4, 6, 8, 16, 32].map((signalToNoise): Trial => {
    return leak(`leak, rise ${signalToNoise} x noise`, 'leak', { signalToNoise }, signalToNoise >= 8);
  }),
  leak('leak under daily load of half its rise', 'leak-under-load', { loadToRise: 0.5 }),
  leak('leak under daily load as high as its rise', 'leak-under-load', { loadToRise: 1 }),
  leak('leak under daily load of twice its rise', 'leak-under-load', { loadToRise: 2 }, false),
  leak('leak that follows the load', 'leak-by-load'),
  leak('leak in bursts', 'leak-in-bursts'),
  leak('leak with a restart', 'leak-and-reboot'),
  leak('leak past 2^32 in a narrow log', 'leak-with-wrap'),
  leak('leak with gaps', 'leak-with-gaps'),
  leak('leak that begins midway', 'leak-late'),
  leak('leak over less than two days that never falls', 'leak-short'),
  load('daily load', 'load'),
  load('daily load, higher on working days', 'load-weekly'),
  load('daily load with gaps', 'load-with-gaps'),
  load('daily load with a restart', 'load-and-reboot'),
  load('daily load over less than two days', 'load-short'),
  load('sawtooth', 'sawtooth'),
  load('slow noise', 'wander'),
  load('cache that fills', 'warm-up'),
  load('one step, 8 x noise', 'step'),
  load('flat', 'flat'),
];

function leak(name: string, kind: SeriesClass, options: CaseOptions = {}, promised = true): Trial {
  return { name, kind, options, promise: promised ? LEAST_FOUND : null };
}

function load(name: string, kind: SeriesClass): Trial {
  return { name, kind, options: {}, promise: MOST_FALSE };
}

/** Judges a generated series through the same steps that files go through after they are read. */
export function judgeCase(series: SeriesCase): { verdict: SeriesVerdict; reboots: number[] } {
  const store = new SeriesStore();
  const id = store.tag(0x6b61654c, 0);
  for (let i = 0; i < series.times.length; i++) {
    store.add(id, i, series.bytes[i] ?? 0, series.allocs[i] ?? 0, series.frees[i] ?? 0);
  }
  const samples = Array.from(series.times, (time): SampleFacts => {
    return { time, bootTime: null, pageFaults: null, hasTags: true, narrow: true };
  });
  const all = store.finish(Int32Array.from(samples, (_, i) => i));
  const reboots = findReboots(samples, all);
  const [only] = all;
  if (only === undefined) throw new Error('no series');
  unwrap(only, samples, reboots);
  const verdict = judgeSeries(only, series.times, reboots, { unit: 'bytes', cycleHours: CYCLE_HOURS, timed: true });
  return { verdict, reboots };
}

/** Judges `count` series of a trial, of the seeds from `firstSeed` on. */
export function evaluate(trial: Trial, count: number, firstSeed = FIRST_SEED): Score {
  const judged = { leak: 0, slow: 0, load: 0, step: 0, flat: 0, 'too-little-data': 0 };
  const score: Score = { name: trial.name, series: count, judged, right: 0, covered: 0, rated: 0 };
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const series = buildCase(trial.kind, seed, trial.options);
    const { verdict } = judgeCase(series);
    judged[verdict.judgement]++;
    // Slow growth is told by limits of the machine, which generated series have none of.
    if ((series.truth as readonly string[]).includes(verdict.judgement)) score.right++;
    const { perHourLow: low, perHourHigh: high } = verdict.main.verdict;
    if (series.perHour === null || low === null || high === null) continue;
    score.rated++;
    if (low <= series.perHour && series.perHour <= high) score.covered++;
  }
  return score;
}

/** The table in Markdown. */
export function scoreTable(scores: readonly Score[]): string {
  const share = (part: number, whole: number): string => (whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`);
  const rows = scores.map(({ name, series, judged, covered, rated }) => {
    const cells = [judged.leak, judged.load, judged.step, judged.flat, judged['too-little-data']];
    return `| ${[name, ...cells.map((n) => share(n, series)), share(covered, rated)].join(' | ')} |`;
  });
  const head = '| series | leak | load | step | flat | too little data | true rate in the interval |';
  return [head, '|---|---|---|---|---|---|---|', ...rows].join('\n') + '\n';
}

/** Where the table stands in the documentation. */
const MARKS = ['<!-- scores -->', '<!-- /scores -->'] as const;

/** The documentation with a new table between the marks. */
export function withTable(document: string, table: string): string {
  const [start, end] = MARKS.map((mark) => document.indexOf(mark)) as [number, number];
  if (start < 0 || end < start) throw new Error(`no ${MARKS.join(' and ')} in the document`);
  return `${document.slice(0, start + MARKS[0].length)}\n\n${table}\n${document.slice(end)}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [count = '1000', document] = process.argv.slice(2);
  const table = scoreTable(TRIALS.map((trial) => evaluate(trial, Number(count))));
  if (document === undefined) process.stdout.write(table);
  else writeFileSync(document, withTable(readFileSync(document, 'utf8'), table));
}
