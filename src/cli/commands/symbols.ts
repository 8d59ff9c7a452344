/** `dumpleak symbols`: which symbols a dump needs and where they are, fetching them, and what a PDB is. */

import { defineCommand } from '../command.js';
import { DUMP, GROUP, jsonOption, READING } from '../options/options.js';
import { SYMBOLS } from '../options/symbol-options.js';

export const check = defineCommand({
  positionals: { dump: DUMP },
  options: { json: jsonOption('Write it as JSON'), ...SYMBOLS, ...READING },
  examples: [
    ['symbols check MEMORY.DMP', 'which PDBs are there, missing or wrong'],
    ['symbols check MEMORY.DMP --symbols D:\\symbols', 'in a folder of symbols'],
  ],
  run: async (args, output, host) => (await import('../symbols/check.js')).checkDump(args, output, host),
});

export const fetch = defineCommand({
  positionals: { dump: DUMP },
  options: {
    all: {
      type: 'boolean',
      describe: 'For every module, not only for the kernel and the drivers that an analysis names',
      group: GROUP.what,
    },
    urls: {
      type: 'string',
      requiresArg: true,
      describe: 'Bring nothing, write the addresses of what is missing to this file',
      group: GROUP.output,
    },
    json: jsonOption('Write it as JSON'),
    ...SYMBOLS,
    ...READING,
  },
  examples: [
    ['symbols fetch MEMORY.DMP --symbol-server https://sym.example', 'bring them'],
    ['symbols fetch MEMORY.DMP --urls urls.txt', 'a list to carry to a machine with a network'],
  ],
  run: async (args, output, host) => (await import('../symbols/check.js')).fetchFor(args, output, host),
});

export const info = defineCommand({
  positionals: { pdb: { describe: 'The PDB, also a compressed one (.pd_)', kind: 'required' } },
  options: { json: jsonOption('Write it as JSON') },
  examples: [
    ['symbols info ntkrnlmp.pdb', 'GUID, age, and what it holds'],
    ['symbols info ntkrnlmp.pdb --json', 'the same for programs'],
  ],
  run: async (args, output) => (await import('../symbols/info.js')).showPdb(args.pdb, args.json === true, output),
});
