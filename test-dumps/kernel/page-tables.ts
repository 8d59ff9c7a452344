/**
 * Page tables in physical pages, of x64 (four or five levels) and of ARM64 (4 KB granule): 4 KB, 2 MB and 1 GB mappings,
 * and the software forms of an invalid PTE (transition, prototype, page file, demand zero), which both have alike.
 */

import { PAGE, type PhysicalMemory } from '../physical-memory.js';
import type { Architecture } from '../scenario.js';
import { putU32, getU32, type Va } from '../bytes.js';

const VALID = 0x1;
const WRITE = 0x2;
const ACCESSED_DIRTY = 0x60;
const LARGE = 0x80;
const GLOBAL = 0x100;
const NO_EXECUTE_HIGH = 0x80000000;
/** ARM64: bit 1 says "table", or "page" in the last level; without it the entry maps a block. */
const ARM_TABLE = 0x2;
/** Inner shareable, accessed; not for user mode (AP[2:1] = 0), or read-only with AP[2] set. */
const ARM_PAGE = 0x700;
const ARM_READ_ONLY = 0x80;
/** UXN and PXN, bits 54 and 53. */
const ARM_NO_EXECUTE_HIGH = 0x600000;
/** Bit 4 of an invalid PTE: set when the frame number was not mixed with the mask. */
const NOT_SWIZZLED = 0x10;
const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
/** `_MMPTE_SOFTWARE.Protection` (bits 9..5): execute-read, as code pages have. */
const PROTECTION_EXECUTE_READ = 3 << 5;
const SPAN = [PAGE, 0x20_0000, 0x4000_0000, 0x80_0000_0000] as const;
/** The slot of the fifth level in which the upper half of 48-bit addresses lies. */
const UPPER_HALF = 511;

/** Whose tables they are. */
export interface TableStyle {
  architecture: Architecture;
  /** x86 has two, or three with PAE. */
  levels: 2 | 3 | 4 | 5;
}

const FOUR_LEVELS: TableStyle = { architecture: 'x64', levels: 4 };

export interface LeafFlags {
  writable?: boolean;
  executable?: boolean;
}

/** Where a walk ended. `frame` counts 4 KB pages also inside large pages. */
export type Walk =
  | { kind: 'mapped'; frame: number; tables: number[] }
  | { kind: 'software'; state: SoftState; tables: number[] }
  | { kind: 'none'; level: number; tables: number[] };

/** What an invalid PTE that is not zero means. */
export type SoftState =
  | { kind: 'transition'; frame: number }
  | { kind: 'prototype'; at: Va }
  | { kind: 'paged out' }
  | { kind: 'demand zero' };

/** The page tables of one address space, whatever the processor. */
export interface AddressTables {
  readonly style: TableStyle;
  /** Frame of the top-level table. */
  readonly root: number;
  /** The physical address that the processor is given: CR3. */
  readonly directoryBase: number;
  /** Bytes of a prototype PTE. */
  readonly pteSize: 4 | 8;
  /** Pages of a large page of level 2. */
  readonly largePages: number;
  map(va: Va, frame: number, flags?: LeafFlags): void;
  mapLarge(va: Va, frame: number, level: 2 | 3, flags?: LeafFlags): void;
  mapTransition(va: Va, frame: number, swizzle?: boolean): void;
  mapPrototype(va: Va, prototype: Va): void;
  mapPagedOut(va: Va, pageFileOffset: number): void;
  /** The bytes of a prototype PTE for a page that is valid or in transition. */
  prototypePte(frame: number, inTransition: boolean): Uint8Array;
  /** The frame that a prototype PTE of that kind names. */
  prototypeFrame(pte: Uint8Array): number;
  /** Maps the tables into themselves, so that PTEs can be read at `pteBase`. */
  mapSelf(pteBase: Va): void;
  /** The part of the address space around `va` that processes can have apart: for sessions. */
  slotOf(va: Va): number;
  /** Empty tables in the same memory. */
  fresh(): AddressTables;
  /** Takes over the kernel half of other tables of this kind, but for the slots in `except`. */
  shareKernelHalf(other: AddressTables, except: ReadonlySet<number>): void;
  /** Takes over one slot, so that both see the same pages there. */
  shareSlot(other: AddressTables, slot: number): void;
  walk(va: Va): Walk;
}

export class PageTables implements AddressTables {
  readonly pteSize = 8;
  readonly largePages = 0x200;
  /** Frame of the top-level table. */
  readonly root: number;
  /** Frame of the fourth-level table of the kernel half: with four levels the root itself. */
  readonly fourth: number;
  private readonly cache = new Map<number, { frame: number; bytes: Uint8Array }>();

  /**
   * @param invalidPteMask the machine's `InvalidPteMask`, low and high half, which is mixed into frame numbers of
   *   transition PTEs on builds that do so
   * @param style of the processor
   */
  constructor(
    readonly memory: PhysicalMemory,
    private readonly invalidPteMask: { low: number; high: number } = { low: 0, high: 0 },
    readonly style: TableStyle = FOUR_LEVELS,
  ) {
    this.root = memory.allocate();
    memory.writable(this.root);
    this.fourth = this.root;
    if (style.levels === 5) {
      this.fourth = memory.allocate();
      memory.writable(this.fourth);
      const [low, high] = this.entry(this.fourth, { writable: true, executable: true }, 'table');
      write(memory.writable(this.root), UPPER_HALF, low, high);
    }
  }

  get directoryBase(): number {
    return this.root * PAGE;
  }

  fresh(): PageTables {
    return new PageTables(this.memory, this.invalidPteMask, this.style);
  }

  /** The PML4 slot. */
  slotOf(va: Va): number {
    return Math.floor(va / 0x80_0000_0000) % 512;
  }

  prototypePte(frame: number, inTransition: boolean): Uint8Array {
    const bytes = new Uint8Array(8);
    const pte = transition(frame);
    const [low, high] = inTransition ? [pte.low | NOT_SWIZZLED, pte.high] : this.entry(frame, {}, 'page');
    putU32(bytes, 0, low);
    putU32(bytes, 4, high);
    return bytes;
  }

  prototypeFrame(pte: Uint8Array): number {
    return frameOf(getU32(pte, 0), getU32(pte, 4));
  }

  /** Maps one 4 KB page. */
  map(va: Va, frame: number, flags: LeafFlags = {}): void {
    const [low, high] = this.entry(frame, flags, 'page');
    this.setPte(va, low, high);
  }

  /** Maps a 2 MB (level 2) or 1 GB (level 3) page at an aligned address. */
  mapLarge(va: Va, frame: number, level: 2 | 3, flags: LeafFlags = {}): void {
    const [low, high] = this.entry(frame, flags, 'block');
    const table = this.table(va, level);
    write(table.bytes, index(va, level), low, high);
  }

  /** A page that left its working set but is still in RAM. `swizzle` mixes the frame number with the mask. */
  mapTransition(va: Va, frame: number, swizzle = false): void {
    const pte = transition(frame);
    if (swizzle) this.setPte(va, pte.low ^ this.invalidPteMask.low, pte.high ^ this.invalidPteMask.high);
    else this.setPte(va, pte.low | NOT_SWIZZLED, pte.high);
  }

  /** A page whose state stands in the prototype PTE at `prototype`, a kernel address. */
  mapPrototype(va: Va, prototype: Va): void {
    const low = ((prototype % 0x10000) * 0x10000 + (PROTOTYPE | NOT_SWIZZLED | PROTECTION_EXECUTE_READ)) >>> 0;
    this.setPte(va, low, Math.floor(prototype / 0x10000) >>> 0);
  }

  /** A page that was written to a page file at `pageFileOffset`, in pages; 0 makes it demand-zero. */
  mapPagedOut(va: Va, pageFileOffset: number): void {
    this.setPte(va, PROTECTION_EXECUTE_READ | NOT_SWIZZLED, pageFileOffset >>> 0);
  }

  /** Puts the raw halves of a PTE. */
  setPte(va: Va, low: number, high: number): void {
    write(this.table(va, 1).bytes, index(va, 1), low, high);
  }

  /** Points a slot of the root at itself. */
  mapSelf(pteBase: Va): void {
    const [low, high] = this.entry(this.root, { writable: true }, 'page');
    write(this.memory.writable(this.root), this.slotOf(pteBase), low, high);
  }

  /** Takes over the kernel half of `other`, but for the PML4 slots in `except`. */
  shareKernelHalf(other: AddressTables, except: ReadonlySet<number>): void {
    const from = this.memory.writable(fourthOf(other));
    const to = this.memory.writable(this.fourth);
    for (let slot = 256; slot < 512; slot++) {
      if (!except.has(slot)) to.set(from.subarray(slot * 8, slot * 8 + 8), slot * 8);
    }
  }

  /** Takes over one PML4 slot of `other`, so that both see the same pages there. */
  shareSlot(other: AddressTables, slot: number): void {
    const from = this.memory.writable(fourthOf(other));
    this.memory.writable(this.fourth).set(from.subarray(slot * 8, slot * 8 + 8), slot * 8);
  }

  /** The frames of the tables that translate `va`, root first, as far as they exist, and what the last entry says. */
  walk(va: Va): Walk {
    const tables: number[] = [];
    let frame = this.root;
    for (let level: number = this.style.levels; level >= 1; level--) {
      tables.push(frame);
      const bytes = this.memory.pages.get(frame);
      if (!bytes) return { kind: 'none', level, tables };
      const at = index(va, level) * 8;
      const low = getU32(bytes, at);
      const high = getU32(bytes, at + 4);
      if ((low & VALID) === 0) {
        return level === 1 && (low !== 0 || high !== 0)
          ? { kind: 'software', state: this.softState(low, high), tables }
          : { kind: 'none', level, tables };
      }
      frame = frameOf(low, high);
      const span = SPAN[level - 1] ?? PAGE;
      if (level === 1) return { kind: 'mapped', frame, tables };
      if (level < 4 && this.isBlock(low)) {
        return { kind: 'mapped', frame: frame + Math.floor((va % span) / PAGE), tables };
      }
    }
    throw new Error('unreachable');
  }

  private softState(low: number, high: number): SoftState {
    if ((low & (TRANSITION | PROTOTYPE)) === TRANSITION) {
      const isMixed = (low & NOT_SWIZZLED) === 0;
      return { kind: 'transition', frame: frameOf(low, isMixed ? high ^ this.invalidPteMask.high : high) };
    }
    if ((low & PROTOTYPE) !== 0) return { kind: 'prototype', at: high * 0x10000 + (low >>> 16) };
    return { kind: high === 0 ? 'demand zero' : 'paged out' };
  }

  private table(va: Va, level: number): { frame: number; bytes: Uint8Array } {
    if (level === 4) return { frame: this.fourth, bytes: this.memory.writable(this.fourth) };
    const key = Math.floor(va / (SPAN[level] ?? PAGE)) * 8 + level;
    const known = this.cache.get(key);
    if (known) return known;
    const parent = this.table(va, level + 1);
    const at = index(va, level + 1);
    let frame = frameOf(getU32(parent.bytes, at * 8), getU32(parent.bytes, at * 8 + 4));
    if ((getU32(parent.bytes, at * 8) & VALID) === 0) {
      frame = this.memory.allocate();
      const [low, high] = this.entry(frame, { writable: true, executable: true }, 'table');
      write(parent.bytes, at, low, high);
    }
    const entry = { frame, bytes: this.memory.writable(frame) };
    this.cache.set(key, entry);
    return entry;
  }

  /** The halves of an entry: of a page (also of a prototype PTE that is valid), of a large page, or of a table. */
  private entry(frame: number, flags: LeafFlags, kind: 'page' | 'block' | 'table'): [low: number, high: number] {
    if (this.style.architecture === 'arm64') {
      const low = (frame % 0x100000) * PAGE + (kind === 'block' ? VALID : VALID | ARM_TABLE);
      const high = Math.floor(frame / 0x100000);
      if (kind === 'table') return [low, high];
      const attributes = ARM_PAGE | (flags.writable === true ? 0 : ARM_READ_ONLY);
      return [low + attributes, (high | (flags.executable === true ? 0 : ARM_NO_EXECUTE_HIGH)) >>> 0];
    }
    const [low, high] = leaf(frame, flags);
    if (kind === 'block') return [(low | LARGE) >>> 0, high];
    return [kind === 'table' ? (low & ~GLOBAL) >>> 0 : low, high];
  }

  private isBlock(low: number): boolean {
    return this.style.architecture === 'arm64' ? (low & ARM_TABLE) === 0 : (low & LARGE) !== 0;
  }
}

function fourthOf(tables: AddressTables): number {
  if (!(tables instanceof PageTables)) throw new Error('tables of another processor');
  return tables.fourth;
}

/** The halves of a valid PTE of x64. */
function leaf(frame: number, flags: LeafFlags): [low: number, high: number] {
  const attributes = VALID | ACCESSED_DIRTY | GLOBAL | (flags.writable === true ? WRITE : 0);
  const noExecute = flags.executable === true ? 0 : NO_EXECUTE_HIGH;
  return [((frame % 0x100000) * PAGE + attributes) >>> 0, (Math.floor(frame / 0x100000) | noExecute) >>> 0];
}

/** A transition PTE with its frame number in clear. */
function transition(frame: number): { low: number; high: number } {
  return {
    low: ((frame % 0x100000) * PAGE + (TRANSITION | PROTECTION_EXECUTE_READ)) >>> 0,
    high: Math.floor(frame / 0x100000),
  };
}

/** Bits 51..12 of an entry. */
function frameOf(low: number, high: number): number {
  return (high & 0xfffff) * 0x100000 + (low >>> 12);
}

function index(va: Va, level: number): number {
  if (level === 5) return va >= 0x8000_0000_0000 ? UPPER_HALF : 0;
  return Math.floor(va / (SPAN[level - 1] ?? PAGE)) % 512;
}

function write(table: Uint8Array, slot: number, low: number, high: number): void {
  putU32(table, slot * 8, low);
  putU32(table, slot * 8 + 4, high);
}
