/**
 * What stands where in the hashed pool tag tables of a system: the tag of each slot, and how many slots each page of each
 * table fills. Slots are common to all tables: a table that says otherwise is not what it was.
 */

import { PAGE_SIZE } from '../addresses.js';
import { u32 } from '../bytes/fields.js';
import type { TrackerRecord } from './pool-tracker.js';
import { plainTag } from './tag.js';

/** The pages of one table: records that were seen in each, and those of them with a tag. */
export interface TablePages {
  readonly seen: Uint16Array;
  readonly filled: Uint16Array;
}

/** Gathers them as the tables are read. A page's records are those that begin in it. */
export class TableCensus {
  /** The tag of each slot, without the protected bit, as the first table that has one says; 0 = none. */
  readonly keys: Uint32Array;
  readonly tables: TablePages[] = [];
  /** Slots for which a later table has another tag: each table counts. The last slot, of overflow, is not compared. */
  conflicts = 0;

  constructor(
    private readonly record: TrackerRecord,
    /** Slots of a table, with the overflow slot. */
    readonly slots: number,
  ) {
    this.keys = new Uint32Array(slots);
  }

  /** Pages of one table. */
  get pages(): number {
    return Math.ceil((this.slots * this.record.size) / PAGE_SIZE);
  }

  /** The page in which a slot's record begins. */
  pageOf(slot: number): number {
    return Math.floor((slot * this.record.size) / PAGE_SIZE);
  }

  begin(): void {
    this.tables.push({ seen: new Uint16Array(this.pages), filled: new Uint16Array(this.pages) });
  }

  /** Records of the table that was begun last; the first of them is that of slot `first`. */
  add(bytes: Uint8Array, first: number): void {
    const table = this.tables.at(-1);
    const { size, key } = this.record;
    const count = Math.min(Math.floor(bytes.length / size), this.slots - first);
    if (table === undefined) return;
    for (let i = 0; i < count;) {
      const page = this.pageOf(first + i);
      const end = Math.min(count, Math.ceil(((page + 1) * PAGE_SIZE) / size) - first);
      table.seen[page] = (table.seen[page] ?? 0) + end - i;
      let filled = 0;
      for (; i < end; i++) {
        const tag = plainTag(u32(bytes, i * size + key));
        if (tag === 0) continue;
        filled++;
        const slot = first + i;
        const known = this.keys[slot] ?? 0;
        if (known === 0) this.keys[slot] = tag;
        else if (known !== tag && slot < this.slots - 1) this.conflicts++;
      }
      table.filled[page] = (table.filled[page] ?? 0) + filled;
    }
  }
}
