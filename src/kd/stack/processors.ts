/** Processors and where they stood: the one that crashed from the header of the dump, the others from their `_KPRCB`. */

import { fileOffset, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { u16, u32 } from '../../../parsers/bytes/fields.js';
import {
  CONTEXT_BYTES,
  CONTEXT_IN_HEADER,
  parseContext,
  STACK,
  type ContextKind,
  type RegisterSet,
} from '../../../parsers/dump/context.js';
import { MACHINE } from '../../../parsers/dump/open-dump.js';
import type { OpenedDump } from '../../kernel/open/opened-dump.js';

/** No machine has more. */
const MOST_PROCESSORS = 2048;

/** Whose registers the dump holds; null for a machine that is not known. */
export function contextKind({ dump }: OpenedDump): ContextKind | null {
  const { machineImageType } = dump.header;
  if (machineImageType === MACHINE.ARM64) return 'arm64';
  if (machineImageType === MACHINE.AMD64) return 'x64';
  return machineImageType === MACHINE.I386 ? 'x86' : null;
}

/** The registers in the header: of the processor that crashed. */
export function crashContext(opened: OpenedDump): RegisterSet | null {
  const kind = contextKind(opened);
  if (kind === null) return null;
  const bytes = new Uint8Array(CONTEXT_BYTES[kind]);
  const read = opened.dump.source.read(fileOffset(CONTEXT_IN_HEADER[kind]), bytes);
  return read === bytes.length ? parseContext(kind, bytes) : null;
}

/** A processor, by its `_KPRCB`. */
export interface Processor {
  readonly prcb: VirtualAddress;
  /** The `_KTHREAD` that ran on it; null where that is not known. */
  readonly thread: VirtualAddress | null;
  readonly context: RegisterSet;
}

/** `_KPRCB.CurrentThread` where the debugger block does not say: the first pointer behind one field, on all kernels that are known. */
const usualThreadAt = (pointerSize: 4 | 8): number => pointerSize;

/** What is told of a processor without its registers. */
type Place = Pick<Processor, 'prcb' | 'thread'>;

/** The `_KPRCB` of a processor by its number from 0 on, with the thread that runs there, or why it is not known. */
export function processorPlace(opened: OpenedDump, number: number): Place | Failure {
  const { memory, debuggerData } = opened.kernel;
  const count = opened.dump.header.numberProcessors ?? 0;
  if (number >= Math.min(MOST_PROCESSORS, count)) return new Failure('bad-address', `there are ${count} processors`);
  const block = opened.kernel.symbols?.address('KiProcessorBlock')?.value ?? null;
  if (memory === null || block === null) return new Failure('unknown', 'where its _KPRCB is is not known');
  const prcb = memory.readPointer(plus(block, number * memory.pointerSize));
  if (failed(prcb)) return prcb;
  const given = Number(debuggerData?.value('OffsetPrcbCurrentThread') ?? 0n);
  const thread = memory.readPointer(plus(prcb, given === 0 ? usualThreadAt(memory.pointerSize) : given));
  return { prcb, thread: failed(thread) || thread === 0n ? null : thread };
}

/** A processor by its number from 0 on, or why it is not known. */
export function processor(opened: OpenedDump, number: number): Processor | Failure {
  const { memory, debuggerData } = opened.kernel;
  const kind = contextKind(opened);
  const value = (name: string): number => Number(debuggerData?.value(name) ?? 0n);
  const at = value('OffsetPrcbProcStateContext');
  const place = processorPlace(opened, number);
  if (failed(place) && place.code !== 'unknown') return place;
  if (failed(place) || memory === null || kind === null || at === 0 || at === 0xffff) {
    return new Failure('unknown', 'where its _KPRCB keeps registers is not known');
  }
  const { prcb } = place;
  const numberAt = value('OffsetPrcbNumber');
  const own = numberAt === 0 ? null : memory.read(plus(prcb, numberAt), 4);
  const isOwn =
    own === null || (!failed(own) && (u32(own, 0) === number || u16(own, 0) === number || own[0] === number));
  const bytes = memory.read(plus(prcb, at), CONTEXT_BYTES[kind]);
  if (failed(bytes)) return bytes;
  const context = isOwn ? parseContext(kind, bytes) : null;
  if (context === null) return new Failure('unknown', 'its _KPRCB holds no registers: it was not frozen when the dump was written'); // prettier-ignore
  return { ...place, context };
}

/** The number of the processor that each thread runs on, by the thread's address. */
const running = new WeakMap<OpenedDump, ReadonlyMap<VirtualAddress, number>>();

function runningThreads(opened: OpenedDump): ReadonlyMap<VirtualAddress, number> {
  const known = running.get(opened);
  if (known !== undefined) return known;
  const found = new Map<VirtualAddress, number>();
  const count = Math.min(MOST_PROCESSORS, opened.dump.header.numberProcessors ?? 0);
  for (let number = 0; number < count; number++) {
    const place = processorPlace(opened, number);
    if (!failed(place) && place.thread !== null) found.set(place.thread, number);
  }
  running.set(opened, found);
  return found;
}

/** The processor that runs a thread, with its registers where the dump has them; null where none is known to. */
export function processorOf(
  opened: OpenedDump,
  thread: VirtualAddress,
): { readonly number: number; readonly context: RegisterSet | null } | null {
  const number = runningThreads(opened).get(thread);
  if (number === undefined) return null;
  const found = processor(opened, number);
  if (!failed(found)) return { number, context: found.context };
  return { number, context: number === crashedProcessor(opened) ? crashContext(opened) : null };
}

/** The number of the processor that crashed: the one whose stack stands where the header says; null where none does. */
export function crashedProcessor(opened: OpenedDump): number | null {
  const kind = contextKind(opened);
  const own = crashContext(opened);
  const count = Math.min(MOST_PROCESSORS, opened.dump.header.numberProcessors ?? 0);
  if (kind === null || own === null) return null;
  if (count === 1) return 0;
  for (let i = 0; i < count; i++) {
    const found = processor(opened, i);
    if (!failed(found) && found.context.get(STACK[kind]) === own.get(STACK[kind])) return i;
  }
  return null;
}

const WHOLE: Readonly<Record<string, string>> = { a: 'rax', b: 'rbx', c: 'rcx', d: 'rdx' };

/** A register by name, also a part of one: `eax`, `ax`, `ah`, `r8d`, `x0` as `w0`. Null where there is none. */
export function registerIn(context: RegisterSet, name: string): bigint | null {
  const own = context.get(name);
  if (own !== undefined) return own;
  const part = (whole: string, bits: number, shift = 0n): bigint | null => {
    const value = context.get(whole) ?? context.get(whole.replace(/^r/, 'e'));
    return value === undefined ? null : BigInt.asUintN(bits, value >> shift);
  };
  const numbered = /^(r(?:8|9|1[0-5]))([dwb])$/.exec(name);
  if (numbered !== null) return part(numbered[1] ?? '', { d: 32, w: 16, b: 8 }[numbered[2] ?? ''] ?? 64);
  const arm = /^w(\d+)$/.exec(name);
  if (arm !== null) return part(`x${arm[1] ?? ''}`, 32);
  const byte = /^([abcd])([lh])$/.exec(name);
  if (byte !== null) return part(WHOLE[byte[1] ?? ''] ?? '', 8, byte[2] === 'h' ? 8n : 0n);
  if (/^e(?:[abcd]x|[sd]i|[sb]p|ip)$/.test(name)) return part(`r${name.slice(1)}`, 32);
  if (/^(?:[abcd]x|[sd]i|[sb]p|ip)$/.test(name)) return part(`r${name}`, 16);
  return null;
}
