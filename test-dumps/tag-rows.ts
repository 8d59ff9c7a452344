/** Makes a believable pool tag table: named rows as given, the rest spread over known and made-up tags up to a total. */

import { NONPAGED_TAGS, PAGED_TAGS } from './catalogue.js';
import { Prng } from './prng.js';
import type { CounterSpec, TagRowSpec } from './scenario.js';

export interface TagRowsPlan {
  seed: number;
  /** Rows in all, the named ones included. */
  count: number;
  /** Outstanding bytes over all rows. */
  nonPagedBytes: number;
  pagedBytes: number;
  /** Outstanding allocations over all rows; follow from the bytes when missing. */
  nonPagedAllocs?: number;
  pagedAllocs?: number;
  /** Rows that must stand so. */
  named?: readonly TagRowSpec[];
  /** No row of the rest is larger than so many bytes. */
  largest?: number;
}

/** Outstanding numbers with a believable past: `bytes` in `outstanding` blocks. */
export function outstanding(outstandingCount: number, bytes: number, churn = 8): CounterSpec {
  const frees = Math.floor(outstandingCount * churn);
  return { allocs: frees + outstandingCount, frees, bytes };
}

const LETTERS = 'ABCDEFGHIKLMNOPRSTUVWXabcdefghiklmnoprstuvwx';

function madeUp(random: Prng, used: ReadonlySet<string>): string {
  for (;;) {
    const two = (): string => LETTERS.charAt(random.int(0, 21)) + LETTERS.charAt(random.int(22, LETTERS.length - 1));
    const tag = two() + two();
    if (!used.has(tag)) return tag;
  }
}

/** Shares of a whole that fall off quickly, as pool usage by tag does; none above `most`. They add up exactly. */
function fallOff(random: Prng, count: number, total: number, most: number, unit: number): number[] {
  if (count === 0) return [];
  const weights = Array.from({ length: count }, (_, i) => (0.4 + random.float()) / (i + 3));
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((w) => Math.min(most, Math.floor((total * w) / sum / unit) * unit));
  let rest = total - shares.reduce((a, b) => a + b, 0);
  for (let i = count - 1; i >= 0 && rest > 0; i--) {
    const part = i === 0 ? rest : Math.min(rest, Math.max(0, Math.floor(most / 2) - (shares[i] ?? 0)));
    shares[i] = (shares[i] ?? 0) + part;
    rest -= part;
  }
  return shares;
}

/** Rows in no particular order. Throws when the named rows hold more than the totals. */
export function tagRows(plan: TagRowsPlan): TagRowSpec[] {
  const random = new Prng(plan.seed).fork('tag rows');
  const named = [...(plan.named ?? [])];
  const used = new Set(named.map((row) => row.tag));
  const take = (list: string): string[] =>
    (list.match(/.{4}(?: |$)/g) ?? []).map((t) => t.slice(0, 4)).filter((t) => !used.has(t) && (used.add(t), true));
  const nonPaged = take(NONPAGED_TAGS);
  const paged = take(PAGED_TAGS);
  while (named.length + nonPaged.length + paged.length < plan.count) {
    const tag = madeUp(random, used);
    used.add(tag);
    (random.chance(0.6) ? nonPaged : paged).push(tag);
  }
  const sum = (pick: (row: TagRowSpec) => number): number => named.reduce((total, row) => total + pick(row), 0);
  const most = plan.largest ?? Infinity;
  const half = (tags: readonly string[], bytes: number, allocs: number | undefined): TagRowSpec['nonPaged'][] => {
    if (bytes < 0 || (allocs ?? 0) < 0) throw new Error('the named rows hold more than the totals');
    const sizes = fallOff(random, tags.length, bytes, most, 16);
    const counts = sizes.map((size) => Math.max(size === 0 ? 0 : 1, Math.floor(size / random.int(60, 900))));
    if (allocs !== undefined) balance(counts, sizes, allocs);
    return sizes.map((size, i) => outstanding(counts[i] ?? 0, size, random.int(0, 40)));
  };
  const ofNonPaged = half(
    nonPaged,
    plan.nonPagedBytes - sum((row) => Number(row.nonPaged?.bytes ?? 0)),
    plan.nonPagedAllocs === undefined
      ? undefined
      : plan.nonPagedAllocs - sum((row) => Number(row.nonPaged?.allocs ?? 0) - Number(row.nonPaged?.frees ?? 0)),
  );
  const ofPaged = half(
    paged,
    plan.pagedBytes - sum((row) => Number(row.paged?.bytes ?? 0)),
    plan.pagedAllocs === undefined
      ? undefined
      : plan.pagedAllocs - sum((row) => Number(row.paged?.allocs ?? 0) - Number(row.paged?.frees ?? 0)),
  );
  const rows: TagRowSpec[] = named;
  nonPaged.forEach((tag, i) => {
    const counters = ofNonPaged[i];
    // Some tags have been used in paged pool too, long ago.
    const past = random.chance(0.1) ? { allocs: 12, frees: 12, bytes: 0 } : undefined;
    rows.push({ tag, ...(counters ? { nonPaged: counters } : {}), ...(past ? { paged: past } : {}) });
  });
  paged.forEach((tag, i) => {
    const counters = ofPaged[i];
    rows.push({ tag, ...(counters ? { paged: counters } : {}) });
  });
  return rows;
}

/** Changes counts so that they add up to `wanted`, never more than one block for 16 bytes. */
function balance(counts: number[], sizes: readonly number[], wanted: number): void {
  let rest = wanted - counts.reduce((a, b) => a + b, 0);
  for (let round = 0; round < 200 && rest !== 0; round++) {
    for (let i = 0; i < counts.length && rest !== 0; i++) {
      const size = sizes[i] ?? 0;
      const now = counts[i] ?? 0;
      const least = size === 0 ? 0 : 1;
      const step = Math.max(
        least - now,
        Math.min(Math.floor(size / 16) - now, Math.trunc(rest / (counts.length - i)) || Math.sign(rest)),
      );
      counts[i] = now + step;
      rest -= step;
    }
  }
  if (rest !== 0) throw new Error(`cannot spread ${wanted} allocations over ${counts.length} tags`);
}
