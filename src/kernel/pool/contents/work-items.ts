/**
 * `_IO_WORKITEM`: an object that is a device or a driver, a routine in the code of an image, and either a queue entry that
 * calls the kernel with the item itself, or an empty one in a block of just its size.
 */

import { plus, type VirtualAddress } from '../../../../parsers/addresses.js';
import { heapAddress, toVirtual } from '../../../../parsers/heap/memory.js';
import type { StructLayout } from '../../../../parsers/kernel/layout.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { IoObjects } from './io-objects.js';
import { placeIn, type Decoder, type Recognized } from './recognized.js';
import { Fields, mayBeKernelPointer, pointerAt, type ContentWorld } from './world.js';

/** Drivers keep items inside of their own structures: so far into a block they are looked for. */
const LAST_START = 0x180;

/** Recognizes work items of the I/O manager. */
export class WorkItemDecoder implements Decoder {
  readonly kind = 'work item';
  readonly plural = 'work items';

  constructor(
    private readonly world: ContentWorld,
    private readonly objects: IoObjects,
  ) {}

  read(block: KeptBlock): Recognized | null {
    const { pointerSize } = this.world;
    for (const { value, source } of this.world.layoutsOf('_IO_WORKITEM')) {
      for (let at = 0; at <= LAST_START && at + value.size <= block.data.length; at += pointerSize) {
        const object = value.fields['IoObject']?.offset ?? 0;
        if (!mayBeKernelPointer(block.data, at + object, pointerSize)) continue;
        const found = this.readAt(block, at, value, source);
        if (found !== null) return found;
      }
    }
    return null;
  }

  private readAt(
    { address, data, room }: KeptBlock,
    at: number,
    layout: StructLayout,
    source: FigureSource,
  ): Recognized | null {
    const { world } = this;
    const item = new Fields(layout, data, at, world.pointerSize);
    const object = item.pointer('IoObject');
    if (!world.isKernelPointer(object)) return null;
    const [routine, entry] = [item.pointer('Routine'), item.place('WorkItem', world.pointerSize * 4)];
    if (routine === null || entry === null) return null;
    const worker = pointerAt(data, entry + 2 * world.pointerSize, world.pointerSize);
    const parameter = pointerAt(data, entry + 3 * world.pointerSize, world.pointerSize);
    const isSelf = parameter === plus(toVirtual(address), at) && this.isOfKernel(worker);
    // Allocation rounds up to what a pool block is made of.
    const isAlone = at === 0 && room >= layout.size && room < layout.size + 2 * world.pointerSize;
    if (!isSelf && !(isAlone && worker === 0n)) return null;
    const place = heapAddress(routine, world.pointerSize);
    const module = routine === 0n ? null : world.names.moduleAt(place);
    if (routine !== 0n && (module === null || module.isCode(place) === false)) return null;
    const owner = this.objects.deviceDriver(object) ?? this.objects.driver(object);
    if (owner === null) return null;
    if (module !== null) {
      return {
        leads: [{ how: 'run', name: placeIn(module, place) }],
        driver: { how: 'that run', module, offset: place - module.base },
        ...{ traits: [], source },
      };
    }
    return {
      leads: owner.module === null ? [] : [{ how: 'made for', name: owner.module.name }],
      driver: owner.module === null ? null : { how: 'that were made for', module: owner.module, offset: null },
      traits: ['not queued'],
      source,
    };
  }

  private isOfKernel(address: VirtualAddress): boolean {
    const place = heapAddress(address, this.world.pointerSize);
    const module = this.world.names.moduleAt(place);
    return module?.isKernel === true && module.isCode(place) !== false;
  }
}
