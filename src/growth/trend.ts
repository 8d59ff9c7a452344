/** Growth over many snapshots: the whole of `dumpleak trend`, from files to judged and ranked series. */

import { PoolTagIndex } from '../../parsers/text/pooltag.js';
import type { PoolKind } from '../result/result.js';
import type { PalNote, TrendWarning } from './codes.js';
import { NO_FIGURES, type Collector, type Figures, type InputFile, type Sample } from './read/collector.js';
import { otherMemory } from './read/machines.js';
import { findReboots, unwrap, type SampleFacts } from './read/counters.js';
import { groupTags, type TagGroup } from './judge/groups.js';
import { CYCLE_HOURS } from './judge/growth-thresholds.js';
import { readInputs, type ReadOptions } from './read/inputs.js';
import { unlessSlow } from './judge/slow.js';
import { timeToLimits, type Limit } from './judge/limits.js';
import { palNotes } from './judge/pal.js';
import { COMMITTED } from './read/read-poolmon.js';
import { assignTimes } from './read/sample-times.js';
import type { Series, SeriesKind } from './read/series.js';
import { Scratch } from './judge/scratch.js';
import { judgeSeries, type SeriesVerdict } from './judge/stretches.js';

export interface TrendOptions extends ReadOptions {
  /** Between snapshots that have no time of their own, in milliseconds. */
  intervalMs?: number | undefined;
  /** Length of the cycle that load is expected to have, in hours. Default 24. */
  cycleHours?: number | undefined;
  /** Only these tags; `*` and `?` as in poolmon's /i. Leaves out what is no tag. */
  tags?: readonly string[] | undefined;
  pool?: PoolKind | undefined;
  kinds?: readonly SeriesKind[] | undefined;
}

/** A series with its judgement. */
export interface JudgedSeries {
  series: Series;
  verdict: SeriesVerdict;
  /** What it would use up at its rate, soonest first. Empty unless it grows. */
  limits: Limit[];
  notes: PalNote[];
}

/** What the pool holds that no tag row shows, in the last snapshot with all tags. */
export interface Untagged {
  poolBytes: number;
  tagBytes: number;
  restBytes: number;
}

export interface Trend {
  /** By place: milliseconds since 1970, or the place itself where `timed` is false. */
  times: Float64Array;
  timed: boolean;
  /** Places of the first samples after restarts. See `oneMachine`. */
  reboots: number[];
  files: readonly InputFile[];
  machines: readonly string[];
  /** False where the samples tell that they are not all of one machine: then `reboots` are changes of machine as well. */
  oneMachine: boolean;
  /** Worst first. */
  series: JudgedSeries[];
  groups: TagGroup[];
  untagged: Record<PoolKind, Untagged | null>;
  /** The last figures of the machine. */
  figures: Readonly<Figures>;
  /** Mapped_Driver of the logs by tag: what poolmon's pooltag.txt said. Not safe to print. */
  drivers: ReadonlyMap<number, string>;
  warnings: TrendWarning[];
}

/**
 * Reads logs, dumps and results, and judges every series in them. Throws InputError when a named file cannot be read or
 * no sample is left.
 */
export async function readTrend(paths: readonly string[], options: TrendOptions = {}): Promise<Trend> {
  return makeTrend(await readInputs(paths, options), options);
}

/** Judges what was collected. */
export function makeTrend(collected: Collector, options: TrendOptions = {}): Trend {
  const { order, times, timed } = inOrder(collected, options);
  const samples = order.map((sample): SampleFacts => {
    const { bootTime, pageFaults, hasTags, narrow } = sample.facts;
    return { time: sample.time, bootTime: timed ? bootTime : null, pageFaults, hasTags, narrow };
  });
  const rankOf = new Int32Array(collected.samples.length).fill(-1);
  for (const [rank, { index }] of order.entries()) rankOf[index] = rank;
  const all = collected.store.finish(rankOf);
  const reboots = findReboots(samples, all);
  for (const series of all) unwrap(series, samples, reboots);
  const wanted = all.filter(wantedSeries(options));
  const figures = lastFigures(order.map(({ facts }) => facts));
  const cycleHours = options.cycleHours ?? CYCLE_HOURS;
  const scratch = new Scratch();
  const judged = wanted.map((series): JudgedSeries => {
    const how = { unit: series.name.unit, cycleHours, timed };
    const judgedAs = judgeSeries(series, times, reboots, how, scratch);
    const limits = timed ? timeToLimits(series, judgedAs, figures) : [];
    const verdict = timed && series.name.unit === 'bytes' ? unlessSlow(judgedAs, limits) : judgedAs;
    return {
      series,
      verdict,
      limits,
      notes: palNotes(series, verdict, figures, times, timed),
    };
  });
  judged.sort(worstFirst);
  const oneMachine = aboutMachines(collected);
  return {
    times,
    timed,
    reboots,
    files: collected.files,
    machines: [...collected.machines],
    oneMachine,
    series: judged,
    groups: groupTags(judged),
    untagged: untagged(order.map(({ facts }) => facts)),
    figures,
    drivers: collected.drivers,
    warnings: collected.warnings,
  };
}

interface Placed {
  index: number;
  time: number;
  facts: Sample;
}

/** The samples in the order of their times; without any times, in the order of the files. */
function inOrder(
  collected: Collector,
  options: TrendOptions,
): { order: Placed[]; times: Float64Array; timed: boolean } {
  const { files, samples } = collected;
  const byFile = files.map((): Sample[] => []);
  for (const sample of samples) byFile[sample.file]?.push(sample);
  const { times: found, warnings } = assignTimes(
    files.map((file, f) => ({ ...file, samples: byFile[f] ?? [] })),
    options,
  );
  for (const { code, message } of warnings) collected.warn(code, message);
  const next = files.map(() => 0);
  const all = samples.map((facts, index) => {
    const place = next[facts.file] ?? 0;
    next[facts.file] = place + 1;
    return { index, facts, time: found[facts.file]?.[place] ?? null };
  });
  const placed = all.filter((sample): sample is Placed => sample.time !== null);
  const timed = placed.length > 0;
  if (!timed) {
    const order = all.map((sample, i) => ({ ...sample, time: i }));
    return { order, times: Float64Array.from(order, ({ time }) => time), timed };
  }
  if (placed.length < all.length) {
    collected.warn('no-times', `${all.length - placed.length} snapshots without a time are left out`);
  }
  placed.sort((a, b) => a.time - b.time || a.index - b.index);
  return { order: placed, times: Float64Array.from(placed, ({ time }) => time), timed };
}

/** Which series are asked for. */
function wantedSeries({ tags, pool, kinds }: TrendOptions): (series: Series) => boolean {
  const asked = tags === undefined || tags.length === 0 ? null : tags.map((tag) => ({ tag: tag.padEnd(4, ' ') }));
  const patterns = asked === null ? null : new PoolTagIndex(asked);
  return ({ name, ranks }) => {
    if (ranks.length === 0 || (kinds !== undefined && !kinds.includes(name.kind))) return false;
    if (pool !== undefined && name.pool !== null && name.pool !== pool) return false;
    return patterns === null || (name.tag !== null && patterns.lookup(name.tag) !== null);
  };
}

/** A figure of the whole machine: it grows with what leaks, and is no suspect itself. */
export function isWhole({ series: { name } }: JudgedSeries): boolean {
  return name.kind === 'pool-total' || name.label === COMMITTED;
}

const JUDGEMENT_ORDER = ['leak', 'step', 'slow', 'too-little-data', 'load', 'flat'];
const KIND_ORDER = ['pool-tag', 'pool-total', 'process', 'counter'];
const UNIT_ORDER = ['bytes', 'count', 'other'];

/** Leaks first, by growth and not by size: a large flat tag is not accused. */
function worstFirst(a: JudgedSeries, b: JudgedSeries): number {
  const place = ({ series: { name }, verdict }: JudgedSeries): [number, number, number] => [
    JUDGEMENT_ORDER.indexOf(verdict.judgement),
    KIND_ORDER.indexOf(name.kind),
    UNIT_ORDER.indexOf(name.unit),
  ];
  const [p, q] = [place(a), place(b)];
  const first = p[0] - q[0] || p[1] - q[1] || p[2] - q[2] || growth(b) - growth(a) || size(b) - size(a);
  if (first !== 0) return first;
  const [x, y] = [a.series.name, b.series.name];
  return x.label < y.label ? -1 : x.label > y.label ? 1 : (x.pool ?? '') < (y.pool ?? '') ? -1 : 1;
}

const growth = ({ verdict }: JudgedSeries): number => verdict.main.verdict.perHour ?? 0;
const size = ({ series, verdict }: JudgedSeries): number => series.values[verdict.main.to - 1] ?? 0;

function lastFigures(samples: readonly Sample[]): Figures {
  const found: Figures = { ...NO_FIGURES };
  for (const { figures } of samples) {
    for (const key of Object.keys(found) as (keyof Figures)[]) found[key] = figures[key] ?? found[key];
  }
  return found;
}

function untagged(samples: readonly Sample[]): Record<PoolKind, Untagged | null> {
  const last = samples.findLast(({ complete, hasTags }) => complete && hasTags);
  const rest = (poolBytes: number | null, tagBytes: number): Untagged | null =>
    poolBytes === null ? null : { poolBytes, tagBytes, restBytes: poolBytes - tagBytes };
  if (last === undefined) return { nonpaged: null, paged: null };
  return {
    nonpaged: rest(last.figures.nonPagedPool, last.tagBytes[0]),
    paged: rest(last.figures.pagedPool, last.tagBytes[1]),
  };
}

/** Warns where the samples are not of one machine; false then. */
function aboutMachines(collected: Collector): boolean {
  if (collected.machines.size > 1) {
    const names = [...collected.machines].slice(0, 4).join(', ');
    collected.warn(
      'several-machines',
      `the inputs are of ${collected.machines.size} machines (${names}): pool tags of all are one series`,
    );
    return false;
  }
  const other = otherMemory(collected.samples.map(({ figures }) => figures));
  if (other === null) return true;
  collected.warn(
    'several-machines',
    `the inputs are not of the same machine: ${other}; pool tags of all are one series`,
  );
  return false;
}
