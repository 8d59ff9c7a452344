/**
 * How many slots a pool tag table has, told from the table itself: a tag stands at or just after slot
 * `mask & (h ^ h >> 32)` with h = 40543 * tag, in a table of mask + 2 slots. Used where no symbol knows the size.
 */

import { plus, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { u32 } from '../../parsers/bytes/fields.js';
import { PROTECTED_POOL, type TrackerRecord } from '../../parsers/kernel/pool-tracker.js';
import type { VirtualMemory } from '../../parsers/paging/virtual-memory.js';

/** Sizes tried: 2^6 to 2^18 slots, plus the overflow slot. */
const SMALLEST_BITS = 6;
const LARGEST_BITS = 18;
/** A tag this far behind its slot still counts: tables fill up and probing is linear. */
const NEAR = 16;
/** Tags needed, and the share of them that must stand where the hash says. */
const FEWEST_TAGS = 24;
const SHARE = 0.9;

/** The slots of the table at `table`, or null where the data does not decide. */
export function inferTableSize(memory: VirtualMemory, table: VirtualAddress, record: TrackerRecord): number | null {
  const keys = readKeys(memory, table, record, (1 << LARGEST_BITS) + 1);
  let best: { bits: number; tags: number } | null = null;
  for (let bits = SMALLEST_BITS; bits <= LARGEST_BITS && 1 << bits <= keys.length; bits++) {
    const mask = (1 << bits) - 1;
    let tags = 0;
    let placed = 0;
    for (let slot = 0; slot <= mask; slot++) {
      const key = keys[slot] ?? 0;
      if (key === 0) continue;
      tags++;
      if (((slot - hashSlot(key, mask)) & mask) < NEAR) placed++;
    }
    if (tags >= FEWEST_TAGS && placed / tags >= SHARE && (best === null || tags > best.tags)) best = { bits, tags };
  }
  return best === null ? null : (1 << best.bits) + 1;
}

/** The slot that a tag hashes to. */
function hashSlot(key: number, mask: number): number {
  const product = 40543 * key;
  const high = Math.floor(product / 0x100000000);
  const low = product - high * 0x100000000;
  return mask & (low ^ high);
}

/** The keys of up to `most` records, ending at the first page that is missing. */
function readKeys(memory: VirtualMemory, table: VirtualAddress, record: TrackerRecord, most: number): Uint32Array {
  const keys: number[] = [];
  const step = 256;
  while (keys.length < most) {
    const bytes = memory.read(plus(table, keys.length * record.size), step * record.size);
    if (failed(bytes)) {
      for (let i = 0; i < step; i++) {
        const one = memory.readU32(plus(table, keys.length * record.size + record.key));
        if (failed(one)) return Uint32Array.from(keys);
        keys.push((one & ~PROTECTED_POOL) >>> 0);
      }
      continue;
    }
    for (let i = 0; i < step; i++) keys.push((u32(bytes, i * record.size + record.key) & ~PROTECTED_POOL) >>> 0);
  }
  return Uint32Array.from(keys);
}
