/** `dumpleak objects`: how many objects and handles of each type there are, or the objects of one type by name. */

import { objectsCsv } from '../../../report/objects-csv.js';
import { objects } from '../../../views/objects/objects.js';
import { defineCommand } from '../../command.js';
import { OBJECT_OPTIONS, showObjects } from '../../options/object-options.js';
import { DUMP, GROUP } from '../../options/options.js';

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
  run: async (args, output, host) =>
    showObjects(objects, { type: args.type }, args, {
      ...{ output, host },
      csv: (found) => objectsCsv(found.objectTypes, found.objects),
    }),
});
