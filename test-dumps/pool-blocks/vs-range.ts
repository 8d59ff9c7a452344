/** A variable-size subsegment: chunks of random sizes, in use, free, or freed but waiting on a list. */

import { alignUp, putU16, putU32, type Va } from '../bytes.js';
import { putBlock } from './heap-block.js';
import { highOf, lowOf, type HeapBuild } from './segment-heap.js';

const PAGE = 0x1000;
/** Most entries that a list takes. */
const LONGEST_LIST = 32;

/** Chunks that wait to be freed: where their links stand, the first of the list first. */
export interface DelayList {
  readonly slot: number;
  readonly entries: Va[];
}

/** Fills a range at `at` with a subsegment, and adds its blocks to the truth. */
export function putVs(build: HeapBuild, bytes: Uint8Array, at: Va, list: DelayList): void {
  const { offsets, prng, options } = build;
  const { vs } = offsets;
  const { unit } = vs;
  const sizeUnits = Math.min(0x7fff, Math.floor((bytes.length - vs.first) / unit));
  putU32(bytes, vs.commit, 0xffffffff);
  putU32(bytes, vs.commit + 4, 0xffffffff);
  putU16(bytes, vs.size, sizeUnits);
  putU16(bytes, vs.signature, ((sizeUnits ^ 0x2bed) & 0x7fff) | 0x8000);
  if (vs.slot !== null) putU16(bytes, vs.slot, list.slot);
  const end = vs.first + sizeUnits * unit;
  let previous = 0;
  for (let place = vs.first; place < end;) {
    let start = place + unit;
    if (options.pageAligned && start % PAGE === PAGE - unit) start += unit;
    const wanted = prng.chance(0.04) ? prng.int(PAGE, 3 * PAGE) : prng.int(24, prng.chance(0.2) ? 0x800 : 0x180);
    let size = start - place + alignUp(wanted, unit);
    // What would be too small for another chunk belongs to this one.
    if (end - place - size < 4 * unit) size = end - place;
    const used = prng.chance(0.7);
    const length = place + size - start;
    if (used && length >= 32) {
      const unused = prng.chance(0.6) ? prng.int(1, unit - 1) : 0;
      putChunk(build, bytes, at, place, size, previous, true, unused > 0);
      const delayed = list.entries.length < LONGEST_LIST && prng.chance(0.03);
      putBlock(build, bytes, start, {
        va: at + start,
        size: length,
        requested: length - unused,
        kind: 'vs',
        state: delayed ? 'cached' : 'live',
      });
      if (unused > 0) putU16(bytes, place + size - 2, unused === 1 ? 0x8000 : unused);
      // The link overwrites the header: it is written once the list is whole.
      if (delayed) list.entries.push(at + place + unit);
    } else {
      putChunk(build, bytes, at, place, size, previous, false, false);
      build.blocks.push({
        va: at + start,
        size: length,
        requested: null,
        tag: 0,
        protected: false,
        paged: false,
        kind: 'vs',
        state: 'free',
        billed: null,
      });
    }
    previous = size / unit;
    place += size;
  }
}

function putChunk(
  build: HeapBuild,
  bytes: Uint8Array,
  at: Va,
  place: number,
  size: number,
  previous: number,
  used: boolean,
  unused: boolean,
): void {
  const { offsets, keyLow, keyHigh, prng } = build;
  const units = size / offsets.vs.unit;
  const va = at + place;
  const low = (lowOf(va) ^ keyLow) >>> 0;
  if (offsets.pointer === 8) {
    putU32(bytes, place, ((prng.int(0, 0xffff) | (units << 16)) ^ low) >>> 0);
    putU32(bytes, place + 4, ((previous | ((used ? 1 : 0) << 16)) ^ highOf(va) ^ keyHigh) >>> 0);
  } else {
    putU32(bytes, place, ((prng.int(0, 1) | (units << 1) | (previous << 16) | ((used ? 1 : 0) << 31)) ^ low) >>> 0);
  }
  if (!used) return;
  const second = place + (offsets.pointer === 8 ? 8 : 4);
  putU32(bytes, second, ((Math.floor(place / PAGE) & 0xff) ^ (low & 0xff)) | (unused ? 0x100 : 0));
}
