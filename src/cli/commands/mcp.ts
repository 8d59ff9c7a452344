/** `dumpleak mcp`: a server for assistants, over standard input and output. */

import { realpathSync } from 'node:fs';
import { totalmem } from 'node:os';
import { InputError } from '../../../parsers/bytes/input-error.js';
import { defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { GROUP } from '../options/options.js';
import { milliseconds } from '../options/growth-inputs.js';

const MINUTE = 60_000;
const MOST_MEMORY = 4 * 2 ** 30;

export const command = defineCommand({
  positionals: {
    folders: { describe: 'Folders whose dumps may be read; without one the current folder', kind: 'list' },
  },
  options: {
    redact: {
      type: 'boolean',
      describe: 'Names of machines, users, folders and files are pseudonyms; so it is without --no-redact',
      group: GROUP.output,
    },
    timeout: {
      type: 'string',
      requiresArg: true,
      coerce: milliseconds('--timeout'),
      describe: 'Longest time for one question (10m): 90s, 10m, 2h',
      group: GROUP.general,
    },
  },
  examples: [
    ['mcp D:\\dumps', 'for the settings of a client: see docs/assistants.md'],
    ['mcp D:\\dumps --no-redact', 'names of machines and users reach the model'],
  ],
  run: async ({ folders, redact, timeout }) => {
    const { createServer } = await import('../../mcp/server.js');
    const { Folders } = await import('../../mcp/folders.js');
    const { ToolError } = await import('../../mcp/tool-error.js');
    const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
    const { Redactor } = await import('../../redact/redactor.js');
    const { randomKey } = await import('../../redact/key.js');
    const redactor = redact === false ? null : new Redactor(randomKey(), false);
    try {
      const server = createServer({
        folders: new Folders(folders.length === 0 ? ['.'] : folders, redactor),
        redactor,
        program: realpathSync(process.argv[1] ?? ''),
        timeoutMs: timeout ?? 10 * MINUTE,
        memoryBytes: Math.min(MOST_MEMORY, totalmem() / 2),
      });
      const transport = new StdioServerTransport();
      await server.connect(transport);
      await new Promise<void>((done) => {
        process.stdin.once('end', done).once('close', done);
      });
      await server.close();
      return EXIT.done;
    } catch (error) {
      throw error instanceof ToolError ? new InputError('not-found', error.message) : error;
    }
  },
});
