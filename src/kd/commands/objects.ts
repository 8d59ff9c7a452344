/** Processes, handles and objects. */

import { handles } from '../../views/objects/handles.js';
import { object } from '../../views/objects/object.js';
import { objects as census } from '../../views/objects/objects.js';
import { processes } from '../../views/objects/processes.js';
import { thread } from '../../views/objects/thread.js';
import type { Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { showView, showWords, withValue } from '../views.js';

export const objects: Family = {
  title: 'Processes, handles, objects',
  commands: [
    {
      names: ['!process'],
      usage: ['!process 0 Flags [ImageName]', '!process Address|Pid [Flags]'],
      summary: 'Processes, what they were charged for, their threads',
      flags: [
        ['0 0', 'all processes, or those of an image'],
        ['1', 'token, age, pool quota and commit'],
        ['2', 'threads: ids, state, start address, where their stack is'],
        ['4', 'stacks: only said that they are not here'],
        ['8', 'nothing of its own: it changes stacks'],
        ['10', 'nothing of its own: it changes stacks'],
      ],
      standing: 'differs',
      differs:
        'Flags 1 and 2 show the lines that the dump has a source for: VADs, times of processors, working sets, what a thread waits for and its priorities are left out. One process is shown with flags 3 where none are given. A dump does not tell the current process: name one.',
      run: async ({ session, words }) => {
        const isAll = words[0] === undefined || /^(?:0|-1)$/.test(words[0]);
        await showWords(session, processes, isAll ? words : await withValue(session, words, 0));
      },
    },
    {
      names: ['!thread'],
      usage: ['!thread Address'],
      summary: 'A thread: whose it is, its state, where it began, where its stack is',
      standing: 'differs',
      differs: 'As in !process with flag 2. The current thread is not known: name one, as !process 0 2 lists them.',
      run: async ({ session, words }) => showWords(session, thread, await withValue(session, words, 0)),
    },
    {
      names: ['!zombies'],
      usage: ['!zombies'],
      summary: 'Processes that have ended and are still there, in groups, with who holds handles to them',
      standing: 'ours',
      differs:
        'The debugger lists them one by one; here they stand below the table of processes, as dumpleak processes has it.',
      run: async (call) => {
        if (call.rest.trim() !== '') throw new KdError('!zombies takes no words');
        await showView(call.session, processes, {});
      },
    },
    {
      names: ['!objtypes'],
      usage: ['!objtypes [Type]'],
      summary: 'How many objects there are of each type, or those of one type by name',
      standing: 'ours',
      differs: 'The debugger has no such census: it is that of dumpleak objects.',
      run: async ({ session, words }) => showWords(session, census, words),
    },
    {
      names: ['!handle'],
      usage: ['!handle [Handle [Flags [Process [Type]]]]'],
      summary: 'Handles of a process or of all; Handle is 0 for all, Process an id, an address, or 0 for all',
      flags: [
        ['1', 'the entry, which is always shown'],
        ['2', 'the object that it leads to: type, counts, name; 3 is what is shown without flags'],
        ['4', 'entries that are not in use'],
        ['10', "the kernel's own table: that of System"],
      ],
      standing: 'differs',
      differs:
        'Without a process, handles of all are shown, for which one is current is rarely known. (Inherit) and (Protected) behind the access are left out. The directory of a named object is not told. Flag 20, which takes the handle for an id of a process or thread, is not here. 10,000 handles at most are listed.',
      run: async ({ session, words }) =>
        showWords(session, handles, words.length === 0 ? ['0'] : await withValue(session, words, 2)),
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
