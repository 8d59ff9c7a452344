/** `dumpleak poolfind`: every block of a tag, in the look of `!poolfind`; rows come as they are found. */

import { tagRow } from '../../../analysis/tag-row.js';
import { findBlocks, tagFilter, type FoundBlock } from '../../../analysis/pool-find.js';
import { renderPart } from '../../../views/print/part-json.js';
import { blockRecord, coverageRecord } from '../../../views/pool/records.js';
import { poolfindEnd, poolfindRow, tagWord } from '../../../views/pool/blocks-text.js';
import { parseCount } from '../../options/addresses.js';
import { blocksOf, partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { UsageError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { onEndingSignals } from '../../interrupt.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';

/** Rows that `--json` keeps in memory at most. */
const MOST_JSON = 1_000_000;

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: {
      describe: 'Up to four characters, ? for any one, a last * for any rest; or 0x and its number',
      kind: 'required',
    },
  },
  options: {
    pool: {
      choices: ['nonpaged', 'paged'],
      requiresArg: true,
      describe: 'Only blocks of this pool; of both without it',
      group: GROUP.what,
    },
    limit: { type: 'number', requiresArg: true, describe: 'End after so many rows', group: GROUP.what },
    json: jsonOption('Write the blocks as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['poolfind MEMORY.DMP Leak', 'every block of the tag; Ctrl+C ends it and keeps what was found'],
    ['poolfind MEMORY.DMP "Nt*" --pool paged --limit 100', 'the first hundred of a group'],
    ['poolfind MEMORY.DMP 0x6b61654c --json', 'as records'],
  ],
  run: async (args, output, host) => {
    const matches = tagFilter(args.tag);
    if (matches === null)
      throw new UsageError(`"${args.tag}": a tag has up to four characters, or is 0x and its number`);
    const limit = parseCount(args.limit, '--limit', args.json === true ? MOST_JSON : Infinity);
    let stopped = false;
    const release = onEndingSignals(() => () => {
      stopped = true;
    });
    try {
      return await readDump(args, host, async (opened, progress) => {
        const { pool, warnings, wide } = blocksOf(opened);
        const paged = args.pool === undefined ? null : args.pool === 'paged';
        const kept: FoundBlock[] = [];
        const sum = { rows: 0, bytes: 0 };
        if (args.json !== true)
          await output.part(`Scanning large pool allocation table for tag ${tagWord(args.tag)}\n\n`);
        const search = findBlocks(pool, { matches, paged });
        let ending: 'whole' | 'limit' | 'interrupted' = 'whole';
        let part = 0;
        for (const blocks of search.steps) {
          let text = '';
          for (const block of blocks) {
            if (sum.rows >= limit) {
              ending = 'limit';
              break;
            }
            sum.rows++;
            sum.bytes += block.size;
            if (args.json === true) kept.push(block);
            else text += poolfindRow(block, wide);
          }
          if (part === 0)
            text += `\nSearching ${args.pool ?? 'nonpaged and paged'} pool for tag ${tagWord(args.tag)}\n\n`;
          if (args.json !== true && text !== '') await output.part(text);
          progress('searching pool', part++, search.parts);
          // Lets a Ctrl+C be heard.
          await new Promise(setImmediate);
          if (stopped) ending = 'interrupted';
          if (ending !== 'whole') break;
        }
        const coverage = search.coverage();
        const expected = tagRow(opened, matches, paged);
        if (args.json === true) {
          const poolfind = {
            tag: args.tag,
            ...sum,
            ending,
            expected,
            blocks: kept.map((block) => blockRecord(block)),
            coverage: coverageRecord(coverage),
          };
          await output.json(renderPart(partOf(opened, { poolfind }, warnings)));
        } else {
          await output.part(poolfindEnd(sum, expected, coverage, ending));
          await output.end();
        }
        return ending === 'interrupted' ? EXIT.interrupted : EXIT.done;
      });
    } finally {
      release();
    }
  },
});
