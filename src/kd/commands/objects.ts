/** Processes, handles and objects. */

import { handles } from '../../views/objects/handles.js';
import { object } from '../../views/objects/object.js';
import { processes } from '../../views/objects/processes.js';
import type { Family } from '../command.js';
import { showWords, withValue } from '../views.js';

export const objects: Family = {
  title: 'Processes, handles, objects',
  commands: [
    {
      names: ['!process'],
      usage: ['!process 0 0 [ImageName]'],
      summary: 'Processes',
      flags: [['0 0', 'all processes, or those of an image']],
      standing: 'same',
      run: async ({ session, words }) => showWords(session, processes, words),
    },
    {
      names: ['!handle'],
      usage: ['!handle 0 3 Process [Type]'],
      summary: 'Handles of a process',
      standing: 'differs',
      differs: 'Only lists of one process, with type and name.',
      run: async ({ session, words }) => showWords(session, handles, words),
    },
    {
      names: ['!object'],
      usage: ['!object Address [Flags]', '!object \\Path [Flags]'],
      summary: 'An object: its type, counts and name, what a directory or a link holds',
      flags: [
        ['0', 'type alone'],
        ['1', 'counts and name'],
        ['8', 'with 1: entries of a directory, target of a link'],
        ['10', 'optional headers'],
        ['20', 'the whole path'],
      ],
      standing: 'differs',
      differs:
        'A directory that is not whole in the dump says so. Symbolic links are not followed in paths. Of optional headers those up to the process information are named.',
      run: async ({ session, words }) => {
        const isPath = words[0] === undefined || /^"?\\/.test(words[0]);
        await showWords(session, object, isPath ? words : await withValue(session, words, 0));
      },
    },
  ],
};
