/**
 * Tags whose outstanding allocations go with those of a suspect: as many, or a whole number of times as many. Who leaks
 * often makes another component allocate with every leak of its own. One moment can show that by chance, so this is a
 * hint: it changes no confidence.
 */

import { countersOf } from '../../result/pool.js';
import { toNumber } from '../../result/result.js';
import type { PoolKind, PoolTagRow, PoolTags, RelatedTag } from '../../result/result.js';
import {
  MAXIMUM_RELATED,
  RELATED_DEVIATION_PERCENT,
  RELATED_LARGEST_RATIO,
  RELATED_MANY_OUTSTANDING,
} from '../thresholds.js';

/**
 * The tags that go with one, nearest to its ratio first. Empty where the tag itself has too few allocations for that to
 * mean anything.
 *
 * @param usable false for counters that cannot be true.
 */
export function relatedTags(
  poolTags: PoolTags,
  row: PoolTagRow,
  pool: PoolKind,
  usable: (row: PoolTagRow, pool: PoolKind) => boolean = () => true,
): RelatedTag[] {
  const own = outstandingOf(row, pool);
  if (!(own > RELATED_MANY_OUTSTANDING)) return [];
  const found: { related: RelatedTag; off: number }[] = [];
  for (const other of poolTags.rows) {
    if (other === row) continue;
    for (const kind of ['nonpaged', 'paged'] as const) {
      const theirs = outstandingOf(other, kind);
      if (!(theirs > RELATED_MANY_OUTSTANDING) || !usable(other, kind)) continue;
      const off = deviation(theirs, own);
      if (off * 100 > RELATED_DEVIATION_PERCENT) continue;
      const ratio = Math.round((theirs / own) * 1000) / 1000;
      const { outstanding } = countersOf(other, kind);
      found.push({ related: { tag: other.tag, pool: kind, outstanding, ratio }, off });
    }
  }
  return found
    .sort((a, b) => a.off - b.off || (a.related.tag < b.related.tag ? -1 : 1))
    .slice(0, MAXIMUM_RELATED)
    .map(({ related }) => related);
}

/** How far two counts are from a whole ratio, as a part of it; infinite past the largest ratio. */
export function deviation(a: number, b: number): number {
  const ratio = a >= b ? a / b : b / a;
  const whole = Math.round(ratio);
  return whole > RELATED_LARGEST_RATIO ? Infinity : Math.abs(ratio / whole - 1);
}

function outstandingOf(row: PoolTagRow, pool: PoolKind): number {
  return toNumber(countersOf(row, pool).outstanding);
}
