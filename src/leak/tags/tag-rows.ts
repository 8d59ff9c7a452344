/** From summed pool tables to the rows of the result: text, outstanding counts, descriptions. */

import { hex } from '../../../parsers/bytes/failure.js';
import { COUNTER_INDEX } from '../../../parsers/kernel/pool-tracker.js';
import type { TagTable } from '../../kernel/pool/pool-tags.js';
import type { TagDescriptions } from '../../kernel/pool/tag-descriptions.js';
import { tagText } from '../../result/tag.js';
import {
  count,
  toNumber,
  type PoolCounters,
  type PoolTagRow,
  type PoolTags,
  type Warning,
} from '../../result/result.js';

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
