/** `dumpleak poolval`: whether the blocks of a pool page hold together, in the look of `!poolval`. */

import { poolVal } from '../../../views/pool/poolval.js';
import { parseAddress } from '../../options/addresses.js';
import { defineCommand } from '../../command.js';
import { ADDRESS, DUMP, jsonOption, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { showDump } from '../../show-view.js';

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: { json: jsonOption('Write the blocks of the page as JSON'), ...SYMBOLS, ...READING },
  examples: [
    ['poolval MEMORY.DMP fffffa8003b6f670', 'whether each block of the page says the size of the one before'],
    ['poolval MEMORY.DMP fffffa8003b6f670 --json', 'the blocks of the page as records'],
  ],
  run: async (args, output, host) =>
    showDump(poolVal, { address: parseAddress(args.address, 'address') }, args, { output, host }),
});
