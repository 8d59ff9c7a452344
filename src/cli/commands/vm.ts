/** `dumpleak vm`: the memory totals in the look of `!vm 1`. */

import { analyze } from '../../analysis/analyze.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderVm } from '../../views/vm.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, GROUP, jsonOption } from '../options.js';
import { readDump } from '../read-dump.js';
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
  run: async (args, output, host) => {
    const result = await readDump(args, host, (opened, progress) => analyze(opened, { parts: ['memory'], progress }));
    const { schemaVersion, dump, system, memory, warnings } = result;
    if (args.json === true) await output.json(renderPart({ schemaVersion, dump, system, memory, warnings }));
    else await output.text(renderVm(result, { layout: args.layout, notes: true }));
    return EXIT.done;
  },
});
