/** Object headers one at a time: counts, type byte, and the name below (reference: objects-and-pool-blocks, section 2). */

import { plus, small, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import { optionalHeaderDistance, OPTIONAL_HEADER } from '../../../parsers/kernel/objects/object-header.js';
import { readUnicodeString } from '../../../parsers/kernel/structures.js';
import type { ObjectLayouts } from './layouts.js';
import { inKernel, type ObjectRoots } from './roots.js';

/** Where the fields of `_OBJECT_HEADER` stand, in bytes. */
export interface HeaderShape {
  readonly pointerCount: number;
  readonly handleCount: number;
  /** The byte that names the type; null where `typePointer` does. */
  readonly typeIndex: number | null;
  readonly typePointer: number | null;
  /** The byte that says which optional headers are there; null where `nameInfoOffset` says of names. */
  readonly infoMask: number | null;
  readonly nameInfoOffset: number | null;
  /** The object itself. */
  readonly body: number;
  /** Bytes to read for all of the above but the object. */
  readonly size: number;
  readonly pointerSize: 4 | 8;
}

/** The shape of headers; null where their layout is not known. */
export function headerShape(roots: ObjectRoots, layouts: ObjectLayouts): HeaderShape | null {
  const at = (field: string): number | null => layouts.offset('_OBJECT_HEADER', field);
  const [pointerCount, handleCount, body] = [at('PointerCount'), at('HandleCount'), at('Body')];
  const [typeIndex, typePointer] = [at('TypeIndex'), at('Type')];
  if (pointerCount === null || handleCount === null || body === null || (typeIndex ?? typePointer) === null)
    return null;
  const { pointerSize } = roots.memory;
  const bytes = [typeIndex, at('InfoMask'), at('NameInfoOffset')].map((offset) => (offset ?? 0) + 1);
  const size = Math.max(handleCount + pointerSize, (typePointer ?? 0) + pointerSize, ...bytes);
  return {
    pointerCount,
    handleCount,
    typeIndex,
    typePointer: typeIndex === null ? typePointer : null,
    infoMask: at('InfoMask'),
    nameInfoOffset: at('NameInfoOffset'),
    body,
    size,
    pointerSize,
  };
}

/** A count of a header, of the width of a pointer and signed. Past 2^53 it is rounded. */
export function signedCount(bytes: Uint8Array, at: number, pointerSize: 4 | 8): number {
  const low = u32(bytes, at);
  return pointerSize === 4 ? low | 0 : (u32(bytes, at + 4) | 0) * 4294967296 + low;
}

/** A name and the directory that it stands in. */
export interface ObjectName {
  readonly name: string;
  readonly directory: VirtualAddress | null;
}

/** Reads headers of single objects by the address of the object. */
export class HeaderReader {
  readonly shape: HeaderShape | null;
  private readonly paths = new Map<VirtualAddress, string | null>();

  constructor(
    private readonly roots: ObjectRoots,
    private readonly layouts: ObjectLayouts,
  ) {
    this.shape = headerShape(roots, layouts);
  }

  /** The header of the object at `body`; null where it cannot be read. */
  headerOf(body: VirtualAddress): { address: VirtualAddress; bytes: Uint8Array } | null {
    if (this.shape === null) return null;
    const address = plus(body, -this.shape.body);
    const bytes = this.roots.memory.read(address, this.shape.size);
    return failed(bytes) ? null : { address, bytes };
  }

  /** The object's own name; null where it has none or it cannot be read. */
  nameOf(body: VirtualAddress): ObjectName | null {
    const header = this.headerOf(body);
    const { shape, roots } = this;
    if (header === null || shape === null) return null;
    const { pointerSize } = roots.memory;
    const distance =
      shape.infoMask !== null
        ? optionalHeaderDistance(header.bytes[shape.infoMask] ?? 0, OPTIONAL_HEADER.name, pointerSize)
        : shape.nameInfoOffset === null
          ? null
          : (header.bytes[shape.nameInfoOffset] ?? 0);
    if (distance === null || distance === 0) return null;
    const layout = this.layouts.layout('_OBJECT_HEADER_NAME_INFO')?.value;
    const nameAt = layout?.fields['Name']?.offset;
    const directoryAt = layout?.fields['Directory']?.offset;
    if (layout === undefined || nameAt === undefined || directoryAt === undefined) return null;
    const bytes = roots.memory.read(plus(header.address, -distance), layout.size);
    if (failed(bytes)) return null;
    const name = readUnicodeString(roots.memory, bytes, nameAt);
    if (failed(name) || name === '') return null;
    const directory = pointerSize === 8 ? u64(bytes, directoryAt) : BigInt(u32(bytes, directoryAt));
    return { name, directory: inKernel(roots, directory) ? virtual(directory) : null };
  }

  /** The name with those of the directories above it: `\Device\HarddiskVolume2`. */
  pathOf(body: VirtualAddress): string | null {
    const known = this.paths.get(body);
    if (known !== undefined) return known;
    const parts: string[] = [];
    const seen = new Set<VirtualAddress>();
    let at: VirtualAddress | null = body;
    while (at !== null && !seen.has(at) && seen.size < DEEPEST) {
      seen.add(at);
      const found: ObjectName | null = this.nameOf(at);
      if (found === null) break;
      // The root directory is named `\` and stands in no other.
      if (found.name !== '\\') parts.unshift(found.name);
      at = found.directory;
    }
    const path = parts.length === 0 ? null : seen.size === 1 ? parts.join('\\') : `\\${parts.join('\\')}`;
    if (this.paths.size < MOST_PATHS) this.paths.set(body, path);
    return path;
  }
}

const DEEPEST = 32;
const MOST_PATHS = 100_000;

/** A pointer in a header as a number (`small`). */
export function smallPointer(bytes: Uint8Array, at: number, pointerSize: 4 | 8): number {
  return pointerSize === 4 ? u32(bytes, at) : small(virtual(u64(bytes, at)));
}
