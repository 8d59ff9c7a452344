/**
 * Follows values through one function: what each register and each place on the stack may hold at every call, on any
 * path from the function's beginning. Memory other than the stack is not followed.
 */

import { OP, UNKNOWN_REGISTER, type Operations } from '../../parsers/code/operations.js';
import type { Machine } from './machine.js';
import { FlowState, type Given, type ImageFacts } from './flow-state.js';
import { Reached } from './reached.js';
import { UNKNOWN, VALUE, Values } from './values.js';

/** Operations that are carried out for one function, at most. */
const MOST_STEPS = 400_000;
/** Where a call goes. RVAs modulo 2^32. */
export type CallTarget =
  | { readonly kind: 'direct'; readonly rva: number }
  | { readonly kind: 'slot'; readonly rva: number }
  /** What stands `offset` bytes behind where the pointer at an RVA leads. */
  | { readonly kind: 'member'; readonly rva: number; readonly offset: number }
  /** The code goes on in a page that is not there. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' };

/** A call, or a jump out of the function. */
export interface CallSite extends Given {
  /** RVA of the instruction. */
  readonly at: number;
  /** Every place that it may go to. */
  readonly targets: readonly CallTarget[];
}

/** What else becomes of a value. */
export interface OtherUse {
  readonly kind: 'compare' | 'store';
  /** RVA of the instruction. */
  readonly at: number;
  readonly set: number;
  /** RVA of the place that is written; null for one that is not in the image. */
  readonly place: number | null;
}

/** What following a function gave. */
export interface Flow {
  readonly values: Values;
  readonly calls: readonly CallSite[];
  readonly uses: readonly OtherUse[];
  readonly reached: Reached;
  /** False where the work was cut off. */
  readonly complete: boolean;
  /** Operations that were carried out. */
  readonly steps: number;
}

/** What is known of the code that calls go to. */
export interface CalledCode extends ImageFacts {
  /**
   * x86: how many bytes a called function takes from the stack; null where that is not known. `isCleaned`: the stack
   * pointer is raised behind the call, as callers do for functions that take none.
   */
  taken(target: CallTarget, isCleaned: boolean): number | null;
  /**
   * `check`: the call leaves everything as it is. `dispatch`: it goes on to where a register says. Null: neither.
   */
  guard(target: CallTarget): 'check' | 'dispatch' | null;
  /** The image has code for such calls. */
  readonly isGuarded: boolean;
}

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

/** Used again for every function. */
class Scratch {
  /** Places where a block begins, places that were come to, and blocks that wait to be carried out. */
  leaders = new Uint8Array(0);
  seen = new Uint8Array(0);
  dirty = new Uint8Array(0);
  /** By place of a jump or branch: the place that it leads to; -1 where it leaves the function. */
  targets = new Int32Array(0);

  reset(count: number): void {
    if (this.leaders.length <= count) {
      const size = 2 * count + 256;
      this.leaders = new Uint8Array(size);
      this.seen = new Uint8Array(size);
      this.dirty = new Uint8Array(size);
      this.targets = new Int32Array(size);
      return;
    }
    for (const bytes of [this.leaders, this.seen, this.dirty]) bytes.fill(0, 0, count + 1);
  }
}

const scratch = new Scratch();
const NO_TARGETS: readonly CallTarget[] = [];

class Follower {
  private readonly values = new Values();
  private readonly calls: CallSite[] = [];
  private readonly uses: OtherUse[] = [];
  private readonly reached = new Reached();
  /** Operations stand in stretches of ascending RVAs; these are where they begin. */
  private readonly stretches: number[] = [0];
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
    const { count } = ops;
    scratch.reset(count);
    this.leaders = scratch.leaders;
    this.seen = scratch.seen;
    this.dirty = scratch.dirty;
    this.targets = scratch.targets;
    this.states = new Array<FlowState | undefined>(count);
    for (let i = 1; i < count; i++) if ((ops.at[i] ?? 0) < (ops.at[i - 1] ?? 0)) this.stretches.push(i);
    for (let i = 0; i < count; i++) {
      const kind = ops.kind[i];
      if (kind !== OP.branch && kind !== OP.jump) continue;
      const target = this.indexOf(ops.immediate[i] ?? 0);
      this.targets[i] = target;
      if (target >= 0) this.leaders[target] = 1;
      this.leaders[i + 1] = 1;
    }
  }

  run(entry: number): Flow {
    const first = this.indexOf(entry);
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
    const { values, calls, uses, reached, steps } = this;
    return { values, calls, uses, reached, complete: first >= 0 && isSettled, steps };
  }

  /** The first operation at an RVA; -1 where none is. */
  private indexOf(rva: number): number {
    const { ops, stretches } = this;
    for (let s = 0; s < stretches.length; s++) {
      let low = stretches[s] ?? 0;
      const end = stretches[s + 1] ?? ops.count;
      let high = end;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((ops.at[middle] ?? 0) < rva) low = middle + 1;
        else high = middle;
      }
      if (low < end && ops.at[low] === rva) return low;
    }
    return -1;
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
      case OP.push:
      case OP.pushMemory:
      case OP.pop:
      case OP.leave:
        this.state.stack(i, kind);
        return true;
      default:
        this.state.assign(i, kind, immediate);
        return true;
    }
  }

  private store(i: number): void {
    const { ops, values } = this;
    const [base, index, immediate] = [ops.target[i] ?? -1, ops.index[i] ?? -1, ops.immediate[i] ?? 0];
    const source = ops.source[i] ?? -1;
    const set = source < 0 ? values.one(VALUE.constant, ops.value[i] ?? 0, ops.at[i] ?? 0) : this.state.get(source);
    const place = this.state.placeOf(base, index, immediate);
    if (place !== null) {
      this.state.write(place, set, ops.size[i] ?? 0);
      return;
    }
    if (!this.reporting || set === UNKNOWN) return;
    const target = base < 0 ? null : values.only(this.state.get(base));
    const absolute =
      base < 0 && index < 0
        ? immediate
        : target?.kind === VALUE.address && index < 0
          ? target.number + immediate
          : null;
    this.uses.push({ kind: 'store', at: ops.at[i] ?? 0, set, place: absolute });
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
    return this.reporting || this.machine.calleePops || this.called.isGuarded ? this.targetsOf(i) : NO_TARGETS;
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
    this.state.forgetRegisters(machine.volatile);
    if (!machine.calleePops) return;
    const taken = this.takenBy(targets, this.isCleanedByCaller(i));
    if (taken === null) this.state.newStack(at);
    else this.state.set(machine.stackPointer, this.values.one(VALUE.stack, sp + taken));
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
