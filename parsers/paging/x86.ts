/**
 * x86 translation: two levels of 4-byte entries (4 KB and 4 MB pages, with PSE-36), or with PAE three levels of 8-byte
 * entries (4 KB and 2 MB pages), and the software PTEs behind which the page is still in memory: transition and
 * prototype entries (reference: kernel-structures sections 3.1, 3.2 and 3.5). Addresses are zero-extended to 64 bits.
 */

import { physical, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, hex, Failure } from '../bytes/failure.js';
import { u32 } from '../bytes/fields.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { mappedRegions32, type MappedRegion } from './mapped-regions.js';
import { join, NONE, TranslatedMemory } from './translated-memory.js';

/** What differs between 32-bit kernels. */
export interface X86Options {
  /** Three levels of 8-byte entries. */
  readonly pae: boolean;
  /**
   * How a prototype PTE without PAE, which has no room for an address, names one. A number: as a distance from it, the
   * value of MmPagedPoolStart, in units of 4 bytes (Windows 2000 to 2003). `upper-half`: in units of 8 bytes from
   * 2 GB on (Vista and 7). `unknown`: such PTEs are not followed.
   */
  readonly prototypes: number | 'upper-half' | 'unknown';
}

const VALID = 1;
const LARGE = 0x80;
const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
const TWO_32 = 0x100000000;
/** High word of PageFrameNumber in the PAE `_MMPTE_TRANSITION`: 26 bits from bit 12 on, on every build. */
const TRANSITION_HIGH = 0x3f;

/** One x86 address space of a dump. */
export class X86Memory extends TranslatedMemory {
  readonly pointerSize = 4;
  readonly levels: 2 | 3;
  /** The page table used last, and the 2 or 4 MB region it maps. */
  private regionNumber = -1;
  private region: Uint32Array | null = null;
  private readonly regionShift: 21 | 22;
  private readonly pae: boolean;
  private following = false;

  /** `root` is CR3 as it is: a page directory, or with PAE the 32-byte table of page directory pointers. */
  constructor(
    memory: PhysicalMemory,
    root: PhysicalAddress,
    readonly options: X86Options,
  ) {
    super(memory, physical(root - (root % (options.pae ? 32 : 4096))));
    this.pae = options.pae;
    this.levels = options.pae ? 3 : 2;
    this.regionShift = options.pae ? 21 : 22;
  }

  /** The same tables with other options or another root. */
  with(change: { root?: PhysicalAddress; options?: Partial<X86Options> }): X86Memory {
    const options = { ...this.options, ...change.options };
    return new X86Memory(this.memory, change.root ?? this.directoryTableBase, options);
  }

  rootedAt(root: PhysicalAddress): X86Memory {
    return this.with({ root });
  }

  mappedRegions(): Iterable<MappedRegion> {
    return mappedRegions32(this.memory, this.directoryTableBase, this.pae);
  }

  protected resolve(high: number, low: number): number {
    if (high !== 0) {
      const address = join(high, low);
      this.why = () => new Failure('bad-address', `${hex(address)} is no 32-bit address`, { address });
      return NONE;
    }
    let table = this.region;
    if (table === null || low >>> this.regionShift !== this.regionNumber) {
      const found = this.pae ? this.descendPae(low) : this.descend(low);
      if (typeof found === 'number') return found;
      table = found;
      this.region = table;
      this.regionNumber = low >>> this.regionShift;
    }
    if (this.pae) {
      const index = ((low >>> 12) & 511) * 2;
      const entryLow = table[index] ?? 0;
      const entryHigh = table[index + 1] ?? 0;
      if ((entryLow & VALID) !== 0) return frame(entryLow, entryHigh) + (low & 0xfff);
      return this.softwarePte(low, entryHigh, entryLow, false);
    }
    const entry = table[(low >>> 12) & 1023] ?? 0;
    if ((entry & VALID) !== 0) return ((entry & 0xfffff000) >>> 0) + (low & 0xfff);
    return this.softwarePte(low, 0, entry, false);
  }

  /** Through the page directory to the page table, to a 4 MB page, or to a failure. */
  private descend(low: number): Uint32Array | number {
    const directory = this.tableAt(this.directoryTableBase, low, 1, 'page directory');
    if (directory === null) return NONE;
    const entry = directory[low >>> 22] ?? 0;
    if ((entry & VALID) === 0) return this.notMapped(low, 1, 'PDE', entry);
    if ((entry & LARGE) !== 0) {
      const above = (entry >>> 13) & 0xff;
      return above * TWO_32 + ((entry & 0xffc00000) >>> 0) + (low & 0x3fffff);
    }
    return this.tableAt((entry & 0xfffff000) >>> 0, low, 0, 'page table') ?? NONE;
  }

  /** Through the directory pointers and a page directory to the page table, to a 2 MB page, or to a failure. */
  private descendPae(low: number): Uint32Array | number {
    const pointersPage = this.directoryTableBase - (this.directoryTableBase % 4096);
    const pointers = this.tableAt(pointersPage, low, 2, 'table of page directory pointers');
    if (pointers === null) return NONE;
    const first = (this.directoryTableBase - pointersPage) / 4 + (low >>> 30) * 2;
    const pointerLow = pointers[first] ?? 0;
    const pointerHigh = pointers[first + 1] ?? 0;
    if ((pointerLow & VALID) === 0) return this.notMapped(low, 2, 'PDPTE', join(pointerHigh, pointerLow));
    const directory = this.tableAt(frame(pointerLow, pointerHigh), low, 1, 'page directory');
    if (directory === null) return NONE;
    const index = ((low >>> 21) & 511) * 2;
    const entryLow = directory[index] ?? 0;
    const entryHigh = directory[index + 1] ?? 0;
    if ((entryLow & VALID) === 0) return this.notMapped(low, 1, 'PDE', join(entryHigh, entryLow));
    const next = frame(entryLow, entryHigh);
    if ((entryLow & LARGE) !== 0) return next - (next % 0x200000) + (low & 0x1fffff);
    return this.tableAt(next, low, 0, 'page table') ?? NONE;
  }

  private tableAt(address: number, low: number, level: number, name: string): Uint32Array | null {
    const table = this.memory.table(address);
    if (table === null) {
      this.why = (): Failure => {
        const { code, message, place } = this.memory.failure(address, this.memory.locate(address), name);
        return new Failure(code, `${hex(low)}: ${message}`, { ...place, address: BigInt(low), level });
      };
    }
    return table;
  }

  private notMapped(low: number, level: number, name: string, entry: number | bigint): number {
    return this.fail('not-mapped', 0, low, level, () => `the ${name} is not valid (${hex(entry)})`);
  }

  /** An invalid PTE: the page may still be in memory. A prototype is followed once. */
  private softwarePte(low: number, pteHigh: number, pteLow: number, isPrototype: boolean): number {
    const what = isPrototype ? 'prototype PTE' : 'PTE';
    const stored = (): string => hex(this.pae ? join(pteHigh, pteLow) : pteLow);
    if (pteLow === 0 && pteHigh === 0) return this.fail('not-mapped', 0, low, 0, () => `the ${what} is zero`);
    const kind = pteLow & (TRANSITION | PROTOTYPE);
    if (kind === TRANSITION) return this.transition(pteHigh, pteLow) + (low & 0xfff);
    if ((kind & PROTOTYPE) !== 0) {
      if (!isPrototype) return this.prototype(low, pteHigh, pteLow);
      return this.fail(
        'paged-out',
        0,
        low,
        0,
        () => `the page is in the file that backs it (prototype PTE ${stored()})`,
      );
    }
    const inPageFile = this.pae ? pteHigh !== 0 : pteLow >>> 12 !== 0;
    return inPageFile
      ? this.fail('paged-out', 0, low, 0, () => `the page is in a page file (${what} ${stored()})`)
      : this.fail('paged-out', 0, low, 0, () => `demand-zero ${what} (${stored()}): the page was never written`);
  }

  /**
   * The frame of a transition PTE. From 17763 on the frame number may be mixed with bits above those that RAM has
   * (the mitigation of L1TF): where the page is not found as it stands, the bits below 4 GB are tried.
   */
  private transition(pteHigh: number, pteLow: number): number {
    const below = (pteLow & 0xfffff000) >>> 0;
    const base = (pteHigh & TRANSITION_HIGH) * TWO_32 + below;
    return base !== below && this.memory.locate(base) < 0 && this.memory.locate(below) >= 0 ? below : base;
  }

  private prototype(low: number, pteHigh: number, pteLow: number): number {
    const place = this.pae ? pteHigh : unpackPrototype(pteLow, this.options.prototypes);
    if (place === null) {
      const message = (): string => `where its prototype PTE (${hex(pteLow)}) stands is not known`;
      return this.fail('not-mapped', 0, low, 0, message);
    }
    const at = virtual(BigInt(place));
    const entry = this.prototypeEntry(at);
    if (failed(entry)) {
      const { code, message } = entry;
      return this.fail(code, 0, low, 0, () => `its prototype PTE at ${hex(at)} cannot be read: ${message}`);
    }
    const [entryHigh, entryLow] = entry;
    if ((entryLow & VALID) === 0) return this.softwarePte(low, entryHigh, entryLow, true);
    return frame(entryLow, entryHigh) + (low & 0xfff);
  }

  /** Prototype PTEs lie in paged pool; one whose own page needs a prototype is not followed further. */
  private prototypeEntry(at: VirtualAddress): readonly [high: number, low: number] | Failure {
    if (this.following) return new Failure('corrupt', 'a prototype PTE lies on a page that needs a prototype PTE');
    this.following = true;
    try {
      const bytes = this.read(at, this.pae ? 8 : 4);
      return failed(bytes) ? bytes : [this.pae ? u32(bytes, 4) : 0, u32(bytes, 0)];
    } finally {
      this.following = false;
    }
  }
}

/** Bits 51:12 of an 8-byte entry; of a 4-byte one, with `high` 0, bits 31:12. */
const frame = (low: number, high: number): number => (high & 0xfffff) * TWO_32 + ((low & 0xfffff000) >>> 0);

/** The address in a 4-byte prototype PTE: ProtoAddressHigh is bits 31:11, ProtoAddressLow bits 7:1. */
function unpackPrototype(pte: number, prototypes: X86Options['prototypes']): number | null {
  const units = (pte >>> 11) * 0x80 + ((pte >>> 1) & 0x7f);
  if (prototypes === 'upper-half') return 0x80000000 + units * 8;
  return prototypes === 'unknown' ? null : (prototypes + units * 4) % TWO_32;
}
