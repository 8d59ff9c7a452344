/** `!poolfind`: all blocks of a tag, rows as they are found. */

import type { BlockRange, FoundBlock } from '../../analysis/pool/find-blocks.js';
import type { PoolQuestion, PoolSearchEnd } from '../../analysis/pool/search-pool.js';
import { hex } from '../../../parsers/bytes/failure.js';
import { tagFilter } from '../../result/tag.js';
import { printable } from '../../../parsers/text-safety.js';
import { counted, humanBytes, thousands } from '../print/format.js';
import type { StreamedView } from '../view.js';
import { noTag, unquoted } from '../words.js';
import { blockRecord, coverageRecord, coverageText, pointerText, poolfindRow } from './block-lines.js';

/** What was found, all of it in memory. */
export interface PoolFound extends PoolSearchEnd {
  readonly blocks: readonly FoundBlock[];
  /** Of them, so many first ones are big allocations. */
  readonly big: number;
  readonly wide: boolean;
}

/** Blocks that `read` keeps at most. */
const MOST_KEPT = 1_000_000;

/** `0x6b61654c (Leak)`. */
function tagWord(text: string): string {
  if (/^0x/i.test(text)) {
    const key = Number(text) >>> 0;
    const shown = [0, 8, 16, 24].map((shift) => String.fromCharCode((key >>> shift) & 0x7f)).join('');
    return `0x${key.toString(16).padStart(8, '0')} (${printable(shown)})`;
  }
  const shown = text.padEnd(4);
  const key = Array.from(shown).reduce((sum, character, i) => sum + character.charCodeAt(0) * 2 ** (8 * i), 0);
  return `0x${key.toString(16).padStart(8, '0')} (${shown})`;
}

/** ` (lo : hi)`; nothing where a range is not known. */
const rangeText = (range: BlockRange | null, wide: boolean): string =>
  range === null ? '' : ` (${pointerText(range.start, wide)} : ${pointerText(range.end, wide)})`;

type Ranges = Pick<PoolSearchEnd, 'table' | 'range'> & { readonly wide: boolean };

const before = ({ tag }: PoolQuestion, { table, wide }: Ranges): string =>
  `Scanning large pool allocation table for tag ${tagWord(tag)}${rangeText(table, wide)}\n\n`;

const between = ({ tag, pool }: PoolQuestion, { range, wide }: Ranges): string =>
  `\nSearching ${pool ?? 'nonpaged and paged'} pool${rangeText(range, wide)} for tag ${tagWord(tag)}\n\n`;

const rangeRecord = (range: BlockRange | null): object | null =>
  range === null ? null : { start: hex(range.start), end: hex(range.end) };

const rows = (blocks: readonly FoundBlock[], wide: boolean): string =>
  blocks.map((block) => poolfindRow(block, wide)).join('');

/** What was found, and what was not looked at. Our own words. */
function after(found: PoolSearchEnd): string {
  const { expected, coverage, ending } = found;
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

const POOLS: ReadonlyMap<string, PoolQuestion['pool']> = new Map([
  ...(['0', '-nonpaged'] as const).map((word) => [word, 'nonpaged'] as const),
  ...(['1', '-paged'] as const).map((word) => [word, 'paged'] as const),
]);

/** Pool types that the debugger has and that are not told apart or not read here, and why. */
const NOT_READ: ReadonlyMap<string, string> = new Map(
  [
    { words: ['2'], why: 'special pool is not searched by tag: its blocks are counted in what was not seen' },
    { words: ['4', '-session'], why: 'session pool has big allocations and pages of its own, which are not read' },
  ].flatMap(({ words, why }) => words.map((word) => [word, why] as const)),
);

const USAGE = 'of !poolfind there is !poolfind TAG with 0 or -nonpaged, or 1 or -paged, behind it';

export const poolFind: StreamedView<PoolQuestion, PoolFound, PoolSearchEnd> = {
  command: '!poolfind',
  shell: 'poolfind MEMORY.DMP',
  words: (words) => {
    const [tag, pool, ...more] = words[0] === '-tag' ? words.slice(1) : words;
    const notRead = NOT_READ.get(pool?.toLowerCase() ?? '');
    if (notRead !== undefined) return { error: `!poolfind ${tag ?? ''} ${pool ?? ''}: ${notRead}` };
    const asked = pool === undefined ? 'nonpaged' : POOLS.get(pool.toLowerCase());
    if (tag === undefined || asked === undefined || more.length > 0) return { error: USAGE };
    const text = unquoted(tag);
    return tagFilter(text) === null ? { error: noTag(text) } : { tag: text, pool: asked };
  },
  read: async ({ opened, ...watched }, question) => {
    const { searchPool } = await import('../../analysis/pool/search-pool.js');
    const { wide, steps } = searchPool(opened, { ...question, limit: question.limit ?? MOST_KEPT }, watched);
    const blocks: FoundBlock[] = [];
    let big: number | null = null;
    for (;;) {
      const step = await steps.next();
      if (step.done === true) return { ...step.value, blocks, big: big ?? 0, wide };
      for (const block of step.value) blocks.push(block);
      big ??= blocks.length;
    }
  },
  text: (found, question) => {
    const { blocks, big, wide } = found;
    const shown = [rows(blocks.slice(0, big), wide), between(question, found), rows(blocks.slice(big), wide)];
    return `${before(question, found)}${shown.join('')}${after(found)}`;
  },
  async *pieces({ opened, ...watched }, question) {
    const { searchPool } = await import('../../analysis/pool/search-pool.js');
    const search = searchPool(opened, question, watched);
    const { wide, steps } = search;
    yield before(question, search);
    for (let isFirst = true; ; isFirst = false) {
      const step = await steps.next();
      if (step.done === true) {
        yield after(step.value);
        return step.value;
      }
      const text = rows(step.value, wide) + (isFirst ? between(question, search) : '');
      if (text !== '') yield text;
    }
  },
  json: ({ schemaVersion, dump, system, warnings, ...found }, { tag }) => {
    const { rows: count, bytes, ending, expected } = found;
    const blocks = found.blocks.map(blockRecord);
    return {
      ...{ schemaVersion, dump, system },
      poolfind: {
        ...{ tag, table: rangeRecord(found.table), range: rangeRecord(found.range) },
        ...{ rows: count, bytes, ending, expected, blocks, coverage: coverageRecord(found.coverage) },
      },
      warnings,
    };
  },
};
