/** `dumpleak store init`: the tables of a shared history and its queue, and who may do what with them. */

import { printable } from '../../../parsers/text-safety.js';
import { isHistoryError } from '../../batch/journal/history-error.js';
import { defineCommand } from '../command.js';
import { FileError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { GROUP } from '../options/options.js';
import { requireStore, STORE } from '../options/store-options.js';
import { writeTo } from '../terminal/output.js';

const role = (describe: string) => ({ type: 'string', requiresArg: true, describe, group: GROUP.what }) as const;

export const init = defineCommand({
  positionals: {},
  options: {
    ...STORE,
    worker: role('Role that adds results and keeps the tables in line (dumpleak_worker)'),
    reader: role('Role that only asks (dumpleak_reader)'),
  },
  examples: [
    ['store init --store postgres://owner@db.example.net/dumps', 'make or bring up the tables, and the roles'],
    ['store init --store-file owner.txt --reader grafana', 'with a role of your own that only asks'],
  ],
  run: async (args, output, host) => {
    const address = await requireStore(args, host.env);
    for (const note of address.notes) await writeTo(host.stderr, `dumpleak: ${printable(note)}\n`);
    try {
      const { Server } = await import('../../batch/store/server/server.js');
      const { prepareSchema } = await import('../../batch/store/server/shared-history.js');
      const { grantRoles, ROLES } = await import('../../batch/store/server/roles.js');
      const server = await Server.open(address);
      try {
        await prepareSchema(server);
        const { installQueue } = await import('../../batch/queue/install.js');
        await installQueue(server);
        const roles = { worker: args.worker ?? ROLES.worker, reader: args.reader ?? ROLES.reader };
        const made = await grantRoles(server, roles);
        const lines = [
          `${address.words} holds a shared history`,
          `Workers: members of the role ${roles.worker}`,
          `Readers: members of the role ${roles.reader}`,
          ...(made.length > 0 ? [`Made: ${made.join(', ')}, without a login: grant ${made[0] ?? ''} to USER`] : []),
        ];
        await output.text(lines.map((line) => `${printable(line)}\n`).join(''));
        return EXIT.done;
      } finally {
        await server.close();
      }
    } catch (error) {
      if (isHistoryError(error)) throw new FileError(error.message);
      throw error;
    }
  },
});
