/** `dumpleak poolused`: what each pool tag holds, in the look and the words of `!poolused`. */

import { poolUsed } from '../../../views/poolused.js';
import { defineCommand } from '../../command.js';
import { UsageError } from '../../errors.js';
import { DUMP, GROUP, jsonOption, POOLTAG, READING, TOP } from '../../options/options.js';
import { showDump, wanted } from '../../show-view.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { readTagLists } from '../../options/tag-lists.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    words: {
      describe:
        '[/tN] [flags] [tag]. N rows at most. Flags: 1 all counters, 2 by nonpaged bytes, 4 by paged bytes, 8 session pool; add them up. Tag with * and ?',
      kind: 'list',
    },
  },
  options: {
    pooltag: POOLTAG,
    top: { ...TOP, alias: 't', describe: 'Rows to list, as /tN' },
    owners: {
      type: 'boolean',
      describe: 'Also say which driver allocates under the 50 largest tags, on what ground and how sure',
      group: GROUP.what,
    },
    json: jsonOption('Write all rows as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['poolused MEMORY.DMP /t5 2', 'the five largest in nonpaged pool'],
    ['poolused MEMORY.DMP 4', 'all, by what they hold in paged pool'],
    ['poolused MEMORY.DMP 0 "Mm*"', 'tags that begin with Mm'],
    ['poolused MEMORY.DMP /t20 2 --owners', 'whose the largest are'],
    ['poolused MEMORY.DMP --json', 'all rows for programs'],
  ],
  run: async (args, output, host) => {
    const asked = wanted(poolUsed.words(args.words));
    if (args.json === true && (args.words.length > 0 || args.top !== undefined)) {
      throw new UsageError('--json writes all rows: it takes no flags, no number of rows and no tag');
    }
    const lists = readTagLists(args.pooltag, host.env);
    const all = { ...asked, top: args.top ?? asked.top, owners: args.owners };
    return showDump(poolUsed, all, args, { output, host, lists });
  },
});
