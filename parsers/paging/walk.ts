/**
 * The way of one address through the page tables, entry by entry, as the processor goes: where each entry stands, what it
 * holds, and where the way ends. What software PTEs mean is left to the memories (reference: kernel-structures, section 3).
 */

import { PAGE_SIZE, physical, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { u32, u64 } from '../bytes/fields.js';

/** Tables of a processor that `walkTables` goes through. */
export interface TableShape {
  /** Names of the levels, the top one first. */
  readonly names: readonly string[];
  /** Address bits that each level takes, the top one first. */
  readonly bits: readonly number[];
  /** Bytes of an entry. */
  readonly size: 4 | 8;
}

export const TABLE_SHAPES = {
  x64: { names: ['PXE', 'PPE', 'PDE', 'PTE'], bits: [9, 9, 9, 9], size: 8 },
  x64Five: { names: ['PML5E', 'PXE', 'PPE', 'PDE', 'PTE'], bits: [9, 9, 9, 9, 9], size: 8 },
  pae: { names: ['PPE', 'PDE', 'PTE'], bits: [2, 9, 9], size: 8 },
  x86: { names: ['PDE', 'PTE'], bits: [10, 10], size: 4 },
} as const satisfies Record<string, TableShape>;

/** One entry on the way. */
export interface WalkedEntry {
  readonly name: string;
  readonly index: number;
  /** Where it stands. */
  readonly at: PhysicalAddress;
  /** What it holds; null where its table is not in the dump. */
  readonly value: bigint | null;
}

/** The entries on the way to an address; the last one ends it. */
export interface TableWalk {
  readonly entries: readonly WalkedEntry[];
  /** What the way led to; `missing`: the last entry could not be read; `invalid`: it is not valid. */
  readonly end: 'page' | 'large' | 'missing' | 'invalid';
  /** The physical address; null where `end` is `missing` or `invalid`. */
  readonly physical: PhysicalAddress | null;
}

/** Reads physical memory: null where it is not in the dump. */
export type PhysicalReader = (address: PhysicalAddress, length: number) => Uint8Array | null;

const VALID = 1n;
const LARGE = 0x80n;
const FRAME = 0xf_ffff_ffff_f000n;

/** The frame's address in a valid entry, bits 51:12 or 31:12. */
const frameOf = (value: bigint): bigint => value & FRAME;

/** The way to `address` from the top table at `root`. */
export function walkTables(
  shape: TableShape,
  root: PhysicalAddress,
  address: VirtualAddress,
  read: PhysicalReader,
): TableWalk {
  const entries: WalkedEntry[] = [];
  let table = BigInt(root);
  let shift = 12 + shape.bits.reduce((sum, bits) => sum + bits, 0);
  for (const [level, name] of shape.names.entries()) {
    const bits = shape.bits[level] ?? 0;
    shift -= bits;
    const index = Number((address >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n));
    const at = physical(Number(table) + index * shape.size);
    const value = entryAt(shape, at, read);
    entries.push({ name, index, at, value });
    if (value === null) return { entries, end: 'missing', physical: null };
    if ((value & VALID) === 0n) return { entries, end: 'invalid', physical: null };
    const isLast = level === shape.names.length - 1;
    // Only the two levels above the last one have large pages, and the 4 entries at the top of PAE have none.
    const isLarge = !isLast && bits > 2 && level >= shape.names.length - 3 && (value & LARGE) !== 0n;
    if (isLast || isLarge) {
      const inside = (1n << BigInt(shift)) - 1n;
      const base = isLarge && shape.size === 4 ? pse36(value) : frameOf(value) & ~inside;
      return { entries, end: isLarge ? 'large' : 'page', physical: physical(Number(base | (address & inside))) };
    }
    table = frameOf(value);
  }
  return { entries, end: 'invalid', physical: null };
}

/** A 4 MB page's address: bits 31:22, and bits 20:13 as 39:32 (PSE-36). */
const pse36 = (value: bigint): bigint => (value & 0xffc00000n) | (((value >> 13n) & 0xffn) << 32n);

function entryAt(shape: TableShape, at: PhysicalAddress, read: PhysicalReader): bigint | null {
  const bytes = read(at, shape.size);
  if (bytes === null) return null;
  return shape.size === 8 ? u64(bytes, 0) : BigInt(u32(bytes, 0));
}

/**
 * Where Windows maps the page tables themselves: the virtual address of the PTE of address 0. On x64 the place is read from
 * the top table's entry that leads back to it (random from Windows 10 1607 on); on x86 it is 0xC0000000, where the tables agree.
 * Null where no entry, or more than one, leads back, or what tells is not in the dump.
 */
export function pageTableBase(shape: TableShape, root: PhysicalAddress, read: PhysicalReader): bigint | null {
  const leadsBack = (table: bigint, index: number): boolean => {
    const value = entryAt(shape, physical(Number(table) + index * shape.size), read);
    return value !== null && (value & VALID) !== 0n && frameOf(value) === table;
  };
  const top = BigInt(root);
  if (shape.bits[0] === 10) return leadsBack(top, 0x300) ? X86_BASE : null;
  if (shape.bits[0] === 2) {
    const last = entryAt(shape, physical(root + 3 * shape.size), read);
    return last !== null && (last & VALID) !== 0n && leadsBack(frameOf(last), 3) ? X86_BASE : null;
  }
  const table = read(root, PAGE_SIZE);
  if (table === null) return null;
  const found: number[] = [];
  for (let i = 256; i < 512; i++) if (leadsBack(top, i)) found.push(i);
  const [index] = found;
  if (index === undefined || found.length > 1) return null;
  const bits = 12 + 9 * shape.names.length;
  return BigInt.asUintN(64, BigInt.asIntN(bits, BigInt(index) << BigInt(bits - 9)));
}

const X86_BASE = 0xc0000000n;

/** Virtual addresses of the entries that map `address`, the top one first, where the tables are mapped from `base` on. */
export function entryAddresses(shape: TableShape, base: bigint, address: VirtualAddress): bigint[] {
  const bits = shape.size === 4 || shape.bits[0] === 2 ? 32 : 12 + 9 * shape.names.length;
  const size = BigInt(shape.size);
  // The four entries at the top of PAE are not mapped by the tables.
  const count = shape.bits[0] === 2 ? 2 : shape.names.length;
  const found: bigint[] = [];
  let at: bigint = address;
  for (let i = 0; i < count; i++) {
    at = base + (BigInt.asUintN(bits, at) >> 12n) * size;
    found.unshift(at);
  }
  return found;
}
