/**
 * What stands below an object header: optional headers, of which the header says how far down each is (reference:
 * objects-and-pool-blocks, section 2).
 */

/** Optional headers by their bit in InfoMask; of the first three older headers hold the distance instead. */
export const OPTIONAL_HEADER = { creator: 0x01, name: 0x02, handles: 0x04, quota: 0x08, process: 0x10 } as const;

/** Sizes in bytes, in order of their bits. What the highest two are changed over time; nothing read here stands below them. */
const SIZES = { 8: [0x20, 0x20, 0x10, 0x20, 0x10], 4: [0x10, 0x10, 0x08, 0x10, 0x08] } as const;

/** Bytes from the object header down to an optional one; null where the object has none. */
export function optionalHeaderDistance(infoMask: number, bit: number, pointerSize: 4 | 8): number | null {
  if ((infoMask & bit) === 0) return null;
  let distance = 0;
  let size = 0;
  for (let i = 0, at = 1; at <= bit; i++, at <<= 1) {
    size = SIZES[pointerSize][i] ?? 0;
    if ((infoMask & at) !== 0) distance += size;
  }
  return distance;
}
