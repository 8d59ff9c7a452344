/**
 * Virtual memory behind page tables: reads and scans over physical pages, given a translation. What an entry looks like
 * is each processor's own business (`resolve`); addresses are pairs of 32-bit words here, and bigint only at the surface.
 */

import { PAGE_SIZE, physical, type PhysicalAddress, type VirtualAddress } from '../addresses.js';
import { failed, Failure, hex, type FailureCode } from '../bytes/failure.js';
import type { PhysicalMemory } from '../dump/physical-memory.js';
import { MemoryBase, MOST_BYTES } from './memory-base.js';
import type { Chunk, PageVisitor, Stretch } from './virtual-memory.js';

const TWO_32 = 0x100000000;
/** Bytes read at once where pages follow each other in the file. */
const BURST = 64 * 1024;
/** The same for pages in the file's order, and how far apart two pages may stand there to be read at once. */
const SWEEP = 1024 * 1024;
const SWEEP_GAP = 16 * 1024;

/** What `resolve` gives when there is no physical address; `why` then tells. */
export const NONE = -1;
const WHY_UNKNOWN = (): Failure => new Failure('corrupt', 'nothing was translated');

/** One address space of a dump. */
export abstract class TranslatedMemory extends MemoryBase {
  /** Levels of page tables. */
  abstract readonly levels: number;

  constructor(
    protected readonly memory: PhysicalMemory,
    /** Physical address of the top-level table. */
    readonly directoryTableBase: PhysicalAddress,
  ) {
    super();
  }

  /** The address space of another top-level table, read by the same rules. */
  abstract rootedAt(root: PhysicalAddress): TranslatedMemory;

  /** The physical address behind a virtual one given as two words, or NONE with `why` set. */
  protected abstract resolve(high: number, low: number): number;

  translate(address: VirtualAddress): PhysicalAddress | Failure {
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

  read(address: VirtualAddress, length: number): Uint8Array | Failure {
    if (length > MOST_BYTES) return new Failure('corrupt', `a read of ${length} bytes is refused`);
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

  override eachPage(pages: Float64Array, visit: PageVisitor): void {
    const offsets = this.fileOffsets(pages);
    offsets.forEach((offset, place) => {
      if (offset < 0) visit(place, null);
    });
    this.eachStretch(offsets, ({ bytes, places, starts }) => {
      for (let k = 0; k < places.length; k++) {
        const at = starts[k] ?? 0;
        visit(places[k] ?? 0, bytes.subarray(at, at + PAGE_SIZE));
      }
    });
  }

  fetch(pages: Float64Array): void {
    this.fetchTables?.(pages);
    this.memory.fetch(this.fileOffsets(pages));
  }

  /** Brings the page tables of many pages near, a level at a time; left out where there are few. */
  protected fetchTables?(pages: Float64Array): void;

  fileOffsets(pages: Float64Array): Float64Array {
    return pages.map((page) => {
      const found = this.resolve(Math.floor(page / TWO_32) >>> 0, page >>> 0);
      return found === NONE ? NONE : this.memory.locate(found);
    });
  }

  eachStretch(offsets: Float64Array, visit: (stretch: Stretch) => void): void {
    const order = new Uint32Array(offsets.length);
    let present = 0;
    for (let i = 0; i < offsets.length; i++) if ((offsets[i] ?? NONE) >= 0) order[present++] = i;
    if (present === 0) return;
    const inFile = order.subarray(0, present).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
    const offsetOf = (k: number): number => offsets[inFile[k] ?? 0] ?? 0;
    const { gap = SWEEP_GAP, longest = SWEEP } = this.memory.pace ?? {};
    const buffer = new Uint8Array(Math.min(longest, present * PAGE_SIZE + (present - 1) * gap));
    const starts = new Uint32Array(present);
    for (let from = 0; from < present;) {
      const start = offsetOf(from);
      let to = from + 1;
      for (; to < present; to++) {
        const offset = offsetOf(to);
        if (offset - offsetOf(to - 1) > gap || offset + PAGE_SIZE - start > buffer.length) break;
        starts[to] = offset - start;
      }
      const bytes = buffer.subarray(0, offsetOf(to - 1) + PAGE_SIZE - start);
      this.memory.readAt(start, bytes);
      visit({ bytes, places: inFile.subarray(from, to), starts: starts.subarray(from, to) });
      from = to;
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

  /** The buffer of `chunks`, while no walk uses it. */
  private idleBuffer: Uint8Array | null = null;
  /** Says why the last `resolve` gave NONE. */
  protected why: () => Failure = WHY_UNKNOWN;

  /** Gives NONE, and has `why` say of the address, given as two words, what `message` says; `level` as FailurePlace has it. */
  protected fail(code: FailureCode, high: number, low: number, level: number, message: () => string): number {
    this.why = () => {
      const address = join(high, low);
      return new Failure(code, `${hex(address)}: ${message()}`, { address, level });
    };
    return NONE;
  }
}

const highOf = (address: VirtualAddress): number => Number(address >> 32n);
const lowOf = (address: VirtualAddress): number => Number(address & 0xffffffffn);

/** Two words as one 64-bit value. */
export const join = (high: number, low: number): bigint => (BigInt(high) << 32n) | BigInt(low);
