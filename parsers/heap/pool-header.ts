/**
 * _POOL_HEADER, in front of each small pool block: 8 bytes on 32-bit systems, 16 on 64-bit ones. Sources: public symbols of
 * 2600 to 26200; the layout of Windows 2000 comes from old texts.
 */

import { isProtectedTag, plainTag } from '../kernel/tag.js';
import { PoolBits, type Block } from './blocks.js';

/** How headers of one family of systems look. */
export interface PoolHeaderLayout {
  readonly name: string;
  /** Bytes of the header. */
  readonly size: number;
  /** Bytes of a unit of BlockSize and PreviousSize. */
  readonly unit: number;
  /** `bytes`: four of a byte each, in the order given by the offsets; `bits`: 9 and 7 bits in two words. */
  readonly form: 'bytes' | 'bits';
  /** Offset of the byte (or of the 16-bit word) with BlockSize, and of the byte with PoolType (top 7 bits of a word). */
  readonly blockSize: number;
  readonly poolType: number;
  /** `in-use`: PoolType is bits, InUse among them; `plus-one`: the pool type plus one, 0 free (before Vista). */
  readonly types: 'in-use' | 'plus-one';
  /** Where the process that was billed stands: in the header (offset), or in the last bytes of the block. */
  readonly billed: number | 'end';
}

export const POOL_HEADER_2000: PoolHeaderLayout = {
  name: 'x86 2195',
  size: 8,
  unit: 32,
  form: 'bytes',
  blockSize: 3,
  poolType: 2,
  types: 'plus-one',
  billed: 'end',
};
export const POOL_HEADER_XP: PoolHeaderLayout = {
  name: 'x86 2600 to 3790',
  size: 8,
  unit: 8,
  form: 'bits',
  blockSize: 2,
  poolType: 3,
  types: 'plus-one',
  billed: 'end',
};
export const POOL_HEADER_X86: PoolHeaderLayout = { ...POOL_HEADER_XP, name: 'x86 6000 and later', types: 'in-use' };
export const POOL_HEADER_2003_X64: PoolHeaderLayout = {
  name: 'x64 3790',
  size: 16,
  unit: 16,
  form: 'bytes',
  blockSize: 2,
  poolType: 3,
  types: 'plus-one',
  billed: 8,
};
export const POOL_HEADER_X64: PoolHeaderLayout = {
  ...POOL_HEADER_2003_X64,
  name: 'x64 6000 and later',
  types: 'in-use',
};

/** Every layout, for choosing by what fits. */
export const POOL_HEADERS: readonly PoolHeaderLayout[] = [
  POOL_HEADER_2000,
  POOL_HEADER_XP,
  POOL_HEADER_X86,
  POOL_HEADER_2003_X64,
  POOL_HEADER_X64,
];

const KNOWN_BITS =
  PoolBits.Paged | PoolBits.InUse | PoolBits.CacheAligned | PoolBits.Quota | PoolBits.Session | PoolBits.Verifier;

/** A stored PoolType in the bits of Vista and later; -1 where it cannot be one. 0 without InUse is free. */
export function poolBits(stored: number, types: 'in-use' | 'plus-one'): number {
  if (types === 'in-use') return (stored & ~KNOWN_BITS) === 0 ? stored : -1;
  if (stored === 0) return 0;
  const quota = stored & PoolBits.Quota;
  const session = stored & PoolBits.Session;
  const kind = (stored & ~(PoolBits.Quota | PoolBits.Session | PoolBits.Verifier)) - 1;
  // 0 nonpaged, 1 paged, 2 nonpaged must succeed, 4 and 5 the same with cache alignment, 6 must succeed with alignment.
  if (kind < 0 || kind > 6 || kind === 3) return -1;
  return PoolBits.InUse | (kind & PoolBits.Paged) | (kind & 4) | quota | session;
}

/**
 * Reads tag, pool type and who was billed of the header at `block.offset` of `block.bytes` into the block. Where the
 * header is not all there, the block keeps no tag.
 */
export function readPoolHeader(block: Block, layout: PoolHeaderLayout): void {
  if (block.there < layout.size) return;
  const { bytes, offset } = block;
  setTag(block, word(bytes, offset + 4));
  const raw = bytes[offset + layout.poolType] ?? 0;
  const bits = poolBits(layout.form === 'bits' ? raw >>> 1 : raw, layout.types);
  block.poolType = bits < 0 ? 0 : bits;
  if ((block.poolType & PoolBits.Quota) === 0) return;
  if (layout.billed === 'end') {
    if (block.there >= block.size && block.size >= layout.size + 4) {
      block.billedLow = word(bytes, offset + block.size - 4);
    }
  } else {
    block.billedLow = word(bytes, offset + layout.billed);
    block.billedHigh = word(bytes, offset + layout.billed + 4);
  }
}

/**
 * Whether a block of a segment heap begins with a pool header. Requests of nearly a page and more have none: blocks that are
 * longer than a header can say, and of the two longest lengths those whose header does not say so.
 */
export function hasPoolHeader(block: Block, layout: PoolHeaderLayout): boolean {
  const units = Math.floor(block.size / layout.unit);
  const longest = layout.form === 'bits' ? 0x1ff : 0xff;
  if (units > longest) return false;
  if (units < longest - 1) return true;
  if (block.there < layout.size) return false;
  const { bytes, offset } = block;
  const low = bytes[offset + layout.blockSize] ?? 0;
  const stored = layout.form === 'bits' ? low | (((bytes[offset + layout.blockSize + 1] ?? 0) & 1) << 8) : low;
  const raw = bytes[offset + layout.poolType] ?? 0;
  const bits = poolBits(layout.form === 'bits' ? raw >>> 1 : raw, layout.types);
  return (stored === units || stored === units - 1) && bits > 0 && typedTag(word(bytes, offset + 4));
}

/**
 * The tag of the block in use whose header stands at the start of `bytes`, without the protected bit; null where what
 * stands there is no header of such a block.
 */
export function usedTag(bytes: Uint8Array, layout: PoolHeaderLayout): number | null {
  if (bytes.length < layout.size) return null;
  const raw = bytes[layout.poolType] ?? 0;
  const bits = poolBits(layout.form === 'bits' ? raw >>> 1 : raw, layout.types);
  const tag = plainTag(word(bytes, 4));
  return bits > 0 && (bits & PoolBits.InUse) !== 0 && typedTag(tag) ? tag : null;
}

/** Puts a stored tag into the block, without bit 31, which only says that it is protected. */
export function setTag(block: Block, stored: number): void {
  block.protected = isProtectedTag(stored);
  block.tag = plainTag(stored);
}

/** True when at least three characters of a tag can be typed, none is a control character but NUL at the end. */
export function typedTag(tag: number): boolean {
  let typed = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const byte = (tag >>> shift) & (shift === 24 ? 0x7f : 0xff);
    if (byte >= 0x20 && byte <= 0x7e) typed++;
  }
  return typed >= 3;
}

const word = (b: Uint8Array, o: number): number =>
  ((b[o] ?? 0) | ((b[o + 1] ?? 0) << 8) | ((b[o + 2] ?? 0) << 16) | ((b[o + 3] ?? 0) << 24)) >>> 0;
