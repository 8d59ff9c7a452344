/** `dumpleak holders`: who holds the objects under a pool tag. */

import { holdersCsv } from '../../../report/objects-csv.js';
import { holders } from '../../../views/objects/holders.js';
import { defineCommand } from '../../command.js';
import { OBJECT_OPTIONS, showObjects } from '../../options/object-options.js';
import { DUMP } from '../../options/options.js';
import { wanted } from '../../show-view.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: { describe: "An object type's tag: Proc, Toke, File, or 0x and its number", kind: 'required' },
  },
  options: OBJECT_OPTIONS,
  examples: [
    ['holders MEMORY.DMP Proc', 'who holds process objects, and which ended ones are still there'],
    ['holders MEMORY.DMP File --csv -o holders.csv', 'for a spreadsheet'],
  ],
  run: async (args, output, host) => {
    const asked = wanted(holders.words([args.tag]));
    return showObjects(holders, asked, args, { output, host, csv: (found) => holdersCsv(found.holdersOf) });
  },
});
