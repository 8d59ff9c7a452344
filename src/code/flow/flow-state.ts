/** What registers and the stack may hold at one point of a function, and what operations make of it. */

import { FIRST_VECTOR, OP, UNKNOWN_REGISTER, type Operations } from '../../../parsers/code/operations.js';
import { MOST_STACK_ARGUMENTS, STACK_ARGUMENT, type Machine } from './machine.js';
import { UNKNOWN, VALUE, Values, type Value } from './values.js';

/** Places on the stack that are remembered at once. */
const MOST_SLOTS = 256;
/** Between stacks whose depth is not known: after a call that may have taken arguments away. */
const APART = 0x4000;

/** As a function begins: every register holds what was given; the last one is always unknown. */
const GIVEN: readonly number[] = [
  ...Array.from({ length: UNKNOWN_REGISTER }, (_, register) => Values.ofRegister(register)),
  UNKNOWN,
];
const VECTORS: readonly number[] = Array.from({ length: 32 }, () => UNKNOWN);
const NOTHING: readonly number[] = GIVEN.map(() => UNKNOWN);

/** What following needs to know of the image. */
export interface ImageFacts {
  /** RVAs of pointers to tables of functions. */
  readonly tables: ReadonlySet<number>;
  /** x86, whose instructions hold addresses as constants: the image's base modulo 2^32; null for others. */
  readonly addresses: { readonly base: number; readonly size: number } | null;
  /** Reads behind pointers are kept apart, as fields: see `VALUE.field`. */
  readonly keepsFields: boolean;
}

/** From a field to what its structure was reached by, at most: a list that is walked has no end. */
const DEEPEST_FIELD = 3;

const NO_IMAGE: ImageFacts = { tables: new Set(), addresses: null, keepsFields: false };

/** What a call gets. */
export interface Given {
  /** The set at a place of an argument (see `machine.ts`). */
  argument(place: number): number;
  /** The set that stands so many bytes behind where the argument at a place points, on the stack or in the image. */
  pointed(place: number, offset: number): number;
}

/** What a place on the stack that was not written holds, is not kept here. */
export class FlowState {
  /** Sets by number of the register. */
  private registers: number[];
  /** Bytes from where the stack pointer was at entry, in the order in which they were written, and the sets there. */
  private places: number[] = [];
  private sets: number[] = [];
  /** The two lists belong to other states too: they are copied before they are changed. */
  private isShared = false;

  constructor(
    private readonly machine: Machine,
    private readonly ops: Operations,
    private readonly values: Values,
    private readonly image: ImageFacts = NO_IMAGE,
    registers?: readonly number[],
  ) {
    this.registers = registers?.slice() ?? [...NOTHING, ...VECTORS.slice(0, machine.vectors)];
  }

  copy(): FlowState {
    const made = new FlowState(this.machine, this.ops, this.values, this.image, this.registers);
    made.places = this.places;
    made.sets = this.sets;
    made.isShared = this.isShared = true;
    return made;
  }

  /** What a call at RVA `at` gets, the first argument on the stack at `first`. */
  given(first: number, at: number): Given {
    const kept = this.copy();
    return {
      argument: (place) => kept.argument(first, place),
      pointed: (place, offset) => kept.pointed(kept.argument(first, place), offset, at),
    };
  }

  private argument(first: number, place: number): number {
    if (place < STACK_ARGUMENT) return this.get(place);
    const argument = place - STACK_ARGUMENT;
    return argument < MOST_STACK_ARGUMENTS ? this.at(first + argument * this.machine.pointerSize) : UNKNOWN;
  }

  /** What stands `offset` bytes behind where a pointer leads, on the stack or in the image. */
  private pointed(pointer: number, offset: number, at: number): number {
    const { values } = this;
    const sets = values.of(pointer).map(({ kind, number }) => {
      if (kind === VALUE.stack) return this.at(number + offset);
      const rva = kind === VALUE.address ? number : kind === VALUE.constant ? this.addressed(number) : null;
      return rva === null ? UNKNOWN : values.one(VALUE.memory, rva + offset, at);
    });
    return sets.length === 0 ? UNKNOWN : sets.reduce((a, b) => values.union(a, b));
  }

  /** x86: the RVA of a constant that is an address in the image. */
  addressed(constant: number): number | null {
    const { addresses } = this.image;
    if (addresses === null) return null;
    const rva = (constant - addresses.base) >>> 0;
    return rva < addresses.size ? rva : null;
  }

  /** As a function begins: every register holds what was given, the stack pointer counts from 0. */
  enter(): this {
    this.registers = [...GIVEN, ...VECTORS.slice(0, this.machine.vectors)];
    this.registers[this.machine.stackPointer] = this.values.one(VALUE.stack, 0);
    return this;
  }

  /** Places on the stack that are remembered. */
  get size(): number {
    return this.places.length;
  }

  /** Adds the possibilities of another state; true where that changed anything. */
  join(other: FlowState): boolean {
    const { values, registers } = this;
    let changed = false;
    for (let r = 0; r < registers.length; r++) {
      const [before, added] = [registers[r] ?? UNKNOWN, other.registers[r] ?? UNKNOWN];
      if (before === added) continue;
      const joined = values.union(before, added);
      if (joined === before) continue;
      registers[r] = joined;
      changed = true;
    }
    return (this.places !== other.places || this.sets !== other.sets) && this.joinStack(other) ? true : changed;
  }

  private joinStack(other: FlowState): boolean {
    const { values } = this;
    let changed = false;
    const own = this.places.length;
    for (let i = 0; i < own; i++) {
      const place = this.places[i] ?? 0;
      // Most states have their places in the same order.
      const at = other.places[i] === place ? i : other.places.indexOf(place);
      const before = this.sets[i] ?? UNKNOWN;
      const added = at < 0 ? this.untouched(place) : (other.sets[at] ?? UNKNOWN);
      if (before === added) continue;
      const joined = values.union(before, added);
      if (joined === before) continue;
      this.own();
      this.sets[i] = joined;
      changed = true;
    }
    for (let i = 0; i < other.places.length; i++) {
      const place = other.places[i] ?? 0;
      if (this.places[i] === place || this.places.includes(place)) continue;
      const before = this.untouched(place);
      const joined = values.union(before, other.sets[i] ?? UNKNOWN);
      if (joined === before || this.places.length >= MOST_SLOTS) continue;
      this.own();
      this.places.push(place);
      this.sets.push(joined);
      changed = true;
    }
    return changed;
  }

  private own(): void {
    if (!this.isShared) return;
    this.places = this.places.slice();
    this.sets = this.sets.slice();
    this.isShared = false;
  }

  /** The set at a place on the stack. */
  at(place: number): number {
    const i = this.places.indexOf(place);
    return i < 0 ? this.untouched(place) : (this.sets[i] ?? UNKNOWN);
  }

  /** What a place on the stack holds that the function has not written: an argument, or nothing known. */
  untouched(place: number): number {
    const { returnAddress, pointerSize } = this.machine;
    const argument = (place - returnAddress) / pointerSize;
    if (argument < 0 || argument >= MOST_STACK_ARGUMENTS || !Number.isInteger(argument)) return UNKNOWN;
    return this.values.one(VALUE.entry, STACK_ARGUMENT + argument);
  }

  get(register: number): number {
    return register < 0 ? UNKNOWN : (this.registers[register] ?? UNKNOWN);
  }

  set(register: number, value: number): void {
    if (register >= 0 && register !== UNKNOWN_REGISTER) this.registers[register] = value;
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
    const target = ops.target[i] ?? -1;
    switch (kind) {
      case OP.constant:
        if (ops.value[i] !== 0) values.upper.set(at, ops.value[i] ?? 0);
        return values.one(VALUE.constant, immediate, at);
      case OP.address:
        return values.one(VALUE.address, immediate);
      case OP.copy:
        return source;
      case OP.add:
        return this.sum(source, immediate, at);
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
      case OP.load: {
        const size = ops.size[i] ?? 0;
        const loaded = this.load(ops.source[i] ?? -1, ops.index[i] ?? -1, immediate, at, size);
        return target < FIRST_VECTOR ? loaded : this.whole(loaded, ops.source[i] ?? -1, immediate, size);
      }
      default:
        return null;
    }
  }

  /** `source` + `amount`. */
  private sum(source: number, amount: number, at: number): number {
    const { values } = this;
    if (source <= UNKNOWN || amount === 0) return source;
    const only = values.only(source);
    if (only === null) return values.map(source, (value) => added(value, amount, at));
    const number = (only.number + amount) | 0;
    if (only.kind === VALUE.stack || only.kind === VALUE.address)
      return values.one(only.kind, number, only.origin, only.second);
    return only.kind === VALUE.constant ? values.one(VALUE.constant, number, at) : UNKNOWN;
  }

  /** Registers, by their bits, hold nothing that is known. */
  forgetRegisters(bits: number): void {
    for (let left = bits; left !== 0; left &= left - 1) this.set(31 - Math.clz32(left & -left), UNKNOWN);
  }

  /** As calls leave them. */
  forgetVectors(): void {
    this.registers.fill(UNKNOWN, FIRST_VECTOR);
  }

  private kill(bits: number, at: number): void {
    const sp = this.machine.stackPointer;
    for (let left = bits; left !== 0; left &= left - 1) {
      const r = 31 - Math.clz32(left & -left);
      if (r === sp) this.newStack(at);
      else this.set(r, UNKNOWN);
    }
  }

  /** From here on the depth of the stack is not known: places count from a new beginning. */
  newStack(at: number): void {
    const middle = -((at & 0xffff) + 1) * APART;
    this.set(this.machine.stackPointer, this.values.one(VALUE.stack, middle));
    // What was written there when the same instruction was carried out before says nothing now.
    const stale = (place: number): boolean => Math.abs(place - middle) < APART / 2;
    if (!this.places.some(stale)) return;
    this.own();
    for (let i = this.places.length - 1; i >= 0; i--) {
      if (!stale(this.places[i] ?? 0)) continue;
      this.places.splice(i, 1);
      this.sets.splice(i, 1);
    }
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
    if (place !== null) return this.at(place);
    if (base < 0) {
      return size < 4 ? UNKNOWN : values.one(index < 0 ? VALUE.memory : VALUE.table, immediate, at);
    }
    const from = (value: Value): Value | null => {
      if (value.kind === VALUE.memory && index < 0 && this.image.tables.has(value.number))
        return { kind: VALUE.member, number: immediate, origin: value.number, second: -1 };
      if (value.kind !== VALUE.address)
        return index < 0 && this.image.keepsFields ? this.field(value, immediate, size) : null;
      const number = (value.number + immediate) | 0;
      return { kind: index < 0 ? VALUE.memory : VALUE.table, number, origin: at, second: -1 };
    };
    const direct = values.map(this.get(base), from);
    if (direct !== UNKNOWN || index < 0) return direct;
    return values.map(this.get(index), from);
  }

  /** What a vector is loaded with: bytes of the image that stand side by side; anything else is not known. */
  private whole(loaded: number, base: number, immediate: number, size: number): number {
    const only = this.values.only(loaded);
    if (only?.kind !== VALUE.memory) return UNKNOWN;
    const place = this.placeOf(base, -1, immediate);
    for (let more = 4; place !== null && more < size; more += 4) {
      const next = this.values.only(this.at(place + more));
      if (next?.kind !== VALUE.memory || next.number !== only.number + more) return UNKNOWN;
    }
    return loaded;
  }

  /** Writes a vector to the stack: each four bytes are those that stand where the vector was loaded from. */
  writeVector(place: number, set: number, size: number): void {
    this.write(place, set, size);
    for (let more = 4; more < size; more += 4) this.write(place + more, this.behind(set, more));
  }

  /** What stands so many bytes behind what a set holds, in the image. */
  behind(set: number, more: number): number {
    return this.values.map(set, (value) =>
      value.kind === VALUE.memory ? { ...value, number: value.number + more } : null,
    );
  }

  /** What stands behind where a pointer leads, kept apart by the pointer. */
  private field(pointer: Value, offset: number, size: number): Value | null {
    if (!POINTERS.has(pointer.kind)) return null;
    let depth = 1;
    for (let value = pointer; value.kind === VALUE.field; value = this.values.valueOf(value.origin)) depth++;
    if (depth > DEEPEST_FIELD) return null;
    return { kind: VALUE.field, number: offset, origin: this.values.numberOf(pointer), second: size };
  }

  stack(i: number, kind: number): void {
    const { ops, values, machine } = this;
    const sp = machine.stackPointer;
    const width = machine.pointerSize;
    if (kind === OP.leave) {
      this.set(sp, this.sum(this.get(machine.framePointer), width, -1));
      this.set(machine.framePointer, UNKNOWN);
      if (values.only(this.get(sp))?.kind !== VALUE.stack) this.newStack(ops.at[i] ?? 0);
      return;
    }
    const depth = values.only(this.get(sp))?.number ?? 0;
    if (kind === OP.pop) {
      const target = ops.target[i] ?? -1;
      const held = this.places.indexOf(depth);
      if (target >= 0) this.set(target, held < 0 ? UNKNOWN : (this.sets[held] ?? UNKNOWN));
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
    if (this.places.length < MOST_SLOTS) this.put(depth - width, set);
  }

  /** Writes so many bytes of the stack, from a place on. */
  write(place: number, set: number, size = 4): void {
    // Places further on that it covers; of a place before it, the low half stays.
    for (let covered = 4; covered < size; covered += 4) this.forget(place + covered);
    if (set === UNKNOWN && place < 0) this.forget(place);
    else if (this.places.length < MOST_SLOTS || this.places.includes(place)) this.put(place, set);
    const upper = size === 8 ? this.upperOf(set) : UNKNOWN;
    if (upper !== UNKNOWN) this.write(place + 4, upper);
  }

  /** The upper half of what a set holds, where that is one constant of 64 bits. */
  upperOf(set: number): number {
    const { values } = this;
    const only = values.upper.size === 0 ? null : values.only(set);
    const upper = only?.kind === VALUE.constant ? values.upper.get(only.origin) : undefined;
    return only === null || upper === undefined ? UNKNOWN : values.one(VALUE.constant, upper, only.origin);
  }

  private put(place: number, set: number): void {
    const i = this.places.indexOf(place);
    if (i >= 0 && this.sets[i] === set) return;
    this.own();
    if (i >= 0) {
      this.sets[i] = set;
      return;
    }
    this.places.push(place);
    this.sets.push(set);
  }

  private forget(place: number): void {
    const i = this.places.indexOf(place);
    if (i < 0) return;
    this.own();
    if (place >= 0) {
      this.sets[i] = UNKNOWN;
      return;
    }
    this.places.splice(i, 1);
    this.sets.splice(i, 1);
  }
}

/** What a pointer to a structure may be. */
const POINTERS: ReadonlySet<number> = new Set([
  ...[VALUE.entry, VALUE.memory, VALUE.result, VALUE.context, VALUE.device, VALUE.field],
]);

/** `value` + `amount`, for constants, addresses, and places on the stack. */
function added(value: Value, amount: number, at: number): Value | null {
  const number = (value.number + amount) | 0;
  if (value.kind === VALUE.stack || value.kind === VALUE.address) return { ...value, number };
  if (value.kind === VALUE.constant) return { kind: VALUE.constant, number, origin: at, second: -1 };
  return null;
}
