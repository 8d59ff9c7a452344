/** `dumpleak kd`: the debugger's own commands, at a prompt, from a script or from a pipe. */

import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { DUMP, GROUP, POOLTAG, READING } from '../options/options.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const command = defineCommand({
  positionals: { dump: DUMP },
  options: {
    command: {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: 'Commands to run, parted by ;',
      group: GROUP.what,
    },
    'command-file': {
      type: 'string',
      requiresArg: true,
      describe: 'A file of commands to run; -cf is the same',
      group: GROUP.what,
    },
    pooltag: POOLTAG,
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['kd MEMORY.DMP', 'a prompt; .help lists its commands, q leaves it'],
    ['kd MEMORY.DMP -c "lm; vertarget; q"', 'runs commands and ends; those with ! in single quotes on Linux and macOS'],
    ['kd MEMORY.DMP --command-file RUNBOOK.TXT', 'runs the commands of a file, as -cf of the debugger'],
  ],
  run: async (args, output, host) => {
    if (args.command !== undefined && args['command-file'] !== undefined) {
      throw new UsageError('-c and -cf exclude each other');
    }
    const { runKd } = await import('../kd/run-kd.js');
    return runKd(args, output, host);
  },
});
