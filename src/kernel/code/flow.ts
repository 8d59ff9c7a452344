/**
 * Follows values through one function: what each register and each place on the stack may hold at every call, on any
 * path from the function's beginning. Memory other than the stack is not followed.
 */

import { OP, UNKNOWN_REGISTER, type Operations } from '../../../parsers/code/operations.js';
import { MOST_STACK_ARGUMENTS, STACK_ARGUMENT, type Machine } from './machine.js';
import { FlowState } from './flow-state.js';
import { UNKNOWN, VALUE, Values } from './values.js';

/** Operations that are carried out for one function, at most. */
const MOST_STEPS = 400_000;
/** Where a call goes. RVAs modulo 2^32. */
export type CallTarget =
  | { readonly kind: 'direct'; readonly rva: number }
  | { readonly kind: 'slot'; readonly rva: number }
  /** The code goes on in a page that is not there. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' };

/** A call, or a jump out of the function. */
export interface CallSite {
  /** RVA of the instruction. */
  readonly at: number;
  /** Every place that it may go to. */
  readonly targets: readonly CallTarget[];
  /** The set at a place of an argument (see `machine.ts`). */
  argument(place: number): number;
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
  /** Instructions that were reached, as RVA to length. */
  readonly reached: ReadonlyMap<number, number>;
  /** False where the work was cut off. */
  readonly complete: boolean;
}

/** How many bytes a called function takes from the stack (x86); null where that is not known. */
export type StackTaken = (target: CallTarget) => number | null;

/** Follows the function whose operations these are, from the instruction at RVA `entry`. */
export function followFunction(machine: Machine, operations: Operations, entry: number, taken: StackTaken): Flow {
  return new Follower(machine, operations, taken).run(entry);
}

class Follower {
  private readonly values = new Values();
  private readonly calls: CallSite[] = [];
  private readonly uses: OtherUse[] = [];
  private readonly reached = new Map<number, number>();
  private readonly indexOf = new Map<number, number>();
  private readonly leaders: Uint8Array;
  private readonly states = new Map<number, FlowState>();
  private readonly dirty = new Set<number>();
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
    private readonly taken: StackTaken,
  ) {
    this.state = new FlowState(machine, ops, this.values);
    this.leaders = new Uint8Array(ops.count + 1);
    this.seen = new Uint8Array(ops.count + 1);
    for (let i = ops.count - 1; i >= 0; i--) this.indexOf.set(ops.at[i] ?? 0, i);
    for (let i = 0; i < ops.count; i++) {
      const kind = ops.kind[i];
      if (kind !== OP.branch && kind !== OP.jump) continue;
      const target = this.indexOf.get(ops.immediate[i] ?? 0);
      if (target !== undefined) this.leaders[target] = 1;
      this.leaders[i + 1] = 1;
    }
  }

  run(entry: number): Flow {
    const first = this.indexOf.get(entry);
    if (first !== undefined) {
      this.leaders[first] = 1;
      this.states.set(first, new FlowState(this.machine, this.ops, this.values).enter());
      this.dirty.add(first);
      do this.settle();
      while (this.steps < MOST_STEPS && this.enterUnreached());
      this.reporting = true;
      for (const leader of [...this.states.keys()].sort((a, b) => a - b)) this.block(leader);
    }
    const { values, calls, uses, reached } = this;
    return { values, calls, uses, reached, complete: first !== undefined && this.steps < MOST_STEPS };
  }

  private settle(): void {
    while (this.dirty.size > 0 && this.steps < MOST_STEPS) {
      const leader = Math.min(...this.dirty);
      this.dirty.delete(leader);
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
      this.states.set(i, this.beforeSwitch?.copy() ?? this.nothingKnown(ops.at[i] ?? 0));
      this.dirty.add(i);
      return true;
    }
    return false;
  }

  private nothingKnown(at: number): FlowState {
    const state = new FlowState(this.machine, this.ops, this.values);
    state.newStack(at);
    return state;
  }

  /** Carries out operations from a leader to the next one, or to where control goes elsewhere. */
  private block(leader: number): void {
    const start = this.states.get(leader);
    if (start === undefined) return;
    this.state = start.copy();
    for (let i = leader; i < this.ops.count; i++) {
      if (i !== leader && this.leaders[i] === 1) {
        this.flowTo(i);
        return;
      }
      this.steps++;
      this.seen[i] = 1;
      if (this.reporting) this.reached.set(this.ops.at[i] ?? 0, this.ops.length[i] ?? 0);
      if (!this.step(i)) return;
    }
  }

  private flowTo(index: number): void {
    if (this.reporting) return;
    const known = this.states.get(index);
    if (known === undefined) this.states.set(index, this.state.copy());
    else if (!known.join(this.state)) return;
    this.dirty.add(index);
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
        this.call(i, this.targetsOf(i), false);
        return true;
      case OP.jump: {
        const target = this.indexOf.get(immediate);
        if (target === undefined) this.call(i, [{ kind: 'direct', rva: immediate }], true);
        else this.flowTo(target);
        return false;
      }
      case OP.jumpMemory:
      case OP.jumpRegister:
        this.call(i, this.targetsOf(i), true);
        this.beforeSwitch = this.state.copy();
        return false;
      case OP.branch: {
        const target = this.indexOf.get(immediate);
        if (target === undefined) this.call(i, [{ kind: 'direct', rva: immediate }], true);
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
      this.state.write(place, set);
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

  private targetsOf(i: number): CallTarget[] {
    const { ops } = this;
    const kind = ops.kind[i];
    const immediate = ops.immediate[i] ?? 0;
    if (kind === OP.call) return [{ kind: 'direct', rva: immediate }, ...this.imported()];
    const set =
      kind === OP.callMemory || kind === OP.jumpMemory
        ? this.state.load(ops.source[i] ?? -1, ops.index[i] ?? -1, immediate, ops.at[i] ?? 0, 8)
        : this.state.get(ops.source[i] ?? UNKNOWN_REGISTER);
    return this.values.of(set).map((value): CallTarget => {
      if (value.kind === VALUE.memory) return { kind: 'slot', rva: value.number };
      return value.kind === VALUE.address ? { kind: 'direct', rva: value.number } : { kind: 'unknown' };
    });
  }

  /** Windows may rewrite a call through the import table: `mov r10,[slot]; call target`. */
  private imported(): CallTarget[] {
    if (this.machine.name !== 'x64') return [];
    const value = this.values.only(this.state.get(10));
    return value?.kind === VALUE.memory ? [{ kind: 'slot', rva: value.number }] : [];
  }

  private call(i: number, targets: readonly CallTarget[], isJump: boolean): void {
    const { machine, ops } = this;
    const at = ops.at[i] ?? 0;
    const sp = this.values.only(this.state.get(machine.stackPointer))?.number ?? 0;
    if (this.reporting) {
      const registers = this.state.registers.slice();
      const first = sp + (isJump ? machine.returnAddress : 0);
      const places = Array.from({ length: MOST_STACK_ARGUMENTS }, (_, n) => {
        const place = first + n * machine.pointerSize;
        return this.state.slots.get(place) ?? this.state.untouched(place);
      });
      const argument = (place: number): number =>
        (place < STACK_ARGUMENT ? registers[place] : places[place - STACK_ARGUMENT]) ?? UNKNOWN;
      this.calls.push({ at, targets, argument });
    }
    if (isJump) return;
    for (let r = 0; r < 32; r++) if ((machine.volatile & (1 << r)) !== 0) this.state.set(r, UNKNOWN);
    if (!machine.calleePops) return;
    const taken = this.isCleanedByCaller(i) ? 0 : this.takenBy(targets);
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

  private takenBy(targets: readonly CallTarget[]): number | null {
    const [only] = targets;
    return targets.length === 1 && only !== undefined ? this.taken(only) : null;
  }
}
