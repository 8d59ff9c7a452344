/** Processes, handles and objects. */

import { hex } from '../../../parsers/bytes/failure.js';
import { handles } from '../../views/objects/handles.js';
import { object } from '../../views/objects/object.js';
import { objects as census } from '../../views/objects/objects.js';
import { processes } from '../../views/objects/processes.js';
import { token } from '../../views/objects/token.js';
import type { Family } from '../command.js';
import { KdError } from '../kd-error.js';
import type { Session } from '../session.js';
import { currentProcess } from '../stack/current.js';
import { processContext } from './process-context.js';
import { process, thread } from './threads.js';
import { showView, showWords, withValue } from '../views.js';

/** Words of `!handle` with the process that they mean. */
async function handleWords(session: Session, words: readonly string[]): Promise<readonly string[]> {
  const [handle = '0', flags = '3', which, ...more] = words;
  if (which === '-1') return [handle, flags, hex(await currentProcess(session)), ...more];
  if (which !== undefined) return withValue(session, words, 2);
  const found = await currentProcess(session).catch((error: unknown) => {
    if (error instanceof KdError) return null;
    throw error;
  });
  if (found === null) return words.length === 0 ? [handle] : words;
  return [handle, flags, hex(found)];
}

export const objects: Family = {
  title: 'Processes, handles, objects',
  commands: [
    process,
    thread,
    processContext,
    {
      names: ['!token'],
      usage: ['!token [-n] [Address|Process]'],
      summary: 'An access token: its user, groups, privileges, ids, and whether it is in use',
      standing: 'differs',
      differs:
        'Dumps do not hold the names of SIDs: -n adds none. The address of a process stands for its token. What the layout of the system does not have is n/a. Alone, it shows the token of the current process: what the current thread impersonates is not read.',
      run: async ({ session, words }) => {
        const at = words[0] === '-n' ? 1 : 0;
        const typed = words[at] === undefined ? words.concat(hex(await currentProcess(session))) : words;
        await showWords(session, token, await withValue(session, typed, at));
      },
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
      summary:
        'Handles of a process or of all; Handle is 0 for all, Process an id, an address, -1 for the current one, or 0 for all',
      flags: [
        ['1', 'the entry, which is always shown'],
        ['2', 'the object that it leads to: type, counts, name; 3 is what is shown without flags'],
        ['4', 'entries that are not in use'],
        ['10', "the kernel's own table: that of System"],
      ],
      standing: 'differs',
      differs:
        'Without a process those of the current one are shown, and of all where it is not known which one that is. (Inherit) and (Protected) behind the access are left out. The directory of a named object is not told. Flag 20, which takes the handle for an id of a process or thread, is not here. 10,000 handles at most are listed.',
      run: async ({ session, words }) => showWords(session, handles, await handleWords(session, words)),
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
