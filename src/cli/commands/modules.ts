/** `dumpleak modules`: the drivers, or the one that holds an address, in the look of `lm`. */

import { analyze } from '../../analysis/analyze.js';
import { parseHex } from '../../views/print/format.js';
import { renderPart } from '../../views/print/part-json.js';
import { renderModules } from '../../views/modules.js';
import type { Hex } from '../../result/result.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { DUMP, GROUP, jsonOption } from '../options.js';
import { readDump } from '../read-dump.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    at: {
      type: 'string',
      requiresArg: true,
      describe: 'Only what holds this address: fffff880044b63aa, with 0x, or with a backquote in quotes',
      group: GROUP.what,
    },
    json: jsonOption('Write them as JSON'),
    ...SYMBOLS,
  },
  examples: [
    ['modules MEMORY.DMP', 'all drivers by address, and those unloaded'],
    ['modules MEMORY.DMP --at fffff880044b63aa', 'the driver at an address'],
    ['modules MEMORY.DMP --json', 'with versions, PDBs and pages present'],
  ],
  run: async (args, output, host) => {
    const at = args.at === undefined ? undefined : parseAddress(args.at);
    const result = await readDump(args, host, (opened, progress) => analyze(opened, { parts: ['modules'], progress }));
    if (args.json !== true) {
      await output.text(renderModules(result, { at }));
      return EXIT.done;
    }
    const { schemaVersion, dump, system, warnings } = result;
    const modules = result.modules?.filter(({ base, end }) => holds(base, end, at)) ?? null;
    const unloadedModules = result.unloadedModules?.filter(({ start, end }) => holds(start, end, at)) ?? null;
    await output.json(renderPart({ schemaVersion, dump, system, modules, unloadedModules, warnings }));
    return EXIT.done;
  },
});

/** An address as people write it: `fffff880'044b63aa` with a backquote, with `0x`, or plain hexadecimal. */
function parseAddress(text: string): bigint {
  const digits = text.replace('`', '').replace(/^0x/i, '');
  if (!/^[0-9a-f]{1,16}$/i.test(digits)) {
    throw new UsageError(`--at ${text} is no address: up to 16 hexadecimal digits, as in fffff880044b63aa`);
  }
  return BigInt(`0x${digits}`);
}

function holds(start: Hex | null, end: Hex | null, at: bigint | undefined): boolean {
  if (at === undefined) return true;
  const [first, last] = [parseHex(start), parseHex(end)];
  return first !== null && last !== null && first <= at && at < last;
}
