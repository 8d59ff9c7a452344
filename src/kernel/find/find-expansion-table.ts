/**
 * PoolTrackTableExpansion without symbols: the table of the tags that found no slot. It is found by its content, at one of
 * the page addresses in the kernel's data: records without a gap from its start on, each with a tag that no hashed table
 * has and that comes once, with counters that one table alone can have (it is not split over processors), then nothing to
 * the end of the page.
 */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { COUNTERS, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { plainTag, tagText } from '../../../parsers/kernel/tag.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { KernelImage } from '../open/locate-kernel.js';
import { pointersIn } from './data-sections.js';

/** Pages looked at, and records of one table, at most. */
const MOST_LOOKS = 100_000;
const MOST_RECORDS = 1 << 18;
/** Characters of a tag that cannot be typed, at most: nearly all can. */
const MOST_ODD = 1;
/** Outstanding bytes that no counter reaches: 2^45. */
const TOO_MANY_BYTES = 2 ** 45;

/** The table, as far as it was found. */
export interface FoundExpansion {
  readonly address: VirtualAddress;
  /** Records in use. */
  readonly entries: number;
}

/**
 * The only such table that the kernel's data points at; null where there is none, and how many where they cannot be told
 * apart.
 * @param isHashed whether a tag stands in a hashed table; the tables themselves, of which all tags do, are none.
 */
export function findExpansionTable(
  memory: VirtualMemory,
  image: KernelImage,
  record: TrackerRecord,
  isHashed: (key: number) => boolean,
): FoundExpansion | { candidates: number } | null {
  const found: FoundExpansion[] = [];
  let looks = 0;
  for (const address of pointersIn(memory, image, PAGE_SIZE)) {
    if (++looks > MOST_LOOKS) break;
    const entries = entriesAt(memory, address, record, isHashed);
    if (entries > 0) found.push({ address, entries });
  }
  const [first] = found;
  return first === undefined ? null : found.length === 1 ? first : { candidates: found.length };
}

/** Records in use of such a table at `address`; 0 where none stands there. */
function entriesAt(
  memory: VirtualMemory,
  address: VirtualAddress,
  record: TrackerRecord,
  isHashed: (key: number) => boolean,
): number {
  const { size } = record;
  // Most pages end with the first record.
  const first = memory.read(address, size);
  if (failed(first) || !isRecord(first, 0, record, isHashed)) return 0;
  const keys = new Set<number>();
  for (let entries = 0; entries < MOST_RECORDS; entries++) {
    const bytes = memory.read(plus(address, entries * size), size);
    // The table may end with its last record in use, and the dump with the table.
    if (failed(bytes)) return entries;
    if (isZero(bytes, 0, size)) return isFreeToPageEnd(memory, address, entries * size) ? entries : 0;
    const key = plainTag(u32(bytes, record.key));
    if (!isRecord(bytes, 0, record, isHashed) || keys.has(key)) {
      // What follows a full table is another matter; a page begins with it.
      return (entries * size) % PAGE_SIZE > PAGE_SIZE - size || (entries * size) % PAGE_SIZE === 0 ? entries : 0;
    }
    keys.add(key);
  }
  return 0;
}

function isRecord(bytes: Uint8Array, at: number, record: TrackerRecord, isHashed: (key: number) => boolean): boolean {
  const key = plainTag(u32(bytes, at + record.key));
  const odd = tagText(key).replace(/[^.]/g, '').length;
  if (key === 0 || odd > MOST_ODD || isHashed(key)) return false;
  const pools = (['NonPaged', 'Paged'] as const).map((pool) => allocsIn(bytes, at, record, pool));
  return isPadded(bytes, at, record) && !pools.includes(null) && pools.some((allocs) => allocs !== 0);
}

/** Between the key and the next field there is nothing. */
function isPadded(bytes: Uint8Array, at: number, { key, counters }: TrackerRecord): boolean {
  const next = Math.min(...counters.map(({ offset }) => offset).filter((offset) => offset > key));
  return isZero(bytes, at + key + 4, at + next);
}

/**
 * What was ever allocated under the tag in one pool; null for counters that cannot be true: no more frees than
 * allocations, a byte at least for each that is left.
 */
function allocsIn(bytes: Uint8Array, at: number, record: TrackerRecord, pool: 'NonPaged' | 'Paged'): number | null {
  const value = (name: 'Allocs' | 'Frees' | 'Bytes'): number => {
    const counter = record.counters[COUNTERS.indexOf(`${pool}${name}`)];
    if (counter === undefined) return NaN;
    return u32(bytes, at + counter.offset) + (counter.wide ? u32(bytes, at + counter.offset + 4) * 2 ** 32 : 0);
  };
  const [allocs, frees, held] = [value('Allocs'), value('Frees'), value('Bytes')];
  const left = allocs - frees;
  return left >= 0 && held >= left && held < TOO_MANY_BYTES && (left > 0 || held === 0) ? allocs : null;
}

function isFreeToPageEnd(memory: VirtualMemory, address: VirtualAddress, offset: number): boolean {
  const length = PAGE_SIZE - (offset % PAGE_SIZE);
  const bytes = memory.read(plus(address, offset), length);
  return failed(bytes) || isZero(bytes, 0, length);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
