/** `dumpleak pool`: the block that holds an address and its neighbours, in the look of `!pool`. */

import { pool } from '../../../views/pool/pool.js';
import { parseAddress } from '../../options/addresses.js';
import { defineCommand } from '../../command.js';
import { ADDRESS, DUMP, jsonOption, POOLTAG, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { readTagLists } from '../../options/tag-lists.js';
import { showDump } from '../../show-view.js';

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: { pooltag: POOLTAG, json: jsonOption('Write the blocks of the page as JSON'), ...SYMBOLS, ...READING },
  examples: [
    ['pool MEMORY.DMP ffffda0ff9791010', 'whose block it is, and what stands beside it'],
    ['pool MEMORY.DMP ffffda0ff9791010 --json', 'the same as records'],
  ],
  run: async (args, output, host) => {
    const asked = { address: parseAddress(args.address, 'address') };
    return showDump(pool, asked, args, { output, host, lists: readTagLists(args.pooltag, host.env) });
  },
});
