/** Driver and device objects elsewhere in memory: type codes, sizes, and a driver that is loaded where its object says. */

import type { VirtualAddress } from '../../../../parsers/addresses.js';
import { heapAddress } from '../../../../parsers/heap/memory.js';
import type { NamedModule } from './address-names.js';
import type { ContentWorld } from './world.js';

const TYPE_DEVICE = 3;
const TYPE_DRIVER = 4;
const MOST_KEPT = 20_000;

/** A driver object; `module` is null where it has no image, as those of the kernel itself. */
export interface FoundDriver {
  readonly module: NamedModule | null;
}

/** Reads driver and device objects, each once. */
export class IoObjects {
  private readonly drivers = new Map<VirtualAddress, FoundDriver | null>();
  private readonly devices = new Map<VirtualAddress, FoundDriver | null>();

  constructor(private readonly world: ContentWorld) {}

  /** The driver whose object stands at an address; null where none does. */
  driver(address: VirtualAddress | null): FoundDriver | null {
    return once(this.drivers, address, (at) => this.readDriver(at), this.world);
  }

  /** The driver of the device whose object stands at an address; null where none does. */
  deviceDriver(address: VirtualAddress | null): FoundDriver | null {
    return once(this.devices, address, (at) => this.readDevice(at), this.world);
  }

  private readDriver(address: VirtualAddress): FoundDriver | null {
    for (const { value: layout } of this.world.layoutsOf('_DRIVER_OBJECT')) {
      const object = this.world.at(address, layout);
      if (object?.u16('Type') !== TYPE_DRIVER || object.u16('Size') !== layout.size) continue;
      const start = object.pointer('DriverStart');
      if (start === 0n) return { module: null };
      const module = start === null ? null : this.world.moduleAt(start);
      if (module !== null && start !== null && module.base === heapAddress(start, this.world.pointerSize))
        return { module };
    }
    return null;
  }

  private readDevice(address: VirtualAddress): FoundDriver | null {
    for (const { value: layout } of this.world.layoutsOf('_DEVICE_OBJECT')) {
      const object = this.world.at(address, layout, (layout.fields['DriverObject']?.offset ?? 0) + 8);
      // Size counts the device's extension.
      if (object?.u16('Type') !== TYPE_DEVICE || (object.u16('Size') ?? 0) < layout.size) continue;
      const driver = this.driver(object.pointer('DriverObject'));
      if (driver !== null) return driver;
    }
    return null;
  }
}

function once<T>(
  known: Map<VirtualAddress, T | null>,
  address: VirtualAddress | null,
  read: (address: VirtualAddress) => T | null,
  world: ContentWorld,
): T | null {
  if (!world.isKernelPointer(address)) return null;
  let found = known.get(address);
  if (found === undefined) {
    found = read(address);
    if (known.size < MOST_KEPT) known.set(address, found);
  }
  return found;
}
