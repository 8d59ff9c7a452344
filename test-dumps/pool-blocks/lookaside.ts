/** A lookaside list (_RTL_DYNAMIC_LOOKASIDE): blocks of the pool that were freed and wait to be used again. */

import { putU16, putU32, putVa, type Va } from '../bytes.js';
import type { MemoryImage, TrueBlock } from './image.js';

const PAGE = 0x1000;

/**
 * Frees some of `blocks` to lists at `at`, and returns the truth after that. `headerBytes`: bytes of their pool headers;
 * `stride`: bytes from list to list, and before the first: 0x40, on ARM64 0x80.
 */
export function buildLookaside(
  image: MemoryImage,
  at: Va,
  blocks: readonly TrueBlock[],
  headerBytes: number,
  every: number,
  stride: 0x40 | 0x80 = 0x40,
): TrueBlock[] {
  const wide = image.pointerSize === 8;
  const lists = new Uint8Array(3 * PAGE);
  const buckets: Va[][] = Array.from({ length: 64 }, () => []);
  let seen = 0;
  const out = blocks.map((block) => {
    const fits = block.state === 'live' && block.tag !== 0 && block.size >= headerBytes + 16 && block.size < 0x400;
    if (!fits || seen++ % every !== 0) return block;
    buckets[(block.size >>> 4) % 64]?.push(block.va + headerBytes);
    return { ...block, state: 'cached' as const };
  });
  buckets.forEach((entries, i) => {
    const header = stride + i * stride;
    if (wide) {
      putU16(lists, header, entries.length);
      putVa(lists, header + 8, entries[0] ?? 0);
    } else {
      putU32(lists, header, entries[0] ?? 0);
      putU16(lists, header + 4, entries.length);
    }
    entries.forEach((entry, k) => {
      const page = image.page(entry);
      if (page === null) return;
      const next = entries[k + 1] ?? 0;
      if (wide) putVa(page, entry % PAGE, next);
      else putU32(page, entry % PAGE, next);
    });
  });
  image.put(at, lists);
  return out;
}
