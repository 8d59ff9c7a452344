/** `dumpleak objects`: how many objects and handles of each type there are, or the objects of one type by name. */

import { listObjects } from '../../analysis/objects/inventory.js';
import { objectsCsv } from '../../report/objects-csv.js';
import { renderObjects } from '../../report/text/objects.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { checkForms, OBJECT_OPTIONS, writePart } from '../object-options.js';
import { DUMP, GROUP } from '../options.js';
import { readDump } from '../read-dump.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    type: {
      type: 'string',
      requiresArg: true,
      describe: 'The objects of this type to which handles lead, by name',
      group: GROUP.what,
    },
    ...OBJECT_OPTIONS,
  },
  examples: [
    ['objects MEMORY.DMP', 'every type with its tag, objects, handles and the most since boot'],
    ['objects MEMORY.DMP --type File', 'which files are open, and how often'],
    ['objects MEMORY.DMP --json', 'for programs'],
  ],
  run: async (args, output, host) => {
    checkForms(args);
    const { type } = args;
    const found = await readDump(args, host, (opened, progress) => listObjects(opened, type, progress));
    await writePart(args, output, found, {
      text: (part) => renderObjects(part, type, output.style),
      csv: ({ objectTypes, objects }) => objectsCsv(objectTypes, objects),
      json: ({ schemaVersion, dump, system, objectTypes, objects, warnings }) => ({
        ...{ schemaVersion, dump, system, objectTypes, objects, warnings },
      }),
    });
    return EXIT.done;
  },
});
