/** Built memory, as fast to read as memory can be, so that what is measured is the walk. Threads share its bytes. */

import { heapAddress, type HeapAddress, type HeapMemory } from '../../parsers/heap/memory.js';
import type { MemoryImage } from '../../test-dumps/pool-blocks/image.js';

const PAGE = 4096;

/** Pages that threads can share: page `i` of the bytes stands at `addresses[i]`. */
export interface SharedPages {
  readonly pointerSize: 4 | 8;
  readonly bytes: SharedArrayBuffer;
  readonly addresses: Float64Array;
}

export function sharedPages(image: MemoryImage): SharedPages {
  const all = image.addresses();
  const bytes = new SharedArrayBuffer(all.length * PAGE);
  const to = new Uint8Array(bytes);
  const addresses = new Float64Array(all.length);
  for (const [i, va] of all.entries()) {
    to.set(image.page(va) ?? [], i * PAGE);
    addresses[i] = heapAddress(image.spell(va), image.pointerSize);
  }
  return { pointerSize: image.pointerSize, bytes, addresses };
}

export class FastMemory implements HeapMemory {
  readonly pointerSize: 4 | 8;
  private readonly pages = new Map<number, Uint8Array>();

  constructor({ pointerSize, bytes, addresses }: SharedPages) {
    this.pointerSize = pointerSize;
    for (const [i, address] of addresses.entries())
      this.pages.set(address / PAGE, new Uint8Array(bytes, i * PAGE, PAGE));
  }

  readPages(address: HeapAddress, pages: number, into: Uint8Array, present: Uint8Array): number {
    let found = 0;
    for (let i = 0; i < pages; i++) {
      const page = this.pages.get(address / PAGE + i);
      present[i] = page === undefined ? 0 : 1;
      if (page === undefined) continue;
      into.set(page, i * PAGE);
      found++;
    }
    return found;
  }
}
