/** `dumpleak info`: what a dump is, and what can be asked of it. */

import { inspect } from '../../leak/inspect.js';
import { renderPart } from '../../report/part-json.js';
import { renderInfo } from '../../report/text/info.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, jsonOption } from '../options.js';
import { readDump } from '../read-dump.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: { json: jsonOption('Write it as JSON'), ...SYMBOLS },
  examples: [
    ['info MEMORY.DMP', 'kind of dump, system, bug check'],
    ['info MEMORY.DMP --json', 'the same for programs'],
  ],
  run: async (args, output, host) => {
    const found = await readDump(args, host, inspect);
    if (args.json === true) await output.json(renderPart(found));
    else await output.text(renderInfo(found, output.style));
    return EXIT.done;
  },
});
