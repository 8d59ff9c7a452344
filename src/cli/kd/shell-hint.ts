/** A command of the debugger that was typed at the shell: how to do it here. */

import { KD } from '../../kd/registry.js';
import { viewOf } from '../../views/registry.js';

/** What starts like a command of the debugger and like nothing else. */
const LOOKS_LIKE_ONE = /^(?:![a-z]|\.[a-z]+(?:\s|$)|\?)/i;

/** A command whose letters are all its own: `lm`, `lmvm`; not a file called `server5` because `s` lets letters follow. */
const isWholeName = (word: string, name: string): boolean => word === name || /^lm[a-z0-9]{1,4}$/i.test(word);

/**
 * The sentence for the user; null where the first word is nothing of the debugger's.
 *
 * @param words the words of the command line: the command, in one word or in several, and a dump among them or not.
 */
export function shellHint(words: readonly string[]): string | null {
  const [first = '', ...others] = words;
  const { command, name } = KD.read(first.trim());
  const isOne = LOOKS_LIKE_ONE.test(first);
  if (command === null) return isOne ? `"${first}": ${KD.noSuch(name)}. dumpleak kd MEMORY.DMP has the debugger's commands` : null; // prettier-ignore
  if (!isOne && !isWholeName(first.trim().split(/\s/)[0] ?? '', name)) return null;
  const dumps = others.filter((word) => /\.(?:dmp|gz|xz|zst|zip|7z|mdmp)$/i.test(word));
  const line = [first, ...others.filter((word) => !dumps.includes(word))].join(' ');
  const dump = dumps[0] ?? 'MEMORY.DMP';
  const quoted = line.includes('"') ? `'${line}'` : `"${line}"`;
  const shell = viewOf(line)?.view.shell.replace('MEMORY.DMP', dump);
  return `"${line}" is a command of the debugger: dumpleak kd ${dump} -c ${quoted}${shell === undefined ? '' : `, or dumpleak ${shell}`}`;
}
