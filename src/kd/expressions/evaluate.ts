/** The value of a MASM expression: 64 bits without a sign, whatever the target; overflow is cut off. */

import { KdError } from '../kd-error.js';
import type { Binary, Node } from './parse.js';

/** What an expression asks of a session. Addresses are virtual. */
export interface Environment {
  /** Bytes of a pointer. */
  readonly pointerSize: 4 | 8;
  /** Where a symbol or a module is, `nt!PoolTrackTable` or without a module; null where nothing is called so. */
  symbol(name: string): Promise<bigint | null>;
  /** The value of a register or pseudo-register without `@`; null where there is none. */
  register(name: string): bigint | null;
  /** What stands at an address, little-endian; null where it cannot be read. `physical` for an address of that kind. */
  read(address: bigint, bytes: 1 | 2 | 4 | 8, physical: boolean): bigint | null;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** `text` is that of the expression, for errors. */
export async function evaluate(node: Node, text: string, environment: Environment): Promise<bigint> {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'symbol': {
      const value = (await environment.symbol(node.name)) ?? environment.register(node.name.toLowerCase());
      if (value === null) throw new KdError(`Couldn't resolve error at '${text.slice(node.at)}'`);
      return u64(value);
    }
    case 'register': {
      const value = environment.register(node.name);
      if (value === null) throw new KdError(`Bad register error at '${text.slice(node.at)}'`);
      return u64(value);
    }
    case 'readable': {
      const from = await evaluate(node.from, text, environment);
      return isReadable(from, await evaluate(node.bytes, text, environment), environment) ? 1n : 0n;
    }
    case 'unary':
      return unary(node, await evaluate(node.of, text, environment), text, environment);
    case 'binary': {
      // Long sums are deep on the left: no recursion on that side.
      const chain: (Node & { kind: 'binary' })[] = [];
      let first: Node = node;
      for (; first.kind === 'binary'; first = first.left) chain.push(first);
      let value = await evaluate(first, text, environment);
      for (const { operator, right, at } of chain.reverse()) {
        value = binary(operator, value, await evaluate(right, text, environment), text.slice(at));
      }
      return value;
    }
  }
}

/** Bytes that `$vvalid` looks at. */
const MOST_LOOKED_AT = 1n << 30n;

/** Whether each page of a range is in the dump. */
function isReadable(from: bigint, bytes: bigint, environment: Environment): boolean {
  if (bytes > MOST_LOOKED_AT) throw new KdError(`$vvalid looks at ${MOST_LOOKED_AT} bytes at most`);
  for (let at = from; at < from + bytes; at = (at | 0xfffn) + 1n)
    if (environment.read(at, 1, false) === null) return false;
  return bytes === 0n || environment.read(from + bytes - 1n, 1, false) !== null;
}

function unary(node: Node & { kind: 'unary' }, value: bigint, text: string, environment: Environment): bigint {
  const { operator, at } = node;
  if (operator === '+') return value;
  if (operator === '-') return u64(-value);
  if (operator === 'not') return value === 0n ? 1n : 0n;
  if (operator === 'hi') return (value >> 16n) & 0xffffn;
  if (operator === 'low') return value & 0xffffn;
  const physical = operator.startsWith('$p');
  const name = physical ? operator.slice(2) : operator;
  const bytes =
    name === 'by' ? 1 : name === 'wo' ? 2 : name === 'dwo' ? 4 : name === 'qwo' ? 8 : environment.pointerSize;
  const found = environment.read(value, bytes, physical);
  if (found === null) throw new KdError(`Memory access error at '${text.slice(at)}'`, 'input');
  return found;
}

function binary(operator: Binary, left: bigint, right: bigint, at: string): bigint {
  switch (operator) {
    case '+':
      return u64(left + right);
    case '-':
      return u64(left - right);
    case '*':
      return u64(left * right);
    case '/':
    case '%':
      if (right === 0n) throw new KdError(`Divide by zero error at '${at}'`);
      return operator === '/' ? left / right : left % right;
    case '<<':
      return right > 63n ? 0n : u64(left << right);
    case '>>':
      return right > 63n ? 0n : left >> right;
    case '>>>':
      return u64(BigInt.asIntN(64, left) >> (right > 63n ? 63n : right));
    case '&':
      return left & right;
    case '^':
      return left ^ right;
    case '|':
      return left | right;
    default:
      return compare(operator, left, right) ? 1n : 0n;
  }
}

function compare(operator: '<' | '>' | '<=' | '>=' | '==' | '!=', left: bigint, right: bigint): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
  }
}
