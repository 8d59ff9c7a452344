/** `.foreach`: runs commands for each word of a text, of a file, or of what other commands print. */

import { printable } from '../../../parsers/text-safety.js';
import type { Call } from '../command.js';
import { KdError } from '../kd-error.js';
import { blockAt } from '../line/split.js';

/** Words that one `.foreach` goes over. */
const MOST_WORDS = 100_000;

/** How the words are taken. */
interface Steps {
  /** Passed over at the start. */
  first: number;
  /** Passed over after each. */
  between: number;
  from: 'commands' | 'text' | 'file';
}

function readOptions(text: string): { steps: Steps; rest: string } {
  const steps: Steps = { first: 0, between: 0, from: 'commands' };
  let rest = text.trimStart();
  for (;;) {
    const option = /^[/-](pS|ps|s|f)\b\s*/.exec(rest);
    if (option === null) break;
    rest = rest.slice(option[0].length);
    if (option[1] === 's') steps.from = 'text';
    else if (option[1] === 'f') steps.from = 'file';
    else {
      const number = /^(0x[0-9a-f]{1,6}|\d{1,6})\s*/i.exec(rest);
      if (number === null) throw new KdError(`.foreach /${option[1] ?? ''} wants a number`);
      steps[option[1] === 'pS' ? 'first' : 'between'] = Number(number[1]);
      rest = rest.slice(number[0].length);
    }
  }
  return { steps, rest };
}

/** The variable, where its words come from, and the commands. */
function readParts(text: string, from: Steps['from']): { name: string; source: string; body: string } {
  const wrong = new KdError(
    `.foreach wants ( Name ${from === 'commands' ? '{ Commands }' : '"..."'} ) { Commands }, not ${printable(text.slice(0, 60))}`,
  );
  const head = /^\(\s*([\w$]+)\s*/.exec(text);
  if (head === null) throw wrong;
  const [opening, name = ''] = head;
  let source: string;
  let at: number;
  if (from === 'commands') {
    const block = blockAt(text, opening.length);
    if (block === null) throw wrong;
    [source, at] = [block.inside, block.end];
  } else {
    const quoted = /^"([^"]*)"/.exec(text.slice(opening.length));
    if (quoted === null) throw wrong;
    [source, at] = [quoted[1] ?? '', opening.length + quoted[0].length];
  }
  const closing = /^\s*\)\s*/.exec(text.slice(at));
  if (closing === null) throw wrong;
  const body = blockAt(text, at + closing[0].length);
  if (body === null || text.slice(body.end).trim() !== '') throw wrong;
  return { name, source, body: body.inside };
}

/** Where the variable stands in the commands: by itself between blanks, or as `${name}`. */
function withWord(body: string, name: string, word: string): string {
  const plain = name.replace(/[$]/g, '\\$&');
  const at = new RegExp(`\\$\\{${plain}\\}|(?<![^\\s("'=+*/,;{-])${plain}(?![^\\s)"'=+*/,;}-])`, 'g');
  return body.replace(at, () => word);
}

export async function forEach({ session, rest }: Call): Promise<void> {
  const { steps, rest: after } = readOptions(rest);
  const { name, source, body } = readParts(after, steps.from);
  const text =
    steps.from === 'text'
      ? source
      : steps.from === 'file'
        ? session.host.readScript(source)
        : await session.out.capture(async () => session.run(source));
  const words = text.split(/\s+/).filter((word) => word !== '');
  let taken = 0;
  for (let i = steps.first; i < words.length; i += 1 + steps.between) {
    if (++taken > MOST_WORDS) throw new KdError(`.foreach ended after ${MOST_WORDS} words`);
    await session.run(withWord(body, name, words[i] ?? ''));
  }
}
