/**
 * A MASM expression as a tree. Precedence is the debugger's: unary operators and functions first, then `* / mod`, `+ -`, shifts,
 * comparisons, `and`, `xor`, `or`; equal ones from left to right.
 */

import { KdError } from '../kd-error.js';
import { nextToken, type Radix, type Token } from './tokens.js';

/** What is done with two values. */
export type Binary = '*' | '/' | '%' | '+' | '-' | '<<' | '>>' | '>>>' | '<' | '>' | '<=' | '>=' | '==' | '!=' | '&' | '^' | '|'; // prettier-ignore

/** `at` is where it stands in the text, for errors. */
export type Node = { readonly at: number } & (
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'readable'; readonly from: Node; readonly bytes: Node }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: Binary; readonly left: Node; readonly right: Node }
);

/** Words that read memory or take a part of a value: `poi(x)`, `poi x`, `hi x`. */
export const FUNCTIONS: ReadonlySet<string> = new Set(['poi', 'by', 'wo', 'dwo', 'qwo', 'hi', 'low', '$ppoi', '$pby', '$pwo', '$pdwo', '$pqwo']); // prettier-ignore

/** Functions of two texts: -1, 0 or 1 as they stand in order, case counting or not; whether a text fits a pattern. */
const COMPARISONS: ReadonlySet<string> = new Set(['$scmp', '$sicmp', '$spat']);

function compared(name: string, one: string, other: string): bigint {
  if (name === '$spat') return fits(one.toLowerCase(), other.toLowerCase()) ? 1n : 0n;
  const [a, b] = name === '$scmp' ? [one, other] : [one.toLowerCase(), other.toLowerCase()];
  return a === b ? 0n : a < b ? -1n : 1n;
}

/** Whether all of a text fits a pattern with `*`, `?` and `#` (the character before it any number of times). */
function fits(text: string, pattern: string): boolean {
  // Row by row: which ends of the text the pattern so far fits.
  let ends = new Set([0]);
  for (let i = 0; i < pattern.length; i++) {
    const sign = pattern[i] ?? '';
    const isMany = sign === '*' || pattern[i + 1] === '#';
    const same = (c: string | undefined): boolean => c !== undefined && (sign === '*' || sign === '?' || c === sign);
    const next = new Set<number>();
    for (const at of ends) {
      if (!isMany) {
        if (same(text[at])) next.add(at + 1);
        continue;
      }
      for (let end = at; !next.has(end); end++) {
        next.add(end);
        if (!same(text[end])) break;
      }
    }
    if (isMany && sign !== '*') i++;
    ends = next;
  }
  return ends.has(text.length);
}

/** The binding of binary operators; higher binds more. */
const BINDING: ReadonlyMap<string, number> = new Map([
  ['*', 7], ['/', 7], ['%', 7],
  ['+', 6], ['-', 6],
  ['<<', 5], ['>>', 5], ['>>>', 5],
  ['<', 4], ['>', 4], ['<=', 4], ['>=', 4], ['==', 4], ['!=', 4],
  ['&', 3],
  ['^', 2],
  ['|', 1],
]); // prettier-ignore

const SAME: Readonly<Record<string, string>> = { mod: '%', and: '&', xor: '^', or: '|', '=': '==' };

/** Parentheses and unary operators in one another. */
const DEEPEST = 200;

/** An expression and where it ends: what follows belongs to the command. */
export interface Parsed {
  readonly node: Node;
  /** Behind the last character of it. */
  readonly end: number;
}

class Parser {
  private token: Token;
  private depth = 0;
  /** Behind the last word that was taken. */
  end: number;

  constructor(
    private readonly text: string,
    from: number,
    private readonly radix: Radix,
  ) {
    this.end = from;
    this.token = nextToken(text, from, radix);
  }

  /** Operators that bind at least as much as `least`. */
  expression(least: number): Node {
    let left = this.operand();
    for (;;) {
      const operator = this.binaryHere();
      const binding = operator === null ? undefined : BINDING.get(operator);
      if (operator === null || binding === undefined || binding < least) return left;
      const at = this.token.at;
      this.advance();
      left = { kind: 'binary', operator: operator as Binary, left, right: this.expression(binding + 1), at };
    }
  }

  private binaryHere(): string | null {
    if (this.token.kind !== 'operator') return null;
    return SAME[this.token.text] ?? this.token.text;
  }

  private operand(): Node {
    if (++this.depth > DEEPEST) throw new KdError(`Expression too deep at '${this.rest()}'`);
    const { token } = this;
    const node = this.operandOf(token);
    this.depth--;
    return node;
  }

  private operandOf(token: Token): Node {
    if (token.kind === 'number') {
      this.advance();
      return { kind: 'number', value: token.value, at: token.at };
    }
    if (token.kind === 'register') {
      this.advance();
      return { kind: 'register', name: token.name.toLowerCase(), at: token.at };
    }
    if (token.kind === 'name') {
      this.advance();
      const word = token.name.toLowerCase();
      if (word === '$vvalid') return this.readable(token.at);
      if (COMPARISONS.has(word)) return this.comparison(word, token.at);
      if (FUNCTIONS.has(word)) return { kind: 'unary', operator: word, of: this.operand(), at: token.at };
      return word.startsWith('$')
        ? { kind: 'register', name: word, at: token.at }
        : { kind: 'symbol', name: token.name, at: token.at };
    }
    if (token.kind === 'operator' && token.text === '(') {
      this.advance();
      const inner = this.expression(1);
      if (this.token.kind !== 'operator' || this.token.text !== ')') throw this.wrong();
      this.advance();
      return inner;
    }
    if (token.kind === 'operator' && ['-', '+', 'not', '~'].includes(token.text)) {
      this.advance();
      return { kind: 'unary', operator: token.text === '~' ? 'not' : token.text, of: this.operand(), at: token.at };
    }
    throw token.kind === 'end'
      ? new KdError(`Numeric expression missing from '${this.text.trimStart()}'`)
      : this.wrong();
  }

  /** `$vvalid(Address, Bytes)`. */
  private readable(at: number): Node {
    if (this.token.kind !== 'operator' || this.token.text !== '(') throw this.wrong();
    this.advance();
    const from = this.expression(1);
    const comma = /^\s*,/.exec(this.text.slice(this.end));
    if (comma === null) throw this.wrong();
    this.end += comma[0].length;
    this.token = nextToken(this.text, this.end, this.radix);
    const bytes = this.expression(1);
    if (this.token.kind !== 'operator' || this.token.text !== ')') throw this.wrong();
    this.advance();
    return { kind: 'readable', from, bytes, at };
  }

  /** `$scmp("a", "b")`: a number, for texts of a line do not change. `at` is where the function's name stands. */
  private comparison(name: string, at: number): Node {
    const found = /^\(\s*("?)([^"]*?)\1\s*,\s*("?)([^"]*?)\3\s*\)/.exec(this.text.slice(at + name.length).trimStart());
    if (found === null) throw new KdError(`${name} wants ("Text", "Text")`);
    const value = BigInt.asUintN(64, compared(name, found[2] ?? '', found[4] ?? ''));
    this.end = this.text.indexOf(found[0], at) + found[0].length;
    this.token = { kind: 'end', at: this.end, end: this.end };
    this.advance();
    return { kind: 'number', value, at };
  }

  private advance(): void {
    this.end = this.token.end;
    try {
      this.token = nextToken(this.text, this.end, this.radix);
    } catch (error) {
      // What no expression holds ends this one; the command says what it makes of it.
      if (!(error instanceof KdError) || error.message.startsWith('Overflow')) throw error;
      this.token = { kind: 'end', at: this.end, end: this.end };
    }
  }

  private rest(): string {
    return this.text.slice(this.token.at);
  }

  private wrong(): KdError {
    return new KdError(`Syntax error at '${this.rest()}'`);
  }
}

/** Reads the expression that begins at `from`. Throws KdError where none does. */
export function parseExpression(text: string, radix: Radix, from = 0): Parsed {
  const parser = new Parser(text, from, radix);
  const node = parser.expression(1);
  return { node, end: parser.end };
}
