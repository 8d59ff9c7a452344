/** Kernel stacks of threads: of those that wait, as a switch of threads leaves them; and which thread runs on each processor. */

import { canonical, putU16, putU32, putVa, type Va } from '../bytes.js';
import type { KernelFacts } from '../kernel-facts.js';
import { PRCB } from '../kernel/kdbg.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import type { WaitFunction } from '../kernel/switch-code.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import type { Architecture } from '../scenario.js';
import type { ThreadModel } from './model/things.js';
import { Piece } from './piece.js';
import type { StacksSpec } from './spec.js';
import type { StackTruth } from './truth.js';

const STACK_PAGES = 6;
/** Bytes between the base of a stack and where it begins. */
const INITIAL = { wide: 0x230, narrow: 0x210 };
const RUNNING = 2;
const WAIT_REASONS = 37;

export interface StacksInput {
  readonly space: KernelSpace;
  readonly kernel: KernelFacts;
  readonly base: Va;
  readonly architecture: Architecture;
  readonly spec: StacksSpec;
  /** Those that live. */
  readonly threads: readonly ThreadModel[];
  /** The functions that a thread waits in, from the innermost one on. */
  readonly code: readonly WaitFunction[];
  readonly processors: number;
  /** `KiProcessorBlock`. */
  readonly processorBlock: Va;
  /** The registers in the header, of processor 0. */
  readonly crash: { readonly instructionPointer: Va; readonly stackPointer: Va };
  readonly random: Prng;
}

/** `KThread`s by processor, and the frames of each thread that waits. */
export interface BuiltStacks {
  readonly truth: readonly StackTruth[];
  readonly running: readonly { readonly thread: bigint; readonly process: bigint }[];
  /** Pages that the dump does not hold. */
  readonly absent: readonly Va[];
}

export function writeThreadStacks(input: StacksInput): BuiltStacks {
  const { space, kernel, spec, threads, architecture } = input;
  const truth: StackTruth[] = [];
  const absent: Va[] = [];
  const running = threads.filter((_, i) => i % 3 === 1).slice(0, input.processors);
  threads.forEach((thread, i) => {
    const stack = space.allocate('systemPtes', STACK_PAGES * PAGE, PAGE);
    const top = stack + STACK_PAGES * PAGE;
    const initial = top - (space.width === 8 ? INITIAL.wide : INITIAL.narrow);
    const body = tcbOf(kernel, space, thread);
    body.pointer('StackBase', top);
    body.pointer('StackLimit', stack);
    body.pointer('InitialStack', initial);
    new Piece(kernel, '_ETHREAD', space.page(thread.thing.body), thread.thing.body).pointer('Win32StartAddress', input.base + (input.code.at(-1)?.rva ?? 0)); // prettier-ignore
    body.u8('WaitReason', input.random.int(0, WAIT_REASONS));
    if (running.includes(thread) || architecture === 'arm64') {
      body.pointer('KernelStack', initial - 0x400);
      return;
    }
    const { kernelStack, frames } = writeStack(input, initial, i);
    body.pointer('KernelStack', kernelStack);
    const isAbsent = spec.absent?.includes(i) === true;
    const isPagedOut = spec.pagedOut?.includes(i) === true;
    const broken = spec.broken?.includes(i) === true;
    const returns = kernelStack + (space.width === 8 ? 0x38 : 8);
    if (broken) space.pointer(returns, input.base + (input.code[0]?.rva ?? 0));
    for (let va = stack; va < top; va += PAGE) {
      if (isAbsent) absent.push(va);
      else if (isPagedOut) space.tables.mapPagedOut(va, 0x1000 + i);
    }
    truth.push({
      thread: canonical(thread.thing.body),
      kernelStack: canonical(kernelStack),
      state: isAbsent ? 'absent' : isPagedOut ? 'paged-out' : broken ? 'broken' : 'whole',
      frames,
    });
  });
  for (let i = 0; i < input.processors; i++) writeProcessor(input, i, running[i] ?? null);
  return {
    truth,
    absent,
    running: running.map(({ thing, process }) => ({
      thread: canonical(thing.body),
      process: canonical(process.thing.body),
    })),
  };
}

function tcbOf(kernel: KernelFacts, space: KernelSpace, { thing }: ThreadModel): Piece {
  return new Piece(kernel, '_ETHREAD', space.page(thing.body), thing.body).inner('Tcb', '_KTHREAD');
}

/** From the outermost function inwards; gives the frames from the innermost one on. */
function writeStack(
  { space, base, code, random }: StacksInput,
  initial: Va,
  index: number,
): { kernelStack: Va; frames: StackTruth['frames'] } {
  const { width } = space;
  const own = random.fork(`stack ${index}`);
  const frames: { stack: bigint; instruction: bigint; returns: bigint }[] = [];
  let at = initial - width;
  let returns = 0;
  let basePointer = 0;
  for (const one of code.toReversed()) {
    space.pointer(at, returns);
    if (one.savesBase !== null) space.pointer(at - one.savesBase, basePointer);
    const bottom = at - one.frame;
    if (one.base !== null) basePointer = bottom + one.base;
    const stands = bottom - (one.base === null ? 0 : own.int(0, 12) * 16);
    frames.push({
      stack: canonical(stands),
      instruction: canonical(base + one.returns),
      returns: returns === 0 ? 0n : canonical(returns),
    });
    returns = base + one.returns;
    at = stands - width;
  }
  space.pointer(at, returns);
  const kernelStack = at - (width === 8 ? 0x38 : 8);
  if (width === 8) space.pointer(kernelStack + 0x30, basePointer);
  else space.u32(kernelStack, 0xffff_ffff);
  return { kernelStack, frames: frames.toReversed() };
}

/** A `_KPRCB` with its thread, its number and the registers at which it was frozen. */
function writeProcessor(input: StacksInput, index: number, thread: ThreadModel | null): void {
  const { space, kernel, base, code, architecture, crash } = input;
  const { width } = space;
  const prcb = space.allocate('nonPagedPool', PRCB.size, PAGE);
  space.pointer(input.processorBlock + index * width, prcb);
  space.u32(prcb + PRCB.number, index);
  if (thread === null) return;
  space.pointer(prcb + width, thread.thing.body);
  const piece = tcbOf(kernel, space, thread);
  piece.u8('State', RUNNING);
  const outer = code.at(-2);
  const stack = index === 0 ? crash.stackPointer : runningStack(input, piece);
  const instruction = index === 0 || outer === undefined ? crash.instructionPointer : base + outer.returns;
  const context = new Uint8Array(0x4d0);
  if (architecture === 'x64') {
    putU32(context, 0x30, 0x10005f);
    putU16(context, 0x38, 0x10);
    putVa(context, 0x98, stack);
    putVa(context, 0xf8, instruction);
  } else if (architecture === 'x86') {
    putU32(context, 0, 0x1003f);
    putU32(context, 0xb4, index === 0 ? 0 : stack + (outer?.base ?? 0));
    putU32(context, 0xb8, instruction);
    putU32(context, 0xc4, stack);
  } else {
    putU32(context, 0, 0x400007);
    putVa(context, 0x100, stack);
    putVa(context, 0x108, instruction);
  }
  space.write(prcb + PRCB.context, context);
}

/** The two outermost functions on the stack of a thread that runs; gives where it stands in the inner one. */
function runningStack({ space, base, code }: StacksInput, piece: Piece): Va {
  const { width } = space;
  const initial = pointerAt(space, piece.address('InitialStack'));
  let at = initial - width;
  let returns = 0;
  for (const one of code.slice(-2).toReversed()) {
    space.pointer(at, returns);
    if (one.savesBase !== null) space.pointer(at - one.savesBase, 0);
    returns = base + one.returns;
    at -= one.frame + width;
  }
  return at + width;
}

function pointerAt(space: KernelSpace, va: Va): Va {
  const bytes = new DataView(space.page(va).buffer, space.page(va).byteOffset);
  return space.width === 4 ? bytes.getUint32(va % PAGE, true) : Number(bytes.getBigUint64(va % PAGE, true) & 0xffff_ffff_ffffn); // prettier-ignore
}
