/** What the tag tables of a dump say of some tags, without judging them. */

import type { OpenedDump } from '../../kernel/open/opened-dump.js';
import { tagKey } from '../../result/tag.js';
import { toNumber } from '../../result/result.js';
import { analyze } from '../analyze.js';

/** Outstanding allocations and bytes of all tags that match; null where the tables cannot be read whole. `paged` null: both pools. */
export function tagRow(
  opened: OpenedDump,
  matches: (key: number) => boolean,
  paged: boolean | null,
): { outstanding: number; bytes: number } | null {
  const { poolTags } = analyze(opened, { parts: ['poolTags'] });
  if (poolTags?.complete !== true) return null;
  const sum = { outstanding: 0, bytes: 0 };
  for (const row of poolTags.rows) {
    if (!matches(tagKey(row))) continue;
    for (const [counters, isPaged] of [
      [row.nonPaged, false],
      [row.paged, true],
    ] as const) {
      if (paged !== null && paged !== isPaged) continue;
      sum.outstanding += toNumber(counters.outstanding);
      sum.bytes += toNumber(counters.bytes);
    }
  }
  return sum;
}
