/** `dumpleak bigpool`: the table of big allocations, by tag or, of one tag, row by row. */

import { printable } from '../../../../parsers/text-safety.js';
import { bigTags, findBlocks, tagFilter } from '../../../analysis/pool-find.js';
import { renderPart } from '../../../views/print/part-json.js';
import { blockRecord } from '../../../views/pool/records.js';
import { NO_BIG_TABLE, poolfindRow, renderBigPool } from '../../../views/pool/blocks-text.js';
import { parseCount } from '../../options/addresses.js';
import { blocksOf, partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { UsageError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';

const DEFAULT_ROWS = 50;

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: { describe: 'List the allocations of this tag: as in poolfind', kind: 'optional' },
  },
  options: {
    limit: { type: 'number', requiresArg: true, describe: 'Rows at most (50)', group: GROUP.what },
    json: jsonOption('Write the rows as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['bigpool MEMORY.DMP', 'who has allocations of a page and more'],
    ['bigpool MEMORY.DMP Leak --limit 1000', 'each of one tag'],
  ],
  run: async (args, output, host) => {
    const matches = args.tag === undefined ? null : tagFilter(args.tag);
    if (args.tag !== undefined && matches === null) {
      throw new UsageError(`"${args.tag}": a tag has up to four characters, or is 0x and its number`);
    }
    const limit = parseCount(args.limit, '--limit', DEFAULT_ROWS);
    await readDump(args, host, async (opened) => {
      const { pool, warnings, wide } = blocksOf(opened);
      if (matches !== null) {
        // The first step is the table.
        const [blocks = []] = findBlocks(pool, { matches, paged: null }).steps;
        const shown = blocks.slice(0, limit);
        const more = blocks.length - shown.length;
        if (args.json === true) {
          await output.json(
            renderPart(
              partOf(
                opened,
                { bigpool: pool.bigPages === null ? null : { count: blocks.length, blocks: shown.map(blockRecord) } },
                warnings,
              ),
            ),
          );
        } else
          await output.text(
            pool.bigPages === null
              ? NO_BIG_TABLE
              : blocks.length === 0
                ? `No big allocation has the tag ${printable(args.tag ?? '')}.\n`
                : `${shown.map((block) => poolfindRow(block, wide)).join('')}${more > 0 ? `and ${more} more: with --limit\n` : ''}`,
          );
        return;
      }
      const rows = bigTags(pool);
      const bigpool = pool.bigPages === null ? null : { tags: rows };
      if (args.json === true) await output.json(renderPart(partOf(opened, { bigpool }, warnings)));
      else await output.text(renderBigPool(rows, pool.walk().coverage, limit));
    });
    return EXIT.done;
  },
});
