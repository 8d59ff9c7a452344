/** Expressions and numbers: `?`, `.formats`, `r`, `n`. */

import { printable } from '../../../parsers/text-safety.js';
import type { Call, Family } from '../command.js';
import { KdError } from '../kd-error.js';
import { formatLines } from '../show/formats.js';
import type { Radix } from '../expressions/tokens.js';

const EXPRESSION_USAGE = ['? Expression'];

async function evaluate({ session, rest }: Call): Promise<void> {
  const { value } = await session.value(rest);
  const signed = BigInt.asIntN(session.wide || value > 0xffff_ffffn ? 64 : 32, value);
  await session.out.line(`Evaluate expression: ${signed} = ${session.show(value)}`);
}

/** `r`, `r $t0`, `r @$t0 = 5`. */
async function registers({ session, rest }: Call): Promise<void> {
  const text = rest.trim();
  const assigned = /^@?(\$\w+)\s*=(?!=)\s*(.+)$/.exec(text);
  if (assigned !== null) {
    const [, name = '', expression = ''] = assigned;
    if (!session.registers.isOwn(name.toLowerCase()))
      throw new KdError(`Bad register error in '${printable(text)}': $t0 to $t19 can be set`);
    session.registers.set(name.toLowerCase(), await session.evaluate(expression));
    return;
  }
  if (text === '') {
    throw new KdError(
      'The registers of the processor are not read from dumps here: r $t0 and other pseudo-registers are',
      'input',
    );
  }
  for (const word of text.split(/[\s,]+/)) {
    const name = word.replace(/^@/, '').toLowerCase();
    const value = session.register(name);
    if (value === null) throw new KdError(`Bad register error in 'r ${printable(word)}'`);
    await session.out.line(`${name}=${session.pointer(value)}`);
  }
}

async function radix({ session, rest }: Call): Promise<void> {
  const word = rest.trim();
  if (word !== '') {
    if (!['8', '10', '16'].includes(word)) throw new KdError(`n wants 8, 10 or 16, not ${printable(word)}`);
    session.radix = Number(word) as Radix;
  }
  await session.out.line(`base is ${session.radix}`);
}

export const numbers: Family = {
  title: 'Numbers and expressions',
  commands: [
    {
      names: ['?'],
      usage: EXPRESSION_USAGE,
      summary: 'The value of an expression; alone, this list',
      standing: 'same',
      glued: true,
      run: async (call) => (call.rest.trim() === '' ? call.session.run('.help') : evaluate(call)),
    },
    {
      names: ['.formats'],
      usage: ['.formats Expression'],
      summary: 'A value in all notations',
      standing: 'differs',
      differs: 'Times are in UTC.',
      run: async ({ session, rest }) => session.out.text(formatLines(await session.evaluate(rest), session.wide)),
    },
    {
      names: ['r'],
      usage: ['r $t0 = Expression', 'r Register'],
      summary: 'Shows or sets pseudo-registers',
      standing: 'differs',
      differs: 'Registers of the target cannot be set: a dump is not changed.',
      run: registers,
    },
    {
      names: ['n'],
      usage: ['n [8 | 10 | 16]'],
      summary: 'The radix of numbers without a prefix',
      standing: 'same',
      run: radix,
    },
  ],
};
