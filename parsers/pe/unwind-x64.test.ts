/** Functions with prologues of all kinds, run by hand up to any place, and unwound from there. */

import { expect } from 'chai';
import fc from 'fast-check';
import '../../test-dumps/property-seed.js';
import { virtual } from '../addresses.js';
import { failed } from '../bytes/failure.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { FlatMemory } from './flat-memory.test.helper.js';
import { unwindFrame, type UnwindState } from './unwind-x64.js';

const BASE = 0xfffff80000000000n;
const STACK = 0xfffff90000000000n;
const TOP = 0x8000;
const RSP = 4;
/** Registers that functions keep. */
const KEPT = [3, 5, 6, 7, 12, 13, 14, 15];
const FUNCTION = { start: 0x1000, end: 0x1100, unwind: 0x2000 };
const RETURN = 0xfffff80012345678n;

function flat(bytes: Uint8Array, base: bigint): FlatMemory {
  const memory = new FlatMemory(Math.ceil(bytes.length / 0x1000), [], 8, virtual(base));
  memory.bytes.set(bytes);
  return memory;
}

interface Prologue {
  readonly pushes: readonly number[];
  readonly allocated: number;
  readonly frame: { readonly register: number; readonly offset: number } | null;
  readonly saved: readonly { readonly register: number; readonly at: number; readonly far: boolean }[];
  /** How many steps of the prologue ran; the body where it is more than there are. */
  readonly ran: number;
  /** Bytes that the body took from the stack, which only a frame register tells. */
  readonly dynamic: number;
}

const prologues = fc
  .record({
    pushes: fc.uniqueArray(fc.constantFrom(...KEPT), { maxLength: 5 }),
    allocated: fc.oneof(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 17, max: 0x200 })).map((n) => n * 8),
    frame: fc.option(fc.record({ register: fc.constantFrom(...KEPT), offset: fc.integer({ min: 0, max: 15 }) })),
    saved: fc.uniqueArray(fc.record({ register: fc.constantFrom(...KEPT), far: fc.boolean() }), { maxLength: 3, selector: ({ register }) => register }), // prettier-ignore
    ran: fc.integer({ min: 0, max: 12 }),
    dynamic: fc.integer({ min: 0, max: 8 }).map((n) => n * 16),
  })
  .map(({ saved, frame, pushes, ...rest }): Prologue => {
    const own = saved.filter(({ register }) => !pushes.includes(register));
    const isFree = frame !== null && pushes.includes(frame.register);
    // What is saved by mov stands above what was allocated: in the home space of the caller.
    const above = rest.allocated + pushes.length * 8 + 8;
    return {
      ...rest,
      pushes,
      frame: isFree ? frame : null,
      saved: own.map((one, i) => ({ ...one, at: above + i * 8 })),
    };
  });

/** Runs the prologue; gives the state, the memory, and the registers of the caller. */
function run(one: Prologue): { state: UnwindState; memory: VirtualMemory; before: bigint[] } {
  const stack = new Uint8Array(TOP + 0x100);
  const view = new DataView(stack.buffer);
  const before = Array.from({ length: 16 }, (_, i) => BigInt(0x1111 * (i + 1)));
  before[RSP] = STACK + BigInt(TOP);
  const registers = [...before];
  const store = (address: bigint, value: bigint): void => {
    view.setBigUint64(Number(address - STACK), value, true);
  };
  const sub = (bytes: number): bigint => (registers[RSP] = registers[RSP]! - BigInt(bytes));
  store(sub(8), RETURN);
  const codes: number[][] = [];
  let offset = 0;
  let step = 0;
  const isRun = (): boolean => step++ < one.ran;
  let at = 0;
  const did = (bytes: number): void => {
    if (step <= one.ran) at = offset + bytes;
    offset += bytes;
  };
  for (const register of one.pushes) {
    if (isRun()) store(sub(8), registers[register]!);
    did(2);
    codes.push([offset | (0 << 8) | (register << 12)]);
  }
  if (one.allocated > 0) {
    if (isRun()) sub(one.allocated);
    did(7);
    if (one.allocated <= 128) codes.push([offset | (2 << 8) | (((one.allocated - 8) / 8) << 12)]);
    else codes.push([offset | (1 << 8), one.allocated / 8]);
  }
  if (one.frame !== null) {
    if (isRun()) registers[one.frame.register] = registers[RSP]! + BigInt(one.frame.offset * 16);
    did(5);
    codes.push([offset | (3 << 8)]);
  }
  for (const { register, at: place, far } of one.saved) {
    if (isRun()) {
      store(registers[RSP]! + BigInt(place), registers[register]!);
      registers[register] = 0xdeadn;
    }
    did(8);
    if (far) codes.push([offset | (5 << 8) | (register << 12), place & 0xffff, place >>> 16]);
    else codes.push([offset | (4 << 8) | (register << 12), place / 8]);
  }
  const inBody = step <= one.ran;
  if (inBody) {
    at = offset + 8;
    for (const register of one.pushes) if (register !== one.frame?.register) registers[register] = 0xbeefn;
    if (one.frame !== null) sub(one.dynamic);
  }
  const image = new Uint8Array(0x3000);
  image.fill(0x90, 0x1000, 0x1100);
  const words = codes.reverse().flat();
  image.set([1, offset, words.length, one.frame === null ? 0 : one.frame.register | (one.frame.offset << 4)], FUNCTION.unwind); // prettier-ignore
  const unwind = new DataView(image.buffer);
  words.forEach((word, i) => { unwind.setUint16(FUNCTION.unwind + 4 + i * 2, word, true); }); // prettier-ignore
  const memory = new TwoPieces(flat(image, BASE), flat(stack, STACK));
  return { state: { registers, rip: virtual(BASE + BigInt(FUNCTION.start + at)) }, memory: memory as never, before };
}

class TwoPieces {
  readonly pointerSize = 8;
  constructor(
    private readonly image: VirtualMemory,
    private readonly stack: VirtualMemory,
  ) {}
  private of(address: bigint): VirtualMemory {
    return address >= STACK ? this.stack : this.image;
  }
  read(address: bigint, length: number): unknown {
    return this.of(address).read(virtual(address), length);
  }
  readPointer(address: bigint): unknown {
    return this.of(address).readPointer(virtual(address));
  }
}

describe('unwinding x64 stacks', () => {
  it('gives the registers of the caller, wherever the function was interrupted', () => {
    fc.assert(
      fc.property(prologues, (one) => {
        const { state, memory, before } = run(one);
        const done = unwindFrame(memory, { memory, base: virtual(BASE) }, FUNCTION, state, true);
        expect(done).to.deep.equal({ interrupted: false });
        expect(state.rip).to.equal(RETURN);
        for (const i of [RSP, ...KEPT]) expect(state.registers[i], `register ${i}`).to.equal(before[i]);
      }),
      { numRuns: 600 },
    );
  });

  it('leaf functions return to what is on top', () => {
    const { state, memory } = run({ pushes: [], allocated: 0, frame: null, saved: [], ran: 0, dynamic: 0 });
    expect(unwindFrame(memory, { memory, base: virtual(BASE) }, null, state, true)).to.deep.equal({
      interrupted: false,
    });
    expect([state.rip, state.registers[RSP]]).to.deep.equal([RETURN, STACK + BigInt(TOP)]);
  });

  it('never throws or goes on without end on information that makes no sense', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.boolean(), (bytes, interrupted) => {
        const image = new Uint8Array(0x3000);
        image.set(bytes, FUNCTION.unwind);
        const stack = flat(new Uint8Array(TOP + 0x100), STACK);
        const memory = new TwoPieces(flat(image, BASE), stack) as never;
        const state = { registers: Array<bigint>(16).fill(STACK + 0x100n), rip: virtual(BASE + 0x1010n) };
        const done = unwindFrame(memory, { memory, base: virtual(BASE) }, FUNCTION, state, interrupted);
        expect(failed(done) || typeof done.interrupted === 'boolean').to.equal(true);
      }),
      { numRuns: 300 },
    );
  });

  it('goes through a machine frame to the interrupted code', () => {
    const { state, memory } = run({ pushes: [], allocated: 0, frame: null, saved: [], ran: 0, dynamic: 0 });
    const image = { memory, base: virtual(BASE) };
    const head = [1, 0, 1, 0, 0, 10 | (1 << 4)];
    const bytes = new Uint8Array(0x3000);
    bytes.set(head, FUNCTION.unwind);
    const stack = new Uint8Array(TOP + 0x100);
    const view = new DataView(stack.buffer);
    [7n, RETURN, 0x10n, 0x246n, STACK + 0x7800n, 0x18n].forEach((value, i) => { view.setBigUint64(0x7000 + i * 8, value, true); }); // prettier-ignore
    const both = new TwoPieces(flat(bytes, BASE), flat(stack, STACK)) as never;
    state.registers[RSP] = STACK + 0x7000n;
    expect(unwindFrame(both, { ...image, memory: both }, FUNCTION, state, false)).to.deep.equal({ interrupted: true });
    expect([state.rip, state.registers[RSP]]).to.deep.equal([RETURN, STACK + 0x7800n]);
  });
});
