/** `dumpleak block`: what stands in the block that holds an address, in the look of `dps`. */

import { block } from '../../../views/pool/block.js';
import { parseAddress, parseCount } from '../../options/addresses.js';
import { defineCommand } from '../../command.js';
import { ADDRESS, DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { showDump } from '../../show-view.js';

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: {
    bytes: { type: 'number', requiresArg: true, describe: 'Bytes to show at most (512)', group: GROUP.what },
    json: jsonOption('Write the words as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['block MEMORY.DMP ffffda0ff9791010', 'its words, with the modules that they point into'],
    ['block MEMORY.DMP ffffda0ff9791010 --bytes 4096 --json', 'a whole page of it as records'],
  ],
  run: async (args, output, host) => {
    const asked = { address: parseAddress(args.address, 'address'), bytes: parseCount(args.bytes, '--bytes') };
    return showDump(block, asked, args, { output, host });
  },
});
