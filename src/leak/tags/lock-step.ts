/**
 * Tags in lock step: as many outstanding allocations, or two, three or four times as many, and almost nothing of either was
 * ever freed. That is what a driver looks like that makes others allocate with each leak of its own. Two large counts agree
 * by chance as well: how often is measured (`npm run evaluate-lock-step`), and how near they must be follows from that.
 */

import { countersOf, POOLS } from '../../result/pool.js';
import { tagKey } from '../../result/tag.js';
import { toNumber } from '../../result/result.js';
import type { PoolKind, PoolTagRow } from '../../result/result.js';
import { FEW_FREES_PERCENT, LOCK_STEP_NEAR, MAXIMUM_RELATED } from '../thresholds.js';
import { deviation } from './related-tags.js';

/** A tag of one pool that may be in lock step. */
export interface Stepper {
  readonly row: PoolTagRow;
  readonly pool: PoolKind;
  readonly outstanding: number;
}

/** The tags of both pools with so many outstanding allocations and so few frees that agreement means something. */
export function steppers(
  rows: readonly PoolTagRow[],
  usable: (row: PoolTagRow, pool: PoolKind) => boolean = () => true,
): Stepper[] {
  const found: Stepper[] = [];
  for (const row of rows) {
    for (const pool of POOLS) {
      const counters = countersOf(row, pool);
      const [allocs, frees, outstanding] = [counters.allocs, counters.frees, counters.outstanding].map(toNumber);
      if (allocs === undefined || frees === undefined || outstanding === undefined) continue;
      const isFew = frees >= 0 && frees * 100 <= allocs * FEW_FREES_PERCENT;
      if (isFew && nearEnough(outstanding) > 0 && usable(row, pool)) found.push({ row, pool, outstanding });
    }
  }
  return found;
}

/** Those that are in lock step with one, nearest to its ratio first. */
export function inStepWith(one: Stepper, all: readonly Stepper[]): Stepper[] {
  return all
    .filter(({ row }) => tagKey(row) !== tagKey(one.row))
    .map((other) => ({ other, off: deviation(other.outstanding, one.outstanding) }))
    .filter(({ other, off }) => off * 100 <= nearEnough(Math.min(one.outstanding, other.outstanding)))
    .sort((a, b) => a.off - b.off || (a.other.row.hex < b.other.row.hex ? -1 : 1))
    .slice(0, MAXIMUM_RELATED)
    .map(({ other }) => other);
}

/** How near counts must be of which the smaller is so large, percent; 0 where no agreement means anything. */
function nearEnough(count: number): number {
  return LOCK_STEP_NEAR.find(({ outstanding }) => count >= outstanding)?.percent ?? 0;
}
