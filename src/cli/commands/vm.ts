/** `dumpleak vm`: the memory totals in the look of `!vm 1`. */

import { vm } from '../../views/vm.js';
import { isWrong } from '../../views/view.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { DUMP, GROUP, jsonOption, READING } from '../options/options.js';
import { showDump } from '../show-view.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    flags: { describe: '1, as in !vm 1: what this shows with and without it; 0 with the processes', kind: 'optional' },
  },
  options: {
    layout: {
      choices: ['old', 'new'],
      requiresArg: true,
      describe: 'As up to Windows 7, or as since Windows 8; without it as the dump is',
      group: GROUP.output,
    },
    json: jsonOption('Write them as JSON, in pages and each with its source'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['vm MEMORY.DMP', 'as WinDbg prints it for that Windows'],
    ['vm MEMORY.DMP --layout old', 'in the layout that older articles show'],
    ['vm MEMORY.DMP --json', 'for programs'],
  ],
  run: async (args, output, host) => {
    const asked = args.flags === undefined ? {} : vm.words([args.flags]);
    if (isWrong(asked)) throw new UsageError(asked.error);
    return showDump(vm, { layout: args.layout, notes: true }, args, { output, host });
  },
});
