/** `dumpleak symbols`: which symbols a dump needs and where they are, fetching them, and what a PDB is. */

import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { GROUP, jsonOption } from '../options.js';
import { SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: {
    action: {
      describe:
        'check: what each module needs and where it is. fetch: bring what an analysis needs. info: what a PDB is',
      kind: 'required',
    },
    file: { describe: 'The dump; for info a PDB, also a compressed one (.pd_)', kind: 'required' },
  },
  options: {
    all: {
      type: 'boolean',
      describe: 'fetch: for every module, not only for the kernel and the drivers that an analysis names',
      group: GROUP.what,
    },
    urls: {
      type: 'string',
      requiresArg: true,
      describe: 'fetch: bring nothing, write the addresses of what is missing to this file',
      group: GROUP.output,
    },
    json: jsonOption('Write it as JSON'),
    ...SYMBOLS,
  },
  examples: [
    ['symbols check MEMORY.DMP', 'which PDBs are there, missing or wrong'],
    ['symbols fetch MEMORY.DMP --symbol-server https://sym.example', 'bring them'],
    ['symbols fetch MEMORY.DMP --urls urls.txt', 'a list to carry to a machine with a network'],
    ['symbols info ntkrnlmp.pdb', 'GUID, age, and what it holds'],
  ],
  run: async (args, output, host) => {
    const { action, file, ...rest } = args;
    if (args.urls !== undefined && action !== 'fetch') throw new UsageError('--urls belongs to symbols fetch');
    if (args.all === true && action !== 'fetch') throw new UsageError('--all belongs to symbols fetch');
    switch (action) {
      case 'check':
        return (await import('../symbols/check.js')).checkDump({ ...rest, dump: file }, output, host);
      case 'fetch':
        return (await import('../symbols/check.js')).fetchFor({ ...rest, dump: file }, output, host);
      case 'info':
        return (await import('../symbols/info.js')).showPdb(file, args.json === true, output);
      default:
        throw new UsageError(`"${action}" is none of check, fetch, info`);
    }
  },
});
