/** A check in words: one sentence an excess, the same in the text, the XML and the annotations. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpCheck, Excess } from '../../growth/check/judge-dump.js';
import { sizeText } from '../../result/amount.js';
import { tagInWords } from '../../result/tag.js';

/** `tag Leak, nonpaged pool, holds 12.0 MB; baseline 1.0 MB, allowed 2.0 MB; allocated by acme.sys (confidence high)`. */
export function excessText({
  what,
  tag,
  pool,
  bytes,
  baselineBytes,
  allowedBytes,
  driver,
  confidence,
}: Excess): string {
  const amounts =
    what === 'limit' || baselineBytes === null
      ? `holds ${sizeText(bytes)}, allowed ${sizeText(allowedBytes)}`
      : `holds ${sizeText(bytes)}; baseline ${sizeText(baselineBytes)}, allowed ${sizeText(allowedBytes)}`;
  if (what === 'driver') return `${printable(driver ?? 'n/a')}, all its tags together, ${amounts}`;
  const name = `tag ${tagInWords(tag ?? '')}${pool === null ? ', both pools,' : `, ${pool} pool,`}`;
  const by = driver === null ? '' : `; allocated by ${printable(driver)} (confidence ${confidence ?? 'n/a'})`;
  return `${name} ${amounts}${by}`;
}

/** How a dump stands, in one line. */
export function standing({ outcome, reason, excesses, tagsCompared }: DumpCheck): string {
  const why = printable(reason?.message ?? '');
  if (outcome === 'unreadable') return `could not be read: ${why}`;
  if (outcome === 'undecided') return `cannot tell: ${why}`;
  if (outcome === 'passed') return `passed, ${tagsCompared} tags compared`;
  return `failed: ${excesses.length} ${excesses.length === 1 ? 'holds' : 'hold'} more than allowed`;
}
