/** What is known of where an address leads to. */

import type { HeapAddress } from '../../../../parsers/heap/memory.js';

/** Names the module that an address lies in. */
export interface AddressNames {
  /** Null where no module holds the address. */
  moduleAt(address: HeapAddress): { readonly name: string; readonly base: HeapAddress } | null;
  /** The exported function that begins there. */
  exportAt(address: bigint): string | null;
}
