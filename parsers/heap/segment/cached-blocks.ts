/**
 * Blocks that were freed but look allocated: the delay-free lists of variable-size contexts, and the lookaside lists of the
 * kernel's pool nodes. Lists are followed as far as their own depth says, once, and never round.
 */

import { AddressSet } from '../address-set.js';
import type { HeapLayout } from './layouts.js';
import { joinWords, lowWord, type HeapAddress, type PointerReader } from '../memory.js';

/** Slots of a variable-size context are addressed in units of so many bytes. */
const SLOT_UNIT = 0x40;

/**
 * Puts the entries of the _SLIST_HEADER at `header` into `into`. Returns how many entries its depth names beyond those that
 * could be followed; null when the header is missing.
 */
export function readList(reader: PointerReader, header: HeapAddress, into: AddressSet): number | null {
  const wide = reader.pointerSize === 8;
  const depth = reader.u16(header + (wide ? 0 : 4));
  const low = reader.u32(header + (wide ? 8 : 0));
  const high = wide ? reader.u32(header + 12) : 0;
  if (depth === null || low === null || high === null) return null;
  let next = wide ? joinWords(low & ~0xf, high) : low;
  let left = depth;
  for (; left > 0 && next !== 0 && lowWord(next) % reader.pointerSize === 0; left--) {
    if (!into.add(next)) break;
    const after = reader.pointer(next);
    next = after ?? 0;
  }
  return left;
}

/**
 * The delay-free lists of one variable-size context. From 26100.4061 on they belong to slots: those of the map are read at
 * first, others once a subsegment names them.
 */
export class DelayFree {
  readonly blocks = new AddressSet();
  /** Entries that lists have but that could not be followed. */
  unresolved = 0;
  private readonly seen = new Set<number>();

  constructor(
    private readonly reader: PointerReader,
    private readonly context: HeapAddress,
    private readonly layout: HeapLayout,
  ) {
    const where = layout.vsDelayFree;
    // The context of the large segments has none.
    if (context === 0) return;
    if (where.in === 'context') {
      this.read(context + where.list);
      return;
    }
    const map = reader.u16(context + where.slotMapRef);
    const mask = reader.u8(context + where.affinityMask);
    if (map === null || map === 0 || mask === null) return;
    for (let i = 0; i <= mask; i++) {
      const slot = reader.u16(context + map * SLOT_UNIT + i * 4);
      if (slot !== null) this.slot(slot);
    }
  }

  /** Where a subsegment names its slot, or null. */
  get ownerSlotRef(): number | null {
    return this.layout.vsDelayFree.in === 'slots' ? this.layout.vsDelayFree.ownerSlotRef : null;
  }

  /**
   * Reads the list of a slot, once. A slot names its context, by a pointer or in later builds otherwise: then the list itself
   * must hold, as long as its depth says.
   */
  slot(ref: number): void {
    if (ref === 0 || this.seen.has(ref) || this.layout.vsDelayFree.in !== 'slots') return;
    this.seen.add(ref);
    const slot = this.context + ref * SLOT_UNIT;
    const header = slot + this.layout.vsDelayFree.list;
    if (this.reader.pointer(slot) !== this.context && readList(this.reader, header, new AddressSet()) !== 0) return;
    this.read(header);
  }

  private read(header: HeapAddress): void {
    this.unresolved += readList(this.reader, header, this.blocks) ?? 0;
  }
}

/** _RTL_DYNAMIC_LOOKASIDE: `buckets` lists, the first `first` bytes behind its start, `stride` bytes apart. */
export interface LookasideLayout {
  readonly size: number;
  readonly first: number;
  readonly stride: number;
  readonly buckets: number;
}
/** x86 and x64, 17763 to 26200. */
export const LOOKASIDE: LookasideLayout = { size: 0x1040, first: 0x40, stride: 0x40, buckets: 64 };
/** ARM64 26100. */
export const LOOKASIDE_ARM64: LookasideLayout = { size: 0x2080, first: 0x80, stride: 0x80, buckets: 64 };

/**
 * Puts the data addresses of blocks on the lookaside lists of the _RTL_DYNAMIC_LOOKASIDE at `address` into `into`. Returns
 * how many more entries the lists name than could be followed.
 */
export function readLookaside(
  reader: PointerReader,
  address: HeapAddress,
  layout: LookasideLayout,
  into: AddressSet,
): number {
  let unresolved = 0;
  for (let i = 0; i < layout.buckets; i++) {
    unresolved += readList(reader, address + layout.first + i * layout.stride, into) ?? 0;
  }
  return unresolved;
}
