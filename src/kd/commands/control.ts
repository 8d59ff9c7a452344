/** The prompt itself: help, the end, text, aliases, logs, scripts. */

import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError, Quit } from '../kd-error.js';
import { ALIAS_NAME } from '../line/aliases.js';
import { unquoted } from '../../views/words.js';
import { commandHelp, helpLines } from '../show/help.js';
import { forEach } from './for-each.js';

const noWords = ({ name, rest }: Call): void => {
  if (rest.trim() !== '') throw new KdError(`${name} takes no words, and got ${printable(rest.trim())}`);
};

async function setAlias({ session, rest }: Call): Promise<void> {
  const [, name = '', text = ''] = /^(\S+)\s*(.*)$/s.exec(rest.trim()) ?? [];
  if (!ALIAS_NAME.test(name)) throw new KdError('as wants a name and what it stands for');
  session.aliases.set(name, unquoted(text.trimEnd()));
  return Promise.resolve();
}

async function deleteAlias({ session, words }: Call): Promise<void> {
  for (const name of words) {
    if (name === '*') session.aliases.clear();
    else if (!session.aliases.delete(name)) throw new KdError(`There is no alias ${printable(name)}`);
  }
  return Promise.resolve();
}

async function listAliases({ session }: Call): Promise<void> {
  if (session.aliases.size === 0) return session.out.line('No aliases');
  await session.out.line('  Alias            Value');
  await session.out.line(' -------          -------');
  for (const [name, text] of session.aliases)
    await session.out.line(` ${printable(name).padEnd(16)} ${printable(text)}`);
}

/** `.logopen [/t] [/u] [FILE]`, `.logappend FILE`. */
async function openLog({ session, name, words }: Call): Promise<void> {
  const options = words.filter((word) => /^[/-]\w$/.test(word));
  const [file, ...more] = words.filter((word) => !/^[/-]\w$/.test(word));
  const unknown = options.find((word) => !/^[/-]u$/.test(word));
  if (unknown !== undefined) throw new KdError(`${name} ${unknown} is not here: ${name} FILE writes UTF-8 to FILE`);
  if (file === undefined || more.length > 0) throw new KdError(`${name} wants one file`);
  const path = unquoted(file);
  session.host.openLog(path, { append: name === '.logappend' });
  await session.out.line(`Opened log file '${printable(path)}'`);
}

async function closeLog({ session }: Call): Promise<void> {
  await session.out.flush();
  const path = session.host.log;
  if (path === null) return session.out.line('No log file open');
  await session.out.line(`Closing open log file ${printable(path)}`);
  await session.out.flush();
  session.host.closeLog();
}

async function runsFile({ session, name, rest }: Call): Promise<void> {
  if (name === '$$>a<') throw new KdError('$$>a< is not here: arguments of a file of commands are not replaced');
  await session.run(session.host.readScript(unquoted(rest.trim())));
}

export const control: Family = {
  title: 'The prompt',
  commands: [
    {
      names: ['.help'],
      usage: ['.help [Text]'],
      summary: 'The commands that are here, all or those that hold a text',
      standing: 'ours',
      run: async ({ session, rest }) => session.out.text(helpLines(session.catalog, rest.trim())),
    },
    {
      names: ['.hh'],
      usage: ['.hh Command'],
      summary: 'What a command does, its flags, and what differs from the debugger',
      standing: 'ours',
      run: async ({ session, rest }) => session.out.text(commandHelp(session.catalog, rest.trim())),
    },
    {
      names: ['q', 'qq', 'qd'],
      usage: ['q'],
      summary: 'Ends the session',
      standing: 'same',
      run: async (call) => {
        noWords(call);
        return Promise.reject(new Quit());
      },
    },
    {
      names: ['.echo'],
      usage: ['.echo Text'],
      summary: 'Prints a text',
      standing: 'same',
      run: async ({ session, rest }) => session.out.line(unquoted(rest.trimEnd())),
    },
    {
      names: ['.foreach'],
      usage: [
        '.foreach [/pS N] [/ps N] ( Name { Commands } ) { Commands }',
        '.foreach /s ( Name "Text" ) { Commands }',
        '.foreach /f ( Name "File" ) { Commands }',
      ],
      summary: 'Runs commands for each word that others print',
      flags: [
        ['/pS N', 'passes over the first N words'],
        ['/ps N', 'passes over N words after each one'],
        ['/s', 'the words of a text'],
        ['/f', 'the words of a file'],
      ],
      standing: 'same',
      run: forEach,
    },
    {
      names: ['as', 'aS'],
      usage: ['as Name Text'],
      summary: 'Has a name stand for a text',
      standing: 'differs',
      differs: 'as /ma, /x and the other forms that take the text from the target are not here.',
      run: setAlias,
    },
    {
      names: ['ad'],
      usage: ['ad Name', 'ad *'],
      summary: 'Forgets an alias, or all',
      standing: 'same',
      run: deleteAlias,
    },
    {
      names: ['al'],
      usage: ['al'],
      summary: 'The aliases',
      standing: 'same',
      run: listAliases,
    },
    {
      names: ['.logopen', '.logappend'],
      usage: ['.logopen File', '.logappend File'],
      summary: 'Writes what is printed to a file too',
      standing: 'same',
      run: openLog,
    },
    {
      names: ['.logclose'],
      usage: ['.logclose'],
      summary: 'Closes the log',
      standing: 'same',
      run: closeLog,
    },
    {
      names: ['$<', '$><', '$$<', '$$><', '$$>a<'],
      usage: ['$<File', '$$><File'],
      summary: 'Runs the commands of a file',
      standing: 'differs',
      differs: 'All forms read the file line by line; $$>a<, which takes arguments, says that it is not here.',
      run: runsFile,
    },
  ],
};
