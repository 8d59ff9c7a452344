/** What the memory figures are measured against: which limit counts for each. */

import type { Count, MemoryInfo, Pages } from '../result/result.js';
import { exactInteger } from './format.js';

/** A limit and what it is. */
export interface Limit {
  pages: Count | bigint;
  name: string;
}

/** A figure without its source. */
export function pagesOf(figure: Pages | null): Count | null {
  return figure === null ? null : figure.pages;
}

/** The smaller of the pool's maximum and physical memory: maxima of many terabytes limit nothing. */
export function nonPagedLimit(memory: MemoryInfo): Limit | null {
  return smaller(pagesOf(memory.nonPagedPoolMaximum), pagesOf(memory.physicalMemory), 'physical memory');
}

/** Paged pool can grow to its maximum, and is backed by commit, not by physical memory. */
export function pagedLimit(memory: MemoryInfo): Limit | null {
  return smaller(pagesOf(memory.pagedPoolMaximum), pagesOf(memory.commitLimit), 'commit limit');
}

function smaller(most: Count | null, other: Count | null, name: string): Limit | null {
  if (other !== null && (most === null || exactInteger(most) > exactInteger(other))) return { pages: other, name };
  return most === null ? null : { pages: most, name: 'its maximum' };
}

/** Pages of physical memory that are not available. */
export function usedPhysical(memory: MemoryInfo): bigint | null {
  const [physical, available] = [pagesOf(memory.physicalMemory), pagesOf(memory.availablePages)];
  return physical === null || available === null ? null : exactInteger(physical) - exactInteger(available);
}
