/** The functions of an image in order of their addresses, to name the one that an address lies in. */

import { failed } from '../bytes/failure.js';
import { u16, u32 } from '../bytes/fields.js';
import type { MsfStream } from './msf.js';
import { forEachRecord } from './records.js';
import {
  NAME_AT,
  OFFSET_AT,
  PUBLIC_IS_CODE,
  readProcedure,
  S_LPROCREF,
  S_PROCREF,
  S_PUB32,
  SEGMENT_AT,
  textAt,
} from './symbol-kinds.js';
import { undecorate } from './undecorate.js';

/** Functions kept of one PDB: 24 MB. The kernel has some ten thousands. */
const MOST_FUNCTIONS = 1 << 21;
const INDEX_BITS = 2 ** 21;

/** What the index is built from. */
export interface FunctionSources {
  readonly symbols: MsfStream;
  readonly machine: number;
  /** The symbol stream of a module (from 1), or `null`. */
  module(number: number): MsfStream | null;
  /** As `AddressMap.rva`. */
  rva(segment: number, offset: number): number | null;
}

/** A function that an address may lie in. */
export interface NearestFunction {
  readonly name: string;
  /** Where the function begins. */
  readonly rva: number;
  /** Bytes of code, where the PDB says so; public symbols do not. */
  readonly size: number | null;
}

/** The index; `find` gives the last function that begins at or before an RVA. */
export interface FunctionIndex {
  readonly count: number;
  readonly damage: string | null;
  find(rva: number): NearestFunction | null;
}

/** Columns that grow together. */
class Columns {
  count = 0;
  rva = new Uint32Array(1024);
  size = new Uint32Array(1024);
  position = new Uint32Array(1024);

  add(rva: number, size: number, position: number): void {
    if (this.count === this.rva.length) {
      const grow = (old: Uint32Array): Uint32Array<ArrayBuffer> => {
        const larger = new Uint32Array(old.length * 2);
        larger.set(old);
        return larger;
      };
      this.rva = grow(this.rva);
      this.size = grow(this.size);
      this.position = grow(this.position);
    }
    this.rva[this.count] = rva;
    this.size[this.count] = size;
    this.position[this.count] = position;
    this.count++;
  }
}

function nameAt(symbols: MsfStream, position: number, machine: number): string | null {
  const head = symbols.bytes(position, 4);
  if (failed(head)) return null;
  const record = symbols.bytes(position + 2, u16(head, 0));
  if (failed(record) || record.length <= NAME_AT) return null;
  const name = textAt(record, NAME_AT, record.length);
  return u16(record, 0) === S_PUB32 ? undecorate(name, machine) : name;
}

/** Builds the index in one pass over the symbols; procedure references cost a small read of their module each. */
export function indexFunctions(sources: FunctionSources): FunctionIndex {
  const { symbols, machine } = sources;
  const all = new Columns();
  const damage = forEachRecord(symbols, 0, symbols.byteLength, (b, words, at, end, position) => {
    const kind = words[at >>> 1] ?? 0;
    if (at + NAME_AT >= end) return true;
    let rva: number | null = null;
    let size = 0;
    if (kind === S_PUB32) {
      if ((u32(b, at + 2) & PUBLIC_IS_CODE) === 0) return true;
      rva = sources.rva(u16(b, at + SEGMENT_AT), u32(b, at + OFFSET_AT));
    } else if (kind === S_PROCREF || kind === S_LPROCREF) {
      const module = sources.module(u16(b, at + SEGMENT_AT));
      const procedure = module === null ? null : readProcedure(module, u32(b, at + OFFSET_AT));
      if (procedure === null) return true;
      rva = sources.rva(procedure.segment, procedure.offset);
      size = procedure.size;
    }
    if (rva !== null) all.add(rva, size, position);
    return all.count < MOST_FUNCTIONS;
  });
  // A sort key holds the RVA (32 bits) and the place in the columns (21 bits): 53 bits in all.
  const order = new Float64Array(all.count);
  for (let i = 0; i < all.count; i++) order[i] = (all.rva[i] ?? 0) * INDEX_BITS + i;
  order.sort();
  const place = (i: number): number => (order[i] ?? 0) % INDEX_BITS;
  const start = (i: number): number => all.rva[place(i)] ?? 0;
  return {
    count: all.count,
    damage,
    find(rva: number): NearestFunction | null {
      let low = 0;
      let high = all.count;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (start(middle) <= rva) low = middle + 1;
        else high = middle;
      }
      if (low === 0) return null;
      // Of several names of one address take one whose size is known.
      let best = place(low - 1);
      for (let i = low - 1; i >= 0 && start(i) === start(low - 1) && all.size[best] === 0; i--) best = place(i);
      const name = nameAt(symbols, all.position[best] ?? 0, machine);
      if (name === null) return null;
      return { name, rva: all.rva[best] ?? 0, size: all.size[best] === 0 ? null : (all.size[best] ?? null) };
    },
  };
}
