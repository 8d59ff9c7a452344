/** Reads many object headers: in order of their addresses, each page once. */

import { PAGE_SIZE, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { large } from '../../../parsers/kernel/objects/small-address.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { headerCounts } from './headers.js';
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

/** Most bytes between two headers that are read in one go. */
const GAP = 2 * PAGE_SIZE;
/** Bytes of one go. */
const RUN = 1 << 20;

/** Reads the headers of all objects of an index. */
export function scanHeaders(memory: VirtualMemory, objects: ObjectIndex, decoder: TypeDecoder): HeaderFacts {
  const { count } = objects;
  const facts: HeaderFacts = {
    type: new Int16Array(count).fill(UNREADABLE),
    pointerCount: new Float64Array(count),
    handleCount: new Float64Array(count),
  };
  const sorted = objects.header.slice(0, count).sort();
  for (let from = 0; from < count;) {
    const start = pageOf(sorted[from] ?? 0);
    let to = from + 1;
    while (to < count) {
      const at = sorted[to] ?? 0;
      if (at - (sorted[to - 1] ?? 0) > GAP || at - start >= RUN) break;
      to++;
    }
    readRun(memory, objects, decoder, facts, sorted, from, to);
    from = to;
  }
  return facts;
}

const pageOf = (address: number): number => Math.floor(address / PAGE_SIZE) * PAGE_SIZE;

function readRun(
  memory: VirtualMemory,
  objects: ObjectIndex,
  decoder: TypeDecoder,
  facts: HeaderFacts,
  sorted: Float64Array,
  from: number,
  to: number,
): void {
  const start = pageOf(sorted[from] ?? 0);
  const { size } = decoder.shape;
  const length = pageOf((sorted[to - 1] ?? 0) + size - 1) + PAGE_SIZE - start;
  let next = from;
  for (const { offset, length: here, bytes } of memory.chunks(large(start), length)) {
    for (; next < to; next++) {
      const address = sorted[next] ?? 0;
      const at = address - start - offset;
      if (at >= here) break;
      if (failed(bytes)) continue;
      if (at + size <= here) take(objects, decoder, facts, address, bytes, at);
      else {
        // It ends on the next page.
        const alone = memory.read(large(address), size);
        if (!failed(alone)) take(objects, decoder, facts, address, alone, 0);
      }
    }
    if (next >= to) return;
  }
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
  const { pointerCount, handleCount } = headerCounts(bytes, at, decoder.shape);
  facts.pointerCount[object] = pointerCount;
  facts.handleCount[object] = handleCount;
  const type = decoder.typeOf(bytes, at, address);
  facts.type[object] = type === NO_TYPE || pointerCount <= 0 || handleCount < 0 ? NO_OBJECT : type;
}

/** The address of an object's body. */
export const bodyOf = (header: number, decoder: TypeDecoder): VirtualAddress => large(header + decoder.shape.body);
