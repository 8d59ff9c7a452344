/**
 * Stacks of threads. One that runs: from the registers of its processor. One that waits: from where the switch to another thread left
 * it, at `_KTHREAD.KernelStack`. x64: `_KSWITCH_FRAME` (public symbols: Rbp +0x30, Return +0x38, 0x40 bytes), then by unwind
 * information. x86: the return address behind two words, then ebp and three registers that KiSwapContext keeps; published stacks show
 * its frame 0x18 bytes above KernelStack. Of ARM64 nothing is published.
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { STACK, type ContextKind, type RegisterSet } from '../../../parsers/dump/context.js';
import { isOnStackOf, THREAD_STATE, type ThreadFields } from '../../kernel/objects/threads.js';
import type { Session } from '../session.js';
import { contextKind, crashContext, processorOf } from './processors.js';
import { walkStack, type Frame, type Stack } from './walk.js';

/** `_KSWITCH_FRAME` of x64. */
const X64 = { rbp: 0x30, returns: 0x38, size: 0x40 } as const;
/** What stands at KernelStack of x86: bytes from there. */
const X86 = { returns: 0x08, ebp: 0x0c, frame: 0x18, caller: 0x1c } as const;
/** No kernel stack is larger. */
const LARGEST_STACK = 0x10_0000n;
/** `call` with a distance of 32 bits. */
const CALL = { opcode: 0xe8, bytes: 5 } as const;
/** Bytes of the function that calls the switch, at most. */
const LARGEST_SWITCH = 0x400n;

/** Its stack, or one line that says why there is none. */
export function threadStack(session: Session, thread: ThreadFields, most: number): Stack | string {
  const kind = contextKind(session.opened);
  const { kernelStack, initialStack, state } = thread;
  if (kind === null) return 'Whose registers this dump holds is not known';
  if (state === THREAD_STATE.terminated) return 'It has ended: it has no stack';
  if (state === THREAD_STATE.running) {
    const context = processorOf(session.opened, thread.address)?.context ?? crashedOn(session, kind, thread);
    if (context === null) return 'It runs, and the registers of its processor are not in the dump';
    return walkStack(session, kind, context, most);
  }
  if (kernelStack === null || initialStack === null) return 'Where its stack stands is not known';
  const height = initialStack - kernelStack;
  if (height <= 0n || height > LARGEST_STACK || kernelStack % BigInt(session.pointerSize) !== 0n) {
    return `Where its stack stands makes no sense: ${session.show(kernelStack)} of ${session.show(initialStack)}`;
  }
  const here = session.memory.readPointer(kernelStack);
  if (failed(here)) return missing(here);
  if (kind === 'arm64')
    return 'Where a switch of threads leaves registers on ARM64 is not published: dps shows what is on its stack';
  return kind === 'x64' ? waitingX64(session, kernelStack, most) : waitingX86(session, kernelStack, initialStack, most);
}

/** The registers in the header where they stand on the stack of this thread. */
function crashedOn({ opened }: Session, kind: ContextKind, thread: ThreadFields): RegisterSet | null {
  const context = crashContext(opened);
  const stack = context?.get(STACK[kind]) ?? null;
  return stack !== null && isOnStackOf(thread, stack) ? context : null;
}

function missing(why: Failure): string {
  return why.code === 'paged-out' || why.code === 'not-mapped'
    ? 'Kernel stack not resident.'
    : `Its kernel stack is not in the dump: ${why.message}`;
}

/** Why a place that should be behind a call is none. */
const NO_SWITCH = 'No switch of threads stands where its stack does: dps shows what is on it';

function waitingX64(session: Session, kernelStack: VirtualAddress, most: number): Stack | string {
  const { memory } = session;
  const [rbp, returns] = [
    memory.readPointer(plus(kernelStack, X64.rbp)),
    memory.readPointer(plus(kernelStack, X64.returns)),
  ];
  if (failed(rbp)) return missing(rbp);
  if (failed(returns)) return missing(returns);
  if (callBefore(session, returns) === null) return NO_SWITCH;
  const context = new Map([['rip', returns], ['rsp', kernelStack + BigInt(X64.size)], ['rbp', rbp]]); // prettier-ignore
  return walkStack(session, 'x64', context, most, false);
}

function waitingX86(session: Session, kernelStack: VirtualAddress, initialStack: bigint, most: number): Stack | string {
  const word = (at: number): VirtualAddress | Failure => session.memory.readPointer(plus(kernelStack, at));
  const [returns, ebp, caller] = [word(X86.returns), word(X86.ebp), word(X86.caller)];
  for (const one of [returns, ebp, caller]) if (failed(one)) return missing(one);
  if (failed(returns) || failed(ebp) || failed(caller)) return NO_SWITCH;
  // KiSwapContext calls the switch and is called itself: the target of the one call lies before the place of the other.
  const start = callBefore(session, caller);
  const isSwitch =
    start !== null && callBefore(session, returns) !== null && returns > start && returns - start < LARGEST_SWITCH;
  if (!isSwitch || ebp <= kernelStack || ebp >= initialStack) return NO_SWITCH;
  const inner: Frame = {
    stack: plus(kernelStack, X86.frame),
    instruction: returns,
    returns: caller,
    args: argsAt(session, kernelStack),
  };
  if (most <= 1) return { frames: [inner], ends: null };
  const { frames, ends } = walkStack(session, 'x86', new Map([['eip', caller], ['ebp', ebp], ['esp', ebp]]), most - 1); // prettier-ignore
  return { frames: [inner, ...frames], ends };
}

function argsAt(session: Session, kernelStack: VirtualAddress): (bigint | null)[] {
  return [1, 2, 3].map((i) => {
    const value = session.memory.readPointer(plus(kernelStack, X86.caller + i * 4));
    return failed(value) ? null : value;
  });
}

/** The target of the call that ends at a place in the kernel, which lies there too; null where none ends there. */
function callBefore(session: Session, returns: VirtualAddress): VirtualAddress | null {
  const isKernel = (address: bigint): boolean => session.symbols.at(address)?.moduleName === 'nt';
  if (returns < BigInt(CALL.bytes) || !isKernel(returns)) return null;
  const bytes = session.memoryAt(returns).read(plus(returns, -CALL.bytes), CALL.bytes);
  if (failed(bytes) || bytes[0] !== CALL.opcode) return null;
  const target = session.address(returns + BigInt(u32(bytes, 1) | 0));
  return isKernel(target) ? target : null;
}
