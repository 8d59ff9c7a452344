/** Classic pool pages: each a chain of blocks of random sizes. */

import { alignUp, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';
import { encodeBilled, HEADER_SIZES, putHeader, type HeaderFamily } from './headers.js';
import { pickTag, type MemoryImage, type TrueBlock } from './image.js';

const PAGE = 0x1000;

export interface ClassicOptions {
  readonly family: HeaderFamily;
  readonly at: Va;
  readonly pages: number;
  readonly paged: boolean;
  readonly tags: readonly string[];
  /** Bytes that blocks of a tag have at least. */
  readonly least?: Readonly<Record<string, number>>;
  /** Processes that blocks may be billed to. */
  readonly processes: readonly Va[];
  /** ExpPoolQuotaCookie; 0 where pointers are plain. */
  readonly cookie: bigint;
}

/** Builds pages into the image and returns their blocks. */
export function buildClassicPages(image: MemoryImage, prng: Prng, options: ClassicOptions): TrueBlock[] {
  const { family, at } = options;
  const { header, unit } = HEADER_SIZES[family];
  const bytes = prng.bytes(options.pages * PAGE);
  const blocks: TrueBlock[] = [];
  for (let page = 0; page < options.pages; page++) {
    let previous = 0;
    for (let offset = 0; offset < PAGE;) {
      const left = PAGE - offset;
      const wanted = alignUp(prng.int(header + 8, prng.chance(0.2) ? 1500 : 200), unit);
      // The first block never takes the page: that would be a big allocation.
      const size = Math.min(wanted, left === PAGE ? PAGE / 2 : left);
      const va = at + page * PAGE + offset;
      const used = prng.chance(0.7);
      const isProtected = used && prng.chance(0.1);
      const process =
        used && size >= header + 8 && options.processes.length > 0 && prng.chance(0.2)
          ? prng.pick(options.processes)
          : null;
      const stored = process === null ? null : encodeBilled(image.spell(process), image.spell(va), options.cookie);
      const tag = pickTag(prng, options, size);
      putHeader(
        bytes,
        page * PAGE + offset,
        family,
        {
          previous,
          units: size / unit,
          key: isProtected ? (tag | 0x80000000) >>> 0 : tag,
          used,
          paged: options.paged,
          billed: stored,
        },
        size,
      );
      blocks.push({
        va,
        size,
        requested: null,
        tag,
        protected: isProtected,
        paged: used && options.paged,
        kind: 'pool',
        state: used ? 'live' : 'free',
        billed:
          process === null || stored === null
            ? null
            : { process, stored: BigInt.asUintN(image.pointerSize * 8, stored) },
      });
      previous = size / unit;
      offset += size;
    }
  }
  image.put(at, bytes);
  return blocks;
}
