/** `dumpleak profile`: a kernel's PDB reduced to a small text for sites without symbols, and the profiles that are there. */

import { defineCommand } from '../command.js';
import { UsageError } from '../errors.js';
import { GROUP, jsonOption } from '../options.js';
import { requireProfiles, SYMBOLS } from '../symbol-options.js';

export const command = defineCommand({
  positionals: {
    action: {
      describe: 'make: reduce a PDB or symbol table to a profile. list: the profiles that are there',
      kind: 'required',
    },
    pdb: {
      describe:
        "make: the kernel's PDB (ntkrnlmp.pdb, .pd_), or its Volatility 3 symbol table (.json, .json.gz, .json.xz)",
      kind: 'optional',
    },
  },
  options: {
    image: {
      type: 'string',
      requiresArg: true,
      describe: 'make: the ntoskrnl.exe of the PDB; notes its time stamp, size and version, too',
      group: GROUP.what,
    },
    profiles: { ...SYMBOLS.profiles, describe: 'list: this folder or file; without it the profiles that are built in' },
    json: jsonOption('list: write it as JSON'),
  },
  examples: [
    ['profile make ntkrnlmp.pdb', 'write ntkrnlmp-GUID1.profile.txt to this folder'],
    ['profile make ntkrnlmp.pdb --image ntoskrnl.exe -o server.profile.txt', 'with the version, to a file'],
    ['profile list --profiles profiles', 'what a folder holds'],
  ],
  run: async (args, output) => {
    const { action, pdb, image, profiles = [] } = args;
    if (action === 'make') {
      if (pdb === undefined) throw new UsageError('profile make wants a PDB or a symbol table');
      if (profiles.length > 0 || args.json === true)
        throw new UsageError('--profiles and --json belong to profile list');
      return (await import('../symbols/profile.js')).make(pdb, { image, output: args.output }, output);
    }
    if (action !== 'list') throw new UsageError(`"${action}" is none of make, list`);
    if (pdb !== undefined || image !== undefined) throw new UsageError('profile list takes no PDB and no image');
    for (const folder of profiles) requireProfiles(folder);
    return (await import('../symbols/profile.js')).list(profiles, args.json === true, output);
  },
});
