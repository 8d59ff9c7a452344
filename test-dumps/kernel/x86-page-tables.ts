/**
 * x86 page tables in physical pages: two levels of 4-byte entries with 4 MB pages, or three of 8-byte entries (PAE) with
 * 2 MB pages; and the software forms of an invalid PTE, which without PAE are packed into 32 bits.
 */

import { getU32, putU32, type Va } from '../bytes.js';
import type { AddressTables, LeafFlags, SoftState, TableStyle, Walk } from './page-tables.js';
import { PAGE, type PhysicalMemory } from '../physical-memory.js';

const VALID = 0x1;
const WRITE = 0x2;
const ACCESSED_DIRTY = 0x60;
const LARGE = 0x80;
const GLOBAL = 0x100;
const NO_EXECUTE_HIGH = 0x80000000;
const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
const PROTECTION_EXECUTE_READ = 3 << 5;
/** Where in its page the table of page directory pointers begins: it is 32 bytes long. */
const POINTERS_AT = 0x20;
/** Bytes of the kernel half that processes can have apart. */
const SLOT = 0x200_0000;
const KERNEL = 0x8000_0000;

/**
 * How prototype PTEs of 32 bits name an address: by its distance from the start of paged pool in units of 4 bytes, or in
 * units of 8 bytes from the start of the kernel half on (Vista and 7).
 */
export type PrototypePacking = { pagedPoolStart: Va } | 'upper-half';

export class X86PageTables implements AddressTables {
  readonly style: TableStyle;
  readonly pteSize: 4 | 8;
  readonly largePages: number;
  /** Frame of the page directory, or with PAE of the page with the directory pointers. */
  readonly root: number;
  private readonly span: number;
  private readonly perTable: number;

  constructor(
    readonly memory: PhysicalMemory,
    private readonly pae: boolean,
    private readonly packing: PrototypePacking,
  ) {
    this.style = { architecture: 'x86', levels: pae ? 3 : 2 };
    this.pteSize = pae ? 8 : 4;
    this.perTable = PAGE / this.pteSize;
    this.span = this.perTable * PAGE;
    this.largePages = this.perTable;
    // CR3 has 32 bits.
    let root = memory.allocate();
    while (root >= 0x100000) root = memory.allocate();
    this.root = root;
    const bytes = memory.writable(this.root);
    // All four directories exist from the start: processes share single entries of the kernel's.
    for (let i = 0; pae && i < 4; i++) {
      const directory = memory.allocate();
      memory.writable(directory);
      putEntry(bytes, POINTERS_AT + i * 8, directory, VALID, true);
    }
  }

  get directoryBase(): number {
    return this.root * PAGE + (this.pae ? POINTERS_AT : 0);
  }

  fresh(): X86PageTables {
    return new X86PageTables(this.memory, this.pae, this.packing);
  }

  slotOf(va: Va): number {
    return Math.floor(va / SLOT);
  }

  map(va: Va, frame: number, flags: LeafFlags = {}): void {
    this.putPte(va, frame, attributes(flags), flags.executable !== true);
  }

  mapLarge(va: Va, frame: number, _level: 2 | 3, flags: LeafFlags = {}): void {
    const { bytes, at } = this.pde(va);
    // Bits 20..13 of a 4 MB entry are bits 39..32 of its address (PSE-36).
    const above = this.pae ? 0 : Math.floor(frame / 0x100000) << 13;
    putEntry(bytes, at, frame % 0x100000, (attributes(flags) | LARGE | above) >>> 0, this.pae);
    if (this.pae) putU32(bytes, at + 4, Math.floor(frame / 0x100000));
  }

  mapTransition(va: Va, frame: number): void {
    this.putPte(va, frame, TRANSITION | PROTECTION_EXECUTE_READ);
  }

  mapPrototype(va: Va, prototype: Va): void {
    const { bytes, at } = this.pte(va);
    if (this.pae) {
      putU32(bytes, at, PROTOTYPE | PROTECTION_EXECUTE_READ);
      putU32(bytes, at + 4, prototype);
      return;
    }
    const units =
      this.packing === 'upper-half' ? (prototype - KERNEL) / 8 : (prototype - this.packing.pagedPoolStart) / 4;
    putU32(bytes, at, (Math.floor(units / 0x80) * 0x800 + PROTOTYPE + (units % 0x80) * 2) >>> 0);
  }

  mapPagedOut(va: Va, pageFileOffset: number): void {
    const { bytes, at } = this.pte(va);
    putU32(bytes, at, this.pae ? PROTECTION_EXECUTE_READ : ((pageFileOffset << 12) | PROTECTION_EXECUTE_READ) >>> 0);
    if (this.pae) putU32(bytes, at + 4, pageFileOffset);
  }

  prototypePte(frame: number, inTransition: boolean): Uint8Array {
    const bytes = new Uint8Array(8);
    putEntry(bytes, 0, frame, inTransition ? TRANSITION | PROTECTION_EXECUTE_READ : attributes({}), this.pae);
    return bytes;
  }

  prototypeFrame(pte: Uint8Array): number {
    return this.frameAt(pte, 0);
  }

  /** The page directories appear as page tables: one without PAE, four with it. */
  mapSelf(pteBase: Va): void {
    const directories = this.pae ? [0, 1, 2, 3].map((i) => this.directory(i)) : [this.root];
    directories.forEach((frame, i) => {
      const { bytes, at } = this.pde(pteBase + i * this.span);
      putEntry(bytes, at, frame, VALID | WRITE | ACCESSED_DIRTY, this.pae);
    });
  }

  shareKernelHalf(other: AddressTables, except: ReadonlySet<number>): void {
    for (let va = KERNEL; va < 0x1_0000_0000; va += this.span) {
      if (!except.has(this.slotOf(va))) this.shareEntry(other, va);
    }
  }

  shareSlot(other: AddressTables, slot: number): void {
    for (let va = slot * SLOT; va < (slot + 1) * SLOT; va += this.span) this.shareEntry(other, va);
  }

  walk(va: Va): Walk {
    const tables = [this.root];
    const pointer = this.pae ? this.directory(Math.floor(va / 0x4000_0000)) : this.root;
    if (this.pae) tables.push(pointer);
    const { bytes, at } = this.pde(va);
    const entry = getU32(bytes, at);
    if ((entry & VALID) === 0) return { kind: 'none', level: 2, tables };
    const below = this.frameAt(bytes, at);
    if ((entry & LARGE) !== 0) {
      const first = below - (below % this.largePages) + (this.pae ? 0 : ((entry >>> 13) & 0xff) * 0x100000);
      return { kind: 'mapped', frame: first + Math.floor((va % this.span) / PAGE), tables };
    }
    tables.push(below);
    const table = this.memory.writable(below);
    const pteAt = (Math.floor(va / PAGE) % this.perTable) * this.pteSize;
    const low = getU32(table, pteAt);
    const high = this.pae ? getU32(table, pteAt + 4) : 0;
    if ((low & VALID) !== 0) return { kind: 'mapped', frame: this.frameAt(table, pteAt), tables };
    if (low === 0 && high === 0) return { kind: 'none', level: 1, tables };
    return { kind: 'software', state: this.softState(low, high, this.frameAt(table, pteAt)), tables };
  }

  private softState(low: number, high: number, frame: number): SoftState {
    if ((low & PROTOTYPE) !== 0) {
      if (this.pae) return { kind: 'prototype', at: high };
      const units = (low >>> 11) * 0x80 + ((low >>> 1) & 0x7f);
      const at = this.packing === 'upper-half' ? KERNEL + units * 8 : this.packing.pagedPoolStart + units * 4;
      return { kind: 'prototype', at };
    }
    if ((low & TRANSITION) !== 0) return { kind: 'transition', frame };
    return { kind: (this.pae ? high : low >>> 12) === 0 ? 'demand zero' : 'paged out' };
  }

  /** Takes over one page directory entry of tables of this kind. */
  private shareEntry(other: AddressTables, va: Va): void {
    if (!(other instanceof X86PageTables)) throw new Error('tables of another processor');
    const from = other.pde(va);
    const to = this.pde(va);
    to.bytes.set(from.bytes.subarray(from.at, from.at + this.pteSize), to.at);
  }

  private putPte(va: Va, frame: number, low: number, noExecute = false): void {
    const { bytes, at } = this.pte(va);
    putEntry(bytes, at, frame, low, this.pae);
    if (this.pae && noExecute && (low & VALID) !== 0)
      putU32(bytes, at + 4, (getU32(bytes, at + 4) | NO_EXECUTE_HIGH) >>> 0);
  }

  /** Frame of a page directory, by its number. */
  private directory(index: number): number {
    return this.frameAt(this.memory.writable(this.root), POINTERS_AT + index * 8);
  }

  private pde(va: Va): { bytes: Uint8Array; at: number } {
    const frame = this.pae ? this.directory(Math.floor(va / 0x4000_0000)) : this.root;
    return { bytes: this.memory.writable(frame), at: (Math.floor(va / this.span) % this.perTable) * this.pteSize };
  }

  /** The PTE of an address; its page table is made where there is none. */
  private pte(va: Va): { bytes: Uint8Array; at: number } {
    const { bytes, at } = this.pde(va);
    if ((getU32(bytes, at) & VALID) === 0) {
      const table = this.memory.allocate();
      this.memory.writable(table);
      putEntry(bytes, at, table, VALID | WRITE | ACCESSED_DIRTY, this.pae);
    }
    const table = this.memory.writable(this.frameAt(bytes, at));
    return { bytes: table, at: (Math.floor(va / PAGE) % this.perTable) * this.pteSize };
  }

  /** Bits 51..12 of an entry, or 31..12 of a short one. */
  private frameAt(bytes: Uint8Array, at: number): number {
    const high = this.pae ? getU32(bytes, at + 4) & 0xfffff : 0;
    return high * 0x100000 + (getU32(bytes, at) >>> 12);
  }
}

function attributes(flags: LeafFlags): number {
  return VALID | ACCESSED_DIRTY | GLOBAL | (flags.writable === true ? WRITE : 0);
}

function putEntry(bytes: Uint8Array, at: number, frame: number, low: number, wide: boolean): void {
  if (!wide && frame >= 0x100000) throw new Error('a frame above 4 GB needs PAE');
  putU32(bytes, at, ((frame % 0x100000) * PAGE + low) >>> 0);
  if (wide) putU32(bytes, at + 4, Math.floor(frame / 0x100000));
}
