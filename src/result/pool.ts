/**
 * What a pool's usage, its limit and its counters are: pure functions of a result, and the one place that works them out.
 * All amounts are pages unless the name says bytes; null is unknown.
 */

import {
  toNumber,
  type Count,
  type MemoryField,
  type Pages,
  type PoolCounters,
  type PoolKind,
  type PoolTagRow,
  type PoolTags,
  type Reconciliation,
} from './result.js';

/** Memory figures as a result holds them, or a part of them. */
export type MemoryFigures = Readonly<Partial<Record<MemoryField, Pages | null>>>;

export const POOLS: readonly PoolKind[] = ['nonpaged', 'paged'];

/** What limits a pool: its own maximum, or what it is made of. */
export type LimitBasis = 'maximum' | 'physical memory' | 'commit limit';

export interface PoolLimit {
  readonly pages: Count;
  readonly basis: LimitBasis;
}

/** A figure without its source. */
export function pagesOf(figure: Pages | null | undefined): Count | null {
  return figure?.pages ?? null;
}

/** All of the pool that is in use: for nonpaged pool what is executable and what is not (`nonPagedPoolNxUsage`) together. */
export function poolUsage(memory: MemoryFigures | null, pool: PoolKind): Count | null {
  return pagesOf(pool === 'paged' ? memory?.pagedPoolUsage : memory?.nonPagedPoolUsage);
}

/** What the pool is made of: nonpaged pool of physical memory, paged pool of commit. Nothing that is not positive limits. */
export function poolCeiling(memory: MemoryFigures | null, pool: PoolKind): PoolLimit | null {
  return pool === 'paged'
    ? limit(memory?.commitLimit, 'commit limit')
    : limit(memory?.physicalMemory, 'physical memory');
}

/** The smaller of the pool's maximum and what it is made of: maxima of many terabytes limit nothing. */
export function poolLimit(memory: MemoryFigures | null, pool: PoolKind): PoolLimit | null {
  const maximum = limit(pool === 'paged' ? memory?.pagedPoolMaximum : memory?.nonPagedPoolMaximum, 'maximum');
  const ceiling = poolCeiling(memory, pool);
  if (maximum === null) return ceiling;
  return ceiling !== null && toNumber(maximum.pages) > toNumber(ceiling.pages) ? ceiling : maximum;
}

/** Physical memory that is not available. */
export function usedPhysical(memory: MemoryFigures): Count | null {
  const [physical, available] = [pagesOf(memory.physicalMemory), pagesOf(memory.availablePages)];
  return physical === null || available === null ? null : toNumber(physical) - toNumber(available);
}

/** What a tag holds of one pool. */
export function countersOf(row: Pick<PoolTagRow, 'nonPaged' | 'paged'>, pool: PoolKind): PoolCounters {
  return pool === 'paged' ? row.paged : row.nonPaged;
}

/** Bytes of the pool under all tags. */
export function taggedBytes({ totals }: Pick<PoolTags, 'totals'>, pool: PoolKind): Count {
  return pool === 'paged' ? totals.pagedBytes : totals.nonPagedBytes;
}

/** What the tags explain of the pool. */
export function reconciliationOf(
  { reconciliation }: Pick<PoolTags, 'reconciliation'>,
  pool: PoolKind,
): Reconciliation | null {
  return pool === 'paged' ? reconciliation.paged : reconciliation.nonPaged;
}

function limit(figure: Pages | null | undefined, basis: LimitBasis): PoolLimit | null {
  const pages = pagesOf(figure);
  return pages === null || !(toNumber(pages) > 0) ? null : { pages, basis };
}
