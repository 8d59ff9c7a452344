/** `dumpleak info`: what a dump is, and what can be asked of it. */

import { inspect, type Inspection } from '../../analysis/inspect.js';
import { renderPart } from '../../views/print/part-json.js';
import type { Redactor } from '../../redact/redactor.js';
import { renderInfo } from '../../views/info.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, jsonOption } from '../options.js';
import { readDump } from '../read-dump.js';
import { namedFiles, REDACT, redactorFor } from '../redact-options.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: { json: jsonOption('Write it as JSON'), ...REDACT, ...SYMBOLS },
  examples: [
    ['info MEMORY.DMP', 'kind of dump, system, bug check'],
    ['info MEMORY.DMP --json', 'the same for programs'],
  ],
  run: async (args, output, host) => {
    const redactor = await redactorFor(args);
    const read = await readDump(args, host, inspect);
    const found = redactor === null ? read : await redacted(read, redactor, namedFiles(args.symbols, args.profiles));
    if (args.json === true) await output.json(renderPart(found));
    else await output.text(renderInfo(found, output.style));
    return EXIT.done;
  },
});

async function redacted(read: Inspection, redactor: Redactor, files: string[]): Promise<Inspection> {
  return (await import('../../redact/result.js')).redactPart(read, redactor, files);
}
