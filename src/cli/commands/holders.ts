/** `dumpleak holders`: who holds the objects under a pool tag. */

import { listHolders } from '../../analysis/objects/inventory.js';
import { holdersCsv } from '../../report/objects-csv.js';
import { renderHolders } from '../../report/text/objects.js';
import { typedTag } from '../../result/tag.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { checkForms, OBJECT_OPTIONS, writePart } from '../object-options.js';
import { DUMP } from '../options.js';
import { readDump } from '../read-dump.js';

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
    checkForms(args);
    const key = typedTag(args.tag);
    if (key === null) throw new UsageError(`"${args.tag}": a tag has up to four characters, or is 0x and its number`);
    const found = await readDump(args, host, (opened, progress) => listHolders(opened, key, progress));
    await writePart(args, output, found, {
      text: (part) => renderHolders(part, args.tag, output.style),
      csv: ({ holdersOf }) => holdersCsv(holdersOf),
      json: ({ schemaVersion, dump, system, holdersOf, warnings }) => ({
        ...{ schemaVersion, dump, system, holdersOf, warnings },
      }),
    });
    return EXIT.done;
  },
});
