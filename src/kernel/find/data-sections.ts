/** Where a kernel keeps its variables: what is searched when no symbols tell where one of them is. */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { KernelImage } from '../open/locate-kernel.js';

/** No kernel's data is larger, in bytes. */
const LARGEST_SECTION = 64 * 1024 * 1024;

/** A part of an image, in bytes from its base. */
export interface DataSection {
  readonly rva: number;
  readonly size: number;
}

/** Sections that hold no code, or all of the image where its section table is missing. */
export function dataSections(image: KernelImage): readonly DataSection[] {
  const sections = image.headers?.sections ?? [];
  const data = sections.filter((s) => !s.executable && s.size > 0 && s.size <= LARGEST_SECTION);
  return data.length > 0 ? data : [{ rva: 0, size: Math.min(image.size ?? 0, LARGEST_SECTION) }];
}

/** Every aligned place of a value as wide as a pointer in the data of the image. `value` is at most 2^53 - 1. */
export function* placesOfValue(memory: VirtualMemory, image: KernelImage, value: number): Iterable<VirtualAddress> {
  const low = value >>> 0;
  const high = Math.floor(value / 0x100000000);
  const wide = memory.pointerSize === 8;
  if (!wide && high !== 0) return;
  for (const { rva, size } of dataSections(image)) {
    const start = plus(image.base, rva);
    for (const { bytes, offset } of memory.chunks(start, size)) {
      if (failed(bytes)) continue;
      const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
      const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
      for (let i = words.indexOf(low); i >= 0; i = words.indexOf(low, i + 1)) {
        if (!wide || (i % 2 === 0 && words[i + 1] === high)) yield plus(start, offset + i * 4);
      }
    }
  }
}

/** Every kernel address that is a multiple of `alignment` and stands in the data of the image, once. */
export function* pointersIn(memory: VirtualMemory, image: KernelImage, alignment: number): Iterable<VirtualAddress> {
  const wide = memory.pointerSize === 8;
  const given = new Set<bigint>();
  for (const { rva, size } of dataSections(image)) {
    for (const { bytes } of memory.chunks(plus(image.base, rva), size)) {
      if (failed(bytes)) continue;
      for (let at = 0; at + memory.pointerSize <= bytes.length; at += memory.pointerSize) {
        const low = u32(bytes, at);
        if (low % alignment !== 0) continue;
        const high = wide ? u32(bytes, at + 4) : 0;
        if (wide ? high < 0xffff8000 : low < 0x80000000) continue;
        const pointer = (BigInt(high) << 32n) | BigInt(low);
        if (given.has(pointer)) continue;
        given.add(pointer);
        yield virtual(pointer);
      }
    }
  }
}
