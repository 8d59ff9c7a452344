/**
 * The words of a MASM expression: numbers with a radix, names, registers, operators. An expression ends where no more of it
 * can follow, so that `1000 L4` and `1000 2000` are read as the debugger reads them.
 */

import { KdError } from '../kd-error.js';

/** What a number without a prefix is written in. */
export type Radix = 8 | 10 | 16;

/** A word of an expression and where it stands. */
export type Token = { readonly at: number; readonly end: number } & (
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'end' }
);

/** Operators that are words; `poi` and its like are the functions of `evaluate.ts`. */
export const WORD_OPERATORS: ReadonlySet<string> = new Set(['mod', 'and', 'or', 'xor', 'not']);

const SIGNS = ['>>>', '<<', '>>', '<=', '>=', '==', '!=', '+', '-', '*', '/', '%', '&', '^', '|', '<', '>', '=', '(', ')', '~']; // prettier-ignore

/** A name, with a module before it or not: `nt!PoolTrackTable`, `rdr!Class::Method`. */
const NAME = /^[A-Za-z_?$][\w?$]*(?:::~?[\w?$]+)*(?:!(?!=)[\w?$@]+(?:::~?[\w?$]+)*)?/;
const PREFIXED: readonly (readonly [RegExp, string])[] = [
  [/^0x[0-9a-f`]+(?!\w)/i, '0x'],
  [/^0n[0-9`]+(?!\w)/i, ''],
  [/^0t[0-7`]+(?!\w)/i, '0o'],
  [/^0y[01`]+(?!\w)/i, '0b'],
];
const PLAIN: Readonly<Record<Radix, readonly [RegExp, string]>> = {
  8: [/^[0-7`]+(?!\w)/, '0o'],
  10: [/^[0-9`]+(?!\w)/, ''],
  16: [/^[0-9a-f][0-9a-f`]*(?![\w?$]|!(?!=))/i, '0x'],
};
const HEX_WITH_H = /^[0-9a-f][0-9a-f`]*h(?![\w?$]|!(?!=))/i;

/** The value of digits; only what fits 64 bits is a number. */
function numberOf(prefix: string, digits: string, text: string): bigint {
  const plain = digits.replaceAll('`', '');
  const value = BigInt(prefix + plain);
  if (value > 0xffff_ffff_ffff_ffffn) throw new KdError(`Overflow error at '${text}'`);
  return value;
}

/** The number at the start of `rest`, and how long it is; null where there is none. */
function readNumber(rest: string, radix: Radix): { value: bigint; length: number } | null {
  for (const [form, prefix] of PREFIXED) {
    const found = form.exec(rest)?.[0];
    if (found !== undefined) return { value: numberOf(prefix, found.slice(2), rest), length: found.length };
  }
  const [form, prefix] = PLAIN[radix];
  const plain = form.exec(rest)?.[0];
  if (plain !== undefined && /[0-9a-f]/i.test(plain)) {
    return { value: numberOf(prefix, plain, rest), length: plain.length };
  }
  const hex = HEX_WITH_H.exec(rest)?.[0];
  return hex === undefined ? null : { value: numberOf('0x', hex.slice(0, -1), rest), length: hex.length };
}

/** The word at `from`, blanks before it left out. Throws KdError for what no expression holds. */
export function nextToken(text: string, from: number, radix: Radix): Token {
  let at = from;
  while (/\s/.test(text[at] ?? '')) at++;
  const rest = text.slice(at);
  const token = (length: number) => ({ at, end: at + length });
  if (rest === '') return { kind: 'end', ...token(0) };
  if (rest.startsWith('@@')) throw new KdError(`C++ expressions are not here: write '${rest}' as a MASM expression`);
  if (rest.startsWith('@')) {
    const register = /^@!?"?[\w$]+"?/.exec(rest)?.[0];
    if (register === undefined) throw new KdError(`Syntax error at '${rest}'`);
    return { kind: 'register', name: register.replace(/[@!"]/g, ''), ...token(register.length) };
  }
  const quoted = /^'([^'])'/.exec(rest);
  if (quoted !== null) return { kind: 'number', value: BigInt(quoted[1]?.codePointAt(0) ?? 0), ...token(3) };
  const number = readNumber(rest, radix);
  if (number !== null) return { kind: 'number', value: number.value, ...token(number.length) };
  const name = NAME.exec(rest)?.[0];
  if (name !== undefined) {
    return WORD_OPERATORS.has(name.toLowerCase())
      ? { kind: 'operator', text: name.toLowerCase(), ...token(name.length) }
      : { kind: 'name', name, ...token(name.length) };
  }
  const sign = SIGNS.find((one) => rest.startsWith(one));
  if (sign === undefined) throw new KdError(`Syntax error at '${rest}'`);
  return { kind: 'operator', text: sign, ...token(sign.length) };
}
