/** `dumpleak search`: where a tag or any bytes stand in the drivers, in the look of `s -a`. */

import { search, wantedBytes, wantedTag, type SearchWanted } from '../../views/search.js';
import { isWrong } from '../../views/view.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { DUMP, GROUP, jsonOption, READING } from '../options/options.js';
import { showDump, wanted } from '../show-view.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const command = defineCommand({
  positionals: {
    dump: DUMP,
    tag: {
      describe: 'Up to four characters, or 0x and its number; found with the protected bit too',
      kind: 'optional',
    },
  },
  options: {
    hex: {
      type: 'string',
      requiresArg: true,
      describe: 'Bytes to look for instead, as 4c65616b or in quotes with blanks',
      group: GROUP.what,
    },
    json: jsonOption('Write the hits as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['search MEMORY.DMP Leak', 'every place where a driver holds the tag'],
    ['search MEMORY.DMP 0x6b61654c', 'the same tag by its number'],
    ['search MEMORY.DMP --hex 4c65616b3bc1', 'any bytes'],
  ],
  run: async (args, output, host) => showDump(search, askedFor(args.tag, args.hex), args, { output, host }),
});

/** What to look for. Throws UsageError. */
function askedFor(tag: string | undefined, hex: string | undefined): SearchWanted {
  if (tag !== undefined && hex === undefined) return wanted(wantedTag(tag));
  if (tag !== undefined || hex === undefined) throw new UsageError('give a tag, or bytes with --hex');
  const bytes = wantedBytes(hex);
  if (isWrong(bytes)) throw new UsageError(`--hex ${bytes.error}`);
  return bytes;
}
