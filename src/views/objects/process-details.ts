/** Lines of `!process` with flags below the block of a process: what it was charged for, its threads. */

import { printable } from '../../../parsers/text-safety.js';
import type { ProcessDetails } from '../../analysis/objects/process-details.js';
import { THREAD_STATE, type ThreadFields } from '../../kernel/objects/threads.js';
import type { ProcessBlock } from '../../result/object-parts.js';
import { NOT_KNOWN, parseHex } from '../print/format.js';

/** KTHREAD_STATE in the words of the debugger. */
const STATES = ['INITIALIZED', 'READY', 'RUNNING', 'STANDBY', 'TERMINATED', 'WAIT', 'TRANSITION', 'DEFERRED_READY', 'GATEWAIT']; // prettier-ignore

/** KWAIT_REASON of the public wdm.h. */
const WAIT_REASONS = 'Executive FreePage PageIn PoolAllocation DelayExecution Suspended UserRequest WrExecutive WrFreePage WrPageIn WrPoolAllocation WrDelayExecution WrSuspended WrUserRequest WrEventPair WrQueue WrLpcReceive WrLpcReply WrVirtualMemory WrPageOut WrRendezvous WrKeyedEvent WrTerminated WrProcessInSwap WrCpuRateControl WrCalloutStack WrKernel WrResource WrPushLock WrMutex WrQuantumEnd WrDispatchInt WrPreempted WrYieldExecution WrFastMutex WrGuardedMutex WrRundown WrAlertByThreadId WrDeferredPreempt'.split(' '); // prettier-ignore

/** Of the flags of `!process` and `!thread`: stacks; and all that are read, of which 8 and 10 change how stacks are shown. */
export const STACK_FLAG = 4;
export const THREAD_FLAGS = 0x1f;

/** Columns at which values begin, of a process and of a thread. */
const PROCESS_VALUE = 38;
const THREAD_VALUE = 26;

/** `1 Day 01:53:14.490`, `00:00:00.031`. */
function duration(milliseconds: number | null): string {
  if (milliseconds === null) return '<Invalid>';
  const days = Math.floor(milliseconds / 86_400_000);
  const clock = new Date(milliseconds % 86_400_000).toISOString().slice(11, 23);
  return days === 0 ? clock : `${days} ${days === 1 ? 'Day' : 'Days'} ${clock}`;
}

/** The lines of flag 1 that the dump has a source for. */
export function detailLines(details: ProcessDetails | undefined, wide: boolean): string[] {
  const row = (label: string, value: string): string => `    ${label}`.padEnd(PROCESS_VALUE) + value;
  const token = parseHex(details?.token ?? null);
  const bytes = (value: number | undefined): string => (value === undefined ? NOT_KNOWN : String(value));
  const commit = details?.commitBytes ?? null;
  return [
    row('Token', token === null ? NOT_KNOWN : token.toString(16).padStart(wide ? 16 : 8, '0')),
    row('ElapsedTime', duration(details?.elapsed ?? null)),
    row('QuotaPoolUsage[PagedPool]', bytes(details?.quota?.paged)),
    row('QuotaPoolUsage[NonPagedPool]', bytes(details?.quota?.nonPaged)),
    row('CommitCharge', commit === null ? NOT_KNOWN : String(Math.floor(commit / 4096))),
    '',
  ];
}

/** What a thread does, in the words of the debugger. */
function stateOf({ state, waitReason }: ThreadFields, processor: number | null): string {
  if (state === null) return NOT_KNOWN;
  const name = STATES[state] ?? `???? (${state})`;
  if (state === THREAD_STATE.running && processor !== null) return `${name} on processor ${processor.toString(16)}`;
  return state !== THREAD_STATE.waiting || waitReason === null
    ? name
    : `${name}: (${WAIT_REASONS[waitReason] ?? `???? ${waitReason}`})`;
}

/** A thread, as `!thread` shows it, without the empty line that ends it; `indent` as within a process. */
export function threadLines(
  thread: ThreadFields,
  owner: ProcessBlock | null,
  wide: boolean,
  indent: string,
  processor: number | null = null,
): string[] {
  const pointer = (value: bigint | null): string => (value === null ? NOT_KNOWN : value.toString(16).padStart(wide ? 16 : 8, '0')); // prettier-ignore
  const id = (value: number): string => value.toString(16).padStart(4, '0');
  const row = (label: string, value: string): string => indent + label.padEnd(THREAD_VALUE) + value;
  const lines = [
    `${indent}THREAD ${pointer(thread.address)}  Cid ${id(thread.pid)}.${id(thread.tid)}  Teb: ${pointer(thread.teb)} Win32Thread: ${NOT_KNOWN} ${stateOf(thread, processor)}`,
  ];
  if (owner !== null) {
    const address = parseHex(owner.address);
    lines.push(row('Owning Process', `${pointer(address)}       Image:         ${printable(owner.image)}`));
  }
  if ((thread.win32StartAddress ?? 0n) !== 0n)
    lines.push(`${indent}Win32 Start Address 0x${pointer(thread.win32StartAddress)}`);
  if (thread.initialStack !== null) lines.push(`${indent}Stack Init ${pointer(thread.initialStack)} Current ${pointer(thread.kernelStack)}`); // prettier-ignore
  if (thread.stackBase !== null)
    lines.push(`${indent}Base ${pointer(thread.stackBase)} Limit ${pointer(thread.stackLimit)}`);
  return lines;
}

/** The number of the processor that a thread runs on; null where that is not known. */
export type RunsOn = (thread: ThreadFields) => number | null;

/** What stands where stacks of threads were asked for, but at the prompt. */
export const NO_STACKS = 'Stacks of threads are shown by dumpleak kd alone';
