/**
 * ARM64 translation with the 4 KB granule and 48-bit addresses, as Windows uses it: one table for both halves of the
 * address space, levels 0 to 3. Bit 1 of an entry above the last level says "table"; without it the entry is a block
 * (1 GB at level 1, 2 MB at level 2). A page needs both low bits. Software PTEs are those of x64.
 */

import type { PhysicalAddress } from '../addresses.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { DEFAULT_OPTIONS, TableMemory, type EntryRules, type TableOptions } from './table-memory.js';

const RULES: EntryRules = {
  names: ['level 3 entry', 'level 2 entry', 'level 1 entry', 'level 0 entry'],
  page: 3,
  largeMask: 2,
  largeValue: 0,
  frameHigh: 0x3ffff,
};

/** L1TF is no matter of ARM64: frame numbers of invalid entries stand there as they are. */
export const ARM64_OPTIONS: TableOptions = { ...DEFAULT_OPTIONS, invalidPteMask: 0n };

/** One ARM64 address space of a dump. */
export class Arm64Memory extends TableMemory {
  constructor(memory: PhysicalMemory, root: PhysicalAddress, options: TableOptions = ARM64_OPTIONS) {
    super(memory, root, options, RULES);
  }

  protected create(memory: PhysicalMemory, root: PhysicalAddress, options: TableOptions): Arm64Memory {
    return new Arm64Memory(memory, root, options);
  }
}
