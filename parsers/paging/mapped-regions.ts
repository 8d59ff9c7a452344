/**
 * What page tables map, region by region, without touching the pages: for scans over address ranges that are mostly
 * holes. A region is what one last-level table maps, or one large page.
 */

import type { PhysicalMemory } from '../dump/physical-memory.js';

/** A region that has a page table or a large page. Addresses are signed for 64-bit systems, unsigned for 32-bit ones. */
export interface MappedRegion {
  readonly address: number;
  /** Bytes: 2 MB, of x86 without PAE 4 MB, or 1 GB for one page of that size. */
  readonly length: number;
}

const VALID = 1;
const LARGE = 0x80;
const TWO_32 = 0x1_0000_0000;
const REGION = 0x200000;
/** More tables than the kernel half of any dumped machine has. */
const MOST_TABLES = 1 << 20;

/** How entries of one processor's tables are read. */
export interface RegionRules {
  readonly levels: 4 | 5;
  /** Mask and value by which an entry of a directory is a large page. */
  readonly largeMask: number;
  readonly largeValue: number;
  /** Bits of the high word that are part of a frame's address. */
  readonly frameHigh: number;
}

/**
 * The mapped regions of the upper half of a 64-bit address space, in order of address. The entry by which the tables map
 * themselves is left out.
 */
export function* mappedRegions64(memory: PhysicalMemory, root: number, rules: RegionRules): Iterable<MappedRegion> {
  let left = MOST_TABLES;
  const { levels, largeMask, largeValue, frameHigh } = rules;
  /** `address` is where the table's range begins. */
  function* descend(table: number, level: number, address: number): Iterable<MappedRegion> {
    const words = left-- > 0 ? memory.table(table) : null;
    if (words === null) return;
    // Copied, because the memory keeps few tables and the walk goes on below.
    const entries = words.slice();
    const span = 2 ** (12 + 9 * level);
    for (let i = level === levels - 1 ? 256 : 0; i < 512; i++) {
      const low = entries[i * 2] ?? 0;
      if ((low & VALID) === 0) continue;
      const next = ((entries[i * 2 + 1] ?? 0) & frameHigh) * TWO_32 + ((low & 0xfffff000) >>> 0);
      const at = address + i * span;
      if (next === root) continue;
      if ((low & largeMask) === largeValue) {
        if (level <= 2) yield { address: at, length: span };
      } else if (level === 1) yield { address: at, length: REGION };
      else yield* descend(next, level - 1, at);
    }
  }
  yield* descend(root, levels - 1, -(2 ** (12 + 9 * levels)));
}

/** The mapped regions of the upper half of an x86 address space, from 2 GB on, without the tables' own. */
export function* mappedRegions32(memory: PhysicalMemory, root: number, pae: boolean): Iterable<MappedRegion> {
  const page = root - (root % 4096);
  const top = memory.table(page)?.slice() ?? null;
  if (top === null) return;
  if (!pae) {
    for (let i = 512; i < 1024; i++) {
      const entry = top[i] ?? 0;
      if ((entry & VALID) !== 0 && ((entry & LARGE) !== 0 || (entry & 0xfffff000) >>> 0 !== page)) {
        yield { address: i * 0x400000, length: 0x400000 };
      }
    }
    return;
  }
  const frame = (words: Uint32Array, at: number): number =>
    ((words[at + 1] ?? 0) & 0xfffff) * TWO_32 + (((words[at] ?? 0) & 0xfffff000) >>> 0);
  const first = (root - page) / 4;
  const directories = [0, 1, 2, 3].map((i) => frame(top, first + i * 2));
  for (let i = 2; i < 4; i++) {
    if (((top[first + i * 2] ?? 0) & VALID) === 0) continue;
    const entries = memory.table(directories[i] ?? 0)?.slice();
    if (entries === undefined) continue;
    for (let k = 0; k < 512; k++) {
      const low = entries[k * 2] ?? 0;
      if ((low & VALID) === 0 || ((low & LARGE) === 0 && directories.includes(frame(entries, k * 2)))) continue;
      yield { address: i * 0x40000000 + k * REGION, length: REGION };
    }
  }
}
