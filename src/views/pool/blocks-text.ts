/** Blocks of pool in the looks of `!poolfind`, `!pool`, `!poolval` and `dps`, and our own list of big allocations. */

import { printable } from '../../../parsers/text-safety.js';
import type { BigTagSum, BlockPage, ContentWord, FoundBlock } from '../../analysis/pool-find.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import { counted, debuggerAddress, humanBytes, thousands } from '../print/format.js';

/** `%p`: no backquote. */
export const pointerText = (address: bigint, wide: boolean): string =>
  address.toString(16).padStart(wide ? 16 : 8, '0');

const poolText = (paged: boolean): string => (paged ? 'Paged pool' : 'Nonpaged pool');

/** `0x6b61654c (Leak)`. */
export function tagWord(text: string): string {
  if (/^0x/i.test(text)) {
    const key = Number(text) >>> 0;
    const shown = [0, 8, 16, 24].map((shift) => String.fromCharCode((key >>> shift) & 0x7f)).join('');
    return `0x${key.toString(16).padStart(8, '0')} (${printable(shown)})`;
  }
  const shown = text.padEnd(4);
  const key = Array.from(shown).reduce((sum, character, i) => sum + character.charCodeAt(0) * 2 ** (8 * i), 0);
  return `0x${key.toString(16).padStart(8, '0')} (${shown})`;
}

/** A row of `!poolfind`: `ffffda0ff9791000 : tag amda, size    0x18f0, Nonpaged pool`. */
export function poolfindRow(block: FoundBlock, wide: boolean): string {
  const size = block.size === 0 ? '0' : `0x${block.size.toString(16)}`;
  return `${pointerText(block.address, wide)} : tag ${printable(block.tag)}, size ${size.padStart(9)}, ${poolText(block.paged)}\n`;
}

/** What was found, and what was not looked at. Our own words. */
export function poolfindEnd(
  found: { rows: number; bytes: number },
  expected: { outstanding: number; bytes: number } | null,
  coverage: PoolCoverage,
  ending: 'whole' | 'limit' | 'interrupted',
): string {
  const lines = [`${counted(found.rows, 'block')}, ${humanBytes(found.bytes)} (${thousands(found.bytes)} bytes)`];
  if (ending === 'limit') lines.push(`Ended after ${counted(found.rows, 'row')} (--limit): there may be more.`);
  if (ending === 'interrupted')
    lines.push(`...terminating - searched ${coverage.partsWalked} of ${coverage.parts} parts of the pool`);
  if (ending === 'whole' && expected !== null) {
    const difference = expected.outstanding - found.rows;
    lines.push(
      difference === 0 && expected.bytes === found.bytes
        ? 'The tag table says the same.'
        : `The tag table says ${counted(expected.outstanding, 'allocation')}, ${thousands(expected.bytes)} bytes: a difference of ${thousands(difference)} and ${thousands(expected.bytes - found.bytes)} bytes.`,
    );
  }
  return `\n${lines.join('\n')}\n${coverageText(coverage)}`;
}

/** Instead of rows: without the table nothing is known of them. */
export const NO_BIG_TABLE = 'The table of big allocations (PoolBigPageTable) was not found in this dump.\n';

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
    coverage.unresolved > 0 ? `up to ${coverage.unresolved} freed blocks counted as allocated` : null,
  ].filter((gap) => gap !== null);
  return gaps.length === 0 ? '' : `Not seen: ${gaps.join('; ')}.\n`;
}

function poolRow(block: FoundBlock, isOwn: boolean, wide: boolean): string {
  const mark = isOwn ? '*' : ' ';
  const state = block.state === 'allocated' || block.state === 'own' ? '(Allocated)' : '(Free)     ';
  const hex = (bytes: number): string => bytes.toString(16).padStart(4);
  return `${mark}${pointerText(block.address, wide)} size: ${hex(block.size)} previous size: ${hex(block.previousSize)}  ${state} ${isOwn ? '*' : ' '}${printable(block.tag)}\n`;
}

/** The look of `!pool`. */
export function renderPool(
  address: bigint,
  page: BlockPage,
  describe: (tag: string) => { description: string; binary: string | null } | null,
  wide: boolean,
): string {
  const { own, blocks } = page;
  const first = blocks[0];
  if (first === undefined) {
    const shown = pointerText(address - (address & 0xfffn), wide);
    return `Pool page ${pointerText(address, wide)} region is Unknown\n${shown} is not valid pool. Checking for freed (or corrupt) pool\n${coverageText(page.coverage)}`;
  }
  const lines = [`Pool page ${pointerText(address, wide)} region is ${poolText((own ?? first).paged)}\n`];
  for (const block of blocks) {
    const isOwn = block === own;
    lines.push(
      block.kind === 'bigpage'
        ? `*${pointerText(block.address, wide)} : large page allocation, tag is ${printable(block.tag)}, size is 0x${block.size.toString(16)} bytes\n`
        : poolRow(block, isOwn, wide),
    );
    if (!isOwn) continue;
    const known = describe(block.tag);
    lines.push(
      known === null
        ? '\t\tOwning component : Unknown (update pooltag.txt)\n'
        : `\t\tPooltag ${printable(block.tag)} : ${printable(known.description)}${known.binary === null ? '' : `, Binary : ${printable(known.binary)}`}\n`,
    );
    if (block.state === 'cached') lines.push('\t\tFreed, but kept by the allocator\n');
  }
  return lines.join('');
}

/** The look of `!poolval`. */
export function renderPoolval(address: bigint, page: BlockPage, wide: boolean): string {
  const { blocks, coverage } = page;
  const start = address - (address & 0xfffn);
  const at = pointerText(start, wide);
  const first = blocks[0];
  const wrong: string[] = [];
  let before = 0;
  let place = start;
  for (const block of blocks.filter(({ kind }) => kind === 'pool')) {
    if (block.address !== place)
      wrong.push(`[ ${pointerText(place, wide)} ]: no block up to ${pointerText(block.address, wide)}`);
    else if (block.previousSize !== before) {
      wrong.push(
        `[ ${pointerText(block.address, wide)} ]: invalid previous size [ 0x${block.previousSize.toString(16)} ] should be [ 0x${before.toString(16)} ]`,
      );
    }
    before = block.size;
    place = block.address + BigInt(block.size);
  }
  if (first?.kind === 'pool' && place !== start + 0x1000n)
    wrong.push(`[ ${pointerText(place, wide)} ]: no block up to the end of the page`);
  const isValid = first !== undefined && wrong.length === 0;
  return [
    `Pool page ${pointerText(address, wide)} region is ${first === undefined ? 'Unknown' : poolText(first.paged)}`,
    '',
    `Validating Pool headers for pool page: ${pointerText(address, wide)}`,
    '',
    `Pool page [ ${at} ] is ${isValid ? 'VALID' : 'INVALID'}.`,
    '',
    'Analyzing linked list...',
    ...wrong,
    '',
    '',
    coverageText(coverage),
  ].join('\n');
}

/** A block and its data in the look of `dps`. */
export function renderBlock(block: FoundBlock, words: readonly ContentWord[], wide: boolean): string {
  const head = `${printable(block.tag)} at ${pointerText(block.address, wide)}: ${thousands(block.size)} bytes, ${poolText(block.paged).toLowerCase()}, ${block.state} (${block.kind})\n\n`;
  const lines = words.map(({ address, value, meaning }) => {
    const shown = value === null ? '????????`????????'.slice(0, wide ? 17 : 8) : debuggerAddress(value, wide);
    return `${debuggerAddress(address, wide)}  ${shown}${meaning === null ? '' : ` ${printable(meaning)}`}\n`;
  });
  return head + lines.join('');
}

/** The big-page table by tag. */
export function renderBigPool(rows: readonly BigTagSum[], coverage: PoolCoverage, most: number): string {
  if (coverage.bigPages === null) return NO_BIG_TABLE;
  const shown = rows.slice(0, most);
  const total = rows.reduce((sum, { count, bytes }) => ({ count: sum.count + count, bytes: sum.bytes + bytes }), {
    count: 0,
    bytes: 0,
  });
  const lines = shown.map(
    ({ tag, paged, count, bytes, largest }) =>
      `${printable(tag)} ${paged ? 'Paged   ' : 'Nonpaged'} ${String(count).padStart(9)} ${String(bytes).padStart(15)} ${String(largest).padStart(13)}\n`,
  );
  const more = rows.length - shown.length;
  return [
    'Tag  Pool         Count           Bytes       Largest\n',
    ...lines,
    ...(more > 0 ? [`and ${counted(more, 'more row')}: with --limit\n`] : []),
    `TOTAL         ${String(total.count).padStart(9)} ${String(total.bytes).padStart(15)}\n`,
    coverageText(coverage),
  ].join('');
}
