/**
 * Which memory totals are near their limit, and which cannot be true. A pool is compared with the smaller of its
 * maximum and what it is made of: physical memory for nonpaged pool, the commit limit for paged pool.
 */

import { sizeText } from '../result/amount.js';
import { tagInWords } from '../result/tag.js';
import { countersOf, poolCeiling, poolLimit, POOLS, poolUsage } from '../result/pool.js';
import { toNumber } from '../result/result.js';
import type {
  Count,
  MemoryFlag,
  MemoryFlagCode,
  MemoryInfo,
  Pages,
  PoolKind,
  PoolTagRow,
  PoolTags,
  Warning,
} from '../result/result.js';
import * as limits from './thresholds.js';
import { PAGE_BYTES } from './thresholds.js';
import { list, pagesText, percent, poolName, sentence } from './wording.js';

/** The totals without the flags that are made here. */
export type MemoryTotals = Omit<MemoryInfo, 'flags'>;

/** How full a pool is. */
export interface PoolPressure {
  /** Pages in use; null where unknown or where the figure cannot be true. */
  usage: number | null;
  /** Pages; null where unknown. */
  limit: number | null;
  /** What the limit is, as in MemoryFlag. */
  basis: string | null;
  level: 'excessive' | 'high' | 'normal' | 'unknown';
  /** The usage counter cannot be true; it was not used. */
  implausible: boolean;
}

/** What the totals say. */
export interface MemoryReading {
  flags: MemoryFlag[];
  warnings: Warning[];
  pressure: Record<PoolKind, PoolPressure>;
  /** Pages of physical memory; null where unknown. */
  physical: number | null;
  /** Rows whose counters of a pool cannot be true: never a leak. */
  implausibleTags: Record<PoolKind, Set<PoolTagRow>>;
}

/** Reads the totals, and with them the tags whose counters no machine of this size can hold. */
export function memoryFlags(memory: MemoryTotals | null, poolTags: PoolTags | null): MemoryReading {
  const flags: MemoryFlag[] = [];
  const physical = positive(memory?.physicalMemory);
  const commitLimit = positive(memory?.commitLimit);
  const pressure = {
    nonpaged: poolPressure(flags, memory, 'nonpaged'),
    paged: poolPressure(flags, memory, 'paged'),
  };
  if (memory) systemFlags(flags, memory, physical, commitLimit);
  const nothing = { nonpaged: new Set<PoolTagRow>(), paged: new Set<PoolTagRow>() };
  const reading: MemoryReading = { flags, warnings: [], pressure, physical, implausibleTags: nothing };
  for (const pool of POOLS) {
    reading.implausibleTags[pool] = implausibleRows(reading, poolTags, { pool, ...tagCeiling(memory, pool) });
  }
  const impossible = flags.flatMap(({ code, message }): Warning[] =>
    isImplausible(code) ? [{ code, where: code === 'implausible-tag-bytes' ? 'poolTags' : 'memory', message }] : [],
  );
  reading.warnings.unshift(...impossible);
  return reading;
}

function poolPressure(flags: MemoryFlag[], memory: MemoryTotals | null, pool: PoolKind): PoolPressure {
  const used = poolUsage(memory, pool);
  const usage = used === null ? null : toNumber(used);
  const [counts, top] = [poolLimit(memory, pool), poolCeiling(memory, pool)];
  const limit = counts === null ? null : toNumber(counts.pages);
  const basis = counts === null ? null : counts.basis === 'maximum' ? `${poolName(pool)} maximum` : counts.basis;
  const ceiling = top === null ? null : toNumber(top.pages);
  const ceilingName = top?.basis ?? '';
  if (usage === null || limit === null || basis === null) {
    return { usage, limit, basis, level: 'unknown', implausible: false };
  }
  const title = sentence(poolName(pool));
  const pastCeiling = ceiling !== null && usage > ceiling;
  if (usage < 0 || pastCeiling || usage * 100 > limit * limits.POOL_IMPLAUSIBLE_PERCENT) {
    const against = pastCeiling ? ceiling : limit;
    const name = pastCeiling ? ceilingName : basis;
    const message = `${title} usage reads ${pagesText(usage)}, but the ${name} is ${pagesText(against)}: the counter cannot be true and was not used`;
    flags.push(flag(`implausible-${pool}-pool`, message, usage, against, name));
    return { usage: null, limit, basis, level: 'unknown', implausible: true };
  }
  const level = atLeast(usage, limit, limits.POOL_EXCESSIVE_PERCENT)
    ? 'excessive'
    : atLeast(usage, limit, limits.POOL_HIGH_PERCENT)
      ? 'high'
      : 'normal';
  if (level !== 'normal') {
    const message = `${title} holds ${pagesText(usage)}, ${percent(usage, limit)} % of the ${basis} of ${pagesText(limit)}`;
    flags.push(flag(`${level}-${pool}-pool`, message, usage, limit, basis));
  }
  return { usage, limit, basis, level, implausible: false };
}

function systemFlags(
  flags: MemoryFlag[],
  memory: MemoryTotals,
  physical: number | null,
  commitLimit: number | null,
): void {
  const committed = value(memory.committedPages);
  if (committed !== null && commitLimit !== null) {
    const share = `${pagesText(committed)} committed, ${percent(committed, commitLimit)} % of the commit limit of ${pagesText(commitLimit)}`;
    if (committed < 0 || committed * 100 > commitLimit * limits.COMMIT_IMPLAUSIBLE_PERCENT) {
      const message = `${share}: the counter cannot be true and was not used`;
      flags.push(flag('implausible-commit', message, committed, commitLimit, 'commit limit'));
    } else if (atLeast(committed, commitLimit, limits.COMMIT_NEAR_LIMIT_PERCENT)) {
      flags.push(flag('commit-near-limit', share, committed, commitLimit, 'commit limit'));
    }
  }
  const available = value(memory.availablePages);
  if (available !== null && physical !== null) {
    const share = `${pagesText(available)} available, ${percent(available, physical)} % of ${pagesText(physical)} of physical memory`;
    if (available < 0 || available > physical) {
      const message = `${share}: the counter cannot be true and was not used`;
      flags.push(flag('implausible-available-memory', message, available, physical, 'physical memory'));
    } else if (!atLeast(available, physical, limits.AVAILABLE_LOW_PERCENT)) {
      flags.push(flag('low-available-memory', share, available, physical, 'physical memory'));
    }
  }
  const ptes = value(memory.freeSystemPtes);
  if (ptes !== null && ptes < limits.PTES_LOW) {
    const exhausted = ptes < limits.PTES_EXHAUSTED;
    const limit = exhausted ? limits.PTES_EXHAUSTED : limits.PTES_LOW;
    const word = exhausted ? 'critical' : 'low';
    const message = `${ptes} system PTEs are free; fewer than ${limit} is ${word}`;
    const code = exhausted ? 'system-ptes-exhausted' : 'low-system-ptes';
    flags.push(flag(code, message, ptes, limit, `free system PTEs below which it is ${word}`));
  }
}

interface TagCheck {
  pool: PoolKind;
  /** Pages. */
  ceiling: number;
  ceilingName: string;
}

/** The most that a tag can hold: by what the pool is made of, else by the best witness that there is. */
function tagCeiling(memory: MemoryTotals | null, pool: PoolKind): Omit<TagCheck, 'pool'> {
  const top = poolCeiling(memory, pool);
  if (top !== null) return { ceiling: toNumber(top.pages), ceilingName: top.basis };
  // Paged pool is charged to commit when it is allocated.
  const charged = [memory?.committedPages, memory?.peakCommitment].flatMap((figure) => positive(figure) ?? []);
  if (pool === 'paged' && charged.length > 0) {
    return { ceiling: Math.max(...charged), ceilingName: 'committed memory' };
  }
  const maximum = poolLimit(memory, pool);
  return maximum === null
    ? { ceiling: limits.LARGEST_POOL_PAGES, ceilingName: 'largest pool of any Windows' }
    : { ceiling: (toNumber(maximum.pages) * limits.POOL_IMPLAUSIBLE_PERCENT) / 100, ceilingName: 'pool maximum and a quarter' }; // prettier-ignore
}

/** Rows whose counters of one pool contradict the machine or themselves; speaks of the large ones. */
function implausibleRows(reading: MemoryReading, poolTags: PoolTags | null, check: TagCheck): Set<PoolTagRow> {
  const found = new Set<PoolTagRow>();
  const { pool, ceiling, ceilingName } = check;
  const contradictions: string[] = [];
  let flagged = 0;
  for (const row of poolTags?.rows ?? []) {
    const counters = countersOf(row, pool);
    const bytes = toNumber(counters.bytes);
    const outstanding = toNumber(counters.outstanding);
    const tooLarge = bytes > ceiling * PAGE_BYTES;
    // An allocation has at least a byte: anything else is no state of a pool. Also catches what is no number.
    const possible = bytes >= 0 && outstanding >= 0 && (outstanding > 0 || bytes === 0) && bytes >= outstanding;
    if (possible && !tooLarge) continue;
    found.add(row);
    if (tooLarge) {
      if (++flagged > limits.MAXIMUM_IMPLAUSIBLE_TAGS) continue;
      const message = `Tag ${tagInWords(row.tag)} reads ${counters.bytes} bytes (${sizeText(bytes)}) of ${poolName(pool)}, more than the ${ceilingName} of ${pagesText(ceiling)}: the counter cannot be true and was not used`;
      const pages = Math.ceil(bytes / PAGE_BYTES);
      reading.flags.push(flag('implausible-tag-bytes', message, pages, ceiling, ceilingName));
    } else if (poolTags?.complete && Math.abs(bytes) >= limits.CONTRADICTION_BYTES) {
      contradictions.push(`${row.tag} (${counters.outstanding} allocations, ${counters.bytes} bytes)`);
    }
  }
  if (contradictions.length > 0) {
    reading.warnings.push({
      code: 'implausible-tag-counters',
      where: 'poolTags',
      message: `Counters of ${poolName(pool)} that contradict themselves were not used: ${list(contradictions)}`,
    });
  }
  return found;
}

function isImplausible(code: MemoryFlagCode): code is Extract<MemoryFlagCode, `implausible-${string}`> {
  return code.startsWith('implausible-');
}

function flag(code: MemoryFlagCode, message: string, pages: number, limit: number, basis: string): MemoryFlag {
  return { code, message, value: exact(pages), limit: exact(limit), percent: percent(pages, limit), basis };
}

/** Numbers past 2^53 stand as text in a result. */
function exact(pages: number): Count {
  return Number.isSafeInteger(pages) ? pages : BigInt(Math.trunc(pages)).toString();
}

function atLeast(pages: number, limit: number, percentage: number): boolean {
  return pages * 100 >= limit * percentage;
}

function value(pages: Pages | null | undefined): number | null {
  if (!pages) return null;
  const number = toNumber(pages.pages);
  return Number.isFinite(number) ? number : null;
}

function positive(pages: Pages | null | undefined): number | null {
  const number = value(pages);
  return number !== null && number > 0 ? number : null;
}
