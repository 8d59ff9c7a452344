/** `dumpleak verifier`: what Driver Verifier tracked, in the looks of `!verifier 3` and `!verifier 0x80`. */

import { verifier } from '../../../views/pool/verifier.js';
import { parseAddress, parseCount } from '../../options/addresses.js';
import { defineCommand } from '../../command.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { showDump } from '../../show-view.js';

export const command = defineCommand({
  positionals: { dump: DUMP, driver: { describe: 'Only this driver: acme.sys', kind: 'optional' } },
  options: {
    log: { type: 'boolean', describe: 'The log of the latest allocations and frees instead (0x80)', group: GROUP.what },
    address: {
      type: 'string',
      requiresArg: true,
      describe: 'Of the log only what is about the block at this address',
      group: GROUP.what,
    },
    limit: {
      type: 'number',
      requiresArg: true,
      describe: 'Allocations of a driver, or log entries, at most (100)',
      group: GROUP.what,
    },
    json: jsonOption('Write it as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['verifier MEMORY.DMP', 'each verified driver, and what it had not freed'],
    ['verifier MEMORY.DMP acme.sys --limit 1000', 'of one driver'],
    ['verifier MEMORY.DMP --log --address ffffda0ff9791010', 'the stacks that allocated and freed a block'],
  ],
  run: async (args, output, host) => {
    const about = args.address === undefined ? null : parseAddress(args.address, '--address');
    const log = args.log === true || about !== null ? { about } : undefined;
    const asked = { driver: args.driver, log, limit: parseCount(args.limit, '--limit') };
    return showDump(verifier, asked, args, { output, host });
  },
});
