/**
 * Stacks, frame by frame. x64: by the unwind information of the images in the dump. x86 and ARM64: along the chain of frame pointers,
 * which leaves out functions without one.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { ContextKind, RegisterSet } from '../../../parsers/dump/context.js';
import { ExceptionTable } from '../../../parsers/pe/exception-table.js';
import { unwindFrame, type UnwindState } from '../../../parsers/pe/unwind-x64.js';
import type { LoadedModule } from '../../kernel/modules/modules.js';
import type { Session } from '../session.js';

/** Frames of one stack, at most. */
export const MOST_FRAMES = 0x1000;

/** One frame. */
export interface Frame {
  /** Where the stack stood in it (x64, ARM64), or its frame pointer (x86). */
  readonly stack: VirtualAddress;
  readonly instruction: VirtualAddress;
  /** Where its caller goes on; 0 at the end of the stack, null where that cannot be told. */
  readonly returns: VirtualAddress | null;
  /** What stands where arguments of a call are kept (x64: the home space, which need not hold them); null where it cannot be read. */
  readonly args: readonly (bigint | null)[];
}

/** A stack, and why it ends before its end. */
export interface Stack {
  readonly frames: readonly Frame[];
  /** One line; null where the stack was followed to its end or to the wanted number of frames. */
  readonly ends: string | null;
}

/**
 * The stack of a processor or thread from its registers.
 *
 * @param interrupted it may stand at any instruction; else behind a call.
 */
export function walkStack(
  session: Session,
  kind: ContextKind,
  context: RegisterSet,
  most: number,
  interrupted = true,
): Stack {
  return kind === 'x64'
    ? walkX64(session, context, most, interrupted)
    : walkFramePointers(session, kind, context, most);
}

const X64_NUMBERS = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');
const RSP = 4;
/** Canonical addresses below belong to processes. */
const LOWEST_KERNEL = 0xffff_8000_0000_0000n;

const tables = new WeakMap<LoadedModule, ExceptionTable>();

function tableOf(module: LoadedModule): ExceptionTable | null {
  const { memory, base, headers } = module;
  if (memory === null || headers === null) return null;
  let table = tables.get(module);
  if (table === undefined) tables.set(module, (table = ExceptionTable.read(memory, base, headers, false)));
  return table;
}

function walkX64(session: Session, context: RegisterSet, most: number, isInterrupted: boolean): Stack {
  const { memory } = session;
  const frames: Frame[] = [];
  const state: UnwindState = {
    registers: X64_NUMBERS.map((name) => context.get(name) ?? 0n),
    rip: virtual(context.get('rip') ?? 0n),
  };
  const add = (stack: bigint, instruction: VirtualAddress, returns: VirtualAddress | null): void => {
    const home = virtual(state.registers[RSP] ?? 0n);
    const args = [0, 8, 16, 24].map((at) => {
      const value = returns === null ? null : memory.readPointer(plus(home, at));
      return value === null || failed(value) ? null : value;
    });
    frames.push({ stack: virtual(stack), instruction, returns, args });
  };
  let interrupted = isInterrupted;
  while (frames.length < most) {
    session.out.check();
    const { rip } = state;
    const stack = state.registers[RSP] ?? 0n;
    const end = (why: string): Stack => {
      add(stack, rip, null);
      return { frames, ends: why };
    };
    if (rip < LOWEST_KERNEL) return end('the stack goes on in user mode, whose images are not read here');
    const module = session.symbols.at(rip);
    if (module === null) return end(`${session.show(rip)} is in no module`);
    const table = tableOf(module);
    const entry = table?.unwindAt(Number(rip - module.base)) ?? null;
    if (module.memory === null || table === null || (entry === null && (!table.isWhole || table.count === 0))) {
      return end(`the unwind information of ${module.moduleName} is not in the dump`);
    }
    if (entry === null && !interrupted) return end(`${module.moduleName} has no unwind information for a function that calls`); // prettier-ignore
    const done = unwindFrame(memory, { memory: module.memory, base: module.base }, entry, state, interrupted);
    if (failed(done)) {
      state.rip = rip;
      return end(done.message);
    }
    const now = state.registers[RSP] ?? 0n;
    if ((now & 7n) !== 0n || (now <= stack && !done.interrupted)) return end('the frame above does not lie above');
    add(stack, rip, state.rip);
    if (state.rip === 0n) return { frames, ends: null };
    ({ interrupted } = done);
  }
  return { frames, ends: null };
}

/** ARM64: bits above an address that pointer authentication uses. */
function withoutSignature(address: bigint): bigint {
  return ((address >> 55n) & 1n) === 1n ? address | 0xffff_0000_0000_0000n : address & 0x0000_ffff_ffff_ffffn;
}

function walkFramePointers(session: Session, kind: 'x86' | 'arm64', context: RegisterSet, most: number): Stack {
  const { memory } = session;
  const size = kind === 'x86' ? 4 : 8;
  const frames: Frame[] = [];
  let frame = virtual(context.get(kind === 'x86' ? 'ebp' : 'fp') ?? 0n);
  let instruction = virtual(context.get(kind === 'x86' ? 'eip' : 'pc') ?? 0n);
  let stack = virtual(context.get(kind === 'x86' ? 'ebp' : 'sp') ?? 0n);
  while (frames.length < most) {
    session.out.check();
    const isAligned = frame % BigInt(size) === 0n && frame !== 0n;
    const next = isAligned ? memory.readPointer(frame) : null;
    const back = isAligned ? memory.readPointer(plus(frame, size)) : null;
    const isRead = next !== null && back !== null && !failed(next) && !failed(back);
    const returns = isRead ? session.address(kind === 'arm64' ? withoutSignature(back) : back) : null;
    const args = [2, 3, 4].map((i) => {
      const value = returns === null || kind !== 'x86' ? null : memory.readPointer(plus(frame, i * size));
      return value === null || failed(value) ? null : value;
    });
    frames.push({ stack, instruction, returns, args });
    if (!isRead || returns === null) {
      const why = frame === 0n ? 'the frame pointer is 0' : `no frame stands at ${session.show(frame)} in the dump`;
      return { frames, ends: why };
    }
    if (returns === 0n || next === 0n) {
      if (returns !== 0n && frames.length < most) {
        frames.push({ stack: virtual(frame), instruction: returns, returns: virtual(0n), args: args.map(() => null) });
      }
      return { frames, ends: null };
    }
    if (session.symbols.at(returns) === null) return { frames, ends: `${session.show(returns)} is in no module` };
    if (next <= frame) return { frames, ends: 'the frame above does not lie above' };
    stack = kind === 'x86' ? virtual(next) : virtual(frame + 16n);
    frame = virtual(next);
    instruction = returns;
  }
  return { frames, ends: null };
}
