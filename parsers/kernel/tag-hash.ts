/**
 * Where a pool tag table keeps a tag, from Windows Server 2003 (3790) on: at slot `mask & (h ^ h >> 32)` with
 * h = 40543 * tag, in a table of mask + 2 slots, or in the next free one behind it. Slots are never freed, so that between
 * a tag and its slot by the hash none is free. (By the sources of kernels that are alike: hold it against the data.)
 */

/** A tag that few slots behind its own still counts as near: tables fill up and probing is linear. */
const NEAR = 16;

/** The slot that a tag hashes to; `mask` is one less than a power of two. */
export function hashSlot(key: number, mask: number): number {
  const product = 40543 * key;
  const high = Math.floor(product / 0x100000000);
  const low = product - high * 0x100000000;
  return mask & (low ^ high);
}

/** How the tags of a table stand to their hash. */
export interface Placement {
  readonly tags: number;
  /** At or just behind their slot. */
  readonly near: number;
  /** With a free slot between theirs and them: where nothing was lost there is none. */
  readonly astray: number;
  /** The slots of these. */
  readonly astraySlots: readonly number[];
}

/** Slots listed at most. */
const MOST_LISTED = 4096;

/** Looks at the slots 0 to `mask` of `keys` (without the protected bit; 0 = free). */
export function placementOf(keys: Uint32Array, mask: number): Placement {
  const free = new Uint32Array(mask + 2);
  for (let slot = 0; slot <= mask; slot++) free[slot + 1] = (free[slot] ?? 0) + (keys[slot] === 0 ? 1 : 0);
  const all = free[mask + 1] ?? 0;
  let [tags, near, astray] = [0, 0, 0];
  const astraySlots: number[] = [];
  for (let slot = 0; slot <= mask; slot++) {
    const key = keys[slot] ?? 0;
    if (key === 0) continue;
    tags++;
    const home = hashSlot(key, mask);
    if (((slot - home) & mask) < NEAR) near++;
    const between = (free[slot] ?? 0) - (free[home] ?? 0) + (home > slot ? all : 0);
    if (between === 0) continue;
    astray++;
    if (astraySlots.length < MOST_LISTED) astraySlots.push(slot);
  }
  return { tags, near, astray, astraySlots };
}
