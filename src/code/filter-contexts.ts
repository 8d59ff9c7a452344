/**
 * Contexts that a file system filter registers: rows of FLT_CONTEXT_REGISTRATION in the data of its image, recognized by
 * their form. The code that hands them to FltRegisterFilter mostly is discarded once a driver runs; the rows stay. Layout
 * from the public documentation of the driver kit, the same on all builds.
 */

import { plus } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { u16, u32 } from '../../parsers/bytes/fields.js';
import type { CodeModule } from './image/code-module.js';

/** Fields of a row by the size of a pointer. */
const ROW = {
  4: { size: 0x1c, cleanup: 4, bytes: 8, tag: 0xc, allocate: 0x10, free: 0x14, reserved: 0x18 },
  8: { size: 0x38, cleanup: 8, bytes: 0x10, tag: 0x18, allocate: 0x20, free: 0x28, reserved: 0x30 },
} as const;

/** ContextType, and what ends an array. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [1, 'volume'],
  [2, 'instance'],
  [4, 'file'],
  [8, 'stream'],
  [0x10, 'stream handle'],
  [0x20, 'transaction'],
  [0x40, 'section'],
]);
const END = 0xffff;
const MOST_ROWS = 32;
/** Flags of a row: only its lowest bit is documented; and the largest size of a context. */
const MOST_FLAGS = 1;
const LARGEST = 0x10000;

/**
 * The kind of context that the four bytes at RVA `rva` are the tag of: `stream`. Null where they stand in no array of
 * registrations, where its end cannot be read, and where the driver allocates that context itself.
 */
export function registeredContext(module: CodeModule, rva: number): string | null {
  const { memory } = module;
  if (memory === null) return null;
  const row = ROW[memory.pointerSize];
  const first = rva - row.tag;
  if (first < 0 || first % memory.pointerSize !== 0) return null;
  const kind = kindOf(module, first);
  if (kind === null || ownsAllocation(module, first)) return null;
  for (let i = 1; i <= MOST_ROWS; i++) {
    const next = read(module, first + i * row.size, 2);
    if (next === null) return null;
    if (u16(next, 0) === END) return kind;
    if (kindOf(module, first + i * row.size) === null) return null;
  }
  return null;
}

/** The kind of context of a row; null for bytes that are none. */
function kindOf(module: CodeModule, at: number): string | null {
  const width = module.memory?.pointerSize ?? 8;
  const row = ROW[width];
  const bytes = read(module, at, row.size);
  if (bytes === null) return null;
  const kind = KINDS.get(u16(bytes, 0));
  if (kind === undefined || u16(bytes, 2) > MOST_FLAGS) return null;
  const wide = (offset: number): bigint => wordAt(bytes, offset, width);
  const size = wide(row.bytes);
  const isVariable = size === (width === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn);
  if (!isVariable && (size === 0n || size > LARGEST)) return null;
  if (wide(row.reserved) !== 0n) return null;
  const routines = [row.cleanup, row.allocate, row.free].map(wide);
  return routines.every((address) => address === 0n || isCode(module, address)) ? kind : null;
}

function ownsAllocation(module: CodeModule, at: number): boolean {
  const width = module.memory?.pointerSize ?? 8;
  const bytes = read(module, at + ROW[width].allocate, width);
  return bytes === null || wordAt(bytes, 0, width) !== 0n;
}

/** An address in an executable section of the image. */
function isCode({ base, headers }: CodeModule, address: bigint): boolean {
  const rva = Number(address - base);
  return headers?.sections.some((s) => s.executable && rva >= s.rva && rva < s.rva + s.size) === true;
}

function wordAt(bytes: Uint8Array, offset: number, width: 4 | 8): bigint {
  const low = BigInt(u32(bytes, offset));
  return width === 4 ? low : (BigInt(u32(bytes, offset + 4)) << 32n) | low;
}

function read(module: CodeModule, rva: number, length: number): Uint8Array | null {
  if (rva < 0 || rva + length > module.sizeOfImage) return null;
  const bytes = module.memory?.read(plus(module.base, rva), length);
  return bytes === undefined || failed(bytes) ? null : bytes;
}
