/** Threads as `!process` and `!thread` show them: whose they are, what state they are in, where they began. */

import { virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { DebuggerData } from '../../../parsers/kernel/debugger-data.js';
import type { ObjectLayouts } from './layouts.js';
import { NOWHERE, readMany } from './many.js';
import type { ThreadPlace } from './process-list.js';
import type { ObjectRoots } from './roots.js';

/** One thread. Null where its layout is not known. */
export interface ThreadFields {
  readonly address: VirtualAddress;
  readonly tid: number;
  readonly pid: number;
  /** KTHREAD_STATE: 2 runs, 4 has ended, 5 waits. */
  readonly state: number | null;
  readonly win32StartAddress: VirtualAddress | null;
  readonly teb: VirtualAddress | null;
  /** Where its stack stands while it does not run, and where that begins. */
  readonly kernelStack: VirtualAddress | null;
  readonly initialStack: VirtualAddress | null;
  /** The highest address of its stack, and the lowest one that is committed. */
  readonly stackBase: VirtualAddress | null;
  readonly stackLimit: VirtualAddress | null;
  /** The process whose memory it sees: its own, or one that it is attached to. */
  readonly attachedTo: VirtualAddress | null;
  /** KWAIT_REASON; of a thread that does not wait that of its last wait. */
  readonly waitReason: number | null;
}

/** KTHREAD_STATE, as far as it decides something: the same in all builds. */
export const THREAD_STATE = { running: 2, terminated: 4, waiting: 5 } as const;

/** Whether an address lies on the stack of a thread; false where that is not known. */
export const isOnStackOf = ({ stackLimit, stackBase }: ThreadFields, address: bigint): boolean =>
  stackLimit !== null && stackBase !== null && address >= stackLimit && address < stackBase;

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** Bytes of a thread that are read at most. */
const LARGEST = 0x1000;

/**
 * The threads that `wants` takes by the id of their process, in order of the table of ids; null where the layout of threads is not
 * known. Threads that are not in the dump are left out.
 */
export function readThreads(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  debuggerData: DebuggerData | null,
  places: readonly ThreadPlace[],
  wants: (pid: number) => boolean,
): ThreadFields[] | null {
  const cid = layouts.offset('_ETHREAD', 'Cid');
  if (cid === null) return null;
  const { pointerSize } = roots.memory;
  const given = (name: string): number | null => {
    const value = Number(debuggerData?.value(name) ?? 0n);
    return value === 0 || value >= LARGEST ? null : value;
  };
  const at = {
    state: given('OffsetKThreadState') ?? layouts.offset('_KTHREAD', 'State'),
    start: layouts.offset('_ETHREAD', 'Win32StartAddress'),
    teb: given('OffsetKThreadTeb'),
    kernelStack: given('OffsetKThreadKernelStack') ?? layouts.offset('_KTHREAD', 'KernelStack'),
    initialStack: given('OffsetKThreadInitialStack') ?? layouts.offset('_KTHREAD', 'InitialStack'),
    stackBase: given('OffsetKThreadStackBase') ?? layouts.offset('_KTHREAD', 'StackBase'),
    stackLimit: given('OffsetKThreadStackLimit') ?? layouts.offset('_KTHREAD', 'StackLimit'),
    attachedTo:
      given('OffsetKThreadApcProcess') ??
      sum(layouts.offset('_KTHREAD', 'ApcState'), layouts.offset('_KAPC_STATE', 'Process')),
    waitReason: given('OffsetKThreadWaitReason') ?? layouts.offset('_KTHREAD', 'WaitReason'),
  };
  const length = Math.max(cid + 4, ...Object.values(at).map((offset) => (offset ?? 0) + pointerSize));
  const threads: ThreadFields[] = [];
  const addresses = places.map(({ address }) => address);
  readMany(roots.memory, addresses, length, (i, bytes) => {
    if (bytes === null) return;
    const pid = u32(bytes, cid);
    if (!wants(pid)) return;
    const pointer = (offset: number | null): VirtualAddress | null =>
      offset === null ? null : virtual(pointerSize === 8 ? u64(bytes, offset) : BigInt(u32(bytes, offset)));
    threads.push({
      ...{ address: addresses[i] ?? NOWHERE, tid: places[i]?.tid ?? 0, pid },
      state: at.state === null ? null : (bytes[at.state] ?? null),
      ...{ win32StartAddress: pointer(at.start), teb: pointer(at.teb) },
      ...{ kernelStack: pointer(at.kernelStack), initialStack: pointer(at.initialStack) },
      ...{ stackBase: pointer(at.stackBase), stackLimit: pointer(at.stackLimit) },
      attachedTo: pointer(at.attachedTo),
      waitReason: at.waitReason === null ? null : (bytes[at.waitReason] ?? null),
    });
  });
  return threads;
}
