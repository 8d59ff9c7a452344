/** A structure under construction inside one page: fields by name, wherever this kernel has them. */

import { latin1, putU16, putU32, putU64, putVa, type Va } from '../bytes.js';
import type { KernelFacts, StructFacts } from '../kernel-facts.js';
import { PAGE } from '../physical-memory.js';

export class Piece {
  private readonly struct: StructFacts;

  /**
   * @param bytes the page that holds all of it
   * @param va where it begins
   */
  constructor(
    private readonly kernel: KernelFacts,
    private readonly type: string,
    readonly bytes: Uint8Array,
    readonly va: Va,
  ) {
    this.struct = kernel.structs[type] ?? { size: 0, fields: {} };
  }

  has(field: string): boolean {
    return this.struct.fields[field] !== undefined;
  }

  /** The address of a field. Throws where the kernel has none. */
  address(field: string): Va {
    const offset = this.struct.fields[field];
    if (offset === undefined) throw new Error(`${this.kernel.version} has no ${this.type}.${field}`);
    return this.va + offset;
  }

  /** A structure inside this one. */
  inner(field: string, type: string): Piece {
    return new Piece(this.kernel, type, this.bytes, this.has(field) ? this.address(field) : this.va);
  }

  u8(field: string, value: number): void {
    const at = this.at(field);
    if (at !== null) this.bytes[at] = value;
  }

  u16(field: string, value: number): void {
    const at = this.at(field);
    if (at !== null) putU16(this.bytes, at, value);
  }

  u32(field: string, value: number): void {
    const at = this.at(field);
    if (at !== null) putU32(this.bytes, at, value);
  }

  u64(field: string, value: number | bigint): void {
    const at = this.at(field);
    if (at !== null) putU64(this.bytes, at, value);
  }

  pointer(field: string, va: Va): void {
    const at = this.at(field);
    if (at !== null) this.putPointer(at, va);
  }

  /** A number as wide as a pointer; `index` of an array of such. */
  word(field: string, value: number, index = 0): void {
    const at = this.at(field);
    if (at === null) return;
    if (this.kernel.pointerSize === 4) putU32(this.bytes, at + index * 4, value);
    else putU64(this.bytes, at + index * 8, value);
  }

  /** Sets a bit field of one bit, or a byte that says yes. */
  flag(field: string): void {
    const at = this.at(field);
    if (at === null) return;
    const position = Number(this.struct.types?.[field]?.split(':')[1] ?? 0);
    this.bytes[at] = (this.bytes[at] ?? 0) | (1 << position);
  }

  ascii(field: string, text: string): void {
    const at = this.at(field);
    if (at !== null) this.bytes.set(latin1(text), at);
  }

  /** A `_UNICODE_STRING` whose characters stand at `buffer`. */
  unicode(field: string, characters: number, buffer: Va): void {
    const at = this.at(field);
    if (at !== null) putUnicode(this.kernel, this.bytes, at, characters, buffer);
  }

  /** A `_LIST_ENTRY` that points at itself. */
  emptyList(field: string): void {
    const at = this.at(field);
    if (at === null) return;
    const va = this.address(field);
    this.putPointer(at, va);
    this.putPointer(at + (this.kernel.pointerSize ?? 8), va);
  }

  private at(field: string): number | null {
    const offset = this.struct.fields[field];
    return offset === undefined ? null : (this.va % PAGE) + offset;
  }

  private putPointer(at: number, va: Va): void {
    putPointer(this.kernel, this.bytes, at, va);
  }
}

function putPointer(kernel: KernelFacts, bytes: Uint8Array, at: number, va: Va): void {
  if (kernel.pointerSize === 4) putU32(bytes, at, va);
  else putVa(bytes, at, va);
}

/** A `_UNICODE_STRING` whose characters stand at `buffer`. */
export function putUnicode(kernel: KernelFacts, bytes: Uint8Array, at: number, characters: number, buffer: Va): void {
  putU16(bytes, at, characters * 2);
  putU16(bytes, at + 2, buffer === 0 ? 0 : characters * 2 + 2);
  putPointer(kernel, bytes, at + (kernel.pointerSize ?? 8), buffer);
}

/** Characters of two bytes each, written where they shall stand. */
export function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) putU16(bytes, at + i * 2, text.charCodeAt(i));
}
