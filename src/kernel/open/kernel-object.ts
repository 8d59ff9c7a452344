/**
 * Values of the kernel with their provenance: `kernel.object('MiState', '_MI_SYSTEM_INFORMATION').at('Vs.DriverCommit')`
 * gives a value and its source, or why there is none. A source is the weakest of all that led to the value: the address
 * of the symbol, every pointer followed and every layout used.
 *
 * Objects are cheap and lazy: making one reads nothing. An object whose place is not known is an object too; what is
 * asked of it fails with the reason, so that a chain needs one check at its end:
 *
 *     const pages = kernel.object('ExPoolState', '_EX_POOL_HEAP_MANAGER_STATE')
 *       .inner('PoolNode', '_EX_HEAP_POOL_NODE').element(1)
 *       .follow('Heaps', '_SEGMENT_HEAP', 2).at('MemStats.TotalCommittedPages');
 *     if (!failed(pages)) use(pages.value, pages.source);
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, Failure } from '../../../parsers/bytes/failure.js';
import { scalarSize } from '../../../parsers/kernel/layout.js';
import { readScalar, readUnicodeString } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { weakest, type KernelSymbols, type Sourced } from '../../../symbols/kernel-symbols.js';
import { resolvePath, type ResolvedPath } from '../../../symbols/paths.js';

/** A value and its source, or why there is none. Reason `unknown`: no symbols tell where it is. */
export type Found<T> = Sourced<T> | Failure;

/** Where the objects of one kernel are asked for. Paths are resolved once. */
export class KernelObjects {
  private readonly paths = new Map<string, ResolvedPath | Failure>();

  constructor(
    private readonly space: VirtualMemory | null,
    private readonly known: KernelSymbols | null,
  ) {}

  /** The structure of `type` at a global of the kernel. */
  object(symbol: string, type: string): KernelObject {
    return new KernelObject(this, this.space, type, this.addressOf(symbol));
  }

  /** The structure of `type` at an address; `space` where that is not in the kernel's own address space (sessions). */
  objectAt(address: Found<VirtualAddress>, type: string, space: VirtualMemory | null = this.space): KernelObject {
    return new KernelObject(this, space, type, address);
  }

  /** The value of a global: as wide as a pointer unless `type` (`unsigned long`) says otherwise. */
  variable(symbol: string, type = POINTER): Found<bigint> {
    return readValue(this.space, this.addressOf(symbol), type);
  }

  /** The pointer in a global, or at an address, as a canonical address, also null; `index` counts in an array of them. */
  pointerAt(where: string | Found<VirtualAddress>, index = 0): Found<VirtualAddress> {
    return readPointer(this.space, typeof where === 'string' ? this.addressOf(where) : where, index);
  }

  /** Where a global stands. */
  addressOf(symbol: string): Found<VirtualAddress> {
    return this.known?.address(symbol) ?? new Failure('unknown', `nothing tells where ${symbol} is`);
  }

  /** Where a field, also a nested one, stands in a type. */
  field(type: string, path: string): ResolvedPath | Failure {
    const name = `${type} ${path}`;
    let found = this.paths.get(name);
    if (found === undefined) {
      found =
        (this.known === null ? null : resolvePath(this.known, type, path)) ??
        new Failure('unknown', `nothing tells where ${type}.${path} is`);
      this.paths.set(name, found);
    }
    return found;
  }

  /** Bytes of a type. */
  sizeOf(type: string): Found<number> {
    const layout = this.known?.layout(type) ?? null;
    return layout === null
      ? new Failure('unknown', `the layout of ${type} is not known`)
      : { value: layout.value.size, source: layout.source };
  }
}

/** One structure of the kernel. `path` is a field's name, or names of nested fields with dots between them. */
export class KernelObject {
  constructor(
    private readonly objects: KernelObjects,
    private readonly space: VirtualMemory | null,
    readonly type: string,
    /** Where it stands, or why that is not known. */
    readonly place: Found<VirtualAddress>,
  ) {}

  /** A number. `as` is the type to read where the layout has none that is one number: `unsigned long` for enumerations. */
  at(path: string, as?: string): Found<bigint> {
    const field = this.objects.field(this.type, path);
    if (failed(field)) return field;
    const isNumber = scalarSize(field.type) !== null;
    return readValue(this.space, this.shifted(field), isNumber ? field.type : (as ?? field.type));
  }

  /** A pointer, canonical, also null; `index` counts in an array of pointers. */
  pointer(path: string, index = 0): Found<VirtualAddress> {
    return readPointer(this.space, this.placeOf(path), index);
  }

  /** The text of a UNICODE_STRING. */
  text(path: string): Found<string> {
    const place = this.placeOf(path);
    if (failed(place)) return place;
    if (this.space === null) return NO_MEMORY;
    const bytes = this.space.read(place.value, 2 * this.space.pointerSize);
    const text = failed(bytes) ? bytes : readUnicodeString(this.space, bytes, 0);
    return failed(text) ? text : { value: text, source: place.source };
  }

  /** A structure within this one; `type` where it is the first of an array, or the layout does not tell. */
  inner(path: string, type?: string): KernelObject {
    const field = this.objects.field(this.type, path);
    const inside = type ?? (failed(field) ? path : field.type);
    return this.objects.objectAt(failed(field) ? field : this.shifted(field), inside, this.space);
  }

  /** The structure that a pointer leads to. A null pointer leads to none: reason `bad-address`. */
  follow(path: string, type: string, index = 0): KernelObject {
    const target = this.pointer(path, index);
    const isNull = !failed(target) && target.value === 0n;
    return this.objects.objectAt(
      isNull ? new Failure('bad-address', `${this.type}.${path} is null`) : target,
      type,
      this.space,
    );
  }

  /** Of an array of these structures, the one `index` places behind this. */
  element(index: number): KernelObject {
    const size = this.objects.sizeOf(this.type);
    const { place } = this;
    const there = failed(place) ? place : failed(size) ? size : moved(place, index * size.value, size.source);
    return this.objects.objectAt(there, this.type, this.space);
  }

  /** Where a field stands. */
  placeOf(path: string): Found<VirtualAddress> {
    const field = this.objects.field(this.type, path);
    return failed(field) ? field : this.shifted(field);
  }

  private shifted(field: ResolvedPath): Found<VirtualAddress> {
    return failed(this.place) ? this.place : moved(this.place, field.offset, field.source);
  }
}

const POINTER = '*void';
const NO_MEMORY = new Failure('unknown', 'the dump holds no memory that can be addressed');

function moved(
  { value, source }: Sourced<VirtualAddress>,
  bytes: number,
  by: Sourced<unknown>['source'] = source,
): Sourced<VirtualAddress> {
  return { value: plus(value, bytes), source: weakest(source, by) };
}

function readValue(space: VirtualMemory | null, place: Found<VirtualAddress>, type: string): Found<bigint> {
  if (failed(place)) return place;
  if (space === null) return NO_MEMORY;
  const value = readScalar(space, place.value, type);
  return failed(value) ? value : { value, source: place.source };
}

function readPointer(space: VirtualMemory | null, place: Found<VirtualAddress>, index: number): Found<VirtualAddress> {
  if (failed(place)) return place;
  if (space === null) return NO_MEMORY;
  const value = space.readPointer(plus(place.value, index * space.pointerSize));
  return failed(value) ? value : { value, source: place.source };
}
