/**
 * When samples were taken: from what they say themselves, a date in the file's name, the file's time, or an interval
 * that the user gives. Nothing is made up: without any of these only the order is known.
 */

import { resolveStamps, type Stamp } from '../../../parsers/text/time-stamp.js';
import type { TrendWarning } from '../codes.js';
import { hasNumber, naturalOrder, timeInName } from './file-names.js';

/** A file and its samples, as far as their times go. */
export interface TimedFile {
  /** Without the folder. */
  name: string;
  /** When the file was last written, milliseconds since 1970. */
  fileTime: number;
  samples: { time: number | null; stamp: Stamp | null }[];
}

export interface TimeOptions {
  /** Between samples that have no time of their own, in milliseconds. */
  intervalMs?: number | undefined;
  /** Of times that do not tell their zone: minutes to add to UTC. Default 0. */
  utcOffsetMinutes?: number | undefined;
}

export interface SampleTimes {
  /** By file and sample; null where nothing tells. */
  times: (number | null)[][];
  /** Files in the order that their names or times tell. */
  warnings: TrendWarning[];
}

/** Clocks are set back by an hour in autumn: a fall of up to this inside one file is that. */
const CLOCK_CHANGE_MS = 70 * 60_000;
/** Files that were copied, not written, have times closer than this. */
const LEAST_STEP_MS = 2000;

/** Finds the times of all samples. `files` are in natural order of their names. */
export function assignTimes(files: readonly TimedFile[], options: TimeOptions): SampleTimes {
  const warnings: TrendWarning[] = [];
  const times = files.map(({ samples }) => samples.map(({ time }) => time));
  readStamps(files, times, options.utcOffsetMinutes ?? 0, warnings);
  const untimed = files.flatMap((file, i) => (times[i]?.every((time) => time === null) === true ? [i] : []));
  const open = readNames(files, untimed, times, options.utcOffsetMinutes ?? 0);
  if (open.length > 0) openFiles(files, open, times, options, warnings);
  return { times, warnings };
}

function readStamps(
  files: readonly TimedFile[],
  times: (number | null)[][],
  offset: number,
  warnings: TrendWarning[],
): void {
  const stamps = files.flatMap(({ samples }) => samples.flatMap(({ stamp }) => (stamp === null ? [] : [stamp])));
  const resolved = resolveStamps(stamps, offset);
  let next = 0;
  for (const [f, { samples, name }] of files.entries()) {
    const own = times[f] ?? [];
    let added = 0;
    let before = -Infinity;
    let found = 0;
    for (const [i, { stamp }] of samples.entries()) {
      if (stamp === null) continue;
      found++;
      const time = (resolved[next++] ?? 0) + added;
      if (own[i] !== null) continue;
      // Counters tell that the order of the file is right: the clock was set back.
      const back = before - time;
      if (back > 0 && back <= CLOCK_CHANGE_MS) {
        const shift = Math.ceil(back / 1_800_000) * 1_800_000;
        added += shift;
        warnings.push({
          code: 'clock-set-back',
          message: `${name}: the clock was set back by about an hour; later times are moved on`,
        });
        before = time + shift;
      } else before = time;
      own[i] = before;
    }
    if (found > 0 && found < samples.length) {
      fillBetween(own);
      warnings.push({
        code: 'stamps-missing',
        message: `${name}: ${samples.length - found} of ${samples.length} snapshots have no time; they are set between the others`,
      });
    }
  }
}

/** Times for samples between and around those that have one, evenly spaced. */
function fillBetween(times: (number | null)[]): void {
  const known = times.flatMap((time, i) => (time === null ? [] : [{ time, i }]));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return;
  const step = last.i > first.i ? (last.time - first.time) / (last.i - first.i) : 1000;
  for (const [i, time] of times.entries()) {
    if (time !== null) continue;
    const before = known.findLast((k) => k.i < i);
    const after = known.find((k) => k.i > i);
    if (before === undefined) times[i] = first.time - (first.i - i) * step;
    else if (after === undefined) times[i] = last.time + (i - last.i) * step;
    else times[i] = before.time + ((after.time - before.time) * (i - before.i)) / (after.i - before.i);
  }
}

/**
 * Takes the dates in the names of files with one snapshot each, where no two of them are the same. Returns the files that
 * have none.
 */
function readNames(
  files: readonly TimedFile[],
  untimed: readonly number[],
  times: (number | null)[][],
  utcOffsetMinutes: number,
): number[] {
  const found = new Map<number, number>();
  for (const f of untimed) {
    const file = files[f];
    const date = file?.samples.length === 1 ? timeInName(file.name) : null;
    if (date !== null) found.set(f, date.time - (date.utc ? 0 : utcOffsetMinutes * 60_000));
  }
  if (new Set(found.values()).size < found.size) return [...untimed];
  for (const [f, time] of found) times[f] = [time];
  return untimed.filter((f) => !found.has(f));
}

/** Files of which no sample and no name tells its time. */
function openFiles(
  files: readonly TimedFile[],
  open: readonly number[],
  times: (number | null)[][],
  options: TimeOptions,
  warnings: TrendWarning[],
): void {
  const set = (f: number, values: number[]): void => {
    times[f] = values;
  };
  const single = open.every((f) => files[f]?.samples.length === 1);
  if (options.intervalMs !== undefined) {
    const interval = options.intervalMs;
    const end = Math.max(...open.map((f) => files[f]?.fileTime ?? 0));
    const total = open.reduce((sum, f) => sum + (files[f]?.samples.length ?? 0), 0);
    let k = 0;
    for (const f of byOrder(files, open)) {
      set(
        f,
        (files[f]?.samples ?? []).map(() => end - (total - 1 - k++) * interval),
      );
    }
    return;
  }
  if (!single) {
    warnings.push({
      code: 'no-times',
      message: 'snapshots in one file without a time: give the time between them with --interval',
    });
    return;
  }
  if (open.length === 1 && files.length === 1) {
    for (const f of open) set(f, [files[f]?.fileTime ?? 0]);
    return;
  }
  const ordered = byOrder(files, open);
  const fileTimes = ordered.map((f) => files[f]?.fileTime ?? 0);
  const steps = fileTimes.slice(1).map((time, i) => time - (fileTimes[i] ?? 0));
  const typical = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  if (steps.some((step) => step <= 0) || (steps.length > 0 && typical < LEAST_STEP_MS)) {
    const message =
      'the times of the files cannot be those of the snapshots (copied files have the time of the copy): give the time between snapshots with --interval';
    warnings.push({ code: 'no-times', message });
    return;
  }
  for (const f of open) set(f, [files[f]?.fileTime ?? 0]);
  if (open.length > 1)
    warnings.push({
      code: 'file-times',
      message: 'the snapshots have no time of their own: the times of the files are taken',
    });
}

/** Files by the numbers in their names; where the names have none, by their times. */
function byOrder(files: readonly TimedFile[], open: readonly number[]): number[] {
  const numbered = open.every((f) => hasNumber(files[f]?.name ?? ''));
  return [...open].sort((a, b) => {
    const [x, y] = [files[a], files[b]];
    if (x === undefined || y === undefined) return a - b;
    const byName = naturalOrder(x.name, y.name);
    return numbered ? byName || a - b : x.fileTime - y.fileTime || byName || a - b;
  });
}
