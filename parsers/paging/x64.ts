/**
 * x64 translation: 4 levels (5 with LA57), pages of 4 KB, 2 MB and 1 GB, and the software PTEs behind which the page
 * is still in memory: transition and prototype entries (reference: kernel-structures sections 3.3 and 3.5). The walk
 * works on pairs of 32-bit words; addresses are bigint only at the surface.
 */

import { PAGE_SIZE, physical, plus, virtual, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, hex, ReadFailure, type FailureReason } from '../bytes/failure.js';
import { u64 } from '../bytes/fields.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { MemoryBase, MOST_BYTES } from './memory-base.js';
import type { PageRead } from './virtual-memory.js';

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

/** What a walk ended at. `failure` is null when `address` is good. */
interface Walk {
  address: number;
  failure: (() => ReadFailure) | null;
}

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
    const walk = this.walk(address);
    return walk.failure === null ? physical(walk.address) : walk.failure();
  }

  read(address: VirtualAddress, length: number): Uint8Array | ReadFailure {
    if (length > MOST_BYTES) return new ReadFailure('corrupt', `a read of ${length} bytes is refused`);
    const bytes = new Uint8Array(length);
    for (const page of this.pages(address, length)) {
      if (failed(page.bytes)) return page.bytes;
      bytes.set(page.bytes, Number(page.address - address));
    }
    return bytes;
  }

  override *pages(address: VirtualAddress, length: number): Iterable<PageRead> {
    const buffer = new Uint8Array(Math.min(BURST, Math.max(length, 1)));
    let burst: { address: VirtualAddress; offset: number; length: number } | null = null;
    for (let done = 0; done < length;) {
      const at = plus(address, done);
      const count = Math.min(length - done, PAGE_SIZE - Number(at & 0xfffn));
      const walk = this.walk(at);
      const offset = walk.failure === null ? this.memory.locate(walk.address) : 0;
      if (walk.failure === null && offset >= 0) {
        if (burst !== null && burst.offset + burst.length === offset && burst.length + count <= buffer.length) {
          burst.length += count;
        } else {
          if (burst !== null) yield* this.flush(burst, buffer);
          burst = { address: at, offset, length: count };
        }
      } else {
        if (burst !== null) yield* this.flush(burst, buffer);
        burst = null;
        const failure = walk.failure === null ? this.memory.failure(walk.address, offset) : walk.failure();
        yield { address: at, length: count, bytes: failure };
      }
      done += count;
    }
    if (burst !== null) yield* this.flush(burst, buffer);
  }

  private *flush(
    burst: { address: VirtualAddress; offset: number; length: number },
    buffer: Uint8Array,
  ): Iterable<PageRead> {
    this.memory.readAt(burst.offset, buffer.subarray(0, burst.length));
    for (let done = 0; done < burst.length;) {
      const at = plus(burst.address, done);
      const count = Math.min(burst.length - done, PAGE_SIZE - Number(at & 0xfffn));
      yield { address: at, length: count, bytes: buffer.subarray(done, done + count) };
      done += count;
    }
  }

  private walk(address: VirtualAddress): Walk {
    const high = Number(address >> 32n);
    const low = Number(address & 0xffffffffn);
    const bits = this.options.levels === 5 ? 57 : 48;
    const top = high >>> (bits - 33);
    if (top !== 0 && top !== 0xffffffff >>> (bits - 33)) {
      return fail('bad-address', () => `${hex(address)} is not a canonical address`);
    }
    let table = this.region;
    if (table === null || high !== this.regionHigh || low >>> 21 !== this.regionLow) {
      const found = this.descend(address, high, low);
      if ('failure' in found) return found;
      table = found.table;
      this.region = table;
      this.regionHigh = high;
      this.regionLow = low >>> 21;
    }
    const index = ((low >>> 12) & 511) * 2;
    const entryLow = table[index] ?? 0;
    const entryHigh = table[index + 1] ?? 0;
    if ((entryLow & VALID) !== 0) return { address: frame(entryLow, entryHigh) + (low & 0xfff), failure: null };
    return this.softwarePte(address, (BigInt(entryHigh) << 32n) | BigInt(entryLow), low & 0xfff, false);
  }

  /** From the root to the page table, or to a large page, or to a failure. */
  private descend(address: VirtualAddress, high: number, low: number): { table: Uint32Array } | Walk {
    let tableAddress: number = this.directoryTableBase;
    for (let level = this.options.levels - 1; ; level--) {
      const table = this.memory.table(tableAddress);
      if (table === null) {
        const missing = tableAddress;
        const name = level === this.options.levels - 1 ? 'top-level page table' : `page table (of ${nameOf(level)}s)`;
        return {
          address: 0,
          failure: () => {
            const { reason, message } = this.memory.failure(missing, this.memory.locate(missing), name);
            return new ReadFailure(reason, `${hex(address)}: ${message}`);
          },
        };
      }
      if (level === 0) return { table };
      const shift = 12 + 9 * level;
      const index =
        (shift >= 32 ? (high >>> (shift - 32)) & 511 : ((low >>> shift) | (high << (32 - shift))) & 511) * 2;
      const entryLow = table[index] ?? 0;
      const entryHigh = table[index + 1] ?? 0;
      if ((entryLow & VALID) === 0) {
        const value = (BigInt(entryHigh) << 32n) | BigInt(entryLow);
        return fail('not-mapped', () => `${hex(address)}: the ${nameOf(level)} is not valid (${hex(value)})`);
      }
      const next = frame(entryLow, entryHigh);
      if ((level === 1 || level === 2) && (entryLow & LARGE) !== 0) {
        const size = level === 1 ? 0x200000 : 0x40000000;
        return { address: next - (next % size) + (low & (size - 1)), failure: null };
      }
      tableAddress = next;
    }
  }

  /** An invalid PTE: the page may still be in memory. A prototype is followed once. */
  private softwarePte(address: VirtualAddress, stored: bigint, offset: number, isPrototype: boolean): Walk {
    const what = isPrototype ? 'prototype PTE' : 'PTE';
    if (stored === 0n) return fail('not-mapped', () => `${hex(address)}: the ${what} is zero`);
    const mask = this.options.invalidPteMask ?? 0n;
    const pte = (Number(stored & 0x10n) & SWIZZLE) === 0 ? stored ^ mask : stored;
    const flags = Number(pte & 0xfffn);
    if ((flags & (TRANSITION | PROTOTYPE)) === TRANSITION) return this.transition(stored, pte, offset);
    if ((flags & PROTOTYPE) !== 0) {
      if (isPrototype) {
        return fail(
          'paged-out',
          () => `${hex(address)}: the page is in the file that backs it (prototype PTE ${hex(stored)})`,
        );
      }
      return this.prototype(address, pte, offset);
    }
    if (pte >> 32n === 0n) {
      return fail(
        'paged-out',
        () => `${hex(address)}: demand-zero ${what} (${hex(stored)}): the page was never written`,
      );
    }
    return fail('paged-out', () => `${hex(address)}: the page is in a page file (${what} ${hex(stored)})`);
  }

  private transition(stored: bigint, pte: bigint, offset: number): Walk {
    const frameMask = ((1n << BigInt(this.options.transitionPfnBits)) - 1n) << 12n;
    let base = Number(pte & frameMask);
    if (this.options.invalidPteMask === null && (stored & 0x10n) === 0n && this.memory.locate(base) < 0) {
      const swapped = Number((pte ^ LIKELY_SWIZZLE) & frameMask);
      if (this.memory.locate(swapped) >= 0) base = swapped;
    }
    return { address: base + offset, failure: null };
  }

  private prototype(address: VirtualAddress, pte: bigint, offset: number): Walk {
    const at = virtual(BigInt.asIntN(48, pte >> 16n));
    const entry = this.prototypeEntry(at);
    if (failed(entry)) {
      const { reason, message } = entry;
      return fail(reason, () => `${hex(address)}: its prototype PTE at ${hex(at)} cannot be read: ${message}`);
    }
    if ((entry & 1n) !== 0n) return { address: Number(entry & 0x000ffffffffff000n) + offset, failure: null };
    return this.softwarePte(address, entry, offset, true);
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
}

/** Bits 51:12 of an entry. */
const frame = (low: number, high: number): number => (high & 0xfffff) * TWO_32 + ((low & 0xfffff000) >>> 0);

const nameOf = (level: number): string => LEVELS[level] ?? 'entry';

function fail(reason: FailureReason, message: () => string): Walk {
  return { address: 0, failure: () => new ReadFailure(reason, message()) };
}
