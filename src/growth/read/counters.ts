/** Counters as they are kept: 32 bits that wrap, and zero after a restart. */

import type { Series } from './series.js';

const WRAP = 2 ** 32;
const HALF = 2 ** 31;
/** Share of the tags whose counter of allocations falls that means a restart. Without one none falls, but by wrapping. */
const RESTART_SHARE = 0.1;
/** Counters that must fall, but where there are no others. */
const LEAST_FALLS = 2;
/** Two estimates of when a machine was started are of one start when they are this close, in milliseconds. */
const SAME_BOOT_MS = 5 * 60_000;

/** What is known of a sample besides its rows. */
export interface SampleFacts {
  /** Milliseconds since 1970, or the place in the order where no times are known. */
  time: number;
  /** When the machine was started, as the sample itself tells. */
  bootTime: number | null;
  /** Page faults since boot, a 32-bit counter; null where unknown, or counted from elsewhere. */
  pageFaults: number | null;
  /** It has rows of pool tags. */
  hasTags: boolean;
  /** Its Bytes column has 32 bits. */
  narrow: boolean;
}

/** A counter that fell as one that passed 2^32 does. */
function looksWrapped(before: number, after: number): boolean {
  return before < WRAP && before >= HALF && after < HALF && after + WRAP - before < HALF;
}

/**
 * The places of the samples that come first after a restart, rising: where the boot time that samples tell changes, or
 * where lifetime counters of allocations fall.
 */
export function findReboots(samples: readonly SampleFacts[], series: readonly Series[]): number[] {
  const cuts = new Set<number>();
  for (const boot of bootTimes(samples)) {
    const first = samples.findIndex((sample) => sample.time >= boot);
    if (first > 0) cuts.add(first);
  }
  const { fell, common, wrapped, previous } = countFalls(samples, series);
  for (let rank = 1; rank < samples.length; rank++) {
    const before = previous[rank] ?? -1;
    if (before < 0) continue;
    const [down, all] = [fell[rank] ?? 0, common[rank] ?? 0];
    // One that falls among others is one that runs backwards.
    const enough = down === all || down >= LEAST_FALLS;
    const isRestart =
      all > 0
        ? enough && down > 0 && down >= RESTART_SHARE * all
        : (wrapped[rank] ?? 0) > 0 && faultsFell(samples[before], samples[rank]);
    if (isRestart && ![...cuts].some((cut) => cut > before && cut <= rank)) cuts.add(rank);
  }
  return [...cuts].sort((a, b) => a - b);
}

function bootTimes(samples: readonly SampleFacts[]): number[] {
  const known = samples.flatMap(({ bootTime }) => (bootTime === null ? [] : [bootTime])).sort((a, b) => a - b);
  return known.filter((time, i) => i === 0 || time - (known[i - 1] ?? 0) > SAME_BOOT_MS);
}

function countFalls(
  samples: readonly SampleFacts[],
  series: readonly Series[],
): { fell: Int32Array; common: Int32Array; wrapped: Int32Array; previous: Int32Array } {
  const n = samples.length;
  const previous = new Int32Array(n).fill(-1);
  let last = -1;
  for (const [rank, sample] of samples.entries()) {
    previous[rank] = last;
    if (sample.hasTags) last = rank;
  }
  const fell = new Int32Array(n);
  const common = new Int32Array(n);
  const wrapped = new Int32Array(n);
  for (const { ranks, allocs } of series) {
    if (allocs === null) continue;
    for (let i = 1; i < ranks.length; i++) {
      const rank = ranks[i] ?? 0;
      if (previous[rank] !== ranks[i - 1]) continue;
      const before = allocs[i - 1] ?? NaN;
      const after = allocs[i] ?? NaN;
      if (!(before > 0) || Number.isNaN(after)) continue;
      if (looksWrapped(before, after)) wrapped[rank] = (wrapped[rank] ?? 0) + 1;
      else {
        common[rank] = (common[rank] ?? 0) + 1;
        if (after < before) fell[rank] = (fell[rank] ?? 0) + 1;
      }
    }
  }
  return { fell, common, wrapped, previous };
}

function faultsFell(before: SampleFacts | undefined, after: SampleFacts | undefined): boolean {
  const [a, b] = [before?.pageFaults ?? null, after?.pageFaults ?? null];
  return a !== null && b !== null && b < a && !looksWrapped(a, b);
}

/** Allocations that are outstanding, from lifetime counters of 32 bits that may have wrapped at different times. */
export function outstanding(allocs: number, frees: number): number {
  const difference = allocs - frees;
  if (difference < -HALF) return difference + WRAP;
  return difference < 0 ? 0 : difference;
}

/**
 * Undoes wraps of a series, in place: of lifetime counters between restarts, and of Bytes in narrow logs, which show 32
 * bits of a number that may be larger.
 */
export function unwrap(series: Series, samples: readonly SampleFacts[], cuts: readonly number[]): void {
  const { ranks, values, allocs, frees } = series;
  if (allocs === null || frees === null) return;
  let cut = 0;
  let turns = 0;
  for (let i = 0; i < ranks.length; i++) {
    const rank = ranks[i] ?? 0;
    let restarted = i === 0;
    while (cut < cuts.length && (cuts[cut] ?? 0) <= rank) {
      restarted = true;
      cut++;
    }
    if (samples[rank]?.narrow === true && !restarted) {
      const before = values[i - 1] ?? 0;
      if (before >= HALF || turns > 0) {
        turns = nearestTurn(values[i] ?? 0, before, expected(series, i));
        values[i] = (values[i] ?? 0) + turns * WRAP;
      }
    } else turns = 0;
  }
  unwrapCounter(allocs, ranks, cuts);
  unwrapCounter(frees, ranks, cuts);
}

/** What the bytes should be near: as many as before, by how the outstanding count has changed. */
function expected({ values, allocs, frees }: Series, i: number): number {
  const before = values[i - 1] ?? 0;
  const held = outstanding(allocs?.[i - 1] ?? NaN, frees?.[i - 1] ?? NaN);
  const now = outstanding(allocs?.[i] ?? NaN, frees?.[i] ?? NaN);
  return held > 0 && now >= 0 ? (before * now) / held : before;
}

function nearestTurn(shown: number, before: number, near: number): number {
  const current = Math.floor(before / WRAP);
  let best = current;
  for (const turn of [current - 1, current + 1]) {
    if (turn >= 0 && Math.abs(shown + turn * WRAP - near) < Math.abs(shown + best * WRAP - near)) best = turn;
  }
  return best;
}

function unwrapCounter(counter: Float64Array, ranks: Int32Array, cuts: readonly number[]): void {
  let cut = 0;
  let added = 0;
  let before = NaN;
  for (let i = 0; i < ranks.length; i++) {
    while (cut < cuts.length && (cuts[cut] ?? 0) <= (ranks[i] ?? 0)) {
      added = 0;
      before = NaN;
      cut++;
    }
    const shown = counter[i] ?? NaN;
    if (Number.isNaN(shown)) continue;
    if (looksWrapped(before, shown)) added += WRAP;
    before = shown;
    counter[i] = shown + added;
  }
}
