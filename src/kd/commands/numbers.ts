/** Expressions and numbers: `?`, `.formats`, `n`. */

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
      names: ['n'],
      usage: ['n [8 | 10 | 16]'],
      summary: 'The radix of numbers without a prefix',
      standing: 'same',
      run: radix,
    },
  ],
};
