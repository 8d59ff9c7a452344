import { expect } from 'chai';
import fc from 'fast-check';
import { Operations } from '../../../parsers/code/operations.js';
import { FlowState } from './flow-state.js';
import { FunctionWalk } from './function-walk.js';
import { machineOf, STACK_ARGUMENT, type Machine } from './machine.js';
import { Reached } from './reached.js';
import { ANYTHING, UNKNOWN, VALUE, Values } from './values.js';
import { CodeWork } from './work.js';

const machine = (number: number): Machine => {
  const made = machineOf(number);
  if (made === null) throw new Error('no machine');
  return made;
};
const X64 = machine(0x8664);

describe('sets of values', () => {
  it('have one number for one possibility, however often it is asked for', () => {
    const values = new Values();
    const five = values.one(VALUE.constant, 5, 0x1000);
    expect(values.one(VALUE.constant, 5, 0x1000)).to.equal(five);
    expect(values.one(VALUE.constant, 5, 0x1004)).to.not.equal(five);
    expect(values.one(VALUE.constant, 5, 0x1000, 0x1004)).to.not.equal(five);
    expect(values.only(five)).to.deep.equal({ kind: VALUE.constant, number: 5, origin: 0x1000, second: -1 });
    expect(values.only(Values.ofRegister(7))).to.include({ kind: VALUE.entry, number: 7 });
    expect(values.one(VALUE.entry, 7)).to.equal(Values.ofRegister(7));
    expect(values.one(VALUE.unknown, 0)).to.equal(UNKNOWN);
  });

  it('are joined as sets are, in the order in which their possibilities came up; nine are too many', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(11), { maxLength: 14 }), fc.array(fc.nat(11), { maxLength: 14 }), (left, right) => {
        const values = new Values();
        const atoms = Array.from({ length: 12 }, (_, i) => values.one(VALUE.constant, i, i * 4));
        const joined = (list: readonly number[]): number =>
          list.reduce((set, i) => (set < 0 ? (atoms[i] ?? 0) : values.union(set, atoms[i] ?? 0)), -1);
        const all = [...new Set([...left, ...right])].sort((a, b) => a - b);
        if (left.length === 0 || right.length === 0) return;
        const set = values.union(joined(left), joined(right));
        expect(values.union(joined(right), joined(left))).to.equal(set);
        if (all.length > 8) expect(set).to.equal(ANYTHING);
        else expect(values.of(set).map(({ number }) => number)).to.deep.equal(all);
      }),
    );
  });

  it('change one by one', () => {
    const values = new Values();
    const both = values.union(values.one(VALUE.constant, 1, 4), values.one(VALUE.entry, 3));
    const next = values.map(both, (value) =>
      value.kind === VALUE.constant ? { ...value, number: value.number + 1 } : null,
    );
    expect(values.of(next).map(({ kind, number }) => [kind, number])).to.deep.equal([
      [VALUE.unknown, 0],
      [VALUE.constant, 2],
    ]);
    expect(values.map(UNKNOWN, (value) => value)).to.equal(UNKNOWN);
    expect(values.map(ANYTHING, (value) => value)).to.equal(ANYTHING);
  });
});

describe('a state of registers and the stack', () => {
  const made = (): { values: Values; state: FlowState } => {
    const values = new Values();
    return { values, state: new FlowState(X64, new Operations(), values).enter() };
  };

  it('is not changed by what becomes of a copy, nor by its copy', () => {
    const { values, state } = made();
    const [one, two] = [values.one(VALUE.constant, 1, 0), values.one(VALUE.constant, 2, 4)];
    state.write(-8, one);
    const copy = state.copy();
    const later = copy.copy();
    copy.write(-8, two);
    copy.write(-16, two);
    copy.set(1, two);
    expect([state.at(-8), state.at(-16), state.get(1)]).to.deep.equal([one, UNKNOWN, Values.ofRegister(1)]);
    state.write(-8, UNKNOWN);
    expect([later.at(-8), copy.at(-8), copy.at(-16), state.at(-8)]).to.deep.equal([one, two, two, UNKNOWN]);
  });

  it('keeps what a call got when it goes on', () => {
    const { values, state } = made();
    const tag = values.one(VALUE.constant, 0x6b61654c, 0);
    state.write(-0x20, tag);
    state.set(8, tag);
    const given = state.given(-0x28, 0);
    const argument = (place: number): number => given.argument(place);
    state.write(-0x20, UNKNOWN);
    state.forgetRegisters(0x0f07);
    expect([argument(8), argument(STACK_ARGUMENT + 1), argument(STACK_ARGUMENT), argument(40)]).to.deep.equal([
      tag,
      tag,
      UNKNOWN,
      UNKNOWN,
    ]);
    expect([state.get(8), state.get(11), state.get(3)]).to.deep.equal([UNKNOWN, UNKNOWN, Values.ofRegister(3)]);
    expect(values.only(argument(STACK_ARGUMENT + 9))).to.include({ kind: VALUE.entry, number: STACK_ARGUMENT + 3 });
  });

  it('joins what either side wrote, in any order', () => {
    const { values, state } = made();
    const [one, two] = [values.one(VALUE.constant, 1, 0), values.one(VALUE.constant, 2, 4)];
    const other = state.copy();
    state.write(-8, one);
    state.write(-16, one);
    other.write(-16, one);
    other.write(-8, two);
    other.write(-24, two);
    expect(state.join(other)).to.equal(true);
    expect(state.join(other)).to.equal(false);
    expect([state.at(-8), state.at(-16), state.at(-24)]).to.deep.equal([
      values.union(one, two),
      one,
      values.union(UNKNOWN, two),
    ]);
    expect(other.at(-8)).to.equal(two);
  });
});

describe('instructions that were reached', () => {
  it('are found in whatever order they came, the last one where two stand at one place', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 15 })), { maxLength: 60 }), (list) => {
        const reached = new Reached();
        for (const [at, length] of list) reached.add(at, length);
        const map = new Map(list);
        for (let at = -1; at < 42; at++) {
          expect(reached.get(at)).to.equal(map.get(at));
          expect(reached.has(at)).to.equal(map.has(at));
        }
      }),
    );
  });
});

describe('the walk over functions', () => {
  /** Functions of x64 with branches, padding and bytes that are no instruction. */
  const parts = ['33c0c3', '7402eb01', '4883ec28e800000000', 'cccc', '90', '0f1f00', 'c3', '06', 'b84c65616b', 'eb10'];
  const codes = fc
    .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 400 })
    .map((list) => Buffer.from(list.join(''), 'hex'));

  const codeOf = (
    bytes: Buffer,
  ): {
    machine: Machine;
    base: number;
    bytes(rva: number, length: number): Uint8Array;
    work: CodeWork;
    exportAt(): boolean;
  } => ({
    machine: X64,
    base: 0,
    work: new CodeWork(),
    bytes: (rva, length) => bytes.subarray(rva - 0x1000, rva - 0x1000 + length),
    exportAt: () => false,
  });

  it('finds the same from one walk, in any order, as from a walk for each place', () => {
    fc.assert(
      fc.property(codes, fc.array(fc.nat(1600), { minLength: 1, maxLength: 20 }), (bytes, places) => {
        const high = 0x1000 + bytes.length;
        const rvas = places.map((place) => 0x1000 + (place % bytes.length));
        const each = rvas.map((rva) => new FunctionWalk(new Operations(), codeOf(bytes), 0x1000, high).find(rva));
        const walk = new FunctionWalk(new Operations(), codeOf(bytes), 0x1000, high);
        expect(rvas.map((rva) => walk.find(rva))).to.deep.equal(each);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the operations of a function as decoding it does', () => {
    fc.assert(
      fc.property(codes, fc.nat(1600), (bytes, place) => {
        const code = codeOf(bytes);
        const walk = new FunctionWalk(new Operations(), code, 0x1000, 0x1000 + bytes.length);
        const found = walk.find(0x1000 + (place % bytes.length));
        const given = new Operations();
        if (found === null || !walk.give(found.start, found.end, given, 1000)) return;
        const decoded = new Operations();
        X64.decoder.decode(code.bytes(found.start, found.end - found.start), found.start, 0, decoded, Infinity);
        const columns = (ops: Operations): number[][] =>
          Array.from({ length: ops.count }, (_, i) =>
            [ops.at, ops.length, ops.kind, ops.target, ops.source, ops.index, ops.size, ops.immediate, ops.value, ops.killed]
              .map((column) => column[i] ?? NaN),
          ); // prettier-ignore
        expect(columns(given)).to.deep.equal(columns(decoded));
      }),
      { numRuns: 60 },
    );
  });

  it('is not disturbed by another one', () => {
    const code = codeOf(Buffer.from('c3c3', 'hex'));
    const first = new FunctionWalk(new Operations(), code, 0x1000, 0x1002);
    expect(first.find(0x1000)).to.deep.equal({ start: 0x1000, end: 0x1001 });
    new FunctionWalk(new Operations(), code, 0x1001, 0x1002).find(0x1001);
    const given = new Operations();
    expect(first.give(0x1000, 0x1001, given, 10)).to.equal(true);
    expect(given.at[0]).to.equal(0x1000);
  });
});
