/** The content of a block that is or was in use: its pool header, where it has one, and the truth about it. */

import type { Va } from '../bytes.js';
import { encodeBilled, HEADER_SIZES, putHeader } from './headers.js';
import { pickTag, type TrueBlock } from './image.js';
import type { HeapBuild } from './segment-heap.js';

/** Longest block with a pool header, by pointer size: 255 units of 16, 511 of 8. */
const LONGEST = { 8: 0xff0, 4: 0xff8 };

/** Writes the block at `at` of `bytes` and adds it to the truth. */
export function putBlock(
  build: HeapBuild,
  bytes: Uint8Array,
  at: number,
  block: {
    readonly va: Va;
    readonly size: number;
    readonly requested: number;
    readonly kind: TrueBlock['kind'];
    readonly state: 'live' | 'cached';
  },
): void {
  const { options, prng, image, offsets, blocks } = build;
  const { header: family } = options;
  const bare = { ...block, tag: 0, protected: false, paged: false, billed: null };
  if (family === null || block.size > LONGEST[offsets.pointer]) {
    blocks.push(bare);
    return;
  }
  const { unit } = HEADER_SIZES[family];
  const isProtected = prng.chance(0.05);
  const tag = pickTag(prng, options, block.size);
  const billable = offsets.pointer === 8 && options.processes.length > 0 && prng.chance(0.2);
  const process = billable ? prng.pick(options.processes) : null;
  const stored = process === null ? null : encodeBilled(image.spell(process), image.spell(block.va), options.cookie);
  putHeader(
    bytes,
    at,
    family,
    {
      previous: prng.int(0, 0xff),
      units: Math.floor(block.size / unit),
      key: isProtected ? (tag | 0x80000000) >>> 0 : tag,
      used: true,
      paged: options.paged,
      billed: stored,
    },
    block.size,
  );
  if (block.state === 'cached') blocks.push(bare);
  else {
    blocks.push({
      ...block,
      tag,
      protected: isProtected,
      paged: options.paged,
      billed: process === null || stored === null ? null : { process, stored },
    });
  }
}
