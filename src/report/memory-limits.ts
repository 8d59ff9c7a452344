/** The memory figures against what limits each, in words. */

import { pagesOf, poolLimit, poolUsage, usedPhysical, type MemoryFigures } from '../result/pool.js';
import type { Count, PoolKind } from '../result/result.js';

/** A limit and what it is. */
export interface Limit {
  pages: Count;
  name: string;
}

/** Pages in use, and their limit; null where one is not known. */
export interface Usage {
  used: Count | null;
  limit: Limit | null;
}

export function poolInUse(memory: MemoryFigures, pool: PoolKind): Usage {
  const limit = poolLimit(memory, pool);
  const name = limit?.basis === 'maximum' ? 'its maximum' : (limit?.basis ?? '');
  return { used: poolUsage(memory, pool), limit: limit === null ? null : { pages: limit.pages, name } };
}

export function physicalInUse(memory: MemoryFigures): Usage {
  return { used: usedPhysical(memory), limit: named(pagesOf(memory.physicalMemory), 'installed') };
}

/** `name`: what the limit is called. */
export function commitInUse(memory: MemoryFigures, name: string): Usage {
  return { used: pagesOf(memory.committedPages), limit: named(pagesOf(memory.commitLimit), name) };
}

function named(pages: Count | null, name: string): Limit | null {
  return pages === null ? null : { pages, name };
}
