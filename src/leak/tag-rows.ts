/** From summed pool tables to the rows of the result: text, outstanding counts, descriptions. */

import { hex } from '../../parsers/bytes/failure.js';
import { COUNTER_INDEX, type TagTable } from '../kernel/pool/pool-tags.js';
import type { TagDescriptions } from '../kernel/pool/tag-descriptions.js';
import { count, toNumber, type PoolCounters, type PoolTagRow, type PoolTags, type Warning } from '../result/result.js';

/** The four characters of a tag (a little-endian number); bytes that cannot be printed stand as `.`. */
export function tagText(key: number): string {
  let text = '';
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (key >>> shift) & 0xff;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return text;
}

/** The key of a tag typed by a user: up to four characters (padded with blanks), or `0x` and its number. Null if it is neither. */
export function tagKey(text: string): number | null {
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return (Number(text) & 0x7fffffff) >>> 0;
  const bytes = Buffer.from(text.padEnd(4, ' '), 'latin1');
  if (text.length === 0 || bytes.length !== 4 || bytes.toString('latin1') !== text.padEnd(4, ' ')) return null;
  return (bytes.readUInt32LE() & 0x7fffffff) >>> 0;
}

/** The `poolTags` part of the result. Its reconciliation is left empty for the judge to fill. */
export function describeTags(
  table: TagTable,
  descriptions: TagDescriptions,
): { poolTags: PoolTags; warnings: Warning[] } {
  const { sums } = table;
  const rows: PoolTagRow[] = [];
  const totals = [0n, 0n, 0n, 0n] as [bigint, bigint, bigint, bigint];
  let negative = 0;
  for (let row = 0; row < sums.rows; row++) {
    const i = COUNTER_INDEX;
    const nonPaged = holding(sums, row, i.NonPagedAllocs, i.NonPagedFrees, i.NonPagedBytes);
    const paged = holding(sums, row, i.PagedAllocs, i.PagedFrees, i.PagedBytes);
    if (nonPaged.negative) negative++;
    if (paged.negative) negative++;
    totals[0] += nonPaged.outstanding;
    totals[1] += nonPaged.bytes;
    totals[2] += paged.outstanding;
    totals[3] += paged.bytes;
    const key = sums.keyOf(row);
    const tag = tagText(key);
    rows.push({
      tag,
      hex: hex(key),
      protected: sums.isProtected(row),
      nonPaged: nonPaged.counters,
      paged: paged.counters,
      ...descriptions.describe(tag),
    });
  }
  rows.sort(byHeld);
  const warnings: Warning[] = [];
  if (negative > 0 && table.complete) {
    warnings.push({
      code: 'counters-negative',
      where: 'poolTags',
      message: `${negative} counters add up to less than nothing (the tables changed while the dump was written, or are damaged); they are shown as 0`,
    });
  }
  return {
    poolTags: {
      tables: table.tables,
      entries: table.entries,
      source: table.source,
      complete: table.complete,
      reconciliation: { nonPaged: null, paged: null },
      totals: {
        nonPagedAllocs: count(totals[0]),
        nonPagedBytes: count(totals[1]),
        pagedAllocs: count(totals[2]),
        pagedBytes: count(totals[3]),
      },
      rows,
    },
    warnings,
  };
}

interface Holding {
  counters: PoolCounters;
  outstanding: bigint;
  bytes: bigint;
  /** The counters add up to less than nothing; `counters` has 0 there. */
  negative: boolean;
}

/** What a tag holds in one pool, by the indexes of its counters. */
function holding(sums: TagTable['sums'], row: number, allocs: number, frees: number, bytes: number): Holding {
  const outstanding = BigInt.asIntN(sums.width(allocs), sums.sum(row, allocs) - sums.sum(row, frees));
  const held = BigInt.asIntN(sums.width(bytes), sums.sum(row, bytes));
  const clamped = { outstanding: outstanding < 0n ? 0n : outstanding, bytes: held < 0n ? 0n : held };
  const counters = {
    allocs: count(sums.sum(row, allocs)),
    frees: count(sums.sum(row, frees)),
    outstanding: count(clamped.outstanding),
    bytes: count(clamped.bytes),
  };
  return { counters, ...clamped, negative: outstanding < 0n || held < 0n };
}

const held = (row: PoolTagRow): number => toNumber(row.nonPaged.bytes) + toNumber(row.paged.bytes);
const byHeld = (a: PoolTagRow, b: PoolTagRow): number => held(b) - held(a) || (a.hex < b.hex ? -1 : 1);
