/** Reads many structures of one size, in the order in which the file has their pages. */

import { PAGE_SIZE, small, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';

/** Structures that are kept at once: 4 MB of processes. */
const AT_ONCE = 1024;
/** An address at which nothing stands. */
export const NOWHERE = virtual(0n);

/**
 * Calls `visit` for each address in order, with `length` bytes from there (reused), or null where a page of them is missing.
 */
export function readMany(
  memory: VirtualMemory,
  addresses: readonly VirtualAddress[],
  length: number,
  visit: (place: number, bytes: Uint8Array | null) => void,
): void {
  const buffer = new Uint8Array(Math.min(AT_ONCE, addresses.length) * length);
  const missing = new Uint8Array(AT_ONCE);
  for (let from = 0; from < addresses.length; from += AT_ONCE) {
    const part = addresses.slice(from, from + AT_ONCE);
    missing.fill(0);
    const { pages, owner } = pagesOf(part, length);
    memory.eachPage(pages, (place, bytes) => {
      const i = owner[place] ?? 0;
      if (bytes === null) {
        missing[i] = 1;
        return;
      }
      // Where the structure begins on this page: below zero on its second one.
      const at = small(part[i] ?? NOWHERE) - (pages[place] ?? 0);
      const start = Math.max(0, at);
      const piece = bytes.subarray(start, Math.min(PAGE_SIZE, at + length));
      buffer.set(piece, i * length + start - at);
    });
    part.forEach((_, i) => {
      visit(from + i, missing[i] === 1 ? null : buffer.subarray(i * length, (i + 1) * length));
    });
  }
}

/** The pages of each structure, and whose each is. */
function pagesOf(addresses: readonly VirtualAddress[], length: number): { pages: Float64Array; owner: Uint32Array } {
  const pages: number[] = [];
  const owner: number[] = [];
  addresses.forEach((address, i) => {
    const start = small(address);
    const first = Math.floor(start / PAGE_SIZE) * PAGE_SIZE;
    for (let at = 0; at < start - first + length; at += PAGE_SIZE) {
      pages.push(first + at);
      owner.push(i);
    }
  });
  return { pages: Float64Array.from(pages), owner: Uint32Array.from(owner) };
}
