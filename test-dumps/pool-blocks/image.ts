/** Built memory: pieces of whole pages at virtual addresses, and what a correct walk finds in them. */

import { canonical, tagKey, type Va } from '../bytes.js';
import type { Prng } from '../prng.js';

const PAGE = 0x1000;

/** A block as a correct walk gives it. */
export interface TrueBlock {
  readonly va: Va;
  /** Bytes with the pool header. */
  readonly size: number;
  /** Bytes asked for, with the pool header; null where memory does not tell. */
  readonly requested: number | null;
  /** The tag without its protected bit; 0 for blocks without one. */
  readonly tag: number;
  readonly protected: boolean;
  readonly paged: boolean;
  readonly kind: 'lfh' | 'vs' | 'segment' | 'large' | 'pool' | 'bigpage';
  readonly state: 'live' | 'free' | 'cached';
  /** The process that was billed, and how that is stored; null where none was. */
  readonly billed: { readonly process: Va; readonly stored: bigint } | null;
}

/** A tag for a block of so many bytes: one of those that blocks of that size may have. */
export function pickTag(
  prng: Prng,
  { tags, least = {} }: { readonly tags: readonly string[]; readonly least?: Readonly<Record<string, number>> },
  size: number,
): number {
  const fitting = tags.filter((tag) => (least[tag] ?? 0) <= size);
  return tagKey(fitting.length === 0 ? 'None' : prng.pick(fitting));
}

/** Memory made of pieces. A later piece covers an earlier one. */
export class MemoryImage {
  private readonly pages = new Map<number, { readonly bytes: Uint8Array; readonly at: number }>();

  constructor(readonly pointerSize: 4 | 8) {}

  /** Puts whole pages at a page-aligned address. The bytes are kept, not copied. */
  put(va: Va, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PAGE) this.pages.set((va + at) / PAGE, { bytes, at });
  }

  /** Takes pages away. */
  drop(va: Va): void {
    this.pages.delete(Math.floor(va / PAGE));
  }

  /** The bytes of the page that holds `va`: changing them changes the image. Null where there is none. */
  page(va: Va): Uint8Array | null {
    const found = this.pages.get(Math.floor(va / PAGE));
    return found === undefined ? null : found.bytes.subarray(found.at, found.at + PAGE);
  }

  /** Addresses of the pages, in the order in which they were put. */
  addresses(): Va[] {
    return [...this.pages.keys()].map((page) => page * PAGE);
  }

  /** An address as a 64-bit system spells it; of a 32-bit system unchanged. */
  spell(va: Va): bigint {
    return this.pointerSize === 8 ? canonical(va) : BigInt(va);
  }
}
