/** `dumpleak poolmon`: a dump's tag table as a poolmon log, and a script that collects such logs. */

import { analyze } from '../../../analysis/analyze.js';
import { collectScript } from '../../../report/poolmon/collect-script.js';
import { renderSnapshotLog } from '../../../report/poolmon/snapshot-log.js';
import { defineCommand } from '../../command.js';
import { UsageError } from '../../errors.js';
import { EXIT } from '../../exit-codes.js';
import { GROUP, POOLTAG, READING } from '../../options/options.js';
import { readDump } from '../../read-dump.js';
import { readTagLists } from '../../options/tag-lists.js';

export const command = defineCommand({
  positionals: {
    dump: { describe: 'The dump: MEMORY.DMP, or one in a .gz, .xz, .zst, .zip or .7z', kind: 'optional' },
  },
  options: {
    columns: {
      choices: ['narrow', 'wide'],
      requiresArg: true,
      describe: 'Columns of the log. Without it narrow for 32-bit systems, wide for 64-bit ones',
      group: GROUP.output,
    },
    mapped: { type: 'boolean', describe: 'Show who uses each tag, as poolmon /g does', group: GROUP.output },
    pooltag: POOLTAG,
    'collect-script': {
      type: 'boolean',
      describe: 'Write a .cmd that takes poolmon snapshots on a server, for dumpleak trend',
      group: GROUP.what,
    },
    ...READING,
  },
  examples: [
    ['poolmon MEMORY.DMP -o poolsnap.log', 'the tags of a dump for tools that read poolmon logs'],
    ['poolmon --collect-script -o collect-poolmon.cmd', 'to be run on the server'],
  ],
  run: async (args, output, host) => {
    const { dump } = args;
    if (args['collect-script'] === true) {
      if (dump !== undefined) throw new UsageError('--collect-script takes no dump');
      await output.text(collectScript());
      return EXIT.done;
    }
    if (dump === undefined) throw new UsageError('poolmon wants a dump, or --collect-script');
    const { descriptions } = readTagLists(args.pooltag, host.env);
    const result = await readDump({ ...args, dump }, host, (opened, progress) =>
      analyze(opened, { parts: ['memory', 'poolTags'], descriptions, progress }),
    );
    await output.text(renderSnapshotLog(result, { columns: args.columns, mapped: args.mapped }));
    return EXIT.done;
  },
});
