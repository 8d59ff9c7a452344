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
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: Binary; readonly left: Node; readonly right: Node }
);

/** Words that read memory or take a part of a value: `poi(x)`, `poi x`, `hi x`. `$vvalid` and other functions of several values are not among them. */
export const FUNCTIONS: ReadonlySet<string> = new Set(['poi', 'by', 'wo', 'dwo', 'qwo', 'hi', 'low', '$ppoi', '$pby', '$pwo', '$pdwo', '$pqwo']); // prettier-ignore

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
