/** `dumpleak modules`: the drivers, or the one that holds an address, in the look of `lm`. */

import { modules } from '../../views/modules.js';
import { isWrong } from '../../views/view.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { DUMP, GROUP, jsonOption } from '../options.js';
import { showDump } from '../show-view.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    at: {
      type: 'string',
      requiresArg: true,
      describe: 'Only what holds this address: fffff880044b63aa, with 0x, or with a backquote in quotes',
      group: GROUP.what,
    },
    json: jsonOption('Write them as JSON'),
    ...SYMBOLS,
  },
  examples: [
    ['modules MEMORY.DMP', 'all drivers by address, and those unloaded'],
    ['modules MEMORY.DMP --at fffff880044b63aa', 'the driver at an address'],
    ['modules MEMORY.DMP --json', 'with versions, PDBs and pages present'],
  ],
  run: async (args, output, host) => {
    const asked = modules.words(args.at === undefined ? [] : ['a', args.at]);
    if (isWrong(asked)) throw new UsageError(`--at ${asked.error}`);
    return showDump(modules, asked, args, { output, host });
  },
});
