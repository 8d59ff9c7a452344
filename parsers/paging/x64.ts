/**
 * x64 translation: 4 levels (5 with LA57), pages of 4 KB, 2 MB and 1 GB, and the software PTEs behind which the page
 * is still in memory: transition and prototype entries (reference: kernel-structures sections 3.3 and 3.5). The walk
 * works on pairs of 32-bit words; addresses are bigint only at the surface.
 */

import { PAGE_SIZE, physical, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, hex, ReadFailure, type FailureReason } from '../bytes/failure.js';
import { u64 } from '../bytes/fields.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { MemoryBase, MOST_BYTES } from './memory-base.js';
import type { Chunk } from './virtual-memory.js';

/** What differs between kernels in the software PTEs. */
export interface X64Options {
  readonly levels: 4 | 5;
  /** Bits of PageFrameNumber in _MMPTE_TRANSITION: 36 from 6001 to 19045, 40 from 22000. */
  readonly transitionPfnBits: number;
  /**
   * `MiState.Hardware.InvalidPteMask`: XORed into an invalid PTE whose SwizzleBit (bit 4) is clear (17763 and later,
   * the mitigation of L1TF). 0 = none; null = unknown, then bit 45 is tried where the page is not found without it.
   */
  readonly invalidPteMask: bigint | null;
}

export const DEFAULT_X64: X64Options = { levels: 4, transitionPfnBits: 40, invalidPteMask: null };

const LEVELS = ['PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E'] as const;
const VALID = 1;
const LARGE = 0x80;
const PROTOTYPE = 0x400;
const TRANSITION = 0x800;
const SWIZZLE = 0x10;
const LIKELY_SWIZZLE = 1n << 45n;
const TWO_32 = 0x100000000;
/** Bytes read at once where pages follow each other in the file. */
const BURST = 64 * 1024;

/** What `resolve` gives when there is no physical address; `why` then tells. */
const NONE = -1;
const WHY_UNKNOWN = (): ReadFailure => new ReadFailure('corrupt', 'nothing was translated');

/** One x64 address space of a dump. */
export class X64Memory extends MemoryBase {
  readonly pointerSize = 8;
  /** The page table used last, and the 2 MB region it maps. */
  private regionHigh = -1;
  private regionLow = -1;
  private region: Uint32Array | null = null;

  constructor(
    private readonly memory: PhysicalMemory,
    /** Physical address of the top-level table. */
    readonly directoryTableBase: PhysicalAddress,
    readonly options: X64Options = DEFAULT_X64,
  ) {
    super();
  }

  /** The same tables with other options or another root. */
  with(change: { root?: PhysicalAddress; options?: Partial<X64Options> }): X64Memory {
    return new X64Memory(this.memory, change.root ?? this.directoryTableBase, { ...this.options, ...change.options });
  }

  translate(address: VirtualAddress): PhysicalAddress | ReadFailure {
    const found = this.resolve(highOf(address), lowOf(address));
    return found === NONE ? this.why() : physical(found);
  }

  override countPages(address: VirtualAddress, length: number): number {
    let present = 0;
    let high = highOf(address);
    let low = (lowOf(address) & ~0xfff) >>> 0;
    for (let left = length + Number(address & 0xfffn); left > 0; left -= PAGE_SIZE) {
      const found = this.resolve(high, low);
      if (found !== NONE && this.memory.locate(found) >= 0) present++;
      low += PAGE_SIZE;
      if (low === TWO_32) {
        low = 0;
        high = (high + 1) >>> 0;
      }
    }
    return present;
  }

  read(address: VirtualAddress, length: number): Uint8Array | ReadFailure {
    if (length > MOST_BYTES) return new ReadFailure('corrupt', `a read of ${length} bytes is refused`);
    const bytes = new Uint8Array(length);
    const low = lowOf(address);
    if ((low & 0xfff) + length <= PAGE_SIZE) {
      const found = this.resolve(highOf(address), low);
      if (found === NONE) return this.why();
      const offset = this.memory.locate(found);
      if (offset < 0) return this.memory.failure(found, offset);
      this.memory.readAt(offset, bytes);
      return bytes;
    }
    for (const chunk of this.chunks(address, length)) {
      if (failed(chunk.bytes)) return chunk.bytes;
      bytes.set(chunk.bytes, chunk.offset);
    }
    return bytes;
  }

  override *chunks(address: VirtualAddress, length: number): Iterable<Chunk> {
    // A walk inside of a walk, while this one is under way, gets a buffer of its own.
    const buffer = this.idleBuffer ?? new Uint8Array(BURST);
    this.idleBuffer = null;
    try {
      yield* this.gather(address, length, buffer);
    } finally {
      this.idleBuffer = buffer;
    }
  }

  private *gather(address: VirtualAddress, length: number, buffer: Uint8Array): Iterable<Chunk> {
    let high = highOf(address);
    let low = lowOf(address);
    /** Bytes gathered in the buffer, and the range offset of the first. */
    let filled = 0;
    let start = 0;
    /** The part of them that is still to be read, in one go: it is contiguous in the file. */
    let pendingFrom = 0;
    let pendingOffset = 0;
    for (let done = 0; done < length;) {
      const count = Math.min(length - done, PAGE_SIZE - (low & 0xfff));
      const found = this.resolve(high, low);
      const offset = found === NONE ? 0 : this.memory.locate(found);
      const isPresent = found !== NONE && offset >= 0;
      if (filled > 0 && (!isPresent || filled + count > buffer.length)) {
        this.memory.readAt(pendingOffset, buffer.subarray(pendingFrom, filled));
        yield { offset: start, length: filled, bytes: buffer.subarray(0, filled) };
        filled = 0;
      }
      if (!isPresent) {
        const failure = found === NONE ? this.why() : this.memory.failure(found, offset);
        yield { offset: done, length: count, bytes: failure };
      } else if (filled === 0) {
        start = done;
        pendingFrom = 0;
        pendingOffset = offset;
        filled = count;
      } else {
        if (pendingOffset + filled - pendingFrom !== offset) {
          this.memory.readAt(pendingOffset, buffer.subarray(pendingFrom, filled));
          pendingFrom = filled;
          pendingOffset = offset;
        }
        filled += count;
      }
      done += count;
      low += count;
      if (low === TWO_32) {
        low = 0;
        high = (high + 1) >>> 0;
      }
    }
    if (filled === 0) return;
    this.memory.readAt(pendingOffset, buffer.subarray(pendingFrom, filled));
    yield { offset: start, length: filled, bytes: buffer.subarray(0, filled) };
  }

  /** The physical address behind a virtual one given as two words, or NONE with `why` set. */
  private resolve(high: number, low: number): number {
    const bits = this.options.levels === 5 ? 24 : 15;
    const top = high >>> bits;
    if (top !== 0 && top !== 0xffffffff >>> bits) {
      return this.fail('bad-address', () => `${show(high, low)} is not a canonical address`);
    }
    let table = this.region;
    if (table === null || high !== this.regionHigh || low >>> 21 !== this.regionLow) {
      const found = this.descend(high, low);
      if (typeof found === 'number') return found;
      table = found;
      this.region = table;
      this.regionHigh = high;
      this.regionLow = low >>> 21;
    }
    const index = ((low >>> 12) & 511) * 2;
    const entryLow = table[index] ?? 0;
    const entryHigh = table[index + 1] ?? 0;
    if ((entryLow & VALID) !== 0) return frame(entryLow, entryHigh) + (low & 0xfff);
    return this.softwarePte(high, low, join(entryHigh, entryLow), false);
  }

  /** From the root to the page table, or to a large page, or to a failure. */
  private descend(high: number, low: number): Uint32Array | number {
    let tableAddress: number = this.directoryTableBase;
    for (let level = this.options.levels - 1; ; level--) {
      const table = this.memory.table(tableAddress);
      if (table === null) {
        const missing = tableAddress;
        const name = level === this.options.levels - 1 ? 'top-level page table' : `page table (of ${nameOf(level)}s)`;
        this.why = () => {
          const { reason, message } = this.memory.failure(missing, this.memory.locate(missing), name);
          return new ReadFailure(reason, `${show(high, low)}: ${message}`);
        };
        return NONE;
      }
      if (level === 0) return table;
      const shift = 12 + 9 * level;
      const index =
        (shift >= 32 ? (high >>> (shift - 32)) & 511 : ((low >>> shift) | (high << (32 - shift))) & 511) * 2;
      const entryLow = table[index] ?? 0;
      const entryHigh = table[index + 1] ?? 0;
      if ((entryLow & VALID) === 0) {
        const value = join(entryHigh, entryLow);
        return this.fail('not-mapped', () => `${show(high, low)}: the ${nameOf(level)} is not valid (${hex(value)})`);
      }
      const next = frame(entryLow, entryHigh);
      if ((level === 1 || level === 2) && (entryLow & LARGE) !== 0) {
        const size = level === 1 ? 0x200000 : 0x40000000;
        return next - (next % size) + (low & (size - 1));
      }
      tableAddress = next;
    }
  }

  /** An invalid PTE: the page may still be in memory. A prototype is followed once. */
  private softwarePte(high: number, low: number, stored: bigint, isPrototype: boolean): number {
    const what = isPrototype ? 'prototype PTE' : 'PTE';
    if (stored === 0n) return this.fail('not-mapped', () => `${show(high, low)}: the ${what} is zero`);
    const mask = this.options.invalidPteMask ?? 0n;
    const pte = (Number(stored & 0x10n) & SWIZZLE) === 0 ? stored ^ mask : stored;
    const flags = Number(pte & 0xfffn);
    if ((flags & (TRANSITION | PROTOTYPE)) === TRANSITION) return this.transition(stored, pte) + (low & 0xfff);
    if ((flags & PROTOTYPE) !== 0) {
      if (isPrototype) {
        return this.fail(
          'paged-out',
          () => `${show(high, low)}: the page is in the file that backs it (prototype PTE ${hex(stored)})`,
        );
      }
      return this.prototype(high, low, pte);
    }
    if (pte >> 32n === 0n) {
      return this.fail(
        'paged-out',
        () => `${show(high, low)}: demand-zero ${what} (${hex(stored)}): the page was never written`,
      );
    }
    return this.fail('paged-out', () => `${show(high, low)}: the page is in a page file (${what} ${hex(stored)})`);
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
      const { reason, message } = entry;
      return this.fail(reason, () => `${show(high, low)}: its prototype PTE at ${hex(at)} cannot be read: ${message}`);
    }
    if ((entry & 1n) !== 0n) return Number(entry & 0x000ffffffffff000n) + (low & 0xfff);
    return this.softwarePte(high, low, entry, true);
  }

  /** Prototype PTEs lie in paged pool; one whose own page needs a prototype is not followed further. */
  private prototypeEntry(at: VirtualAddress): bigint | ReadFailure {
    if (this.following) return new ReadFailure('corrupt', 'a prototype PTE lies on a page that needs a prototype PTE');
    this.following = true;
    try {
      const bytes = this.read(at, 8);
      return failed(bytes) ? bytes : u64(bytes, 0);
    } finally {
      this.following = false;
    }
  }

  private following = false;
  /** The buffer of `chunks`, while no walk uses it. */
  private idleBuffer: Uint8Array | null = null;
  /** Says why the last `resolve` gave NONE. */
  private why: () => ReadFailure = WHY_UNKNOWN;

  private fail(reason: FailureReason, message: () => string): number {
    this.why = () => new ReadFailure(reason, message());
    return NONE;
  }
}

/** Bits 51:12 of an entry. */
const frame = (low: number, high: number): number => (high & 0xfffff) * TWO_32 + ((low & 0xfffff000) >>> 0);

const nameOf = (level: number): string => LEVELS[level] ?? 'entry';

const highOf = (address: VirtualAddress): number => Number(address >> 32n);
const lowOf = (address: VirtualAddress): number => Number(address & 0xffffffffn);
const join = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);
const show = (high: number, low: number): string => hex(join(high, low));
