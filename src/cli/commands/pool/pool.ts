/** `dumpleak pool`: the block that holds an address and its neighbours, in the look of `!pool`. */

import { blocksAt } from '../../../analysis/pool-find.js';
import { renderPart } from '../../../views/print/part-json.js';
import { blockRecord, coverageRecord } from '../../../views/pool/records.js';
import { renderPool } from '../../../views/pool/blocks-text.js';
import { parseAddress } from '../../options/addresses.js';
import { blocksOf, partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { EXIT } from '../../exit-codes.js';
import { ADDRESS, DUMP, jsonOption, POOLTAG, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { readTagLists } from '../../options/tag-lists.js';

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: { pooltag: POOLTAG, json: jsonOption('Write the blocks of the page as JSON'), ...SYMBOLS, ...READING },
  examples: [
    ['pool MEMORY.DMP ffffda0ff9791010', 'whose block it is, and what stands beside it'],
    ['pool MEMORY.DMP ffffda0ff9791010 --json', 'the same as records'],
  ],
  run: async (args, output, host) => {
    const address = parseAddress(args.address, 'address');
    const { descriptions } = readTagLists(args.pooltag, host.env);
    await readDump(args, host, async (opened) => {
      const { pool, warnings, wide } = blocksOf(opened);
      const page = blocksAt(pool, address);
      if (args.json === true) {
        const found = {
          own: page.own === null ? null : blockRecord(page.own),
          blocks: page.blocks.map(blockRecord),
          coverage: coverageRecord(page.coverage),
        };
        await output.json(renderPart(partOf(opened, { pool: found }, warnings)));
        return;
      }
      const describe = (tag: string) => {
        const { description, binary } = descriptions.describe(tag);
        return description === null && binary === null ? null : { description: description ?? '', binary };
      };
      await output.text(renderPool(address, page, describe, wide));
    });
    return EXIT.done;
  },
});
