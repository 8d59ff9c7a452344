/**
 * What code does with a tag that stands in data: is it read and given to an allocator, is it one of a table that tags are
 * taken from, or does no code refer to it at all?
 */

import { failed } from '../../parsers/bytes/failure.js';
import { plus } from '../../parsers/addresses.js';
import type { ImageCode } from './image/image-code.js';
import type { TagCode, TagFollower } from './tag-code.js';

/** Tables are referred to by their beginning: so many bytes before the tag are looked at. */
const LONGEST_TABLE = 0x400;
/** Places that refer to the surroundings of one tag and are followed, at most. */
const MOST_FOLLOWED = 200;

/** What is known of four bytes in data. */
export interface DataCode {
  /**
   * `read`: code reads exactly these bytes. `table`: code takes tags from a table that begins at or before them. `near`:
   * code refers to the bytes or to places before them, and what it does with them is not known. `nowhere`: no code
   * does. `pointer`: they are a part of an address in the image. `registered`: they stand in a structure that is given to
   * a function which takes its tags from there. Null where pages of code are missing and nothing was
   * found that reads them.
   */
  readonly kind: 'read' | 'table' | 'registered' | 'near' | 'nowhere' | 'pointer' | null;
  readonly code: TagCode | null;
}

/** Judges the four bytes at RVA `rva`, which stand in a section that is not executable. */
export function codeOfData(follower: TagFollower, rva: number): DataCode {
  const { code } = follower;
  if (isPointer(code, rva)) return { kind: 'pointer', code: null };
  const section = code.headers.sections.find((s) => rva >= s.rva && rva < s.rva + s.size);
  const first = Math.max(section?.rva ?? 0, rva - LONGEST_TABLE);
  const references = code.dataReferences();
  const places = references.between(first, rva);
  const found: TagCode[] = [];
  let table: TagCode | null = null;
  for (const place of places.slice(-MOST_FOLLOWED)) {
    if (!follower.mayFollow()) break;
    const read = follower.loadedBy(place, rva);
    if (read !== null) found.push(read);
    table ??= follower.takenFrom(place, first, rva);
  }
  const best = found.find(({ fate }) => fate === 'allocates') ?? found[0];
  if (best !== undefined) return { kind: 'read', code: best };
  if (table !== null) return { kind: 'table', code: table };
  const registered = follower.registeredAt(rva);
  if (registered !== null) return { kind: 'registered', code: registered };
  if (places.length > 0) return { kind: references.lasting ? 'near' : null, code: null };
  return { kind: references.complete ? 'nowhere' : null, code: null };
}

/** True for bytes that are a part of an address in the image or right behind it. */
function isPointer({ module, machine }: ImageCode, rva: number): boolean {
  const { memory, base, sizeOfImage } = module;
  if (memory === null) return false;
  const width = machine.pointerSize;
  const start = rva - (rva % width);
  const value = memory.readPointer(plus(base, start));
  if (failed(value)) return false;
  const distance = value - base;
  return distance > -NEAR && distance < BigInt(sizeOfImage) + NEAR && (width === 8 || rva === start);
}

/** An address of another part of memory is further from the image, in bytes. */
const NEAR = 0x100000n;
