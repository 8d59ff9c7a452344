/** `dumpleak bigpool`: the table of big allocations, by tag or, of one tag, row by row. */

import { bigPool } from '../../../views/pool/bigpool.js';
import { parseCount } from '../../options/addresses.js';
import { defineCommand } from '../../command.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { showDump, wanted } from '../../show-view.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: { describe: 'List the allocations of this tag: as in poolfind', kind: 'optional' },
  },
  options: {
    limit: { type: 'number', requiresArg: true, describe: 'Rows at most (50)', group: GROUP.what },
    json: jsonOption('Write the rows as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['bigpool MEMORY.DMP', 'who has allocations of a page and more'],
    ['bigpool MEMORY.DMP Leak --limit 1000', 'each of one tag'],
  ],
  run: async (args, output, host) => {
    const asked = wanted(bigPool.words(args.tag === undefined ? [] : [args.tag]));
    return showDump(bigPool, { ...asked, limit: parseCount(args.limit, '--limit') }, args, { output, host });
  },
});
