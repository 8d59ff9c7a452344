/** Base relocations: the addresses inside of an image that the loader changes when it loads it elsewhere. */

import { PAGE_SIZE, plus, type VirtualAddress } from '../addresses.js';
import { failed, type Failure } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { VirtualMemory } from '../paging/virtual-memory.js';
import { DIRECTORY, type ImageHeaders } from './image.js';

const HIGHLOW = 3;
const DIR64 = 10;
/** The largest real image has less than 2 MB of them. */
const MOST_BYTES = 16 * 2 ** 20;

/** Where addresses stand, by page (RVA / 4096): offsets in the page, each with the bytes of its address. */
export type Relocations = ReadonlyMap<number, readonly (readonly [offset: number, bytes: 4 | 8])[]>;

/** Reads the relocation directory of an image at its preferred base; empty for an image without. */
export function readRelocations(
  memory: VirtualMemory,
  base: VirtualAddress,
  headers: ImageHeaders,
): Relocations | Failure {
  const found = new Map<number, (readonly [number, 4 | 8])[]>();
  const directory = headers.directories[DIRECTORY.relocation];
  if (directory === undefined || directory.rva === 0) return found;
  const size = Math.min(directory.size, MOST_BYTES);
  const bytes = memory.read(plus(base, directory.rva), size);
  if (failed(bytes)) return bytes;
  for (let at = 0; at + 8 <= size;) {
    const length = u32(bytes, at + 4);
    if (length < 8 || at + length > size) break;
    const rva = u32(bytes, at);
    for (let entry = at + 8; entry + 2 <= at + length; entry += 2) {
      const word = u16(bytes, entry);
      const kind = word >>> 12;
      if (kind !== HIGHLOW && kind !== DIR64) continue;
      const target = rva + (word & 0xfff);
      const page = Math.floor(target / PAGE_SIZE);
      const list = found.get(page) ?? [];
      if (list.length === 0) found.set(page, list);
      list.push([target % PAGE_SIZE, kind === DIR64 ? 8 : 4]);
    }
    at += length;
  }
  return found;
}

/**
 * Changes the addresses in a page as the loader does. One that goes on in the next page stays as it is in the file.
 *
 * @param delta the base in use less the preferred one.
 */
export function relocatePage(page: Uint8Array, number: number, relocations: Relocations, delta: bigint): void {
  if (delta === 0n) return;
  for (const [offset, bytes] of relocations.get(number) ?? []) addTo(page, offset, bytes, delta);
}

function addTo(page: Uint8Array, offset: number, bytes: 4 | 8, delta: bigint): void {
  if (offset + bytes > page.length) return;
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  if (bytes === 8) view.setBigUint64(offset, BigInt.asUintN(64, view.getBigUint64(offset, true) + delta), true);
  else view.setUint32(offset, Number(BigInt.asUintN(32, BigInt(view.getUint32(offset, true)) + delta)), true);
}
