/** `dumpleak pooltag`: what the lists of tags say of one, without a dump. */

import { poolTag } from '../../../views/pooltag.js';
import { defineCommand } from '../../command.js';
import { jsonOption, POOLTAG } from '../../options/options.js';
import { wanted, write } from '../../show-view.js';
import { readTagLists } from '../../options/tag-lists.js';

export const command = defineCommand({
  positionals: {
    tag: {
      describe: 'Up to four characters, with ? for any one and a last * for any run, or 0x and its number',
      kind: 'required',
    },
  },
  options: { pooltag: POOLTAG, json: jsonOption('Write it as JSON') },
  examples: [
    ['pooltag Leak', 'who is documented to use it'],
    ['pooltag "Nt*" --pooltag localtag.txt --pooltag pooltag.txt', 'a group, by two lists; the first comes first'],
    ['pooltag 0xe56c6946', 'by its number, also with the protected bit'],
  ],
  run: async (args, output, host) => {
    const lists = readTagLists(args.pooltag, host.env);
    const tag = wanted(poolTag.words([args.tag]));
    return write(poolTag, tag, await poolTag.read({ lists }, tag), args.json === true, output);
  },
});
