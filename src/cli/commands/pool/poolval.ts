/** `dumpleak poolval`: whether the blocks of a pool page hold together, in the look of `!poolval`. */

import { blocksAt } from '../../../analysis/pool-find.js';
import { renderPart } from '../../../views/print/part-json.js';
import { blockRecord, coverageRecord } from '../../../views/pool/records.js';
import { renderPoolval } from '../../../views/pool/blocks-text.js';
import { parseAddress } from '../../options/addresses.js';
import { blocksOf, partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { EXIT } from '../../exit-codes.js';
import { ADDRESS, DUMP, jsonOption, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: { json: jsonOption('Write the blocks of the page as JSON'), ...SYMBOLS, ...READING },
  examples: [
    ['poolval MEMORY.DMP fffffa8003b6f670', 'whether each block of the page says the size of the one before'],
    ['poolval MEMORY.DMP fffffa8003b6f670 --json', 'the blocks of the page as records'],
  ],
  run: async (args, output, host) => {
    const address = parseAddress(args.address, 'address');
    await readDump(args, host, async (opened) => {
      const { pool, warnings, wide } = blocksOf(opened);
      const page = blocksAt(pool, address);
      if (args.json === true) {
        const poolval = { blocks: page.blocks.map(blockRecord), coverage: coverageRecord(page.coverage) };
        await output.json(renderPart(partOf(opened, { poolval }, warnings)));
      } else await output.text(renderPoolval(address, page, wide));
    });
    return EXIT.done;
  },
});
