/** `dumpleak info`: what a dump is, and what can be asked of it. */

import type { Redactor } from '../../redact/redactor.js';
import type { Inspection } from '../../analysis/inspect.js';
import { info } from '../../views/info.js';
import { defineCommand } from '../command.js';
import { DUMP, jsonOption, READING } from '../options/options.js';
import { namedFiles, REDACT, redactorFor } from '../options/redact-options.js';
import { showDump } from '../show-view.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: { json: jsonOption('Write it as JSON'), ...REDACT, ...SYMBOLS, ...READING },
  examples: [
    ['info MEMORY.DMP', 'kind of dump, system, bug check'],
    ['info MEMORY.DMP --json', 'the same for programs'],
  ],
  run: async (args, output, host) => {
    const redactor = await redactorFor(args);
    return showDump(info, null, args, {
      ...{ output, host },
      change: async (found) =>
        redactor === null ? found : redacted(found, redactor, namedFiles(args.symbols, args.profiles)),
    });
  },
});

async function redacted(read: Inspection, redactor: Redactor, files: string[]): Promise<Inspection> {
  return (await import('../../redact/result.js')).redactPart(read, redactor, files);
}
