/** `dumpleak profile`: a kernel's PDB reduced to a small text for sites without symbols, and the profiles that are there. */

import { defineCommand } from '../command.js';
import { GROUP, jsonOption } from '../options/options.js';
import { requireProfiles, SYMBOLS } from '../options/symbol-options.js';

export const make = defineCommand({
  positionals: {
    pdb: {
      describe: "The kernel's PDB (ntkrnlmp.pdb, .pd_), or its Volatility 3 symbol table (.json, .json.gz, .json.xz)",
      kind: 'required',
    },
  },
  options: {
    image: {
      type: 'string',
      requiresArg: true,
      describe: 'The ntoskrnl.exe of the PDB; notes its time stamp, size and version, too',
      group: GROUP.what,
    },
  },
  examples: [
    ['profile make ntkrnlmp.pdb', 'write ntkrnlmp-GUID1.profile.txt to this folder'],
    ['profile make ntkrnlmp.pdb --image ntoskrnl.exe -o server.profile.txt', 'with the version, to a file'],
  ],
  run: async (args, output) => (await import('../symbols/profile.js')).make(args.pdb, args, output),
});

export const list = defineCommand({
  positionals: {},
  options: {
    profiles: { ...SYMBOLS.profiles, describe: 'This folder or file; without it the profiles that are built in' },
    json: jsonOption('Write it as JSON'),
  },
  examples: [
    ['profile list', 'what is built in'],
    ['profile list --profiles profiles', 'what a folder holds'],
  ],
  run: async ({ profiles = [], json }, output) => {
    for (const folder of profiles) requireProfiles(folder);
    return (await import('../symbols/profile.js')).list(profiles, json === true, output);
  },
});
