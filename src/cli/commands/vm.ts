/** `dumpleak vm`: the memory totals in the look of `!vm 1`. */

import { vm } from '../../views/vm.js';
import { defineCommand } from '../command.js';
import { DUMP, GROUP, jsonOption } from '../options.js';
import { showDump } from '../show-view.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    layout: {
      choices: ['old', 'new'],
      requiresArg: true,
      describe: 'As up to Windows 7, or as since Windows 8; without it as the dump is',
      group: GROUP.output,
    },
    json: jsonOption('Write them as JSON, in pages and each with its source'),
    ...SYMBOLS,
  },
  examples: [
    ['vm MEMORY.DMP', 'as WinDbg prints it for that Windows'],
    ['vm MEMORY.DMP --layout old', 'in the layout that older articles show'],
    ['vm MEMORY.DMP --json', 'for programs'],
  ],
  run: (args, output, host) => showDump(vm, { layout: args.layout, notes: true }, args, { output, host }),
});
