/** What the calls of an image go to: its imports by name or by address, its own functions, the driver framework's. */

import { plus, virtual } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { readExports } from '../../../parsers/pe/exports.js';
import { DIRECTORY } from '../../../parsers/pe/image.js';
import { readImports } from '../../../parsers/pe/imports.js';
import { allocatorNamed, type Allocator } from './allocators.js';
import type { ExportLookup } from '../image/exports.js';
import type { CallTarget } from '../flow/flow-result.js';
import type { ImageBytes } from '../image/image-bytes.js';
import {
  findFrameworkTable,
  FRAMEWORK_ALLOCATORS,
  GET_TYPED_CONTEXT,
  type FrameworkSearch,
  type FrameworkTable,
} from './wdf.js';

/** Bytes of an import address table that are looked through where its names are gone. */
const LARGEST_TABLE = 0x20000;

/** What a call goes to, as far as it is known. */
export type Callee =
  | { readonly kind: 'allocator'; readonly allocator: Allocator }
  /** Another documented or exported function. */
  | { readonly kind: 'named'; readonly name: string }
  /** A function of the image itself. */
  | { readonly kind: 'local'; readonly rva: number }
  /** `missing`: the page that would tell is not there. */
  | { readonly kind: 'unknown'; readonly missing: boolean };

/** Answers for one image, each once. */
export class Callees {
  private readonly known = new Map<string, Callee>();
  private imported: ReadonlyMap<number, string> | null = null;
  private importsRead = false;
  private exported: ReadonlyMap<number, string> | null = null;
  private framework: FrameworkSearch | null = null;

  constructor(
    private readonly image: ImageBytes,
    private readonly exports: ExportLookup | null,
  ) {}

  /** Names of what the image itself exports. */
  exportNames(): ReadonlyMap<number, string> {
    if (this.exported === null) {
      const names = readExports(this.image.memory, this.image.module.base, this.image.headers);
      this.exported = failed(names) ? new Map() : names;
    }
    return this.exported;
  }

  /** What a call goes to. */
  of(target: CallTarget): Callee {
    // It may go through the framework's table, where the page that tells of it is missing.
    if (target.kind === 'unknown' || target.kind === 'missing')
      return { kind: 'unknown', missing: target.kind === 'missing' || this.frameworkIsHidden() };
    if (target.kind === 'member') return this.memberCallee(target.rva, target.offset);
    const key = `${target.kind}${target.rva}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = target.kind === 'slot' ? this.slotCallee(target.rva) : this.directCallee(target.rva);
    this.known.set(key, made);
    return made;
  }

  /** A function of the driver framework, by its place in the table that a variable leads to. */
  private memberCallee(variable: number, offset: number): Callee {
    const table = this.frameworkTable();
    if (table?.kind !== 'pointer' || table.rva !== variable) return { kind: 'unknown', missing: false };
    return this.frameworkCallee(table, offset);
  }

  private frameworkCallee({ count }: FrameworkTable, offset: number): Callee {
    const index = offset / this.image.machine.pointerSize;
    if (!Number.isInteger(index) || index < 0 || index >= count) return { kind: 'unknown', missing: false };
    const allocator = FRAMEWORK_ALLOCATORS.get(index);
    return allocator === undefined
      ? { kind: 'named', name: index === GET_TYPED_CONTEXT.index ? GET_TYPED_CONTEXT.name : `WdfFunctions[${index}]` }
      : { kind: 'allocator', allocator };
  }

  /** The driver framework's table of functions; null where the image has none. */
  frameworkTable(): FrameworkTable | null {
    return this.frameworkSearch().table;
  }

  private frameworkIsHidden(): boolean {
    const { table, complete } = this.frameworkSearch();
    return table === null && !complete;
  }

  private frameworkSearch(): FrameworkSearch {
    this.framework ??= findFrameworkTable(this.image.module, this.image.headers);
    return this.framework;
  }

  /** Slots that hold allocators which are wanted, and such functions that the image itself exports: RVAs. */
  allocatorPlaces(isWanted: (allocator: Allocator) => boolean): Set<number> {
    const places = new Set<number>();
    const wanted = (name: string): boolean => {
      const allocator = allocatorNamed(name);
      return allocator !== null && isWanted(allocator);
    };
    for (const [slot, name] of this.importNames()) if (wanted(name)) places.add(slot);
    for (const [rva, name] of this.exportNames()) if (wanted(name)) places.add(rva);
    for (const rva of this.frameworkPlaces(isWanted)) places.add(rva);
    for (const { rva, callee } of this.unnamedSlots())
      if (callee.kind === 'allocator' && isWanted(callee.allocator)) places.add(rva);
    return places;
  }

  /** Slots of an imported function that takes no tag. */
  slotsOf(name: string): Set<number> {
    const named = [...this.importNames()].filter(([, other]) => other === name).map(([slot]) => slot);
    const told = this.unnamedSlots().filter(({ callee }) => callee.kind === 'named' && callee.name === name);
    return new Set([...named, ...told.map(({ rva }) => rva)]);
  }

  /** Slots of the import address table by what they lead to, where names of imports are gone. */
  private unnamedSlots(): { rva: number; callee: Callee }[] {
    const table = this.image.headers.directories[DIRECTORY.importAddresses];
    if (this.importNames().size > 0 || table === undefined || table.rva === 0) return [];
    const width = this.image.machine.pointerSize;
    const count = Math.floor(Math.min(table.size, LARGEST_TABLE) / width);
    return Array.from({ length: count }, (_, i) => {
      const rva = table.rva + i * width;
      return { rva, callee: this.of({ kind: 'slot', rva }) };
    });
  }

  /** RVAs that calls of the allocators of the driver framework go by. */
  private frameworkPlaces(isWanted: (allocator: Allocator) => boolean): number[] {
    const table = this.frameworkTable();
    if (table === null) return [];
    const wanted = [...FRAMEWORK_ALLOCATORS].filter(([index, entry]) => index < table.count && isWanted(entry));
    if (table.kind === 'pointer') return wanted.length === 0 ? [] : [table.rva];
    return wanted.map(([index]) => table.rva + index * this.image.machine.pointerSize);
  }

  /** The slot that code at an RVA does nothing but jump through, as linkers write it for imports; null for other code. */
  thunkAt(rva: number): number | null {
    const bytes = this.image.bytes(rva, 12);
    if (this.image.machine.name === 'arm64') return bytes.length < 12 ? null : arm64Thunk(bytes, rva);
    const at = bytes[0] === 0x48 && this.image.machine.name === 'x64' ? 1 : 0;
    if (bytes[at] !== 0xff || bytes[at + 1] !== 0x25 || bytes.length < at + 6) return null;
    const operand = u32(bytes, at + 2);
    return this.image.machine.name === 'x86' ? (operand - this.image.base) | 0 : (rva + at + 6 + operand) | 0;
  }

  private slotCallee(rva: number): Callee {
    const table = this.frameworkTable();
    if (table?.kind === 'table' && rva >= table.rva && rva < table.rva + table.count * this.image.machine.pointerSize)
      return this.frameworkCallee(table, rva - table.rva);
    const name = this.importNames().get(rva);
    if (name !== undefined) return named(name);
    const pointer =
      rva < 0 || rva >= this.image.module.sizeOfImage
        ? null
        : this.image.memory.readPointer(plus(this.image.module.base, rva));
    if (pointer === null) return { kind: 'unknown', missing: false };
    if (failed(pointer)) return { kind: 'unknown', missing: true };
    const inside = Number(pointer - this.image.module.base);
    if (inside >= 0 && inside < this.image.module.sizeOfImage) {
      return this.image.sectionAt(inside) === null ? { kind: 'unknown', missing: false } : this.directCallee(inside);
    }
    const found = this.exports?.nameAt(pointer) ?? null;
    const isNamed = this.exports !== null || this.importNames().size > 0;
    return found === null ? { kind: 'unknown', missing: !isNamed } : named(found);
  }

  private directCallee(rva: number): Callee {
    if (rva >= 0 && rva < this.image.module.sizeOfImage) {
      const own = this.exportNames().get(rva);
      const allocator = own === undefined ? null : allocatorNamed(own);
      if (allocator !== null) return { kind: 'allocator', allocator };
      if (this.image.sectionAt(rva) === null) return { kind: 'unknown', missing: false };
      const slot = this.thunkAt(rva);
      const callee = slot === null ? null : this.slotCallee(slot);
      return callee?.kind === 'allocator' || callee?.kind === 'named' ? callee : { kind: 'local', rva };
    }
    const address = virtual(BigInt.asUintN(this.image.machine.pointerSize * 8, this.image.module.base + BigInt(rva)));
    const found = this.exports?.nameAt(address) ?? null;
    return found === null ? { kind: 'unknown', missing: this.exports === null } : named(found);
  }

  /** By slot of the import address table, as far as names are there. */
  importNames(): ReadonlyMap<number, string> {
    if (this.imported === null) {
      const { names, complete } = readImports(
        this.image.memory,
        this.image.module.base,
        this.image.headers,
        this.image.machine.pointerSize,
      );
      this.imported = names;
      this.importsRead = complete;
    }
    return this.imported;
  }

  /** False where imports may be missing: their names are gone, and nothing names their addresses. */
  importsComplete(): boolean {
    this.importNames();
    return this.importsRead || this.exports !== null;
  }
}

function named(name: string): Callee {
  const allocator = allocatorNamed(name);
  return allocator === null ? { kind: 'named', name } : { kind: 'allocator', allocator };
}

/** `adrp xN; ldr xN,[xN,#offset]; br xN`. */
function arm64Thunk(bytes: Uint8Array, rva: number): number | null {
  const [page, load, jump] = [u32(bytes, 0), u32(bytes, 4), u32(bytes, 8)];
  const register = page & 31;
  const isThunk =
    (page & 0x9f000000) >>> 0 === 0x90000000 &&
    (load & 0xffc00000) >>> 0 === 0xf9400000 &&
    (load & 31) === register &&
    ((load >>> 5) & 31) === register &&
    jump === (0xd61f0000 | (register << 5)) >>> 0;
  if (!isThunk) return null;
  const pages = (((page >> 5) << 13) >> 11) | ((page >>> 29) & 3);
  return ((rva & ~0xfff) + pages * 0x1000 + ((load >>> 10) & 0xfff) * 8) | 0;
}
