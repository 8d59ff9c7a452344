/**
 * Page tables of 512 entries of 8 bytes on every level, as x64 and ARM64 (4 KB granule) have them: 4 levels or 5, pages
 * of 4 KB, 2 MB and 1 GB, and Windows' software PTEs behind which the page is still in memory: transition and prototype
 * entries, the same on both (reference: kernel-structures sections 3.3 to 3.5).
 */

import { virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { u64 } from '../bytes/fields.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { join, NONE, TranslatedMemory } from './translated-memory.js';
import { mappedRegions64, type MappedRegion } from './mapped-regions.js';

/** How a processor marks its entries; `valid` is bit 0 on all. */
export interface EntryRules {
  /** Names of the levels, the last-level table's entry first. */
  readonly names: readonly string[];
  /** Bits that an entry of the last level has set when it maps a page. */
  readonly page: number;
  /** An entry above the last level is a large page (a block) when these bits have this value. */
  readonly largeMask: number;
  readonly largeValue: number;
  /** Bits of the high word that belong to the frame's address. */
  readonly frameHigh: number;
}

/** What differs between kernels of one processor. */
export interface TableOptions {
  readonly levels: 4 | 5;
  /** Bits of PageFrameNumber in _MMPTE_TRANSITION: 36 from 6001 to 19045, 40 from 22000. */
  readonly transitionPfnBits: number;
  /**
   * `MiState.Hardware.InvalidPteMask`: XORed into an invalid PTE whose SwizzleBit (bit 4) is clear (17763 and later,
   * the mitigation of L1TF). 0 = none; null = unknown, then bit 45 is tried where the page is not found without it.
   */
  readonly invalidPteMask: bigint | null;
}

export const DEFAULT_OPTIONS: TableOptions = { levels: 4, transitionPfnBits: 40, invalidPteMask: null };

const VALID = 1;
const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
const SWIZZLE = 0x10;
const LIKELY_SWIZZLE = 1n << 45n;
const TWO_32 = 0x100000000;
/** Page tables keep 4 KB each. */
const REGIONS_KEPT = 1024;

/** One address space of a dump. */
export abstract class TableMemory extends TranslatedMemory {
  readonly pointerSize = 8;
  readonly levels: 4 | 5;
  /** What maps the 2 MB region looked at last: its page table, or the physical address of a large page's part. */
  private regionHigh = -1;
  private regionLow = -1;
  private region: Uint32Array | number | null = null;
  /** The same for regions looked at before, by the address' bits from 21 up. */
  private readonly regions = new Map<number, Uint32Array | number>();
  private readonly page: number;
  private readonly frameHigh: number;

  constructor(
    memory: PhysicalMemory,
    root: PhysicalAddress,
    readonly options: TableOptions,
    private readonly rules: EntryRules,
  ) {
    super(memory, root);
    this.levels = options.levels;
    this.page = rules.page;
    this.frameHigh = rules.frameHigh;
  }

  /** The same tables with other options or another root. */
  with(change: { root?: PhysicalAddress; options?: Partial<TableOptions> }): TableMemory {
    return this.create(this.memory, change.root ?? this.directoryTableBase, { ...this.options, ...change.options });
  }

  rootedAt(root: PhysicalAddress): TableMemory {
    return this.with({ root });
  }

  mappedRegions(): Iterable<MappedRegion> {
    const { largeMask, largeValue, frameHigh } = this.rules;
    const rules = { levels: this.levels, largeMask, largeValue, frameHigh };
    return mappedRegions64(this.memory, this.directoryTableBase, rules);
  }

  protected abstract create(memory: PhysicalMemory, root: PhysicalAddress, options: TableOptions): TableMemory;

  protected resolve(high: number, low: number): number {
    const bits = this.options.levels === 5 ? 24 : 15;
    const top = high >>> bits;
    if (top !== 0 && top !== 0xffffffff >>> bits) {
      const address = join(high, low);
      this.why = () => new Failure('bad-address', `${hex(address)} is not a canonical address`, { address });
      return NONE;
    }
    let table = this.region;
    if (table === null || high !== this.regionHigh || low >>> 21 !== this.regionLow) {
      const key = high * 0x800 + (low >>> 21);
      const found = this.regions.get(key) ?? this.descend(high, low);
      if (found === NONE) return NONE;
      if (this.regions.size >= REGIONS_KEPT) this.regions.clear();
      this.regions.set(key, found);
      table = found;
      this.region = table;
      this.regionHigh = high;
      this.regionLow = low >>> 21;
    }
    if (typeof table === 'number') return table + (low & 0x1fffff);
    const index = ((low >>> 12) & 511) * 2;
    const entryLow = table[index] ?? 0;
    const entryHigh = table[index + 1] ?? 0;
    if ((entryLow & this.page) === this.page) return this.frame(entryLow, entryHigh) + (low & 0xfff);
    if ((entryLow & VALID) !== 0) {
      return this.fail('corrupt', high, low, 0, () => `${hex(join(entryHigh, entryLow))} is no ${this.nameOf(0)}`);
    }
    return this.softwarePte(high, low, join(entryHigh, entryLow), false);
  }

  /** From the root to the page table of a 2 MB region, or to where the region begins in a large page, or to NONE. */
  private descend(high: number, low: number): Uint32Array | number {
    let tableAddress: number = this.directoryTableBase;
    for (let level = this.options.levels - 1; ; level--) {
      const table = this.memory.table(tableAddress);
      if (table === null) {
        const missing = tableAddress;
        const name =
          level === this.options.levels - 1 ? 'top-level page table' : `page table (of ${this.nameOf(level)}s)`;
        this.why = () => {
          const { code, message, place } = this.memory.failure(missing, this.memory.locate(missing), name);
          const address = join(high, low);
          return new Failure(code, `${hex(address)}: ${message}`, { ...place, address, level });
        };
        return NONE;
      }
      if (level === 0) return table;
      const index = indexAt(level, high, low);
      const entryLow = table[index] ?? 0;
      const entryHigh = table[index + 1] ?? 0;
      if ((entryLow & VALID) === 0) {
        const value = join(entryHigh, entryLow);
        return this.fail(
          'not-mapped',
          high,
          low,
          level,
          () => `the ${this.nameOf(level)} is not valid (${hex(value)})`,
        );
      }
      const next = this.frame(entryLow, entryHigh);
      if ((entryLow & this.rules.largeMask) === this.rules.largeValue) {
        if (level > 2) {
          const value = join(entryHigh, entryLow);
          return this.fail('corrupt', high, low, level, () => `${hex(value)} is no ${this.nameOf(level)}`);
        }
        const size = level === 1 ? 0x200000 : 0x40000000;
        return next - (next % size) + (low & (size - 1)) - (low & 0x1fffff);
      }
      tableAddress = next;
    }
  }

  protected override fetchTables(pages: Float64Array): void {
    /** The table on the way to each page, or NONE at the end of a way. */
    const tables = new Float64Array(pages.length).fill(this.directoryTableBase);
    for (let level = this.options.levels - 1; level >= 0; level--) {
      this.memory.fetchTables(new Set(tables.filter((table) => table !== NONE)));
      if (level === 0) return;
      for (const [i, page] of pages.entries()) {
        const table = tables[i] ?? NONE;
        if (table !== NONE) tables[i] = this.nextTable(table, level, Math.floor(page / TWO_32) >>> 0, page >>> 0);
      }
    }
  }

  /** The physical address of the table below, or NONE where the way ends. */
  private nextTable(address: number, level: number, high: number, low: number): number {
    const table = this.memory.table(address);
    if (table === null) return NONE;
    const index = indexAt(level, high, low);
    const entryLow = table[index] ?? 0;
    if ((entryLow & VALID) === 0 || (entryLow & this.rules.largeMask) === this.rules.largeValue) return NONE;
    return this.frame(entryLow, table[index + 1] ?? 0);
  }

  /** An invalid PTE: the page may still be in memory. A prototype is followed once. */
  private softwarePte(high: number, low: number, stored: bigint, isPrototype: boolean): number {
    const what = isPrototype ? 'prototype PTE' : 'PTE';
    if (stored === 0n) return this.fail('not-mapped', high, low, 0, () => `the ${what} is zero`);
    const mask = this.options.invalidPteMask ?? 0n;
    const pte = (Number(stored & 0x10n) & SWIZZLE) === 0 ? stored ^ mask : stored;
    const flags = Number(pte & 0xfffn);
    if ((flags & (TRANSITION | PROTOTYPE)) === TRANSITION) return this.transition(stored, pte) + (low & 0xfff);
    if ((flags & PROTOTYPE) !== 0) {
      if (isPrototype) {
        return this.fail(
          'paged-out',
          high,
          low,
          0,
          () => `the page is in the file that backs it (prototype PTE ${hex(stored)})`,
        );
      }
      return this.prototype(high, low, pte);
    }
    if (pte >> 32n === 0n) {
      return this.fail(
        'paged-out',
        high,
        low,
        0,
        () => `demand-zero ${what} (${hex(stored)}): the page was never written`,
      );
    }
    return this.fail('paged-out', high, low, 0, () => `the page is in a page file (${what} ${hex(stored)})`);
  }

  private transition(stored: bigint, pte: bigint): number {
    const frameMask = ((1n << BigInt(this.options.transitionPfnBits)) - 1n) << 12n;
    let base = Number(pte & frameMask);
    if (this.options.invalidPteMask === null && (stored & 0x10n) === 0n && this.memory.locate(base) < 0) {
      const swapped = Number((pte ^ LIKELY_SWIZZLE) & frameMask);
      if (this.memory.locate(swapped) >= 0) base = swapped;
    }
    return base;
  }

  private prototype(high: number, low: number, pte: bigint): number {
    const at = virtual(BigInt.asIntN(48, pte >> 16n));
    const entry = this.prototypeEntry(at);
    if (failed(entry)) {
      const { code, message } = entry;
      return this.fail(code, high, low, 0, () => `its prototype PTE at ${hex(at)} cannot be read: ${message}`);
    }
    if ((entry & 1n) !== 0n) {
      return this.frame(Number(entry & 0xffffffffn), Number(entry >> 32n)) + (low & 0xfff);
    }
    return this.softwarePte(high, low, entry, true);
  }

  /** Prototype PTEs lie in paged pool; one whose own page needs a prototype is not followed further. */
  private prototypeEntry(at: VirtualAddress): bigint | Failure {
    if (this.following) return new Failure('corrupt', 'a prototype PTE lies on a page that needs a prototype PTE');
    this.following = true;
    try {
      const bytes = this.read(at, 8);
      return failed(bytes) ? bytes : u64(bytes, 0);
    } finally {
      this.following = false;
    }
  }

  private following = false;

  /** The physical address in an entry: bits 51:12, or as many as the processor has. */
  private frame(low: number, high: number): number {
    return (high & this.frameHigh) * TWO_32 + ((low & 0xfffff000) >>> 0);
  }

  private nameOf(level: number): string {
    return this.rules.names[level] ?? 'entry';
  }
}

/** The word of a table above the last level at which an address' entry begins. */
function indexAt(level: number, high: number, low: number): number {
  const shift = 12 + 9 * level;
  return (shift >= 32 ? (high >>> (shift - 32)) & 511 : ((low >>> shift) | (high << (32 - shift))) & 511) * 2;
}
