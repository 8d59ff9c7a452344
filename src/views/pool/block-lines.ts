/** What the views of pool blocks share: addresses, rows, what could not be seen, and records for JSON. */

import { hex } from '../../../parsers/bytes/failure.js';
import { printable } from '../../../parsers/text-safety.js';
import type { FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import { counted } from '../print/format.js';

/** `%p`: no backquote. */
export const pointerText = (address: bigint, wide: boolean): string =>
  address.toString(16).padStart(wide ? 16 : 8, '0');

export const poolText = (paged: boolean): string => (paged ? 'Paged pool' : 'Nonpaged pool');

/** A row of `!poolfind`: `ffffda0ff9791000 : tag amda, size    0x18f0, Nonpaged pool`. */
export function poolfindRow(block: FoundBlock, wide: boolean): string {
  const size = block.size === 0 ? '0' : `0x${block.size.toString(16)}`;
  return `${pointerText(block.address, wide)} : tag ${printable(block.tag)}, size ${size.padStart(9)}, ${poolText(block.paged)}\n`;
}

/** What a walk could not see; empty where it saw everything. */
export function coverageText(coverage: PoolCoverage): string {
  const { heaps, pages, form, bigPages } = coverage;
  const gaps = [
    form === 'none' ? 'no page and no heap of small allocations was found' : null,
    bigPages === null ? 'the table of big allocations was not found' : null,
    bigPages !== null && bigPages.missing > 0
      ? `${counted(bigPages.missing, 'row')} of the table of big allocations missing`
      : null,
    coverage.missingPages > 0 ? `${counted(coverage.missingPages, 'page')} missing` : null,
    heaps !== null && heaps.segments < heaps.segmentsExpected && coverage.partsWalked === coverage.parts
      ? `${heaps.segments} of ${heaps.segmentsExpected} segments read`
      : null,
    heaps !== null && heaps.subsegmentsCorrupt + heaps.chunksCorrupt > 0
      ? counted(heaps.subsegmentsCorrupt + heaps.chunksCorrupt, 'damaged structure')
      : null,
    pages !== null && pages.corruptPages > 0 ? counted(pages.corruptPages, 'damaged page') : null,
    coverage.special > 0
      ? `the tags of ${counted(coverage.special, 'allocation')} of special pool (Driver Verifier)`
      : null,
    coverage.unresolved > 0 ? `up to ${coverage.unresolved} freed blocks counted as allocated` : null,
  ].filter((gap) => gap !== null);
  return gaps.length === 0 ? '' : `Not seen: ${gaps.join('; ')}.\n`;
}

/** A block. `size` is in bytes, with the pool header. */
export function blockRecord(block: FoundBlock): object {
  const { address, size, previousSize, tag, key, paged, state, kind } = block;
  return {
    address: hex(address),
    size,
    previousSize,
    tag,
    key: hex(key),
    pool: paged ? 'paged' : 'nonpaged',
    state,
    kind,
  };
}

/** What was walked and what was missing. */
export function coverageRecord(coverage: PoolCoverage): object {
  return { ...coverage };
}
