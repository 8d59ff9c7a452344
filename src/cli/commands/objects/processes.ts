/** `dumpleak processes`: what runs and what has ended and is still there, or all in the look of `!process 0 0`. */

import { processesCsv } from '../../../report/objects-csv.js';
import { processes } from '../../../views/objects/processes.js';
import { defineCommand } from '../../command.js';
import { OBJECT_OPTIONS, showObjects } from '../../options/object-options.js';
import { DUMP, GROUP } from '../../options/options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    windbg: { type: 'boolean', describe: 'In the look of !process 0 0', group: GROUP.output },
    ...OBJECT_OPTIONS,
  },
  examples: [
    ['processes MEMORY.DMP', 'by handles, with pool quota and commit; ended ones in groups'],
    ['processes MEMORY.DMP --windbg', 'as !process 0 0 prints them'],
    ['processes MEMORY.DMP --csv -o processes.csv', 'for a spreadsheet'],
  ],
  run: async (args, output, host) =>
    showObjects(processes, { windbg: args.windbg }, args, {
      output,
      host,
      csv: (found) => processesCsv(found.processes),
    }),
});
