/** `dumpleak search`: where a tag or any bytes stand in the drivers, in the look of `s -a`. */

import { searchModules } from '../../analysis/search.js';
import { typedTag } from '../../result/tag.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderSearch, searchPart } from '../../views/search.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, GROUP, jsonOption } from '../options.js';
import { readDump } from '../read-dump.js';
import { SYMBOLS } from '../symbol-options.js';

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
  },
  examples: [
    ['search MEMORY.DMP Leak', 'every place where a driver holds the tag'],
    ['search MEMORY.DMP 0x6b61654c', 'the same tag by its number'],
    ['search MEMORY.DMP --hex 4c65616b3bc1', 'any bytes'],
  ],
  run: async (args, output, host) => {
    const { wanted, pattern } = parseWanted(args.tag, args.hex);
    const found = await readDump(args, host, (opened, progress) => searchModules(opened, wanted, progress));
    if (args.json === true) await output.json(renderPart(searchPart(found, pattern)));
    else await output.text(renderSearch({ ...found, pattern }));
    return EXIT.done;
  },
});

type Wanted = Parameters<typeof searchModules>[1];

/** What to look for, and how to call it. */
function parseWanted(tag: string | undefined, hex: string | undefined): { wanted: Wanted; pattern: string } {
  if ((tag === undefined) === (hex === undefined)) {
    throw new UsageError('give a tag, or bytes with --hex');
  }
  if (hex !== undefined) {
    const bytes = parseBytes(hex);
    return { wanted: { bytes }, pattern: bytes.toString('hex').replace(/..(?=.)/g, '$& ') };
  }
  const key = typedTag(tag ?? '');
  if (key === null) {
    throw new UsageError(`"${tag ?? ''}": a tag has up to four characters, or is 0x and its number`);
  }
  return { wanted: { tag: key }, pattern: `"${tag ?? ''}"` };
}

/** Bytes in hexadecimal, with blanks, commas, hyphens and `0x` between them or without. */
function parseBytes(text: string): Buffer {
  const digits = text.replace(/0x|[\s,-]/gi, '');
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) {
    throw new UsageError(`--hex ${text}: two hexadecimal digits a byte, as in 4c65616b`);
  }
  return Buffer.from(digits, 'hex');
}
