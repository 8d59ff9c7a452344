/**
 * Whether the pool tag tables that were read are what the kernel wrote. Each proof compares witnesses that a healthy
 * system cannot set apart; what speaks against the tables is told with figures, and the tables are not called complete.
 */

import { COUNTER_INDEX, type TrackerSums } from '../../../parsers/kernel/pool-tracker.js';
import type { TableCensus } from '../../../parsers/kernel/table-census.js';
import { placementOf } from '../../../parsers/kernel/tag-hash.js';

/** Something that no healthy tables show. */
export interface Contradiction {
  readonly code: 'tables-inconsistent' | 'tables-damaged' | 'tables-exceed-pool';
  readonly message: string;
}

/** Tags whose counters may contradict themselves: they move while a live dump is written. */
const ODD_SHARE = 0.01;
const ODD_ROWS = 2;
/** From so many of them in one page on, they are not scattered by chance. */
const ODD_IN_PAGE = 2;
/** The hash is known to be the kernel's where so many tags stand near their slot; tags needed to say. */
const KNOWN_HASH_SHARE = 0.5;
const FEWEST_TAGS = 24;
/** Tags that may stand astray, of all, and from so many in one page on, and such a part of it, the page is told. */
const ASTRAY_SHARE = 0.01;
const ASTRAY_IN_PAGE = 3;
const ASTRAY_OF_PAGE = 0.5;
/** Empty pages are told where chance would make so many of them in one of a thousand systems. */
const CHANCE = 1e-3;
/** Tags of more than the pool holds: counters of nonpaged pool include all, of paged pool perhaps not the sessions'. */
const EXCESS = { nonpaged: 1.1, paged: 2 } as const;

/**
 * Everything that speaks against the tables: empty for healthy ones.
 * @param isOneMoment false for dumps of a running system, whose tables are of different moments.
 */
export function contradictionsOf(census: TableCensus, sums: TrackerSums, isOneMoment: boolean): Contradiction[] {
  const found: Contradiction[] = [];
  const damaged = (message: string): number => found.push({ code: 'tables-damaged', message });
  if (census.conflicts > 0) {
    damaged(
      `the pool tag tables contradict each other: in ${census.conflicts} places a table has another tag than the one before it has in the same slot`,
    );
  }
  const mask = maskOf(census.slots);
  const { tags, near, astray, astraySlots } = placementOf(census.keys, mask);
  const isKnownHash = tags >= FEWEST_TAGS && near >= tags * KNOWN_HASH_SHARE;
  // A table without a free slot says nothing by its gaps; else nearly none of a known hash is astray.
  if (isKnownHash && isAstray(census, tags, astray, astraySlots)) {
    damaged(
      `${astray} of ${tags} tags stand where their hash does not lead: pages of the pool tag tables were lost or overwritten`,
    );
  }
  const empty = isKnownHash ? emptyPages(census, tags) : 0;
  if (empty > 0) {
    damaged(
      `${empty === 1 ? '1 page of the pool tag tables holds' : `${empty} pages of the pool tag tables hold`} no tag at all where some must stand: lost or overwritten`,
    );
  }
  const odd = oddRows(census, sums);
  if (odd.rows > Math.max(ODD_ROWS, sums.rows * ODD_SHARE) || (isOneMoment && odd.inOnePage >= ODD_IN_PAGE)) {
    found.push({
      code: 'tables-inconsistent',
      message: `${odd.rows} of ${sums.rows} tags have counters that contradict themselves, more frees than allocations or bytes of none: some table, or a part of one, is missing`,
    });
  }
  return found;
}

/** Tags that hold more of a pool than the pool has. `pages`: all of the pool in use. Rows of more than that are left out: they are told alone. */
export function excessOf(sums: TrackerSums, pool: 'nonpaged' | 'paged', pages: number | null): Contradiction | null {
  if (pages === null || !(pages > 0)) return null;
  const most = pages * 4096;
  const counter = pool === 'paged' ? COUNTER_INDEX.PagedBytes : COUNTER_INDEX.NonPagedBytes;
  let held = 0;
  for (let row = 0; row < sums.rows; row++) {
    const bytes = Number(BigInt.asIntN(sums.width(counter), sums.sum(row, counter)));
    if (bytes > 0 && bytes <= most) held += bytes;
  }
  if (held <= most * EXCESS[pool]) return null;
  return {
    code: 'tables-exceed-pool',
    message: `the tags hold ${held} bytes of ${pool} pool, which has ${most} in use: the tables, or the counter of the pool, cannot be true`,
  };
}

/** The hash covers a power of two of slots; the overflow slot stands behind. */
function maskOf(slots: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(2, slots))) - 1;
}

function isAstray(census: TableCensus, tags: number, astray: number, slots: readonly number[]): boolean {
  if (astray === 0) return false;
  if (astray > Math.max(ODD_ROWS, tags * ASTRAY_SHARE)) return true;
  const inPage = countByPage(census, slots);
  const all = countByPage(census, usedSlots(census));
  return [...inPage].some(([page, n]) => n >= ASTRAY_IN_PAGE && n >= (all.get(page) ?? 0) * ASTRAY_OF_PAGE);
}

/** Pages without a tag that tables are too full to have by chance: where others have tags, or by how full all are. */
function emptyPages(census: TableCensus, tags: number): number {
  const inPage = countByPage(census, usedSlots(census));
  const { tables, pages, slots } = census;
  const perPage = slots / pages;
  const looked = pages * tables.length;
  // The last page is a part of one; tags in it are as many as its slots are.
  const byLoad = (1 - Math.min(1, tags / slots)) ** (perPage - 1) * pages;
  let empty = 0;
  for (const { seen, filled } of tables) {
    const present = filled.reduce((sum, n) => sum + n, 0) / tags;
    for (let page = 0; page < pages - 1; page++) {
      if (filled[page] !== 0 || (seen[page] ?? 0) < perPage - 2) continue;
      const others = inPage.get(page) ?? 0;
      const chance = others === 0 ? byLoad : (1 - Math.min(1, present)) ** others * looked;
      // A table that its processor hardly used is empty in most pages.
      if (chance < CHANCE) empty++;
    }
  }
  return empty;
}

function oddRows(census: TableCensus, sums: TrackerSums): { rows: number; inOnePage: number } {
  let rows = 0;
  const keys = new Set<number>();
  for (let row = 0; row < sums.rows; row++) {
    if (!isOdd(sums, row, 'NonPaged') && !isOdd(sums, row, 'Paged')) continue;
    rows++;
    keys.add(sums.keyOf(row));
  }
  const slots = rows === 0 ? [] : usedSlots(census).filter((slot) => keys.has(census.keys[slot] ?? 0));
  return { rows, inOnePage: Math.max(0, ...countByPage(census, slots).values()) };
}

/** More was freed than allocated, bytes are left of no allocation, or an allocation has not even one byte. */
function isOdd(sums: TrackerSums, row: number, pool: 'NonPaged' | 'Paged'): boolean {
  const counter = (name: 'Allocs' | 'Frees' | 'Bytes'): number => COUNTER_INDEX[`${pool}${name}`];
  const [allocs, frees, bytes] = [counter('Allocs'), counter('Frees'), counter('Bytes')];
  const outstanding = BigInt.asIntN(sums.width(allocs), sums.sum(row, allocs) - sums.sum(row, frees));
  const held = BigInt.asIntN(sums.width(bytes), sums.sum(row, bytes));
  return outstanding < 0n || held < outstanding || (outstanding === 0n && held !== 0n);
}

function usedSlots({ keys }: TableCensus): number[] {
  const slots: number[] = [];
  keys.forEach((key, slot) => {
    if (key !== 0) slots.push(slot);
  });
  return slots;
}

function countByPage(census: TableCensus, slots: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const slot of slots) {
    const page = census.pageOf(slot);
    counts.set(page, (counts.get(page) ?? 0) + 1);
  }
  return counts;
}
