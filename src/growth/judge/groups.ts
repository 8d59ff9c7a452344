/** Tags that grow together: what allocates under one of them allocates under the others too. */

import { outstanding } from '../read/counters.js';
import type { Series } from '../read/series.js';
import type { SeriesVerdict } from './stretches.js';

export interface TagGroup {
  /** Fastest growing first. */
  tags: string[];
  /** Allocations of the second tag by those of the first, as both grow. */
  ratio: number;
  /** By tag, as `ratio`: the first is 1. */
  ratios: number[];
  /** Correlation of the changes from sample to sample; null where all change evenly. */
  correlation: number | null;
}

/** Leaks that are compared with each other: their number squared is what it costs. */
const MOST_COMPARED = 100;
/** Correlation of the changes, at least. */
const LEAST_CORRELATION = 0.8;
/** Samples in common, at least. */
const LEAST_COMMON = 8;
/** Where changes are even, the ratio of growth must be this near to a whole number, or to one part of a whole one. */
const RATIO_ERROR = 0.01;
const LARGEST_RATIO = 8;
/** Deviation of the changes by their mean, up to which they are even. */
const EVEN = 0.02;

/** A series with its judgement, as far as groups go by it. */
interface Judged {
  readonly series: Series;
  readonly verdict: SeriesVerdict;
}

interface Member {
  tag: string;
  changes: Map<number, number>;
  growth: number;
}

/** Groups the leaking tags. A tag stands in one group at most. */
export function groupTags(judged: readonly Judged[]): TagGroup[] {
  const members = judged
    .filter(({ series, verdict }) => series.name.kind === 'pool-tag' && verdict.judgement === 'leak')
    .slice(0, MOST_COMPARED)
    .map(member);
  const groups: TagGroup[] = [];
  const taken = new Set<number>();
  for (const [i, first] of members.entries()) {
    if (taken.has(i)) continue;
    const group: TagGroup = { tags: [first.tag], ratio: 1, ratios: [1], correlation: null };
    for (let j = i + 1; j < members.length; j++) {
      const other = members[j];
      if (other === undefined || taken.has(j)) continue;
      const found = related(first, other);
      if (found === null) continue;
      taken.add(j);
      group.tags.push(other.tag);
      group.ratios.push(found.ratio);
      if (found.correlation !== null) group.correlation = Math.min(group.correlation ?? 1, found.correlation);
    }
    if (group.tags.length > 1) groups.push({ ...group, ratio: group.ratios[1] ?? 1 });
  }
  return groups;
}

/** Outstanding allocations from sample to sample; of series without them, bytes. */
function member({ series, verdict }: Judged): Member {
  const { from, to } = verdict.main;
  const level = (i: number): number => {
    const held = outstanding(series.allocs?.[i] ?? NaN, series.frees?.[i] ?? NaN);
    return Number.isNaN(held) ? (series.values[i] ?? 0) : held;
  };
  const changes = new Map<number, number>();
  for (let i = from + 1; i < to; i++) changes.set(series.ranks[i] ?? 0, level(i) - level(i - 1));
  return { tag: series.name.label, changes, growth: to > from ? level(to - 1) - level(from) : 0 };
}

function related(a: Member, b: Member): { ratio: number; correlation: number | null } | null {
  const x: number[] = [];
  const y: number[] = [];
  for (const [rank, change] of a.changes) {
    const other = b.changes.get(rank);
    if (other === undefined) continue;
    x.push(change);
    y.push(other);
  }
  if (x.length < LEAST_COMMON || !(a.growth > 0)) return null;
  const ratio = sum(y) / sum(x);
  if (!Number.isFinite(ratio) || ratio <= 0) return null;
  const [p, q] = [deviation(x), deviation(y)];
  if (p.even && q.even) {
    const whole = ratio >= 1 ? ratio : 1 / ratio;
    const near = Math.round(whole);
    return near <= LARGEST_RATIO && Math.abs(whole - near) <= RATIO_ERROR * near ? { ratio, correlation: null } : null;
  }
  let products = 0;
  for (let i = 0; i < x.length; i++) products += ((x[i] ?? 0) - p.mean) * ((y[i] ?? 0) - q.mean);
  const correlation = products / Math.sqrt(p.squares * q.squares);
  return correlation >= LEAST_CORRELATION ? { ratio, correlation } : null;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function deviation(values: readonly number[]): { mean: number; squares: number; even: boolean } {
  const mean = sum(values) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, squares, even: Math.sqrt(squares / values.length) <= EVEN * Math.abs(mean) };
}
