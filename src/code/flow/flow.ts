/**
 * Follows values through one function: what each register and each place on the stack may hold at every call, on any
 * path from the function's beginning. Memory other than the stack is not followed.
 */

import { FIRST_VECTOR, OP, UNKNOWN_REGISTER, type Operations } from '../../../parsers/code/operations.js';
import type { Machine } from './machine.js';
import { Blocks } from '../image/blocks.js';
import type { CalledCode, CallGifts, CallSite, CallTarget, FieldUses, Flow, OtherUse } from './flow-result.js';
import { FlowState, type Given } from './flow-state.js';
import { Reached } from './reached.js';
import { UNKNOWN, VALUE, Values } from './values.js';

/** Operations that are carried out for one function, at most. */
const MOST_STEPS = 400_000;
/** Follows the function whose operations these are, from the instruction at RVA `entry`, by about `most` steps. */
export function followFunction(
  machine: Machine,
  operations: Operations,
  entry: number,
  called: CalledCode,
  most: number,
): Flow {
  return new Follower(machine, operations, called, Math.min(most, MOST_STEPS)).run(entry);
}

const NO_TARGETS: readonly CallTarget[] = [];

class Follower {
  private readonly values = new Values();
  private readonly calls: CallSite[] = [];
  private readonly uses: OtherUse[] = [];
  private readonly fields: FieldUses = { writes: [], addresses: [] };
  private readonly reached = new Reached();
  private readonly blocks: Blocks;
  private readonly leaders: Uint8Array;
  private readonly targets: Int32Array;
  /** What is known where blocks begin. */
  private readonly states: (FlowState | undefined)[];
  private readonly dirty: Uint8Array;
  /** No block before this one waits; so many do. */
  private firstDirty = 0;
  private dirtyCount = 0;
  private state: FlowState;
  private reporting = false;
  private steps = 0;
  /** Operations that were carried out, and up to which those were looked for that were not. */
  private readonly seen: Uint8Array;
  private entered = 0;
  /** What is known before a jump through a table. */
  private beforeSwitch: FlowState | null = null;

  constructor(
    private readonly machine: Machine,
    private readonly ops: Operations,
    private readonly called: CalledCode,
    private readonly most: number,
  ) {
    this.state = this.fresh();
    this.blocks = new Blocks(ops);
    ({ leaders: this.leaders, seen: this.seen, dirty: this.dirty, targets: this.targets } = this.blocks);
    this.states = new Array<FlowState | undefined>(ops.count);
  }

  run(entry: number): Flow {
    const first = this.blocks.indexOf(entry);
    let isSettled = true;
    if (first >= 0) {
      this.leaders[first] = 1;
      this.states[first] = this.fresh().enter();
      this.mark(first);
      do this.settle();
      while (this.steps < this.most && this.enterUnreached());
      isSettled = this.steps < this.most;
      this.reporting = true;
      for (let leader = 0; leader < this.ops.count; leader++) this.block(leader);
    }
    const { values, calls, uses, fields, reached, steps } = this;
    return { values, calls, uses, fields, reached, complete: first >= 0 && isSettled, steps };
  }

  private mark(leader: number): void {
    if (this.dirty[leader] === 1) return;
    this.dirty[leader] = 1;
    this.dirtyCount++;
    this.firstDirty = Math.min(this.firstDirty, leader);
  }

  private settle(): void {
    while (this.dirtyCount > 0 && this.steps < this.most) {
      while (this.dirty[this.firstDirty] === 0) this.firstDirty++;
      const leader = this.firstDirty;
      this.dirty[leader] = 0;
      this.dirtyCount--;
      this.block(leader);
    }
  }

  /**
   * Enters the next stretch that no path has come to: cases of a switch, which a jump through a table leads to with
   * the state before it, and exception handlers, of whose state nothing is known. False where there is none.
   */
  private enterUnreached(): boolean {
    const { ops } = this;
    for (let i = this.entered; i < ops.count; i++) {
      this.entered = i + 1;
      const kind = ops.kind[i];
      if (this.seen[i] === 1 || kind === OP.stop || (kind === OP.none && ops.killed[i] === 0)) continue;
      this.leaders[i] = 1;
      this.states[i] = this.beforeSwitch?.copy() ?? this.nothingKnown(ops.at[i] ?? 0);
      this.mark(i);
      return true;
    }
    return false;
  }

  private nothingKnown(at: number): FlowState {
    const state = this.fresh();
    state.newStack(at);
    return state;
  }

  private fresh(): FlowState {
    return new FlowState(this.machine, this.ops, this.values, this.called);
  }

  /** Carries out operations from a leader to the next one, or to where control goes elsewhere. */
  private block(leader: number): void {
    const start = this.states[leader];
    if (start === undefined) return;
    this.state = start.copy();
    for (let i = leader; i < this.ops.count; i++) {
      if (i !== leader && this.leaders[i] === 1) {
        this.flowTo(i);
        return;
      }
      this.steps++;
      this.seen[i] = 1;
      if (this.reporting) this.reached.add(this.ops.at[i] ?? 0, this.ops.length[i] ?? 0);
      if (!this.step(i)) return;
    }
  }

  private flowTo(index: number): void {
    if (this.reporting) return;
    const known = this.states[index];
    if (known === undefined) this.states[index] = this.state.copy();
    else {
      // Joining looks at every place on the stack.
      this.steps += known.size >>> 3;
      if (!known.join(this.state)) return;
    }
    this.mark(index);
  }

  /** One operation; false where control does not go on to the next one. */
  private step(i: number): boolean {
    const { ops } = this;
    const kind = ops.kind[i] ?? OP.none;
    const immediate = ops.immediate[i] ?? 0;
    switch (kind) {
      case OP.call:
      case OP.callMemory:
      case OP.callRegister:
        this.call(i, this.targetsIfAsked(i), false);
        return true;
      case OP.jump: {
        const target = this.targets[i] ?? -1;
        if (target < 0) this.call(i, [{ kind: 'direct', rva: immediate }], true);
        else this.flowTo(target);
        return false;
      }
      case OP.jumpMemory:
      case OP.jumpRegister:
        this.call(i, this.targetsIfAsked(i), true);
        this.beforeSwitch = this.state.copy();
        return false;
      case OP.branch: {
        const target = this.targets[i] ?? -1;
        if (target < 0) this.call(i, [{ kind: 'direct', rva: immediate }], true);
        else this.flowTo(target);
        return true;
      }
      case OP.stop:
        if (ops.length[i] === 0) this.call(i, [{ kind: 'missing' }], false);
        return false;
      case OP.return:
        return false;
      case OP.compare:
        this.compare(i);
        return true;
      case OP.store:
        this.store(i);
        if (ops.killed[i] !== 0) this.state.forgetRegisters(ops.killed[i] ?? 0);
        return true;
      case OP.fill:
        this.write(i, Infinity, this.filled(i));
        this.state.forgetRegisters(ops.killed[i] ?? 0);
        return true;
      case OP.push:
      case OP.pushMemory:
      case OP.pop:
      case OP.leave:
        this.state.stack(i, kind);
        return true;
      case OP.add:
        if (this.reporting && this.called.keepsFields) this.address(i);
        this.state.assign(i, kind, immediate);
        return true;
      case OP.sum:
      case OP.sumMemory:
        if (this.reporting && this.called.keepsFields) this.added(i, kind);
        this.state.assign(i, kind, immediate);
        return true;
      default:
        this.state.assign(i, kind, immediate);
        return true;
    }
  }

  private address(i: number): void {
    const { ops } = this;
    const base = this.state.get(ops.source[i] ?? UNKNOWN_REGISTER);
    if (base !== UNKNOWN) this.fields.addresses.push({ base, offset: ops.immediate[i] ?? 0 });
  }

  /** A constant that is added to a pointer. */
  private added(i: number, kind: number): void {
    const { ops, values, state } = this;
    const [source, index] = [ops.source[i] ?? -1, ops.index[i] ?? -1];
    const [a, b] =
      kind === OP.sum
        ? [state.get(source), state.get(index)]
        : [
            state.get(ops.target[i] ?? -1),
            state.load(source, index, ops.immediate[i] ?? 0, ops.at[i] ?? 0, this.machine.pointerSize),
          ];
    for (const [constant, base] of [
      [a, b],
      [b, a],
    ] as const) {
      const only = values.only(constant);
      if (only?.kind === VALUE.constant && base !== UNKNOWN) this.fields.addresses.push({ base, offset: only.number });
    }
  }

  /** What a string instruction writes again and again. */
  private filled(i: number): number {
    const source = this.ops.source[i] ?? UNKNOWN_REGISTER;
    return this.state.get(source);
  }

  /** Notes a write behind a pointer, where fields are followed. */
  private write(i: number, size: number, set: number): void {
    if (!this.reporting || !this.called.keepsFields) return;
    const { ops } = this;
    const at = ops.at[i] ?? 0;
    const base = this.state.get(ops.target[i] ?? UNKNOWN_REGISTER);
    const offset = ops.immediate[i] ?? 0;
    if ((ops.index[i] ?? -1) >= 0) {
      // An element of an array, from there on.
      this.fields.writes.push({ at, base, offset, size: Infinity, set });
      return;
    }
    const upper = size === 8 ? this.state.upperOf(set) : UNKNOWN;
    if (upper !== UNKNOWN) this.fields.writes.push({ at, base, offset: offset + 4, size: 4, set: upper });
    this.fields.writes.push({ at, base, offset, size: upper === UNKNOWN ? size : 4, set });
  }

  private store(i: number): void {
    const { ops, values } = this;
    const [base, index, immediate] = [ops.target[i] ?? -1, ops.index[i] ?? -1, ops.immediate[i] ?? 0];
    const source = ops.source[i] ?? -1;
    const set = source < 0 ? values.one(VALUE.constant, ops.value[i] ?? 0, ops.at[i] ?? 0) : this.state.get(source);
    const place = this.state.placeOf(base, index, immediate);
    if (place !== null) {
      if (source >= FIRST_VECTOR) this.state.writeVector(place, set, ops.size[i] ?? 0);
      else this.state.write(place, set, ops.size[i] ?? 0);
      return;
    }
    if (base >= 0) this.write(i, ops.size[i] ?? 0, set);
    if (!this.reporting || set === UNKNOWN) return;
    const target = base < 0 ? null : values.only(this.state.get(base));
    const absolute =
      base < 0 && index < 0
        ? immediate
        : target?.kind === VALUE.address && index < 0
          ? target.number + immediate
          : null;
    this.uses.push({ kind: 'store', at: ops.at[i] ?? 0, set, place: absolute });
    const more = source >= FIRST_VECTOR ? this.state.behind(set, 4) : this.state.upperOf(set);
    const isWide = ops.size[i] === 8 || source >= FIRST_VECTOR;
    if (isWide && more !== UNKNOWN)
      this.uses.push({ kind: 'store', at: ops.at[i] ?? 0, set: more, place: absolute === null ? null : absolute + 4 });
  }

  private compare(i: number): void {
    if (!this.reporting) return;
    const { ops, values } = this;
    const at = ops.at[i] ?? 0;
    const source = ops.source[i] ?? -1;
    const target = ops.target[i] ?? -1;
    const sets = [
      source < 0 ? values.one(VALUE.constant, ops.value[i] ?? 0, at) : this.state.get(source),
      target < 0 ? UNKNOWN : this.state.get(target),
    ];
    for (const set of sets) if (set !== UNKNOWN) this.uses.push({ kind: 'compare', at, set, place: null });
  }

  private targetsIfAsked(i: number): readonly CallTarget[] {
    const { machine, called } = this;
    return this.reporting || machine.calleePops || called.isGuarded || called.gifts !== null
      ? this.targetsOf(i)
      : NO_TARGETS;
  }

  private targetsOf(i: number): CallTarget[] {
    const { ops } = this;
    const kind = ops.kind[i];
    const immediate = ops.immediate[i] ?? 0;
    if (kind === OP.call) return [{ kind: 'direct', rva: immediate }, ...this.imported()];
    const set =
      kind === OP.callMemory || kind === OP.jumpMemory
        ? this.state.load(ops.source[i] ?? -1, ops.index[i] ?? -1, immediate, ops.at[i] ?? 0, 8)
        : this.state.get(ops.source[i] ?? UNKNOWN_REGISTER);
    return this.places(set);
  }

  /** Where a call goes whose target is one of a set. */
  private places(set: number): CallTarget[] {
    return this.values.of(set).map((value): CallTarget => {
      if (value.kind === VALUE.memory) return { kind: 'slot', rva: value.number };
      if (value.kind === VALUE.member) return { kind: 'member', rva: value.origin, offset: value.number };
      return value.kind === VALUE.address ? { kind: 'direct', rva: value.number } : { kind: 'unknown' };
    });
  }

  /** Windows may rewrite a call through the import table: `mov r10,[slot]; call target`. */
  private imported(): CallTarget[] {
    if (this.machine.name !== 'x64') return [];
    const value = this.values.only(this.state.get(10));
    return value?.kind === VALUE.memory ? [{ kind: 'slot', rva: value.number }] : [];
  }

  private call(i: number, asked: readonly CallTarget[], isJump: boolean): void {
    const { machine, ops } = this;
    const [only] = asked;
    const guard = asked.length === 1 && only !== undefined && this.called.isGuarded ? this.called.guard(only) : null;
    if (guard === 'check' && !isJump) return;
    const targets = guard === 'dispatch' ? this.places(this.state.get(machine.dispatched)) : asked;
    const at = ops.at[i] ?? 0;
    const sp = this.values.only(this.state.get(machine.stackPointer))?.number ?? 0;
    if (this.reporting) {
      const first = sp + (isJump ? machine.returnAddress : 0);
      this.calls.push({ at, targets, ...this.state.given(first, at) });
    }
    if (isJump) return;
    const { gifts } = this.called;
    const given = gifts === null ? null : this.state.given(sp, at);
    this.state.forgetRegisters(machine.volatile);
    this.state.forgetVectors();
    if (gifts !== null && given !== null) this.give(gifts, targets, given, at);
    if (!machine.calleePops) return;
    const taken = this.takenBy(targets, this.isCleanedByCaller(i));
    if (taken === null) this.state.newStack(at);
    else this.state.set(machine.stackPointer, this.values.one(VALUE.stack, sp + taken));
  }

  /** What a call gives back, where fields are followed. */
  private give(gifts: CallGifts, asked: readonly CallTarget[], given: Given, at: number): void {
    const { values, state, machine } = this;
    const { kind, number } = gifts.result(asked, given, values, at);
    state.set(machine.result, values.one(kind, number));
    const place = gifts.device(asked);
    if (place === null) return;
    const out = values.only(given.argument(place));
    if (out?.kind === VALUE.stack) state.write(out.number, values.one(VALUE.device, 0), machine.pointerSize);
  }

  /** `add esp, n` right behind a call: the caller takes the arguments away. */
  private isCleanedByCaller(i: number): boolean {
    const { ops, machine } = this;
    const sp = machine.stackPointer;
    const next = i + 1;
    return (
      ops.kind[next] === OP.add && ops.target[next] === sp && ops.source[next] === sp && (ops.immediate[next] ?? 0) > 0
    );
  }

  private takenBy(targets: readonly CallTarget[], isCleaned: boolean): number | null {
    const [only] = targets;
    return targets.length === 1 && only !== undefined ? this.called.taken(only, isCleaned) : null;
  }
}
