/** The dumped machine's physical memory: reads by physical address through a page index. */

import { fileOffset, PAGE_SIZE, pfn, type PhysicalAddress } from '../addresses.js';
import { hex, Failure } from '../bytes/failure.js';
import type { ReadPace } from '../bytes/read-pace.js';
import type { ByteSource } from '../bytes/source.js';
import { ABSENT, type PageIndex } from './page-index.js';

/** Page-table pages kept as words: 8 MB at most. */
const TABLES_KEPT = 2048;

/** Why `locate` gave no file offset. */
export const NOT_IN_DUMP = -1;
export const PAST_END = -2;

/** Physical pages of a dump. */
export class PhysicalMemory {
  private readonly tables = new Map<number, Uint32Array>();

  constructor(
    private readonly source: ByteSource,
    private readonly index: PageIndex,
  ) {}

  /** The file offset of a physical byte, or NOT_IN_DUMP, or PAST_END where the file ends before the page does. */
  locate(address: number): number {
    const page = Math.floor(address / PAGE_SIZE);
    const offset = this.index.offsetOf(pfn(page));
    if (offset === ABSENT) return NOT_IN_DUMP;
    if (offset + PAGE_SIZE > this.source.byteLength) return PAST_END;
    return offset + (address - page * PAGE_SIZE);
  }

  /** Copies `target.length` bytes at a file offset that `locate` gave for that many bytes. */
  readAt(offset: number, target: Uint8Array): void {
    this.source.read(fileOffset(offset), target);
  }

  /** How long reads of the dump take, where that is measured. */
  get pace(): ReadPace | undefined {
    return this.source.pace;
  }

  /** Brings pages near that are read next: at file offsets that `locate` gave, below 0 for none. */
  fetch(offsets: Float64Array): void {
    this.source.fetch?.(offsets.filter((offset) => offset >= 0));
  }

  /** The same for page tables, by their physical addresses. */
  fetchTables(addresses: Iterable<number>): void {
    const unknown = Float64Array.from(addresses).filter((address) => !this.tables.has(address));
    if (unknown.length > 1) this.fetch(unknown.map((address) => this.locate(address)));
  }

  /** Fills `target` from bytes of one physical page; null when it worked. */
  read(address: PhysicalAddress, target: Uint8Array): Failure | null {
    const offset = this.locate(address);
    if (offset < 0) return this.failure(address, offset);
    this.readAt(offset, target);
    return null;
  }

  /**
   * A whole page as 1024 words, kept for the next time: for page tables. Null where the page is missing; ask
   * `failure(address, locate(address))` why.
   */
  table(address: number): Uint32Array | null {
    const known = this.tables.get(address);
    if (known !== undefined) return known;
    const offset = this.locate(address);
    if (offset < 0) return null;
    const words = new Uint32Array(PAGE_SIZE / 4);
    this.readAt(offset, new Uint8Array(words.buffer));
    if (this.tables.size >= TABLES_KEPT) this.tables.clear();
    this.tables.set(address, words);
    return words;
  }

  /** The failure for what `locate` gave. */
  failure(address: number, located: number, what = 'page'): Failure {
    const page = hex(Math.floor(address / PAGE_SIZE));
    const name = `the ${what} (physical page ${page})`;
    return located === PAST_END
      ? new Failure('short-file', `${name} should be in the dump, but the file ends before it`, { physical: address })
      : new Failure('not-in-dump', `${name} is not in this dump`, { physical: address });
  }
}
