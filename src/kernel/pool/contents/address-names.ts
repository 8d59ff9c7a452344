/** What is known of where an address leads to. */

import type { HeapAddress } from '../../../../parsers/heap/memory.js';

/** Names the module that an address lies in. */
export interface AddressNames {
  /** Null where no module holds the address. */
  moduleAt(address: HeapAddress): NamedModule | null;
  /** By its file's name without extension, in any case; null where none or several are called so. */
  moduleNamed(stem: string): NamedModule | null;
  /** The exported function that begins there. */
  exportAt(address: bigint): string | null;
}

/** A loaded module. */
export interface NamedModule {
  readonly name: string;
  readonly base: HeapAddress;
  /** It is the kernel itself. */
  readonly isKernel: boolean;
  /** Whether an address of it lies in a section that can be executed; null where its sections are not known. */
  isCode(address: HeapAddress): boolean | null;
}
