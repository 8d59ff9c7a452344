/**
 * I/O request packets (`_IRP`, `_IO_STACK_LOCATION`): what is documented for drivers, at offsets that are the same on every
 * build since Windows 2000 (public symbols of 2600 to 26200; reference: objects-and-pool-blocks, section 6).
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { u16, u32, u64 } from '../../../parsers/bytes/fields.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';

const TYPE_IRP = 6;

/** Offsets in a packet, and in a stack location (`device` and after it), by the size of a pointer. */
export const IRP_LAYOUTS = {
  8: {
    ...{ size: 0xd0, location: 0x48, stackCount: 0x42, current: 0x43, thread: 0x98 },
    ...{ mdl: 8, flags: 0x10, system: 0x18, pending: 0x41 },
    ...{ parameters: 8, device: 0x28, file: 0x30, completion: 0x38, context: 0x40 },
  },
  4: {
    ...{ size: 0x70, location: 0x24, stackCount: 0x22, current: 0x23, thread: 0x50 },
    ...{ mdl: 4, flags: 8, system: 0xc, pending: 0x21 },
    ...{ parameters: 4, device: 0x14, file: 0x18, completion: 0x1c, context: 0x20 },
  },
} as const;

/** `AssociatedIrp` leads to the packet that this one is a part of (`IRP_ASSOCIATED_IRP`). */
const IRP_ASSOCIATED = 8;
const PARAMETERS = 4;

/** How many stack locations a packet has, and which is current: counted down from `stack` + 1 while it is sent on. */
export interface IrpCounts {
  readonly current: number;
  readonly stack: number;
}

/** Of the packet that begins at `at`; null where its type, size and counts do not agree, or bytes end before it does. */
export function irpCounts(data: Uint8Array, at: number, pointerSize: 4 | 8): IrpCounts | null {
  const layout = IRP_LAYOUTS[pointerSize];
  if (at + layout.size > data.length || u16(data, at) !== TYPE_IRP) return null;
  const stack = data[at + layout.stackCount] ?? 0;
  const current = data[at + layout.current] ?? 0;
  const bytes = u16(data, at + 2);
  if (bytes < layout.size || (bytes - layout.size) % layout.location !== 0) return null;
  if ((bytes - layout.size) / layout.location < stack || current > stack + 2) return null;
  return { current, stack };
}

/** A stack location. Addresses are 0 where it has none. */
export interface IrpLocation {
  readonly address: VirtualAddress;
  readonly major: number;
  readonly minor: number;
  readonly flags: number;
  readonly control: number;
  /** The four parameters, as wide as pointers. */
  readonly parameters: readonly bigint[];
  readonly device: bigint;
  readonly file: bigint;
  readonly completion: bigint;
  readonly context: bigint;
}

/** A packet. Addresses are 0 where it has none. */
export interface Irp extends IrpCounts {
  readonly address: VirtualAddress;
  readonly mdl: bigint;
  /** What `AssociatedIrp` holds: the address of a buffer, or of the packet that this one is a part of. */
  readonly system: bigint;
  readonly isAssociated: boolean;
  readonly thread: bigint;
  readonly pendingReturned: boolean;
  /** In the order of memory, the first called last; null for those that cannot be read. */
  readonly locations: readonly (IrpLocation | null)[];
}

/** The packet at an address; a failure where its head cannot be read, null where none is there. */
export function readIrp(memory: VirtualMemory, address: VirtualAddress): Irp | Failure | null {
  const { pointerSize } = memory;
  const layout = IRP_LAYOUTS[pointerSize];
  const head = memory.read(address, layout.size);
  if (failed(head)) return head;
  const counts = irpCounts(head, 0, pointerSize);
  if (counts === null) return null;
  const pointer = (at: number): bigint => pointerIn(head, at, pointerSize);
  return {
    ...counts,
    ...{ address, mdl: pointer(layout.mdl), system: pointer(layout.system), thread: pointer(layout.thread) },
    isAssociated: (u32(head, layout.flags) & IRP_ASSOCIATED) !== 0,
    pendingReturned: head[layout.pending] !== 0,
    locations: Array.from({ length: counts.stack }, (_, i) =>
      readLocation(memory, plus(address, layout.size + i * layout.location)),
    ),
  };
}

function readLocation(memory: VirtualMemory, address: VirtualAddress): IrpLocation | null {
  const { pointerSize } = memory;
  const layout = IRP_LAYOUTS[pointerSize];
  const bytes = memory.read(address, layout.location);
  if (failed(bytes)) return null;
  const pointer = (at: number): bigint => pointerIn(bytes, at, pointerSize);
  const [major = 0, minor = 0, flags = 0, control = 0] = bytes;
  return {
    ...{ address, major, minor, flags, control },
    parameters: Array.from({ length: PARAMETERS }, (_, i) => pointer(layout.parameters + i * pointerSize)),
    ...{ device: pointer(layout.device), file: pointer(layout.file) },
    ...{ completion: pointer(layout.completion), context: pointer(layout.context) },
  };
}

const pointerIn = (bytes: Uint8Array, at: number, size: 4 | 8): bigint =>
  size === 8 ? u64(bytes, at) : BigInt(u32(bytes, at));
