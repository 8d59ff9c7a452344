/** _IRP in a block: type 6, a size that fits its stack locations, and the driver of the current one's device. */

import { plus } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u16, u32 } from '../../../../parsers/bytes/fields.js';
import { heapAddress, joinWords, toVirtual } from '../../../../parsers/heap/memory.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import type { AddressNames } from './address-names.js';
import type { KeptBlock } from './sample.js';

const TYPE_IRP = 6;
const TYPE_DEVICE = 3;
/** Places in a block where the packet may begin: the I/O manager and Driver Verifier may have something in front. */
const STARTS = [0, 0x10, 0x20, 0x40];

/** Offsets, the same on every build since Windows 2000. */
const LAYOUTS = {
  8: { size: 0xd0, location: 0x48, stackCount: 0x42, current: 0x43, device: 0x28, driver: 8, driverStart: 0x18 },
  4: { size: 0x70, location: 0x24, stackCount: 0x22, current: 0x23, device: 0x14, driver: 8, driverStart: 0xc },
} as const;

/** A packet. */
export interface FoundIrp {
  /** File name of the driver whose device the current stack location names; null where none does. */
  readonly driver: string | null;
}

export class IrpReader {
  private readonly drivers = new Map<bigint, string | null>();

  constructor(
    private readonly memory: VirtualMemory,
    private readonly names: AddressNames,
  ) {}

  /** Null where the block holds no packet. */
  read({ data }: KeptBlock): FoundIrp | null {
    const layout = LAYOUTS[this.memory.pointerSize];
    for (const at of STARTS) {
      if (at + layout.size > data.length || u16(data, at) !== TYPE_IRP) continue;
      const stack = data[at + layout.stackCount] ?? 0;
      const bytes = u16(data, at + 2);
      if (bytes < layout.size || (bytes - layout.size) % layout.location !== 0) continue;
      if ((bytes - layout.size) / layout.location < stack) continue;
      const current = data[at + layout.current] ?? 0;
      const place = at + layout.size + (current - 1) * layout.location + layout.device;
      const isSent = current >= 1 && current <= stack && place + this.memory.pointerSize <= data.length;
      return { driver: isSent ? this.driverOf(data, place) : null };
    }
    return null;
  }

  private driverOf(data: Uint8Array, at: number): string | null {
    const wide = this.memory.pointerSize === 8;
    const device = toVirtual(wide ? joinWords(u32(data, at), u32(data, at + 4)) : u32(data, at));
    let name = this.drivers.get(device);
    if (name === undefined) this.drivers.set(device, (name = this.nameOf(device)));
    return name;
  }

  private nameOf(device: ReturnType<typeof toVirtual>): string | null {
    const { memory, names } = this;
    const layout = LAYOUTS[memory.pointerSize];
    const type = memory.readU16(device);
    if (failed(type) || type !== TYPE_DEVICE) return null;
    const driver = memory.readPointer(plus(device, layout.driver));
    const start = failed(driver) ? driver : memory.readPointer(plus(driver, layout.driverStart));
    return failed(start) ? null : (names.moduleAt(heapAddress(start, memory.pointerSize))?.name ?? null);
  }
}
