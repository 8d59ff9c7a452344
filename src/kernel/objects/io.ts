/**
 * Driver and device objects (`_DRIVER_OBJECT`, `_DEVICE_OBJECT`): their layouts are documented for drivers and have not changed
 * since Windows 2000, but for the device extension of the I/O manager (reference: objects-and-pool-blocks, section 6).
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u16, u32, u64 } from '../../../parsers/bytes/fields.js';
import type { ObjectLayouts } from './layouts.js';
import { inKernel, type ObjectRoots } from './roots.js';

const DRIVER_TYPE = 4;
const DEVICE_TYPE = 3;
/** `IRP_MJ_MAXIMUM_FUNCTION` + 1. */
const MAJOR_FUNCTIONS = 28;
/** Devices of one driver; some have hundreds. */
const MOST_DEVICES = 10_000;

/** A driver object. Addresses are 0 where the driver has none of that; null where they cannot be read. */
export interface DriverObject {
  readonly address: VirtualAddress;
  readonly start: bigint;
  readonly entry: bigint;
  readonly startIo: bigint;
  readonly unload: bigint;
  readonly addDevice: bigint | null;
  /** By `IRP_MJ_`, 28 of them. */
  readonly majorFunctions: readonly bigint[];
  /** In the order of the driver's list. */
  readonly devices: readonly VirtualAddress[];
  /** False where the list of devices could not be read to its end. */
  readonly complete: boolean;
}

/** A device object. Addresses are 0 where it has none; null where they cannot be read or this system does not have them. */
export interface DeviceObject {
  readonly address: VirtualAddress;
  readonly driver: bigint;
  readonly references: number;
  readonly currentIrp: bigint;
  readonly type: number;
  readonly flags: number;
  readonly characteristics: number;
  readonly vpb: bigint;
  readonly extension: bigint;
  readonly securityDescriptor: bigint;
  readonly objectExtension: bigint | null;
  readonly extensionFlags: number | null;
  readonly dope: bigint | null;
  readonly node: bigint | null;
  readonly attachedTo: bigint | null;
  /** The device above. */
  readonly attached: bigint;
  /** `DeviceQueue.Busy`; null where the queue holds what no queue can. */
  readonly queueBusy: boolean | null;
}

/** `_DEVICE_OBJECT.DeviceQueue` and the parts of a `_KDEVICE_QUEUE` (wdm.h, which drivers are compiled with), by the size of a pointer. */
const DEVICE_QUEUE = {
  4: { at: 0x60, size: 0x14, busy: 0x10 },
  8: { at: 0xa0, size: 0x28, busy: 0x20 },
} as const;

/**
 * Whether the queue of a device is busy, from the device object's bytes: one that was never set up is not. Null where what stands there
 * is no queue.
 */
export function queueBusy(device: Uint8Array, pointerSize: 4 | 8): boolean | null {
  const { at, size, busy } = DEVICE_QUEUE[pointerSize];
  if (at + size > device.length) return null;
  const [own, state] = [u16(device, at + 2), device[at + busy] ?? 0];
  return (own === size || own === 0) && state <= (own === 0 ? 0 : 1) ? state === 1 : null;
}

class Fields {
  constructor(
    readonly bytes: Uint8Array,
    private readonly at: (field: string) => number | null,
    private readonly pointerSize: 4 | 8,
  ) {}

  pointer(field: string, index = 0): bigint {
    const start = this.at(field);
    const at = start === null ? null : start + index * this.pointerSize;
    if (at === null || at + this.pointerSize > this.bytes.length) return 0n;
    return this.pointerSize === 8 ? u64(this.bytes, at) : BigInt(u32(this.bytes, at));
  }

  number(field: string): number {
    const at = this.at(field);
    return at === null || at + 4 > this.bytes.length ? 0 : u32(this.bytes, at);
  }

  short(field: string): number {
    const at = this.at(field);
    return at === null ? 0 : u16(this.bytes, at);
  }
}

/** Reads driver and device objects of one kernel. */
export class IoReader {
  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: ObjectLayouts,
  ) {}

  /** The driver object at an address; null where none is (its type and size say so) or it cannot be read. */
  driver(address: VirtualAddress): DriverObject | null {
    const { fields, size } = this.fields('_DRIVER_OBJECT', address);
    if (fields?.short('Type') !== DRIVER_TYPE || fields.short('Size') !== size) return null;
    const extension = fields.pointer('DriverExtension');
    const devices: VirtualAddress[] = [];
    const seen = new Set<bigint>();
    let [next, complete] = [fields.pointer('DeviceObject'), true];
    while (next !== 0n && complete) {
      const device = this.fields('_DEVICE_OBJECT', virtual(next)).fields;
      if (seen.has(next) || devices.length >= MOST_DEVICES || device?.short('Type') !== DEVICE_TYPE) complete = false;
      else {
        seen.add(next);
        devices.push(virtual(next));
        next = device.pointer('NextDevice');
      }
    }
    return {
      ...{ address, start: fields.pointer('DriverStart'), entry: fields.pointer('DriverInit') },
      ...{ startIo: fields.pointer('DriverStartIo'), unload: fields.pointer('DriverUnload') },
      addDevice: extension === 0n ? 0n : this.pointerAt('_DRIVER_EXTENSION', extension, 'AddDevice'),
      majorFunctions: Array.from({ length: MAJOR_FUNCTIONS }, (_, i) => fields.pointer('MajorFunction', i)),
      ...{ devices, complete },
    };
  }

  /** The device object at an address; null where none is (its type says so) or it cannot be read. */
  device(address: VirtualAddress): DeviceObject | null {
    const { fields, size } = this.fields('_DEVICE_OBJECT', address);
    // Its size counts the driver's extension behind it.
    if (fields?.short('Type') !== DEVICE_TYPE || fields.short('Size') < size) return null;
    const objectExtension = fields.pointer('DeviceObjectExtension');
    const more =
      objectExtension === 0n || !inKernel(this.roots, objectExtension)
        ? null
        : this.fields('_DEVOBJ_EXTENSION', virtual(objectExtension)).fields;
    // The extension names its device: what does not is something else.
    const own = more?.pointer('DeviceObject') === address ? more : null;
    return {
      ...{ address, driver: fields.pointer('DriverObject'), references: fields.number('ReferenceCount') | 0 },
      ...{ currentIrp: fields.pointer('CurrentIrp'), type: fields.number('DeviceType'), flags: fields.number('Flags') },
      ...{ characteristics: fields.number('Characteristics'), vpb: fields.pointer('Vpb') },
      ...{ extension: fields.pointer('DeviceExtension'), securityDescriptor: fields.pointer('SecurityDescriptor') },
      objectExtension: own === null ? null : objectExtension,
      extensionFlags: own?.number('ExtensionFlags') ?? null,
      ...{ dope: own?.pointer('Dope') ?? null, node: own?.pointer('DeviceNode') ?? null },
      ...{ attachedTo: own?.pointer('AttachedTo') ?? null, attached: fields.pointer('AttachedDevice') },
      queueBusy: queueBusy(fields.bytes, this.roots.memory.pointerSize),
    };
  }

  private fields(type: string, address: VirtualAddress): { fields: Fields | null; size: number } {
    const layout = this.layouts.layout(type)?.value;
    if (layout === undefined || !inKernel(this.roots, address)) return { fields: null, size: 0 };
    const { memory } = this.roots;
    const bytes = memory.read(address, layout.size);
    const at = (field: string): number | null => layout.fields[field]?.offset ?? null;
    return { fields: failed(bytes) ? null : new Fields(bytes, at, memory.pointerSize), size: layout.size };
  }

  private pointerAt(type: string, base: bigint, field: string): bigint | null {
    const at = this.layouts.offset(type, field);
    const value =
      at === null || !inKernel(this.roots, base) ? null : this.roots.memory.readPointer(plus(virtual(base), at));
    return value === null || failed(value) ? null : value;
  }
}
