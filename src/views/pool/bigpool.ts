/** The table of big allocations, by tag or, of one tag, row by row. */

import { printable } from '../../../parsers/text-safety.js';
import type { DumpPart } from '../../analysis/dump-part.js';
import type { BigTagSum, FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { PoolCoverage } from '../../kernel/pool/blocks/pool-blocks.js';
import { tagFilter } from '../../result/tag.js';
import { counted } from '../print/format.js';
import type { View } from '../view.js';
import { noTag, unquoted } from '../words.js';
import { blockRecord, coverageText, poolfindRow } from './block-lines.js';

interface BigWanted {
  /** As `tagFilter` takes it; all tags in sums without it. */
  readonly tag?: string | undefined;
  /** Rows that are shown at most. */
  readonly limit?: number | undefined;
}

const USUAL_ROWS = 50;

interface BigFound extends DumpPart {
  /** By tag, or the allocations of one; null where the dump has no such table. */
  readonly big:
    { readonly tags: readonly BigTagSum[] } | { readonly count: number; readonly blocks: readonly FoundBlock[] } | null;
  readonly coverage: PoolCoverage;
  readonly wide: boolean;
}

/** Instead of rows: without the table nothing is known of them. */
const NO_BIG_TABLE = 'The table of big allocations (PoolBigPageTable) was not found in this dump.\n';

function text({ big, coverage, wide }: BigFound, { tag, limit = USUAL_ROWS }: BigWanted): string {
  if (big === null) return NO_BIG_TABLE;
  if ('tags' in big) return sums(big.tags, coverage, limit);
  const { count, blocks } = big;
  if (count === 0) return `No big allocation has the tag ${printable(tag ?? '')}.\n`;
  const more = count - blocks.length;
  return `${blocks.map((one) => poolfindRow(one, wide)).join('')}${more > 0 ? `and ${more} more: with --limit\n` : ''}`;
}

function sums(rows: readonly BigTagSum[], coverage: PoolCoverage, most: number): string {
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

export const bigPool: View<BigWanted, BigFound> = {
  command: 'bigpool',
  shell: 'bigpool MEMORY.DMP',
  words: ([word, ...more]) => {
    if (word === undefined) return {};
    const tag = unquoted(word);
    if (more.length > 0) return { error: 'bigpool takes one tag' };
    return tagFilter(tag) === null ? { error: noTag(tag) } : { tag };
  },
  read: async ({ opened }, { tag, limit = USUAL_ROWS }) => {
    const { bigTags, findBlocks, walkablePool } = await import('../../analysis/pool/find-blocks.js');
    const { pool, wide, about } = walkablePool(opened);
    const { coverage } = pool.walk();
    if (pool.bigPages === null) return { ...about, big: null, coverage, wide };
    const matches = tag === undefined ? null : tagFilter(tag);
    if (matches === null) return { ...about, big: { tags: bigTags(pool) }, coverage, wide };
    // The first step is the table.
    const [blocks = []] = findBlocks(pool, { matches, paged: null }).steps;
    return { ...about, big: { count: blocks.length, blocks: blocks.slice(0, limit) }, coverage, wide };
  },
  text,
  json: ({ schemaVersion, dump, system, big, warnings }) => {
    const bigpool = big === null || 'tags' in big ? big : { count: big.count, blocks: big.blocks.map(blockRecord) };
    return { schemaVersion, dump, system, bigpool, warnings };
  },
};
