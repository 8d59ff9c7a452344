/** What following code needs of an image: a module of a dump and a driver file both have it. */

import type { VirtualAddress } from '../../../parsers/addresses.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { ImageHeaders } from '../../../parsers/pe/image.js';

/** An image in memory. */
export interface CodeModule {
  /** As a debugger calls it: without extension. */
  readonly moduleName: string;
  readonly base: VirtualAddress;
  /** Bytes; 0 where that is not known. */
  readonly sizeOfImage: number;
  readonly headers: ImageHeaders | null;
  /** Where it can be read; null where no page of it can. */
  readonly memory: VirtualMemory | null;
}
