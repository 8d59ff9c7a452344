/**
 * The entries of PsLoadedModuleList, also where the list is damaged: what lies behind a broken link is reached from the
 * other end, along Blink; what lies between two broken links is looked for by its image header.
 */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { asciiz, u32 } from '../../../parsers/bytes/fields.js';
import { walkList } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { DIRECTORY, readCodeView, readImageHeaders, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { Warning } from '../../result/result.js';

const MOST_MODULES = 4096;
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

/** The entries in list order, and how many come before a gap that could not be bridged; null where there is none. */
export interface ModuleEntries {
  readonly entries: readonly VirtualAddress[];
  readonly gapAt: number | null;
  readonly warnings: readonly Warning[];
}

/** Walks the list at `head` from both ends where one is not enough. Entries can be read at their first bytes. */
export function readModuleEntries(memory: VirtualMemory, head: VirtualAddress): ModuleEntries {
  const forward = walkList(memory, head, MOST_MODULES);
  if (forward.broken === null) return { entries: forward.entries, gapAt: null, warnings: [] };
  const isReadable = (entry: VirtualAddress): boolean => !failed(memory.readPointer(entry));
  const first = forward.entries.filter(isReadable);
  const known = new Set<bigint>(first);
  const backward = walkList(memory, head, MOST_MODULES, memory.pointerSize);
  const meets = backward.entries.findIndex((entry) => known.has(entry));
  const last = backward.entries
    .slice(0, meets < 0 ? undefined : meets)
    .filter(isReadable)
    .reverse();
  const closed = meets >= 0 || backward.broken === null;
  const how = `the module list breaks after ${first.length} module${first.length === 1 ? '' : 's'} (${forward.broken.message})`;
  const rest =
    last.length === 0
      ? closed
        ? 'nothing is missing behind it'
        : 'later ones are unknown'
      : closed
        ? `the other ${last.length} were read from its other end`
        : `${last.length} more ${last.length === 1 ? 'was' : 'were'} read from its other end, those between are unknown`;
  return {
    entries: [...first, ...last],
    gapAt: closed ? null : first.length,
    warnings: [{ code: 'module-list-broken', where: 'modules', message: `${how}: ${rest}` }],
  };
}

/** An image that no list names. */
export interface FoundImage {
  readonly base: VirtualAddress;
  readonly headers: ImageHeaders;
  /** From its exports or its PDB; null where neither tells. */
  readonly name: string | null;
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
    for (let at = from; at < to && left > 0 && found.length < MOST_MODULES; left--) {
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
  return { base: at, headers, name: nameOf(memory, at, headers) };
}

/** The name in the export directory; else that of the PDB as a driver's. */
function nameOf(memory: VirtualMemory, base: VirtualAddress, headers: ImageHeaders): string | null {
  const exports = headers.directories[DIRECTORY.export];
  if (exports !== undefined && exports.rva !== 0) {
    const directory = memory.read(plus(base, exports.rva), 0x10);
    const text = failed(directory) ? directory : memory.read(plus(base, u32(directory, 0x0c)), 64);
    const name = failed(text) ? '' : asciiz(text, 0, 64);
    if (/^[\x21-\x7e]{1,60}\.[A-Za-z]{3}$/.test(name)) return name;
  }
  const pdb = readCodeView(memory, base, headers);
  return failed(pdb) ? null : `${pdb.name.replace(/\.pdb$/i, '')}.sys`;
}
