/** Compares what the tags add up to with what the kernel counts for each pool. */

import { sizeText } from '../../result/amount.js';
import { POOLS, poolUsage, reconciliationOf, taggedBytes } from '../../result/pool.js';
import { count, toNumber } from '../../result/result.js';
import type { Count, PoolKind, PoolTags, Reconciliation, Warning } from '../../result/result.js';
import type { MemoryTotals } from '../memory-flags.js';
import { PAGE_BYTES, UNEXPLAINED_PERCENT } from '../thresholds.js';
import { percent, poolName, sentence } from '../wording.js';

/**
 * Tag bytes against pool pages, for each pool; null where either is unknown. Tags count what was asked for, pools whole
 * pages: a few percent are always left over. What is left beyond that was allocated without being counted, or the
 * tables are incomplete, or one of the counters is wrong.
 */
export function reconcile(
  poolTags: Pick<PoolTags, 'totals'> | null,
  memory: MemoryTotals | null,
): PoolTags['reconciliation'] {
  if (!poolTags || !memory) return { nonPaged: null, paged: null };
  const of = (pool: PoolKind): Reconciliation | null => compare(taggedBytes(poolTags, pool), poolUsage(memory, pool));
  return { nonPaged: of('nonpaged'), paged: of('paged') };
}

function compare(tagBytes: Count, poolPages: Count | null): Reconciliation | null {
  if (poolPages === null || !Number.isFinite(toNumber(poolPages))) return null;
  const poolBytes = BigInt(poolPages) * BigInt(PAGE_BYTES);
  const tags = BigInt(tagBytes);
  return { tagBytes: count(tags), poolBytes: count(poolBytes), unexplainedBytes: count(poolBytes - tags) };
}

/** True when the tags and the pool differ, either way, by more than UNEXPLAINED_PERCENT of the pool. */
export function isUnexplained(pool: Reconciliation | null): boolean {
  if (!pool) return false;
  const whole = toNumber(pool.poolBytes);
  return Math.abs(toNumber(pool.unexplainedBytes)) * 100 > whole * UNEXPLAINED_PERCENT;
}

/** Says what is not explained, with its basis. */
export function unexplainedMessage(pool: 'nonpaged' | 'paged', figures: Reconciliation): string {
  const whole = toNumber(figures.poolBytes);
  const tags = toNumber(figures.tagBytes);
  const rest = toNumber(figures.unexplainedBytes);
  const basis = `the tags hold ${figures.tagBytes} bytes (${sizeText(tags)}), the pool ${figures.poolBytes} bytes (${sizeText(whole)})`;
  const title = sentence(poolName(pool));
  if (rest < 0) return `${title}: ${basis}; the tags hold ${sizeText(-rest)} more than the pool has`;
  return `${title}: ${basis}; ${percent(rest, whole)} % of the pool (${sizeText(rest)}) is explained by no tag`;
}

/** A warning for each pool that is not explained. */
export function reconciliationWarnings(found: PoolTags['reconciliation']): Warning[] {
  const warnings: Warning[] = [];
  for (const pool of POOLS) {
    const figures = reconciliationOf({ reconciliation: found }, pool);
    if (figures && isUnexplained(figures)) {
      warnings.push({
        code: `unexplained-${pool}-pool`,
        where: 'poolTags',
        message: unexplainedMessage(pool, figures),
      });
    }
  }
  return warnings;
}
