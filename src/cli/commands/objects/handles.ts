/** `dumpleak handles`: handles by process and type, or one by one in the look of `!handle`. */

import { handlesCsv } from '../../../report/objects-csv.js';
import { handles, MOST_LISTED } from '../../../views/objects/handles.js';
import { defineCommand } from '../../command.js';
import { UsageError } from '../../errors.js';
import { OBJECT_OPTIONS, showObjects } from '../../options/object-options.js';
import { DUMP, GROUP } from '../../options/options.js';

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
      describe: `One by one, as !handle does, the first ${MOST_LISTED}`,
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
    const { image, type, target } = args;
    const pid = args.pid === undefined ? undefined : parsePid(args.pid);
    const asked = { pid, image, type, target, list: args.list === true ? MOST_LISTED : 0 };
    return showObjects(handles, asked, args, { output, host, csv: (found) => handlesCsv(found.handles) });
  },
});

/** A process id: decimal, or hexadecimal with `0x` as the debugger shows it. */
function parsePid(text: string): number {
  const pid = /^(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(pid)) throw new UsageError(`--pid ${text} is no process id: 4324, or 0x10e4`);
  return pid;
}
