/** Looks for images in memory that no module list names, by their headers. */

import { PAGE_SIZE, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { readImageHeaders, type ImageHeaders } from '../../../parsers/pe/image.js';

const MOST_IMAGES = 4096;
const MZ = 0x5a4d;
/**
 * Drivers are loaded near each other: a hole up to so large is looked through, and so much around each group. 64-bit
 * systems have addresses for images alone; on 32-bit ones pool and caches, which may hold images too, are never far.
 */
const REACH = {
  8: { hole: 512 * 1024 * 1024, margin: 256 * 1024 * 1024 },
  4: { hole: 64 * 1024 * 1024, margin: 16 * 1024 * 1024 },
} as const;
/** Pages looked at in all, at most: 1 GB of addresses. */
const MOST_PAGES = 1 << 18;
const LARGEST_IMAGE = 256 * 1024 * 1024;

/** An image that no list names. */
export interface FoundImage {
  readonly base: VirtualAddress;
  readonly headers: ImageHeaders;
}

/** Looks for image headers in the holes between known modules and around them. Ordered by address. */
export function findImages(
  memory: VirtualMemory,
  known: readonly { readonly base: VirtualAddress; readonly sizeOfImage: number }[],
  machine: number | null,
): FoundImage[] {
  const { hole, margin } = REACH[memory.pointerSize];
  const sorted = known.filter((m) => m.sizeOfImage > 0).toSorted((a, b) => (a.base < b.base ? -1 : 1));
  const found: FoundImage[] = [];
  let left = MOST_PAGES;
  const look = (from: bigint, to: bigint): void => {
    for (let at = from; at < to && left > 0 && found.length < MOST_IMAGES; left--) {
      const image = imageAt(memory, virtual(at), to, machine);
      if (image !== null) found.push(image);
      at += BigInt(image === null ? PAGE_SIZE : pages(image.headers.sizeOfImage));
    }
  };
  let end: bigint | null = null;
  for (const { base, sizeOfImage } of sorted) {
    const top = base - (base & 0xfffn);
    if (end === null || top - end > BigInt(hole)) {
      if (end !== null) look(end, end + BigInt(margin));
      look(top > BigInt(margin) ? top - BigInt(margin) : 0n, top);
    } else look(end, top);
    const after: bigint = base + BigInt(pages(sizeOfImage));
    end = end === null || after > end ? after : end;
  }
  if (end !== null) look(end, end + BigInt(margin));
  return found;
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;

/** The image whose header stands at `at`, if it ends before `limit` and is for this processor. */
function imageAt(memory: VirtualMemory, at: VirtualAddress, limit: bigint, machine: number | null): FoundImage | null {
  if (memory.readU16(at) !== MZ) return null;
  const headers = readImageHeaders(memory, at);
  if (failed(headers) || headers.sections.length === 0) return null;
  const { sizeOfImage } = headers;
  if (sizeOfImage < PAGE_SIZE || sizeOfImage > LARGEST_IMAGE || at + BigInt(sizeOfImage) > limit) return null;
  if (machine !== null && headers.machine !== machine) return null;
  return { base: at, headers };
}
