/**
 * `_IRP`: type 6, a size that fits its stack locations, and whoever the current location leads to: the driver of its
 * device, what completes it, the thread that asked.
 */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { heapAddress, toVirtual, type HeapAddress } from '../../../../parsers/heap/memory.js';
import { IRP_LAYOUTS, irpCounts, type IrpCounts } from '../../objects/irp.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { IoObjects } from './io-objects.js';
import { placeIn, type Decoder, type Lead, type Recognized } from './recognized.js';
import { pointerAt, type ContentWorld } from './world.js';

/** Places in a block where the packet may begin: the I/O manager and Driver Verifier may have something in front. */
const STARTS = [0, 0x10, 0x20, 0x40];

/** Recognizes I/O request packets. */
export class IrpDecoder implements Decoder {
  readonly kind = 'Irp';
  readonly plural = 'I/O request packets';

  constructor(
    private readonly world: ContentWorld,
    private readonly objects: IoObjects,
  ) {}

  read({ address, data }: KeptBlock): Recognized | null {
    for (const at of STARTS) {
      const counts = irpCounts(data, at, this.world.pointerSize);
      if (counts !== null) return this.describe(address, data, at, counts);
    }
    return null;
  }

  private describe(address: HeapAddress, data: Uint8Array, at: number, { current, stack }: IrpCounts): Recognized {
    const { world } = this;
    const layout = IRP_LAYOUTS[world.pointerSize];
    const isSent = current >= 1 && current <= stack;
    const leads: Lead[] = [];
    let driver: Recognized['driver'] = null;
    const place = at + layout.size + (current - 1) * layout.location;
    const location = isSent ? this.locationAt(address, data, place) : null;
    if (location !== null) {
      const module = this.objects.deviceDriver(pointerAt(location, layout.device, world.pointerSize))?.module;
      if (module) {
        driver = { how: 'sent to', module, offset: null };
        leads.push({ how: 'sent to', name: module.name });
      }
      const routine = heapAddress(pointerAt(location, layout.completion, world.pointerSize), world.pointerSize);
      const completes = world.names.moduleAt(routine);
      if (completes !== null && completes.isCode(routine) !== false)
        leads.push({ how: 'completed by', name: placeIn(completes, routine) });
    }
    const process = world.processAt(this.processOf(pointerAt(data, at + layout.thread, world.pointerSize)));
    if (process !== null) leads.push({ how: 'of', name: process });
    return { leads, driver, traits: isSent ? [] : ['not sent'], source: null };
  }

  /** A stack location; of long packets it lies behind what was kept of the block. */
  private locationAt(address: HeapAddress, data: Uint8Array, place: number): Uint8Array | null {
    const { location } = IRP_LAYOUTS[this.world.pointerSize];
    if (place + location <= data.length) return data.subarray(place, place + location);
    const bytes = this.world.memory.read(toVirtual(address + place), location);
    return failed(bytes) ? null : bytes;
  }

  private processOf(thread: VirtualAddress): VirtualAddress | null {
    const { world } = this;
    if (!world.isKernelPointer(thread)) return null;
    for (const { value } of world.layoutsOf('_KTHREAD')) {
      const at = value.fields['Process']?.offset;
      const process = at === undefined ? null : world.memory.readPointer(plus(thread, at));
      if (process === null || failed(process)) continue;
      if (world.processAt(virtual(process)) !== null) return process;
    }
    return null;
  }
}
