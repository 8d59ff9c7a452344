/** `dumpleak processes`: what runs and what has ended and is still there, or all in the look of `!process 0 0`. */

import { listProcesses } from '../../analysis/objects/inventory.js';
import { processesCsv } from '../../report/objects-csv.js';
import { renderProcessBlocks, renderProcesses } from '../../report/text/objects.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { checkForms, OBJECT_OPTIONS, writePart } from '../object-options.js';
import { DUMP, GROUP } from '../options.js';
import { readDump } from '../read-dump.js';

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
  run: async (args, output, host) => {
    checkForms(args);
    const found = await readDump(args, host, (opened, progress) => listProcesses(opened, progress));
    await writePart(args, output, found, {
      text: (part) => (args.windbg === true ? renderProcessBlocks(part) : renderProcesses(part, output.style)),
      csv: ({ processes }) => processesCsv(processes),
      json: ({ schemaVersion, dump, system, processes, endedProcesses, warnings }) => ({
        ...{ schemaVersion, dump, system, processes, endedProcesses, warnings },
      }),
    });
    return EXIT.done;
  },
});
