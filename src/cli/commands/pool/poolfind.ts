/** `dumpleak poolfind`: every block of a tag, in the look of `!poolfind`; rows come as they are found. */

import { tagFilter } from '../../../result/tag.js';
import { poolFind } from '../../../views/pool/poolfind.js';
import { noTag } from '../../../views/words.js';
import { parseCount } from '../../options/addresses.js';
import { UsageError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { defineCommand } from '../../command.js';
import { DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { SYMBOLS } from '../../options/symbol-options.js';
import { showRows } from '../../show-view.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: {
      describe: 'Up to four characters, ? for any one, a last * for any rest; or 0x and its number',
      kind: 'required',
    },
  },
  options: {
    pool: {
      choices: ['nonpaged', 'paged'],
      requiresArg: true,
      describe: 'Only blocks of this pool; of both without it',
      group: GROUP.what,
    },
    limit: { type: 'number', requiresArg: true, describe: 'End after so many rows', group: GROUP.what },
    json: jsonOption('Write the blocks as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['poolfind MEMORY.DMP Leak', 'every block of the tag; Ctrl+C ends it and keeps what was found'],
    ['poolfind MEMORY.DMP "Nt*" --pool paged --limit 100', 'the first hundred of a group'],
    ['poolfind MEMORY.DMP 0x6b61654c --json', 'as records'],
  ],
  run: async (args, output, host) => {
    const { tag, pool } = args;
    if (tagFilter(tag) === null) throw new UsageError(noTag(tag));
    const asked = { tag, pool, limit: parseCount(args.limit, '--limit') };
    const { ending } = await showRows(poolFind, asked, args, { output, host });
    return ending === 'interrupted' ? EXIT.interrupted : EXIT.done;
  },
});
