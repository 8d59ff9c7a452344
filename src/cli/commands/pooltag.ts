/** `dumpleak pooltag`: what the lists of tags say of one, without a dump. */

import { lookUpTag } from '../../leak/tag-lookup.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderTagLookup } from '../../views/pooltag.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { jsonOption, POOLTAG } from '../options.js';
import { readTagLists } from '../tag-lists.js';

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
    const found = lookUpTag(args.tag, lists.descriptions.files);
    if (found === null) {
      throw new UsageError(`"${args.tag}": a tag has up to four characters, or is 0x and its number`);
    }
    if (args.json === true) await output.json(renderPart({ ...found, warnings: lists.warnings }));
    else await output.text(renderTagLookup(found, lists.warnings, output.style));
    return EXIT.done;
  },
});
