/**
 * Where a module lies and how large it is: its list entry against the image header at that place, the section table, the
 * entry point, and the modules beside it.
 */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { debugTimeStamp, readImageHeaders, sectionsEnd, type ImageHeaders } from '../../../parsers/pe/image.js';
import type { ListEntry } from './list-entry.js';
import { open, settled, type ModuleDoubt } from './module-doubt.js';

/** Pages below an entry point in which the header of its image is looked for. */
const MOST_PAGES = 4096;

/** A module's place. */
export interface ModulePlace {
  readonly base: VirtualAddress;
  /** Bytes; 0 where nothing tells what they could be. */
  readonly size: number;
  /** Null where the header page is missing, or where it is another image's. */
  readonly headers: ImageHeaders | null;
  /** The header is there and is this module's. */
  readonly isConfirmed: boolean;
  /** Null where nothing maps the module. */
  readonly memory: VirtualMemory | null;
  readonly doubts: readonly ModuleDoubt[];
}

/** Finds the place of an entry's module. `spaceOf` gives the address space that maps an address, or null. */
export function placeOf(entry: ListEntry, spaceOf: (address: VirtualAddress) => VirtualMemory | null): ModulePlace {
  const memory = spaceOf(entry.base);
  const found = memory === null ? null : readImageHeaders(memory, entry.base);
  const headers = found === null || failed(found) ? null : found;
  const given = { base: entry.base, memory, doubts: [] };
  if (headers !== null && isOf(entry, entry.base, headers)) return { ...given, ...withHeaders(entry, headers) };
  // A header page that is missing contradicts nothing.
  const isSilent = found !== null && failed(found) && found.code !== 'corrupt';
  const { entryPoint, base, size } = entry;
  const isInside = entryPoint === 0n || (entryPoint >= base && entryPoint < base + BigInt(size));
  if ((isSilent || memory === null) && isInside) return { ...given, size, headers: null, isConfirmed: false };
  const why =
    headers !== null
      ? `the image header at ${hex(base)} is that of another image`
      : memory === null || isSilent
        ? `the entry point ${hex(entryPoint)} is not between ${hex(base)} and ${hex(base + BigInt(size))}`
        : `no image header stands at ${hex(base)}`;
  const other = imageOf(entry, spaceOf);
  if (other !== null) {
    const moved = withHeaders(entry, other.headers);
    const doubts = [settled(`${why}; that of its entry point stands at ${hex(other.base)}`), ...moved.doubts];
    return { ...other, ...moved, doubts };
  }
  return { ...given, size, headers: null, isConfirmed: false, doubts: [open(why)] };
}

/** The image that holds the entry point, where its header is that of the entry. */
function imageOf(
  entry: ListEntry,
  spaceOf: (address: VirtualAddress) => VirtualMemory | null,
): { base: VirtualAddress; memory: VirtualMemory; headers: ImageHeaders } | null {
  const top = virtual(entry.entryPoint & ~0xfffn);
  const memory = entry.entryPoint === 0n ? null : spaceOf(top);
  if (memory === null) return null;
  const pages = Math.min(MOST_PAGES, Math.ceil(entry.size / PAGE_SIZE));
  for (let down = 0; down <= pages; down++) {
    const base = plus(top, -down * PAGE_SIZE);
    const headers = readImageHeaders(memory, base);
    if (!failed(headers)) return isOf(entry, base, headers) ? { base, memory, headers } : null;
  }
  return null;
}

/** True where the header agrees with the entry in most of what both tell. */
function isOf(entry: ListEntry, base: VirtualAddress, headers: ImageHeaders): boolean {
  const agree = [
    pages(entry.size) === pages(headers.sizeOfImage),
    ...(entry.checkSum === 0 && headers.checkSum === 0 ? [] : [entry.checkSum === headers.checkSum]),
    ...(entry.timeDateStamp === 0 ? [] : [entry.timeDateStamp === headers.timeDateStamp]),
    ...(entry.entryPoint === 0n ? [] : [entry.entryPoint === plus(base, headers.entryPoint)]),
  ];
  return agree.filter(Boolean).length * 2 >= agree.length && agree.includes(true);
}

/** Size and stamps, by the entry and the header that belong together. */
function withHeaders(
  entry: ListEntry,
  headers: ImageHeaders,
): Pick<ModulePlace, 'size' | 'headers' | 'isConfirmed' | 'doubts'> {
  const [listed, said] = [pages(entry.size), pages(headers.sizeOfImage)];
  const of = { headers, isConfirmed: true };
  if (listed === said) return { ...of, size: entry.size, doubts: [] };
  const end = sectionsEnd(headers);
  const message = `SizeOfImage is ${hex(entry.size)} in the list and ${hex(headers.sizeOfImage)} in the image header`;
  const sections = end === null ? '' : `; its sections end at ${hex(end)}`;
  if (end !== null && pages(end) === said)
    return { ...of, size: headers.sizeOfImage, doubts: [settled(`${message}${sections}`)] };
  if (end !== null && pages(end) === listed)
    return { ...of, size: entry.size, doubts: [settled(`${message}${sections}`)] };
  const size = Math.min(...[entry.size, headers.sizeOfImage].filter((bytes) => bytes > 0));
  return { ...of, size: Number.isFinite(size) ? size : 0, isConfirmed: false, doubts: [open(`${message}${sections}`)] };
}

const pages = (bytes: number): number => Math.ceil(bytes / PAGE_SIZE);

/** Time stamp and checksum with the witnesses' agreement; null where nothing tells them. */
export function stampsOf(
  entry: Pick<ListEntry, 'timeDateStamp' | 'checkSum'>,
  { headers, memory, base }: Pick<ModulePlace, 'headers' | 'memory' | 'base'>,
): { timeDateStamp: number | null; checkSum: number | null; doubts: ModuleDoubt[] } {
  const orNull = (value: number): number | null => (value === 0 ? null : value);
  if (headers === null || memory === null) {
    return { timeDateStamp: orNull(entry.timeDateStamp), checkSum: orNull(entry.checkSum), doubts: [] };
  }
  let { timeDateStamp } = headers;
  const doubts: ModuleDoubt[] = [];
  const debug = debugTimeStamp(memory, base, headers);
  if (entry.timeDateStamp !== 0 && entry.timeDateStamp !== timeDateStamp) {
    doubts.push(
      settled(`TimeDateStamp is ${hex(entry.timeDateStamp)} in the list and ${hex(timeDateStamp)} in the image header`),
    );
    if (debug === entry.timeDateStamp) timeDateStamp = debug;
  }
  if (entry.checkSum !== 0 && entry.checkSum !== headers.checkSum) {
    doubts.push(
      settled(`CheckSum is ${hex(entry.checkSum)} in the list and ${hex(headers.checkSum)} in the image header`),
    );
  }
  return { timeDateStamp, checkSum: headers.checkSum, doubts };
}

/** A module whose range is looked at beside the others'. */
interface Ranged {
  readonly base: VirtualAddress;
  readonly size: number;
  readonly isConfirmed: boolean;
}

/**
 * Sizes with which no module covers another's image, in the order of `places`, and what had to be cut. What an image
 * header confirms stays; what begins inside of that has no place (0 bytes).
 */
export function disjoint(places: readonly Ranged[]): { sizes: number[]; doubts: Map<number, ModuleDoubt> } {
  const sizes = places.map(({ size }) => size);
  const doubts = new Map<number, ModuleDoubt>();
  const order = places.map((_, i) => i).filter((i) => (sizes[i] ?? 0) > 0);
  const at = (i: number): Ranged => places[i] ?? { base: virtual(0n), size: 0, isConfirmed: false };
  order.sort((a, b) => {
    const [one, other] = [at(a), at(b)];
    if (one.base !== other.base) return one.base < other.base ? -1 : 1;
    return Number(other.isConfirmed) - Number(one.isConfirmed) || a - b;
  });
  let before: number | null = null;
  for (const i of order) {
    const { base, isConfirmed } = at(i);
    if (before !== null) {
      const covers: number = before;
      const outer = at(covers);
      if (base < outer.base + BigInt(sizes[covers] ?? 0)) {
        const inside = `it begins at ${hex(base)}, inside of the module at ${hex(outer.base)}`;
        if (base === outer.base || (outer.isConfirmed && !isConfirmed)) {
          sizes[i] = 0;
          doubts.set(i, open(inside));
          if (!outer.isConfirmed) doubts.set(covers, open(`another module has the same base ${hex(base)}`));
          continue;
        }
        sizes[covers] = Number(base - outer.base);
        doubts.set(covers, open(`its range covers the module at ${hex(base)}`));
        if (!isConfirmed) doubts.set(i, open(inside));
      }
    }
    before = i;
  }
  return { sizes, doubts };
}
