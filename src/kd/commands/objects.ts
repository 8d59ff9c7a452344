/** Processes, handles and objects. */

import { handles } from '../../views/objects/handles.js';
import { processes } from '../../views/objects/processes.js';
import type { Family } from '../command.js';
import { showWords } from '../views.js';

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
  ],
};
