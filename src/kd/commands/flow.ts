/** Commands that run others: `.if`, `.for`, `.while`, `.do`, `.block`, `.catch`, and what leaves them. */

import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { blockAt, parenthesesAt } from '../line/split.js';
import type { Session } from '../session.js';
import { printFormatted } from './printf.js';

/** Leaves a loop (`.break`), its round (`.continue`) or a `.catch` block (`.leave`). */
class Leave extends Error {
  override readonly name = 'Leave';
  constructor(readonly how: '.break' | '.continue' | '.leave') {
    super(how);
  }
}

interface Part {
  readonly inside: string;
  readonly end: number;
}

function parentheses(text: string, from: number, what: string): Part {
  const found = parenthesesAt(text, from);
  if (found === null) throw new KdError(`${what}, not ${printable(text.slice(from, from + 60))}`);
  return found;
}

function block(text: string, from: number, what: string): Part {
  const found = blockAt(text, from);
  if (found === null) throw new KdError(`${what}, not ${printable(text.slice(from, from + 60))}`);
  return found;
}

const holds = async (session: Session, condition: string): Promise<boolean> =>
  (await session.evaluate(condition)) !== 0n;

function ended(text: string, at: number): void {
  if (text.slice(at).trim() !== '') throw new KdError(`Extra character error in '${printable(text.slice(at).trim())}'`);
}

/** `.if (X) { } .elsif (X) { } .else { }`. */
async function chooses({ session, rest }: Call): Promise<void> {
  const wanted = '.if wants (Condition) { Commands } .elsif (Condition) { Commands } .else { Commands }';
  let at = 0;
  let chosen: string | null = null;
  for (let isLast = false; ;) {
    const condition = isLast ? null : parentheses(rest, at, wanted);
    const body: Part = block(rest, condition?.end ?? at, wanted);
    if (chosen === null && (condition === null || (await holds(session, condition.inside)))) chosen = body.inside;
    const next: RegExpExecArray | null = isLast ? null : /^\s*\.(elsif|else)\b/.exec(rest.slice(body.end));
    if (next === null) {
      ended(rest, body.end);
      break;
    }
    isLast = next[1] === 'else';
    at = body.end + next[0].length;
  }
  if (chosen !== null) await session.run(chosen);
}

/** Runs the body while `goesOn`, and `between` after each round. How often is the interpreter's to bound. */
async function loop(
  session: Session,
  body: string,
  goesOn: () => Promise<boolean>,
  between: () => Promise<void> = async () => Promise.resolve(),
): Promise<void> {
  while (await goesOn()) {
    session.out.check();
    try {
      await session.run(body);
    } catch (error) {
      if (!(error instanceof Leave) || error.how === '.leave') throw error;
      if (error.how === '.break') return;
    }
    await between();
  }
}

/** `.for (Start ; Condition ; Step) { }`: start and step are commands, of which commas part several. */
async function counts({ session, rest }: Call): Promise<void> {
  const wanted = '.for wants (Command ; Condition ; Command) { Commands }';
  const head = parentheses(rest, 0, wanted);
  const body = block(rest, head.end, wanted);
  ended(rest, body.end);
  const parts = head.inside.split(';');
  const [start = '', condition = '', step = ''] = parts;
  if (parts.length !== 3) throw new KdError(`${wanted}: there are ${parts.length} parts in the parentheses`);
  const runAll = async (text: string): Promise<void> => {
    for (const command of text.split(',')) if (command.trim() !== '') await session.run(command);
  };
  await runAll(start);
  await loop(session, body.inside, async () => condition.trim() === '' || holds(session, condition), async () => runAll(step)); // prettier-ignore
}

async function whiles({ session, rest }: Call): Promise<void> {
  const wanted = '.while wants (Condition) { Commands }';
  const condition = parentheses(rest, 0, wanted);
  const body = block(rest, condition.end, wanted);
  ended(rest, body.end);
  await loop(session, body.inside, async () => holds(session, condition.inside));
}

async function does({ session, rest }: Call): Promise<void> {
  const wanted = '.do wants { Commands } (Condition)';
  const body = block(rest, 0, wanted);
  const condition = parentheses(rest, body.end, wanted);
  ended(rest, condition.end);
  let isFirst = true;
  await loop(session, body.inside, async () => {
    const goesOn = isFirst || (await holds(session, condition.inside));
    isFirst = false;
    return goesOn;
  });
}

async function runsBlock({ session, rest, name }: Call): Promise<void> {
  const body = block(rest, 0, `${name} wants { Commands }`);
  ended(rest, body.end);
  try {
    await session.run(body.inside);
  } catch (error) {
    if (name !== '.catch' || !(error instanceof Leave) || error.how !== '.leave') throw error;
  }
}

/** What a `.break` says that no loop is around. */
export const isLeave = (error: unknown): error is Error => error instanceof Leave;

export const flow: Family = {
  title: 'Scripts',
  commands: [
    {
      names: ['.if'],
      usage: ['.if (Condition) { Commands } [.elsif (Condition) { Commands }] [.else { Commands }]'],
      summary: 'Runs the commands of the first condition that is not 0',
      standing: 'same',
      run: chooses,
    },
    {
      names: ['.for'],
      usage: ['.for (Command ; Condition ; Command) { Commands }'],
      summary: 'Runs commands again and again: a first one, while a condition holds, one after each round',
      standing: 'same',
      run: counts,
    },
    {
      names: ['.while'],
      usage: ['.while (Condition) { Commands }'],
      summary: 'Runs commands while a condition holds',
      standing: 'same',
      run: whiles,
    },
    {
      names: ['.do'],
      usage: ['.do { Commands } (Condition)'],
      summary: 'Runs commands once, and again while a condition holds',
      standing: 'same',
      run: does,
    },
    {
      names: ['.break', '.continue', '.leave'],
      usage: ['.break', '.continue', '.leave'],
      summary: 'Leaves a loop, its round, or a .catch block',
      standing: 'same',
      run: async ({ name }) => Promise.reject(new Leave(name as Leave['how'])),
    },
    {
      names: ['.block', '.catch'],
      usage: ['.block { Commands }', '.catch { Commands }'],
      summary: 'Runs commands, their aliases replaced when they run',
      standing: 'differs',
      differs: 'A command that fails says so and the next one runs, in a .catch block as outside of one.',
      run: runsBlock,
    },
    {
      names: ['.printf'],
      usage: ['.printf "Format" [, Expression, ...]'],
      summary: 'Prints values by a format',
      flags: [
        ['%d %i %u %x %X %o', 'a number of 32 bits; with I64 or ll before the letter, of 64'],
        ['%p %N', 'a pointer of the target'],
        ['%c %C', 'a character'],
        ['%f %e %g', 'the value as the bits of a double'],
        ['%y %ly', 'the symbol at an address'],
        ['%ma %mu', 'text at an address up to a zero, ASCII and UTF-16'],
        ['%msa %msu', 'the text of an ANSI_STRING and of a UNICODE_STRING'],
        ['%%', 'a percent sign'],
      ],
      standing: 'differs',
      differs: 'Source lines of %ly are not read; %s, which takes text of the debugger, and colors (/D) are not here.',
      run: printFormatted,
    },
  ],
};
