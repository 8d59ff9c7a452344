/** What registers and the stack may hold at one point of a function, and what operations make of it. */

import { OP, UNKNOWN_REGISTER, type Operations } from '../../../parsers/code/operations.js';
import { MOST_STACK_ARGUMENTS, STACK_ARGUMENT, type Machine } from './machine.js';
import { UNKNOWN, VALUE, type Value, type Values } from './values.js';

/** Places on the stack that are remembered at once. */
const MOST_SLOTS = 256;
/** Between stacks whose depth is not known: after a call that may have taken arguments away. */
const APART = 0x100000;

export class FlowState {
  /** Sets by number of the register; the last one is always unknown. */
  readonly registers = new Int32Array(UNKNOWN_REGISTER + 1).fill(UNKNOWN);
  /** Sets by place: bytes from where the stack pointer was at entry. Places that are not here were not written. */
  readonly slots = new Map<number, number>();

  constructor(
    private readonly machine: Machine,
    private readonly ops: Operations,
    private readonly values: Values,
  ) {}

  copy(): FlowState {
    const made = new FlowState(this.machine, this.ops, this.values);
    made.registers.set(this.registers);
    for (const [place, set] of this.slots) made.slots.set(place, set);
    return made;
  }

  /** As a function begins: every register holds what was given, the stack pointer counts from 0. */
  enter(): this {
    for (let r = 0; r < UNKNOWN_REGISTER; r++) this.registers[r] = this.values.one(VALUE.entry, r);
    this.registers[this.machine.stackPointer] = this.values.one(VALUE.stack, 0);
    return this;
  }

  /** Adds the possibilities of another state; true where that changed anything. */
  join(other: FlowState): boolean {
    let changed = false;
    for (let r = 0; r < this.registers.length; r++) {
      const joined = this.values.union(this.registers[r] ?? UNKNOWN, other.registers[r] ?? UNKNOWN);
      if (joined === this.registers[r]) continue;
      this.registers[r] = joined;
      changed = true;
    }
    for (const place of new Set([...this.slots.keys(), ...other.slots.keys()])) {
      const before = this.slots.get(place) ?? this.untouched(place);
      const joined = this.values.union(before, other.slots.get(place) ?? this.untouched(place));
      if (joined === before || (this.slots.size >= MOST_SLOTS && !this.slots.has(place))) continue;
      this.slots.set(place, joined);
      changed = true;
    }
    return changed;
  }

  /** What a place on the stack holds that the function has not written: an argument, or nothing known. */
  untouched(place: number): number {
    const { returnAddress, pointerSize } = this.machine;
    const argument = (place - returnAddress) / pointerSize;
    if (argument < 0 || argument >= MOST_STACK_ARGUMENTS || !Number.isInteger(argument)) return UNKNOWN;
    return this.values.one(VALUE.entry, STACK_ARGUMENT + argument);
  }

  get(register: number): number {
    return this.registers[register] ?? UNKNOWN;
  }

  set(register: number, value: number): void {
    if (register >= 0 && register < UNKNOWN_REGISTER) this.registers[register] = value;
  }

  /** Operations that give one register a value, and those that only make registers unknown. */
  assign(i: number, kind: number, immediate: number): void {
    const { ops, values } = this;
    const target = ops.target[i] ?? -1;
    const at = ops.at[i] ?? 0;
    const made = this.made(i, kind, immediate, at);
    const killed = ops.killed[i] ?? 0;
    if (killed !== 0) this.kill(killed, at);
    if (made !== null) this.set(target, made);
    if (target === this.machine.stackPointer && made !== null && values.only(made)?.kind !== VALUE.stack)
      this.newStack(at);
  }

  private made(i: number, kind: number, immediate: number, at: number): number | null {
    const { ops, values } = this;
    const source = this.get(ops.source[i] ?? UNKNOWN_REGISTER);
    switch (kind) {
      case OP.constant:
        return values.one(VALUE.constant, immediate, at);
      case OP.address:
        return values.one(VALUE.address, immediate);
      case OP.copy:
        return source;
      case OP.add:
        return values.map(source, (value) => added(value, immediate, at));
      case OP.or:
        return values.map(source, (v) => (v.kind === VALUE.constant ? { ...v, number: v.number | immediate } : null));
      case OP.insert: {
        const part = (ops.value[i] ?? 0) << immediate;
        const kept = ~(0xffff << immediate);
        return values.map(source, (v) =>
          v.kind === VALUE.constant ? { ...v, number: (v.number & kept) | part, second: at } : null,
        );
      }
      case OP.either: {
        const other = ops.index[i] ?? -1;
        return values.union(source, other < 0 ? UNKNOWN : this.get(other));
      }
      case OP.load:
        return this.load(ops.source[i] ?? -1, ops.index[i] ?? -1, immediate, at, ops.size[i] ?? 0);
      default:
        return null;
    }
  }

  private kill(bits: number, at: number): void {
    const sp = this.machine.stackPointer;
    for (let r = 0; r < 32; r++) {
      if ((bits & (1 << r)) === 0) continue;
      if (r === sp) this.newStack(at);
      else this.set(r, UNKNOWN);
    }
  }

  /** From here on the depth of the stack is not known: places count from a new beginning. */
  newStack(at: number): void {
    this.set(this.machine.stackPointer, this.values.one(VALUE.stack, -((at & 0x3ff) + 1) * APART));
  }

  /** The place on the stack that a memory operand names, or null. */
  placeOf(base: number, index: number, immediate: number): number | null {
    if (base < 0 || index >= 0) return null;
    const value = this.values.only(this.get(base));
    return value?.kind === VALUE.stack ? value.number + immediate : null;
  }

  load(base: number, index: number, immediate: number, at: number, size: number): number {
    const { values } = this;
    const place = this.placeOf(base, index, immediate);
    if (place !== null) return this.slots.get(place) ?? this.untouched(place);
    if (base < 0) {
      return size < 4 ? UNKNOWN : values.one(index < 0 ? VALUE.memory : VALUE.table, immediate, at);
    }
    const from = (value: Value): Value | null => {
      if (value.kind !== VALUE.address) return null;
      const number = (value.number + immediate) | 0;
      return { kind: index < 0 ? VALUE.memory : VALUE.table, number, origin: at, second: -1 };
    };
    const direct = values.map(this.get(base), from);
    if (direct !== UNKNOWN || index < 0) return direct;
    return values.map(this.get(index), from);
  }

  stack(i: number, kind: number): void {
    const { ops, values, machine } = this;
    const sp = machine.stackPointer;
    const width = machine.pointerSize;
    if (kind === OP.leave) {
      this.set(
        sp,
        values.map(this.get(machine.framePointer), (value) => added(value, width, -1)),
      );
      this.set(machine.framePointer, UNKNOWN);
      if (values.only(this.get(sp))?.kind !== VALUE.stack) this.newStack(ops.at[i] ?? 0);
      return;
    }
    const depth = values.only(this.get(sp))?.number ?? 0;
    if (kind === OP.pop) {
      const target = ops.target[i] ?? -1;
      if (target >= 0) this.set(target, this.slots.get(depth) ?? UNKNOWN);
      if (target !== sp) this.set(sp, values.one(VALUE.stack, depth + width));
      else this.newStack(ops.at[i] ?? 0);
      return;
    }
    const source = ops.source[i] ?? -1;
    const at = ops.at[i] ?? 0;
    const set =
      kind === OP.pushMemory
        ? this.load(source, ops.index[i] ?? -1, ops.immediate[i] ?? 0, at, width)
        : source < 0
          ? values.one(VALUE.constant, ops.value[i] ?? 0, at)
          : this.get(source);
    this.set(sp, values.one(VALUE.stack, depth - width));
    if (this.slots.size < MOST_SLOTS) this.slots.set(depth - width, set);
  }

  /** Writes a place on the stack. */
  write(place: number, set: number): void {
    if (set === UNKNOWN && place < 0) this.slots.delete(place);
    else if (this.slots.size < MOST_SLOTS || this.slots.has(place)) this.slots.set(place, set);
  }
}

/** `value` + `amount`, for constants, addresses, and places on the stack. */
function added(value: Value, amount: number, at: number): Value | null {
  const number = (value.number + amount) | 0;
  if (value.kind === VALUE.stack || value.kind === VALUE.address) return { ...value, number };
  if (value.kind === VALUE.constant) return { kind: VALUE.constant, number, origin: at, second: -1 };
  return null;
}
