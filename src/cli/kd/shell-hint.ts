/** A command of the debugger that was typed at the shell: how to do it here. */

import { KD } from '../../kd/registry.js';
import { viewOf } from '../../views/registry.js';

/** What starts like a command of the debugger and like nothing else. */
const LOOKS_LIKE_ONE = /^(?:![a-z]|\.[a-z]+(?:\s|$)|\?)/i;

/**
 * A text as one word of the user's shell: in single quotes where `!` and `$` mean something in double ones, in double quotes where
 * single ones mean nothing.
 */
function quotedFor(platform: NodeJS.Platform, text: string): string {
  if (platform === 'win32') return `"${text.replaceAll('"', '\\"')}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command whose letters are all its own: `lm`, `lmvm`; not a file called `server5` because `s` lets letters follow. */
const isWholeName = (word: string, name: string): boolean => word === name || /^lm[a-z0-9]{1,4}$/i.test(word);

/**
 * The sentence for the user; null where the first word is nothing of the debugger's.
 *
 * @param words the words of the command line: the command, in one word or in several, and a dump among them or not.
 * @param platform whose shell the user types at.
 */
export function shellHint(words: readonly string[], platform: NodeJS.Platform = process.platform): string | null {
  const [first = '', ...others] = words;
  const { command, name } = KD.read(first.trim());
  const isOne = LOOKS_LIKE_ONE.test(first);
  if (command === null) return isOne ? `"${first}": ${KD.noSuch(name)}. dumpleak kd MEMORY.DMP has the debugger's commands` : null; // prettier-ignore
  if (!isOne && !isWholeName(first.trim().split(/\s/)[0] ?? '', name)) return null;
  const dumps = others.filter((word) => /\.(?:dmp|gz|xz|zst|zip|7z|mdmp)$/i.test(word));
  const line = [first, ...others.filter((word) => !dumps.includes(word))].join(' ');
  const dump = dumps[0] ?? 'MEMORY.DMP';
  const quoted = quotedFor(platform, line);
  // Of a view without a command of its own, the way there is the prompt.
  const own = viewOf(line)?.view.shell;
  const shell = own?.startsWith('kd ') === true ? undefined : own?.replace('MEMORY.DMP', dump);
  return `"${line}" is a command of the debugger: dumpleak kd ${dump} -c ${quoted}${shell === undefined ? '' : `, or dumpleak ${shell}`}`;
}
