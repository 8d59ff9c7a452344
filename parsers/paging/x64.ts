/** x64 translation: 4 levels (5 with LA57, in the separate kernel ntkrla57.exe); PS (bit 7) marks a large page. */

import type { PhysicalAddress } from '../addresses.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { DEFAULT_OPTIONS, TableMemory, type EntryRules, type TableOptions } from './table-memory.js';

const RULES: EntryRules = {
  names: ['PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E'],
  page: 1,
  largeMask: 0x80,
  largeValue: 0x80,
  frameHigh: 0xfffff,
};

/** One x64 address space of a dump. */
export class X64Memory extends TableMemory {
  constructor(memory: PhysicalMemory, root: PhysicalAddress, options: TableOptions = DEFAULT_OPTIONS) {
    super(memory, root, options, RULES);
  }

  protected create(memory: PhysicalMemory, root: PhysicalAddress, options: TableOptions): X64Memory {
    return new X64Memory(memory, root, options);
  }
}
