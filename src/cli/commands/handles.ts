/** `dumpleak handles`: handles by process and type, or one by one in the look of `!handle`. */

import { listHandles } from '../../analysis/objects/inventory.js';
import { handlesCsv } from '../../report/objects-csv.js';
import { renderHandleList, renderHandles } from '../../report/text/objects.js';
import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { checkForms, OBJECT_OPTIONS, writePart } from '../object-options.js';
import { DUMP, GROUP } from '../options.js';
import { readDump } from '../read-dump.js';

/** Handles that are listed without --top. */
const MOST_ROWS = 10_000;

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    pid: { type: 'string', requiresArg: true, describe: 'Of this process: 4324 or 0x10e4', group: GROUP.what },
    image: {
      type: 'string',
      requiresArg: true,
      describe: 'Of processes of this program: watchman.exe',
      group: GROUP.what,
    },
    type: { type: 'string', requiresArg: true, describe: 'To objects of this type: Event', group: GROUP.what },
    target: {
      type: 'string',
      requiresArg: true,
      describe: 'To what has this text in its name: a path, a program, a key',
      group: GROUP.what,
    },
    list: {
      type: 'boolean',
      describe: `One by one, as !handle does, the first ${MOST_ROWS}`,
      group: GROUP.output,
    },
    ...OBJECT_OPTIONS,
  },
  examples: [
    ['handles MEMORY.DMP', 'how many each process has, by type'],
    ['handles MEMORY.DMP --pid 4324 --type Process', "one process's handles to processes, and to which"],
    ['handles MEMORY.DMP --image svc.exe --list', 'one by one, as !handle prints them'],
    ['handles MEMORY.DMP --target cmd.exe', 'who holds what is called so'],
  ],
  run: async (args, output, host) => {
    checkForms(args);
    const { image, type, target } = args;
    const list = args.list === true ? MOST_ROWS : 0;
    const question = { pid: args.pid === undefined ? undefined : parsePid(args.pid), image, type, target, list };
    const found = await readDump(args, host, (opened, progress) => listHandles(opened, question, progress));
    await writePart(args, output, found, {
      text: (part) => (list > 0 ? renderHandleList(part) : renderHandles(part, output.style)),
      csv: ({ handles }) => handlesCsv(handles),
      json: ({ schemaVersion, dump, system, handles, warnings }) => ({
        ...{ schemaVersion, dump, system, handles, warnings },
      }),
    });
    return EXIT.done;
  },
});

/** A process id: decimal, or hexadecimal with `0x` as the debugger shows it. */
function parsePid(text: string): number {
  const pid = /^(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(pid)) throw new UsageError(`--pid ${text} is no process id: 4324, or 0x10e4`);
  return pid;
}
