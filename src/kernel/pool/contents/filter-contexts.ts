/**
 * Contexts of minifilters: what the filter manager puts in front of them leads to the filter, at once or through the
 * registration of the context. A filter proves itself by its tag, and by the one driver object that it names.
 */

import { failed } from '../../../../parsers/bytes/failure.js';
import type { VirtualAddress } from '../../../../parsers/addresses.js';
import type { KeptBlock } from '../blocks/sample.js';
import type { NamedModule } from './address-names.js';
import type { IoObjects } from './io-objects.js';
import type { Decoder, Recognized } from './recognized.js';
import { pointerAt, type ContentWorld } from './world.js';

/** `FMfl`, the tag of filters. */
const FILTER_TAG = 0x6c664d46;
/** Bytes of a filter in which its driver object is looked for: less than half a page. */
const FILTER_BYTES = 0x400;
const MOST_KEPT = 10_000;

/** Recognizes contexts of minifilters. */
export class FilterContextDecoder implements Decoder {
  readonly kind = 'filter context';
  readonly plural = 'contexts';
  private readonly filters = new Map<VirtualAddress, NamedModule | null>();

  constructor(
    private readonly world: ContentWorld,
    private readonly objects: IoObjects,
  ) {}

  read({ data }: KeptBlock): Recognized | null {
    const { world } = this;
    if (data.length < world.pointerSize) return null;
    const first = pointerAt(data, 0, world.pointerSize);
    if (!world.isKernelPointer(first)) return null;
    const module = this.filterAt(first) ?? this.throughRegistration(first);
    if (module === null) return null;
    return {
      leads: [{ how: 'of the filter', name: module.name }],
      driver: { how: 'of the filter', module, offset: null },
      ...{ traits: [], source: null },
    };
  }

  private throughRegistration(registration: VirtualAddress): NamedModule | null {
    const filter = this.world.memory.readPointer(registration);
    return failed(filter) ? null : this.filterAt(filter);
  }

  private filterAt(address: VirtualAddress): NamedModule | null {
    if (this.world.tagAt(address) !== FILTER_TAG) return null;
    let module = this.filters.get(address);
    if (module === undefined) {
      module = this.driverOf(address);
      if (this.filters.size < MOST_KEPT) this.filters.set(address, module);
    }
    return module;
  }

  /** The one driver whose object a filter names. */
  private driverOf(filter: VirtualAddress): NamedModule | null {
    const { memory, pointerSize } = this.world;
    const modules = new Map<number, NamedModule>();
    for (const { bytes } of memory.chunks(filter, FILTER_BYTES)) {
      if (failed(bytes)) break;
      for (let at = 0; at + pointerSize <= bytes.length; at += pointerSize) {
        const module = this.objects.driver(pointerAt(bytes, at, pointerSize))?.module;
        if (module) modules.set(module.base, module);
      }
    }
    const [module] = modules.values();
    return modules.size === 1 ? (module ?? null) : null;
  }
}
