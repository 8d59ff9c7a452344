/** Reads pool tag tables into sums and a census: one table at a time, page by page. */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { MOST_FETCHED } from '../../../parsers/bytes/cached-source.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { TrackerSums, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import { TableCensus } from '../../../parsers/kernel/table-census.js';
import { fetchPages, type VirtualMemory } from '../../../parsers/paging/virtual-memory.js';

/** Bytes of the longest piece that `chunks` gives. */
const LARGEST_CHUNK = 64 * 1024;
/** Nothing can be true about a table that is missing from its start on. */
const MOST_MISSING = 64;

/** What of a table could not be read. */
export interface Missing {
  pages: number;
  total: number;
  first: Failure | null;
}

/** The tables as they are read. */
export class TableReader {
  readonly sums: TrackerSums;
  readonly census: TableCensus;
  /** Tables of which at least a part was read. */
  tables = 0;
  private readonly work: Uint8Array;

  constructor(
    private readonly memory: VirtualMemory,
    readonly record: TrackerRecord,
    /** Slots of a hashed table. */
    readonly entries: number,
  ) {
    this.sums = new TrackerSums(record, entries);
    this.census = new TableCensus(record, entries);
    this.work = new Uint8Array(LARGEST_CHUNK + record.size);
  }

  /** Brings tables near that are read next, as many of the first as are read at once; gives how many these are. */
  fetch(addresses: readonly VirtualAddress[]): number {
    const pages = Math.ceil((this.entries * this.record.size) / PAGE_SIZE) + 1;
    const count = Math.max(1, Math.floor(MOST_FETCHED / pages));
    const wanted = addresses.slice(0, count).flatMap((address) => Array.from({ length: pages }, (_, i) => plus(address, i * PAGE_SIZE))); // prettier-ignore
    if (pages <= MOST_FETCHED) fetchPages(this.memory, wanted);
    return count;
  }

  /** A table of which slots are common to all processors. */
  addHashed(address: VirtualAddress): Missing {
    this.census.begin();
    return this.add(address, this.entries, (bytes, first) => {
      this.census.add(bytes, first);
      this.sums.add(bytes, first, true);
    });
  }

  /** The expansion table, where a slot means nothing. */
  addExpansion(address: VirtualAddress, entries: number): Missing {
    return this.add(address, entries, (bytes, first) => {
      this.sums.add(bytes, first, false);
    });
  }

  /** Gives whole records on, with the number of the first; a record of which a part is missing is left out. */
  private add(address: VirtualAddress, entries: number, take: (bytes: Uint8Array, first: number) => void): Missing {
    const missing: Missing = { pages: 0, total: 0, first: null };
    const { work } = this;
    const { size } = this.record;
    /** Bytes of an unfinished record at the start of `work`. */
    let carried = 0;
    /** The table offset of the first byte in `work`. */
    let start = 0;
    let offset = 0;
    for (const chunk of this.memory.chunks(address, entries * size)) {
      missing.total += Math.ceil(chunk.length / PAGE_SIZE);
      offset += chunk.length;
      if (failed(chunk.bytes)) {
        missing.pages++;
        missing.first ??= chunk.bytes;
        carried = 0;
        start = Math.ceil(offset / size) * size;
        if (missing.pages >= MOST_MISSING && missing.pages === missing.total) break;
        continue;
      }
      const skip = carried === 0 ? Math.min(chunk.length, Math.max(0, start - chunk.offset)) : 0;
      work.set(chunk.bytes.subarray(skip), carried);
      const filled = carried + chunk.length - skip;
      const whole = filled - (filled % size);
      take(work.subarray(0, whole), start / size);
      work.copyWithin(0, whole, filled);
      carried = filled - whole;
      start += whole;
    }
    if (missing.pages < missing.total) this.tables++;
    return missing;
  }
}
