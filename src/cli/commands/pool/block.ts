/** `dumpleak block`: what stands in the block that holds an address, in the look of `dps`. */

import { blocksAt, blockWords } from '../../../analysis/pool-find.js';
import { renderPart } from '../../../views/print/part-json.js';
import { blockRecord, wordRecord } from '../../../views/pool/records.js';
import { coverageText, renderBlock } from '../../../views/pool/blocks-text.js';
import { parseAddress, parseCount } from '../../options/addresses.js';
import { blocksOf, partOf } from '../../blocks.js';
import { defineCommand } from '../../command.js';
import { EXIT } from '../../exit-codes.js';
import { ADDRESS, DUMP, GROUP, jsonOption, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { SYMBOLS } from '../../options/symbol-options.js';

const DEFAULT_BYTES = 0x200;

export const command = defineCommand({
  positionals: { dump: DUMP, address: ADDRESS },
  options: {
    bytes: { type: 'number', requiresArg: true, describe: 'Bytes to show at most (512)', group: GROUP.what },
    json: jsonOption('Write the words as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['block MEMORY.DMP ffffda0ff9791010', 'its words, with the modules that they point into'],
    ['block MEMORY.DMP ffffda0ff9791010 --bytes 4096 --json', 'a whole page of it as records'],
  ],
  run: async (args, output, host) => {
    const address = parseAddress(args.address, 'address');
    const most = parseCount(args.bytes, '--bytes', DEFAULT_BYTES);
    await readDump(args, host, async (opened) => {
      const { pool, warnings, wide } = blocksOf(opened);
      const { own, coverage } = blocksAt(pool, address);
      const words = own === null ? [] : blockWords(opened.kernel, pool, own, most);
      if (args.json === true) {
        const block = own === null ? null : { ...blockRecord(own), words: words.map(wordRecord) };
        await output.json(renderPart(partOf(opened, { block }, warnings)));
      } else
        await output.text(
          own === null ? `No block holds this address.\n${coverageText(coverage)}` : renderBlock(own, words, wide),
        );
    });
    return EXIT.done;
  },
});
