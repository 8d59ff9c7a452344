/**
 * One step up an x64 stack by the unwind information of an image (UNWIND_INFO), as the public x64 exception handling document has
 * it. Versions 1 and 2; registers of 128 bits are passed over.
 */

import { plus, virtual, type VirtualAddress } from '../addresses.js';
import { failed, Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';

/** The registers that functions keep, rsp and rip among them, by number; rip is the last. */
export interface UnwindState {
  /** rax rcx rdx rbx rsp rbp rsi rdi r8 .. r15. */
  readonly registers: bigint[];
  rip: VirtualAddress;
}

/** The entry of a function in the exception table; RVAs. */
export interface UnwindEntry {
  readonly start: number;
  readonly end: number;
  readonly unwind: number;
}

/** Where a function's image is. */
export interface UnwindImage {
  readonly memory: VirtualMemory;
  readonly base: VirtualAddress;
}

const RSP = 4;
/** Entries that are chained to one another, at most. */
const MOST_CHAINED = 32;
/** Slots of each operation; of ALLOC_LARGE one more where its info is 1. Null where there is no such operation. */
const SLOTS: readonly (number | null)[] = [1, 2, 1, 1, 2, 3, 2, null, 2, 3, 1];
const CHAINED = 4;

/** What the codes of a function did to the state. */
interface Done {
  /** A machine frame was found: rip and rsp are the interrupted code's. */
  readonly machineFrame: boolean;
}

/**
 * Goes up one frame: the state of the caller. `entry` is null for a function without one, which keeps its return address on top of
 * the stack. `isInterrupted`: rip is where code was interrupted, and may stand in a prologue or an epilogue; else it is a return address.
 *
 * @returns whether the caller was interrupted too (a machine frame), or why the step is not possible: then the state is of no use.
 */
export function unwindFrame(
  stack: VirtualMemory,
  image: UnwindImage,
  entry: UnwindEntry | null,
  state: UnwindState,
  isInterrupted: boolean,
): { readonly interrupted: boolean } | Failure {
  if (entry !== null) {
    if (isInterrupted && inEpilogue(image, entry, state)) {
      const ended = endEpilogue(stack, image, state);
      if (failed(ended)) return ended;
    } else {
      const done = undo(stack, image, entry, state, isInterrupted);
      if (failed(done)) return done;
      if (done.machineFrame) return { interrupted: true };
    }
  }
  const back = pop(stack, state);
  if (failed(back)) return back;
  state.rip = virtual(back);
  return { interrupted: false };
}

function pop(stack: VirtualMemory, state: UnwindState): bigint | Failure {
  const at = virtual(state.registers[RSP] ?? 0n);
  const value = stack.readPointer(at);
  if (!failed(value)) state.registers[RSP] = BigInt.asUintN(64, at + 8n);
  return value;
}

/** Undoes what the prologue did, as far as it ran, of the function and of those that its entry is chained to. */
function undo(
  stack: VirtualMemory,
  image: UnwindImage,
  entry: UnwindEntry,
  state: UnwindState,
  isInterrupted: boolean,
): Done | Failure {
  // prettier-ignore
  let { start, unwind } = entry;
  let ran = isInterrupted ? Number(state.rip - image.base) - start : Infinity;
  for (let steps = 0; steps < MOST_CHAINED; steps++) {
    if ((unwind & 1) !== 0) {
      // The place of another entry.
      const other = image.memory.read(plus(image.base, unwind & ~1), 12);
      if (failed(other)) return other;
      [start, unwind] = [u32(other, 0), u32(other, 8)];
      continue;
    }
    const head = image.memory.read(plus(image.base, unwind), 4);
    if (failed(head)) return head;
    const version = (head[0] ?? 0) & 7;
    const flags = (head[0] ?? 0) >>> 3;
    const count = head[2] ?? 0;
    if (version !== 1 && version !== 2) return new Failure('corrupt', `unwind information of version ${version}`, { address: plus(image.base, unwind) }); // prettier-ignore
    const room = ((count + 1) & ~1) * 2;
    const codes = image.memory.read(plus(image.base, unwind + 4), room + 12);
    const exact = failed(codes) ? image.memory.read(plus(image.base, unwind + 4), room) : codes;
    if (failed(exact)) return exact;
    const done = undoCodes(stack, exact, count, head[3] ?? 0, state, ran);
    if (failed(done) || done.machineFrame || (flags & CHAINED) === 0) return done;
    if (failed(codes)) return codes;
    [start, unwind] = [u32(codes, room), u32(codes, room + 8)];
    ran = Infinity;
  }
  return new Failure('corrupt', 'the unwind information is chained in a circle', { address: plus(image.base, start) });
}

function undoCodes(
  stack: VirtualMemory,
  codes: Uint8Array,
  count: number,
  frame: number,
  state: UnwindState,
  ran: number,
): Done | Failure {
  // prettier-ignore
  const { registers } = state;
  const frameRegister = frame & 15;
  const setFrame = codeOffset(codes, count, 3);
  // Saved registers lie above where the stack stood when the frame was set.
  const framed = frameRegister !== 0 && (setFrame === null || ran >= setFrame);
  const base = framed ? (registers[frameRegister] ?? 0n) - BigInt((frame >>> 4) * 16) : (registers[RSP] ?? 0n);
  for (let i = 0; i < count;) {
    const operation = (codes[i * 2 + 1] ?? 0) & 15;
    const info = (codes[i * 2 + 1] ?? 0) >>> 4;
    const slots = operation === 1 ? 2 + Math.min(info, 1) : (SLOTS[operation] ?? null);
    if (slots === null || i + slots > count) return new Failure('corrupt', 'the unwind information makes no sense');
    const value = slots === 2 ? u16(codes, i * 2 + 2) : slots === 3 ? u32(codes, i * 2 + 2) : 0;
    if ((codes[i * 2] ?? 0) <= ran || operation === 10) {
      const rsp = registers[RSP] ?? 0n;
      if (operation === 0) {
        const saved = pop(stack, state);
        if (failed(saved)) return saved;
        if (info !== RSP) registers[info] = saved;
      } else if (operation === 1) registers[RSP] = rsp + BigInt(info === 0 ? value * 8 : value);
      else if (operation === 2) registers[RSP] = rsp + BigInt(info * 8 + 8);
      else if (operation === 3) registers[RSP] = BigInt.asUintN(64, base);
      else if (operation === 4 || operation === 5) {
        const saved = stack.readPointer(
          virtual(BigInt.asUintN(64, base + BigInt(operation === 4 ? value * 8 : value))),
        );
        if (failed(saved)) return saved;
        registers[info] = saved;
      } else if (operation === 10) return machineFrame(stack, state, info);
    }
    i += slots;
  }
  return { machineFrame: false };
}

/** PUSH_MACHFRAME: rip, cs, flags, rsp, ss, behind an error code where there is one. */
function machineFrame(stack: VirtualMemory, state: UnwindState, info: number): Done | Failure {
  const at = virtual((state.registers[RSP] ?? 0n) + BigInt(info === 0 ? 0 : 8));
  const rip = stack.readPointer(at);
  const rsp = stack.readPointer(plus(at, 24));
  if (failed(rip)) return rip;
  if (failed(rsp)) return rsp;
  state.rip = virtual(rip);
  state.registers[RSP] = rsp;
  return { machineFrame: true };
}

/** How far into the prologue an operation stands; null where it is not among the codes. */
function codeOffset(codes: Uint8Array, count: number, wanted: number): number | null {
  for (let i = 0; i < count;) {
    const operation = (codes[i * 2 + 1] ?? 0) & 15;
    if (operation === wanted) return codes[i * 2] ?? 0;
    i += operation === 1 ? 2 + Math.min((codes[i * 2 + 1] ?? 0) >>> 4, 1) : (SLOTS[operation] ?? count);
  }
  return null;
}

/** Bytes of an epilogue that are read. */
const EPILOGUE = 40;
const MOST_STEPS = 18;

interface EpilogueStep {
  /** Bytes of the instruction. */
  readonly length: number;
  /** Added to rsp. */
  readonly add?: bigint;
  /** The register that is popped. */
  readonly pop?: number;
  readonly isEnd?: boolean;
}

/** The instruction of an epilogue at `at`: `add rsp`, `pop`, `ret`, a jump to another function; null for any other. */
function epilogueStep(bytes: Uint8Array, at: number): EpilogueStep | null {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  if (a === 0x48 && b === 0x83 && c === 0xc4) return { length: 4, add: BigInt((d << 24) >> 24) };
  if (a === 0x48 && b === 0x81 && c === 0xc4 && at + 7 <= bytes.length) return { length: 7, add: BigInt(u32(bytes, at + 3) | 0) }; // prettier-ignore
  if (a >= 0x58 && a <= 0x5f) return { length: 1, pop: a - 0x58 };
  if (a === 0x41 && b >= 0x58 && b <= 0x5f) return { length: 2, pop: b - 0x50 };
  if (a === 0xc3 || a === 0xc2) return { length: 1, isEnd: true };
  if (a === 0xf3 && b === 0xc3) return { length: 2, isEnd: true };
  return null;
}

function epilogueBytes({ memory }: UnwindImage, rip: VirtualAddress, most: number): Uint8Array {
  const bytes = memory.read(rip, Math.min(EPILOGUE, most));
  return failed(bytes) ? new Uint8Array(0) : bytes;
}

/** Whether code from rip on only gives back the frame and returns. */
function inEpilogue(image: UnwindImage, entry: UnwindEntry, state: UnwindState): boolean {
  const most = entry.end - Number(state.rip - image.base);
  const bytes = epilogueBytes(image, state.rip, most);
  let at = 0;
  for (let i = 0; i < MOST_STEPS && at < bytes.length; i++) {
    const step = epilogueStep(bytes, at);
    if (step === null || (step.add !== undefined && i > 0)) return false;
    if (step.isEnd === true) return true;
    at += step.length;
  }
  return false;
}

/** Runs the rest of an epilogue up to its return. */
function endEpilogue(stack: VirtualMemory, image: UnwindImage, state: UnwindState): Failure | null {
  const bytes = epilogueBytes(image, state.rip, EPILOGUE);
  let at = 0;
  for (let i = 0; i < MOST_STEPS; i++) {
    const step = epilogueStep(bytes, at);
    if (step === null || step.isEnd === true) return null;
    if (step.add !== undefined) state.registers[RSP] = BigInt.asUintN(64, (state.registers[RSP] ?? 0n) + step.add);
    if (step.pop !== undefined) {
      const value = pop(stack, state);
      if (failed(value)) return value;
      if (step.pop !== RSP) state.registers[step.pop] = value;
    }
    at += step.length;
  }
  return null;
}
