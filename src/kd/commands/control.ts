/** The prompt itself: help, the end, text, aliases, logs, scripts. */

import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError, Quit } from '../kd-error.js';
import { ALIAS_NAME, withArguments } from '../line/aliases.js';
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
  const isQuiet = words[0] === '/q';
  for (const name of isQuiet ? words.slice(1) : words) {
    if (name === '*') session.aliases.clear();
    else if (!session.aliases.delete(name) && !isQuiet) throw new KdError(`There is no alias ${printable(name)}`);
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

/** Characters of a script, its arguments put in. */
const LONGEST_SCRIPT = 16 * 1024 * 1024;

/** `$<FILE`, `$$>a<FILE ARGUMENT ...`. */
async function runsFile({ session, name, rest, words }: Call): Promise<void> {
  const takesArguments = name === '$$>a<';
  const [file = '', ...given] = takesArguments ? words.map(unquoted) : [unquoted(rest.trim())];
  if (file === '') throw new KdError(`${name} wants a file`);
  const text = session.host.readScript(file);
  if (!takesArguments) return session.run(text);
  const longest = Math.max(0, ...given.map(({ length }) => length));
  const uses = text.split('$arg').length - 1;
  if (text.length + uses * longest > LONGEST_SCRIPT)
    throw new KdError(`${printable(file)} with its arguments is too long`);
  return session.run(withArguments(text, given));
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
      usage: ['ad [/q] Name', 'ad *'],
      summary: 'Forgets an alias, or all',
      flags: [['/q', 'says nothing where there is none']],
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
      usage: ['$<File', '$><File', '$$<File', '$$><File', '$$>a<File [Argument ...]'],
      summary: 'Runs the commands of a file',
      flags: [
        ['$<', 'all of the line is the name of the file, semicolons too; so it is of $><'],
        ['$$<', 'the name ends at a semicolon, and may stand in quotes; so it is of $$><'],
        ['$$>a<', 'with arguments, parted by blanks or in quotes: ${$arg1}, ${$arg2} ... in the file stand for them'],
      ],
      standing: 'differs',
      differs:
        'All forms read the file line by line: $><, $$>< and $$>a< do not make one line of it, so that a * comments out its own line alone and aliases count from the next line on.',
      run: runsFile,
    },
  ],
};
