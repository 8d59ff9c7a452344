/**
 * Which tags of a pool are worth accusing, and why. Share alone makes no suspect: caches fill a healthy machine's pool.
 * A tag counts when its pool is near the limit, when it is large against physical memory, or when it has very many
 * allocations that were never freed.
 */

import { sizeText } from '../result/amount.js';
import { tagInWords } from '../result/tag.js';
import { countersOf, taggedBytes } from '../result/pool.js';
import { toNumber } from '../result/result.js';
import type { ModuleInfo, Note, PoolKind, PoolTagRow, PoolTags } from '../result/result.js';
import type { BugCheckReading } from './bugcheck/bug-checks.js';
import type { ReasonCode } from './confidence.js';
import type { LeakFacts } from './facts.js';
import type { MemoryReading, PoolPressure } from './memory-flags.js';
import * as limits from './thresholds.js';
import { PAGE_BYTES } from './thresholds.js';
import { pagesText, percentText, poolName, sentence } from './wording.js';
import { documentedBinary, isCacheTag, isWindowsTag, sharedDefault } from './tags/windows-tags.js';

/** A tag of one pool that is reported. */
export interface Subject {
  row: PoolTagRow;
  pool: PoolKind;
  bytes: number;
  outstanding: number;
  reasons: Note[];
  /** A default that many drivers share. */
  shared: string | null;
  /** Documented as a tag of Windows. */
  windows: boolean;
  /** By the rules, not only because it was asked for. */
  suspicious: boolean;
  /** Counts of the objects under it say so too. */
  byCount?: boolean;
}

/** What the rules for one tag look at. All sizes are bytes. */
interface Figures {
  row: PoolTagRow;
  pool: PoolKind;
  bytes: number;
  outstanding: number;
  allocs: number;
  frees: number;
  /** The largest other tag of the pool. */
  next: number;
  /** The pool's usage, or the sum of its tags where that is unknown. */
  whole: number;
  wholeName: string;
  memory: number | null;
}

/** The suspicious tags of a pool, largest first. */
export function suspiciousTags(
  poolTags: PoolTags,
  pool: PoolKind,
  reading: MemoryReading,
  bugCheck: BugCheckReading | null,
  modules: readonly ModuleInfo[] | null,
): Subject[] {
  const subjects: Subject[] = [];
  for (const figures of figuresOf(poolTags, pool, reading)) {
    const subject = judge(figures, reading.pressure[pool], bugCheck, modules);
    if (subject) subjects.push(subject);
  }
  return subjects;
}

/** A subject that was asked for. Its figures are reported as they are. */
export function requestedSubject(row: PoolTagRow, pool: PoolKind, modules: readonly ModuleInfo[] | null): Subject {
  const counters = countersOf(row, pool);
  return {
    row,
    pool,
    bytes: toNumber(counters.bytes),
    outstanding: toNumber(counters.outstanding),
    reasons: [{ code: 'requested', message: `Tag ${tagInWords(row.tag)} was asked for` }],
    shared: sharedDefault(row.tag),
    windows: isWindowsTag(row, modules),
    suspicious: false,
  };
}

/** A tag that holds most of its pool, although nothing says that it leaks. */
export interface LargeTag {
  readonly row: PoolTagRow;
  readonly pool: PoolKind;
  readonly bytes: number;
  /** `82.8 %` of its pool. */
  readonly share: string;
  /** Documented as a tag of Windows. */
  readonly windows: boolean;
}

/**
 * Tags that dominate their pool and are no caches of Windows, nonpaged pool first. Small ones are left out: on a machine
 * that has just started some tag is always the largest.
 */
export function largeTags(facts: LeakFacts, { memory: reading }: { memory: MemoryReading }): LargeTag[] {
  const { poolTags, modules, options } = facts;
  if (poolTags === null) return [];
  const pools: PoolKind[] = options.pool === undefined ? ['nonpaged', 'paged'] : [options.pool];
  return pools.flatMap((pool) => {
    if (reading.pressure[pool].implausible) return [];
    const [first] = figuresOf(poolTags, pool, reading);
    if (first === undefined || !dominatesPool(first) || !isMuch(first)) return [];
    const { row, bytes, whole } = first;
    const windows = isWindowsTag(row, modules);
    if (windows && isCacheTag(row.tag)) return [];
    return { row, pool, bytes, share: percentText(bytes, whole), windows };
  });
}

function dominatesPool({ bytes, whole, next }: Figures): boolean {
  return atLeast(bytes, whole, limits.DOMINATES_PERCENT) && bytes >= next * limits.DOMINATES_TIMES_NEXT;
}

/** Not negligible. */
function isMuch({ bytes, memory }: Figures): boolean {
  return memory === null
    ? bytes >= limits.MANY_OUTSTANDING_BYTES
    : atLeast(bytes, memory, limits.MANY_OUTSTANDING_OF_MEMORY_PERCENT);
}

function figuresOf(poolTags: PoolTags, pool: PoolKind, reading: MemoryReading): Figures[] {
  const usage = reading.pressure[pool].usage;
  const sum = toNumber(taggedBytes(poolTags, pool));
  const whole = usage === null ? sum : usage * PAGE_BYTES;
  const wholeName = usage === null ? `all tags of ${poolName(pool)}` : poolName(pool);
  const figures = poolTags.rows
    .filter((row) => !reading.implausibleTags[pool].has(row))
    .map((row): Figures => {
      const counters = countersOf(row, pool);
      return {
        row,
        pool,
        bytes: toNumber(counters.bytes),
        outstanding: toNumber(counters.outstanding),
        allocs: toNumber(counters.allocs),
        frees: toNumber(counters.frees),
        next: 0,
        whole,
        wholeName,
        memory: reading.physical === null ? null : reading.physical * PAGE_BYTES,
      };
    })
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  const [first, second] = figures;
  for (const each of figures) each.next = (each === first ? second : first)?.bytes ?? 0;
  return figures;
}

function judge(
  figures: Figures,
  pressure: PoolPressure,
  bugCheck: BugCheckReading | null,
  modules: readonly ModuleInfo[] | null,
): Subject | null {
  const { row, pool, bytes, outstanding } = figures;
  const shared = sharedDefault(row.tag);
  const windows = shared === null && isWindowsTag(row, modules);
  const reasons: Note[] = [];
  const add = (code: ReasonCode, message: string): number => reasons.push({ code, message });

  const dominates = dominatesPool(figures);
  const tight = pressure.level === 'excessive' || pressure.level === 'high';
  const inTightPool = tight && atLeast(bytes, figures.whole, limits.TAG_OF_POOL_PERCENT);
  const ofMemory = (percentage: number): boolean =>
    figures.memory !== null && bytes * 100 > figures.memory * percentage;

  if (inTightPool && pressure.usage !== null && pressure.limit !== null && pressure.basis !== null) {
    const message = `${sentence(poolName(pool))} is at ${percentText(pressure.usage, pressure.limit)} of the ${pressure.basis} (${pagesText(pressure.usage)} of ${pagesText(pressure.limit)}), and the tag holds ${percentText(bytes, figures.whole)} of it`;
    add(pressure.level === 'excessive' ? 'pool-excessive' : 'pool-high', message);
  }
  if (figures.memory !== null && ofMemory(limits.TAG_OF_MEMORY_PERCENT)) {
    const huge = ofMemory(limits.TAG_OF_MEMORY_HUGE_PERCENT);
    const message = `The tag holds ${bytes} bytes (${sizeText(bytes)}), ${percentText(bytes, figures.memory)} of ${sizeText(figures.memory)} of physical memory; over ${huge ? limits.TAG_OF_MEMORY_HUGE_PERCENT : limits.TAG_OF_MEMORY_PERCENT} % is ${huge ? 'a great deal' : 'much'}`;
    add(huge ? 'huge-share-of-memory' : 'large-share-of-memory', message);
  }
  if (fewFrees(figures)) {
    const message = `${outstanding} allocations are outstanding, and of ${figures.allocs} ever made only ${figures.frees} (${percentText(figures.frees, figures.allocs)}) were freed`;
    add('few-frees', message);
  }
  const qualifies = windows
    ? dominates && (pressure.level === 'excessive' || (tight && ofMemory(limits.WINDOWS_TAG_OF_MEMORY_PERCENT)))
    : reasons.some(({ code }) => code !== 'few-frees' || shared === null);
  if (!qualifies) return null;

  if (dominates) {
    const message = `The tag holds ${percentText(bytes, figures.whole)} of ${figures.wholeName} (${sizeText(bytes)} of ${sizeText(figures.whole)}); the next tag holds ${sizeText(figures.next)}`;
    add('dominates-pool', message);
  }
  if (!windows && shared === null) {
    const absent = documentedBinary(row);
    const listed = absent === null ? '' : `; the list of tags names ${absent}, which is not a loaded part of Windows`;
    add('no-documented-owner', `No part of Windows is documented to use the tag ${tagInWords(row.tag)}${listed}`);
  }
  const exhausted = bugCheck?.class === 'exhaustion' ? bugCheck.resource : null;
  if (bugCheck && (exhausted === 'pool' || (exhausted === 'nonpaged-pool' && pool === 'nonpaged'))) {
    add('bugcheck-exhaustion', bugCheck.message);
  }
  return { row, pool, bytes, outstanding, reasons, shared, windows, suspicious: true };
}

function fewFrees(figures: Figures): boolean {
  const { outstanding, allocs, frees } = figures;
  return (
    isMuch(figures) &&
    outstanding >= limits.MANY_OUTSTANDING &&
    frees >= 0 &&
    frees * 100 <= allocs * limits.FEW_FREES_PERCENT
  );
}

function atLeast(part: number, whole: number, percentage: number): boolean {
  return whole > 0 && part * 100 >= whole * percentage;
}
