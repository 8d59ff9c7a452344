/** Operations in words, for tests of decoders: `x0 = 8 at x1 + 18`, `call 17fc`; numbers are hexadecimal. */

import { FIRST_VECTOR, OP, UNKNOWN_REGISTER, type Operations } from './operations.js';

const hex = (value: number): string => (value < 0 ? `-${(-value).toString(16)}` : value.toString(16));
const signed = (value: number): string => (value < 0 ? ` - ${(-value).toString(16)}` : ` + ${value.toString(16)}`);
const register = (number: number): string =>
  number === UNKNOWN_REGISTER ? 'unknown' : number >= FIRST_VECTOR ? `v${number - FIRST_VECTOR}` : `x${number}`;

/** Operations that write their target. */
const WRITES: ReadonlySet<number> = new Set([
  OP.constant, OP.copy, OP.add, OP.address, OP.load, OP.either, OP.insert, OP.or, OP.sum, OP.sumMemory,
]); // prettier-ignore

/** All operations of a list, in their order. Throws where one writes a register that it does not make unknown before. */
export function operationsText(out: Operations): string {
  return Array.from({ length: out.count }, (_, i) => one(out, i)).join(' and ');
}

function one(out: Operations, i: number): string {
  const [kind, target] = [out.kind[i] ?? 0, out.target[i] ?? 0];
  let killed = out.killed[i] ?? 0;
  if ((WRITES.has(kind) && target < FIRST_VECTOR) || (kind === OP.pop && target >= 0)) {
    if ((killed & (1 << target)) === 0) throw new Error(`x${target} is written and not made unknown`);
    killed &= ~(1 << target);
  }
  const lost = Array.from({ length: 32 }, (_, n) => n).filter((n) => ((killed >>> n) & 1) !== 0);
  const text = what(out, i);
  const loses = lost.length === 0 ? '' : `loses ${lost.map(register).join(' ')}`;
  return [text, loses].filter((part) => part !== '').join(', ') || 'nothing';
}

function what(out: Operations, i: number): string {
  const column = (values: ArrayLike<number>): number => values[i] ?? 0;
  const [target, source, index] = [column(out.target), column(out.source), column(out.index)];
  const [immediate, value, size] = [column(out.immediate), column(out.value), column(out.size)];
  const place = (base: number): string => {
    const registers = [base, index].filter((number) => number !== -1).map(register);
    return registers.length === 0 ? hex(immediate) : `${registers.join(' + ')}${signed(immediate)}`;
  };
  const given = (number: number): string => (number === -1 ? hex(value) : register(number));
  switch (column(out.kind)) {
    case OP.none:
      return '';
    case OP.constant:
      return `${register(target)} = ${value === 0 ? '' : `${hex(value)}:`}${hex(immediate)}`;
    case OP.copy:
      return `${register(target)} = ${register(source)}`;
    case OP.add:
      return `${register(target)} = ${register(source)}${signed(immediate)}`;
    case OP.address:
      return `${register(target)} = @${hex(immediate)}`;
    case OP.load:
      return `${register(target)} = ${size} at ${place(source)}`;
    case OP.store:
      return `${size} at ${place(target)} = ${given(source)}`;
    case OP.push:
      return `push ${given(source)}`;
    case OP.pushMemory:
      return `push at ${place(source)}`;
    case OP.pop:
      return target < 0 ? 'pop' : `pop ${register(target)}`;
    case OP.call:
      return `call ${hex(immediate)}`;
    case OP.callMemory:
      return `call ${size} at ${place(source)}`;
    case OP.callRegister:
      return source < 0 ? 'call anywhere' : `call ${register(source)}`;
    case OP.jump:
      return `jump ${hex(immediate)}`;
    case OP.jumpMemory:
      return `jump ${size} at ${place(source)}`;
    case OP.jumpRegister:
      return source < 0 ? 'jump anywhere' : `jump ${register(source)}`;
    case OP.branch:
      return `branch ${hex(immediate)}`;
    case OP.return:
      return source < 0 ? `return ${hex(immediate)}` : `return ${register(source)}`;
    case OP.compare:
      return `${target < 0 ? 'memory' : register(target)} ? ${given(source)}`;
    case OP.stop:
      return 'stop';
    case OP.either:
      return `${register(target)} = ${register(source)} or ${index < 0 ? 'memory' : register(index)}`;
    case OP.insert:
      return `${register(target)}[${immediate}] = ${hex(value)}`;
    case OP.or:
      return `${register(target)} = ${register(source)} | ${hex(immediate)}`;
    case OP.leave:
      return 'leave';
    case OP.fill:
      return `fill from ${register(target)} with ${register(source)}`;
    case OP.sum:
      return `${register(target)} = ${register(source)} + ${register(index)}`;
    case OP.sumMemory:
      return `${register(target)} = ${register(target)} + memory at ${place(source)}`;
    default:
      throw new Error(`operation ${column(out.kind)} has no words`);
  }
}
