/** `dumpleak modules`: the drivers, or the one that holds an address, in the look of `lm`. */

import { modules } from '../../views/modules.js';
import { isWrong } from '../../views/view.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { DUMP, GROUP, jsonOption, READING } from '../options/options.js';
import { showDump } from '../show-view.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    name: { describe: 'Only those called so, as myfault or "ntk*"', kind: 'optional' },
  },
  options: {
    at: {
      type: 'string',
      requiresArg: true,
      describe:
        "Only what holds this address: fffff880044b63aa, with 0x, or as printed in single quotes: 'fffff880`044b63aa'",
      group: GROUP.what,
    },
    json: jsonOption('Write them as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['modules MEMORY.DMP', 'all drivers by address, with versions, and those unloaded'],
    ['modules MEMORY.DMP myfault', 'what is known of one'],
    ['modules MEMORY.DMP --at fffff880044b63aa', 'the driver at an address'],
    ['modules MEMORY.DMP --json', 'with versions, PDBs and pages present'],
  ],
  run: async (args, output, host) => {
    const { at, name } = args;
    const asked = modules.words(at === undefined ? [] : ['a', at]);
    if (isWrong(asked)) throw new UsageError(`--at ${asked.error}`);
    return showDump(modules, { ...asked, name, versions: true }, args, { output, host });
  },
});
