/** Reads many object headers: in order of their addresses, each page once. */

import { large, PAGE_SIZE, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { signedCount } from './headers.js';
import { NO_TYPE, type TypeDecoder } from './type-decoder.js';
import type { ObjectIndex } from './object-index.js';

/** Instead of a place in the types: the header is not in the dump. */
export const UNREADABLE = -2;
/** Instead of a place in the types: what stands there is no header, as where an object was freed. */
export const NO_OBJECT = -3;

/** What headers say, by number of object. */
export interface HeaderFacts {
  /** A place in the types, or UNREADABLE or NO_OBJECT. */
  readonly type: Int16Array;
  /** As stored. */
  readonly pointerCount: Float64Array;
  readonly handleCount: Float64Array;
}

/** Reads the headers of all objects of an index. */
export function scanHeaders(memory: VirtualMemory, objects: ObjectIndex, decoder: TypeDecoder): HeaderFacts {
  const { count } = objects;
  const facts: HeaderFacts = {
    type: new Int16Array(count).fill(UNREADABLE),
    pointerCount: new Float64Array(count),
    handleCount: new Float64Array(count),
  };
  const sorted = objects.header.slice(0, count).sort();
  const pages: number[] = [];
  /** By page: the first of its headers in `sorted`. */
  const first: number[] = [];
  for (let k = 0; k < count; k++) {
    const page = Math.floor((sorted[k] ?? 0) / PAGE_SIZE) * PAGE_SIZE;
    if (page === pages[pages.length - 1]) continue;
    pages.push(page);
    first.push(k);
  }
  const { size } = decoder.shape;
  memory.eachPage(Float64Array.from(pages), (place, bytes) => {
    if (bytes === null) return;
    const start = pages[place] ?? 0;
    const end = first[place + 1] ?? count;
    for (let k = first[place] ?? 0; k < end; k++) {
      const address = sorted[k] ?? 0;
      if (address - start + size <= PAGE_SIZE) take(objects, decoder, facts, address, bytes, address - start);
      else {
        // It ends on the next page.
        const alone = memory.read(large(address), size);
        if (!failed(alone)) take(objects, decoder, facts, address, alone, 0);
      }
    }
  });
  return facts;
}

function take(
  objects: ObjectIndex,
  decoder: TypeDecoder,
  facts: HeaderFacts,
  address: number,
  bytes: Uint8Array,
  at: number,
): void {
  const object = objects.find(address);
  const { shape } = decoder;
  const pointers = signedCount(bytes, at + shape.pointerCount, shape.pointerSize);
  const handles = signedCount(bytes, at + shape.handleCount, shape.pointerSize);
  facts.pointerCount[object] = pointers;
  facts.handleCount[object] = handles;
  const type = decoder.typeOf(bytes, at, address);
  facts.type[object] = type === NO_TYPE || pointers <= 0 || handles < 0 ? NO_OBJECT : type;
}

/** The address of an object's body. */
export const bodyOf = (header: number, decoder: TypeDecoder): VirtualAddress => large(header + decoder.shape.body);
