/** A low-fragmentation subsegment: blocks of one size, their bitmap, and from 26100 on the list of freed ones. */

import { alignUp, getU32, putU16, putU32, type Va } from '../bytes.js';
import { putBlock } from './heap-block.js';
import { highOf, lowOf, type HeapBuild } from './segment-heap.js';

const PAGE = 0x1000;

/** Fills a range at `at` with a subsegment, and adds its blocks to the truth. */
export function putLfh(build: HeapBuild, bytes: Uint8Array, at: Va): void {
  const { offsets, prng, options } = build;
  const { lfh } = offsets;
  const grain = offsets.pointer * 2;
  const fits = Math.floor((bytes.length - 0x100) / grain / 4) * grain;
  const blockSize = Math.max(32, Math.min(prng.int(2, prng.chance(0.8) ? 0x20 : 0xff) * 16, fits));
  // The bitmap for as many blocks as there could be at most, then the first block.
  const most = Math.floor((bytes.length - lfh.bitmap) / blockSize);
  const bitmapBytes = lfh.split ? Math.ceil(most / 32) * 8 : Math.ceil(most / (offsets.pointer * 4)) * offsets.pointer;
  const first = alignUp(lfh.bitmap + bitmapBytes + prng.int(0, 1) * 16, 16);
  const total = Math.floor((bytes.length - first) / blockSize);
  const crosses = (i: number): boolean => {
    const start = first + i * blockSize;
    return Math.floor(start / PAGE) !== Math.floor((start + blockSize - 1) / PAGE);
  };
  let withheld = 0;
  if (options.withhold && !lfh.split) for (let i = 0; i < total; i++) if (crosses(i)) withheld++;
  putU16(bytes, lfh.count, total - withheld);
  bytes[lfh.withheld] = withheld;
  const mask = lfh.split ? ((lowOf(at) >>> 12) | (highOf(at) << 20)) >>> 0 : lowOf(at) >>> 12;
  putU32(bytes, lfh.offsets, ((blockSize | (first << 16)) ^ build.lfhLow ^ mask) >>> 0);
  bytes.fill(0, lfh.bitmap, lfh.bitmap + bitmapBytes);
  const delayed: number[] = [];
  let free = 0;
  for (let i = 0; i < total; i++) {
    const start = first + i * blockSize;
    if (withheld > 0 && crosses(i)) {
      setBits(bytes, lfh.bitmap, lfh.split, i, 1, 0);
      continue;
    }
    const used = prng.chance(0.6);
    const waits = used && lfh.split && prng.chance(0.2);
    const unused = used && prng.chance(0.5) ? prng.int(1, 15) : 0;
    setBits(bytes, lfh.bitmap, lfh.split, i, used ? 1 : 0, unused > 0 ? 1 : 0);
    if (!used) {
      free++;
      build.blocks.push({
        va: at + start,
        size: blockSize,
        requested: null,
        tag: 0,
        protected: false,
        paged: false,
        kind: 'lfh',
        state: 'free',
        billed: null,
      });
      continue;
    }
    putBlock(build, bytes, start, {
      va: at + start,
      size: blockSize,
      requested: blockSize - unused,
      kind: 'lfh',
      state: waits ? 'cached' : 'live',
    });
    if (unused > 0) putU16(bytes, start + blockSize - 2, unused === 1 ? 0x8000 : unused);
    if (waits) delayed.push(i);
  }
  putU16(bytes, lfh.free, free);
  if (!lfh.split) return;
  putU16(bytes, 0x10, (delayed[0] ?? -1) + 1);
  putU16(bytes, 0x12, delayed.length);
  delayed.forEach((index, i) => {
    putU16(bytes, first + index * blockSize, (delayed[i + 1] ?? -1) + 1);
  });
}

function setBits(bytes: Uint8Array, bitmap: number, split: boolean, index: number, busy: number, info: number): void {
  if (split) {
    const at = bitmap + Math.floor(index / 32) * 8;
    putU32(bytes, at, (getU32(bytes, at) | (busy << (index % 32))) >>> 0);
    putU32(bytes, at + 4, (getU32(bytes, at + 4) | (info << (index % 32))) >>> 0);
  } else {
    const at = bitmap + Math.floor(index / 16) * 4;
    putU32(bytes, at, (getU32(bytes, at) | ((busy | (info << 1)) << ((index % 16) * 2))) >>> 0);
  }
}
