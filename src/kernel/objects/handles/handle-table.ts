/**
 * One handle table: its levels, and its leaves in order (reference: objects-and-pool-blocks, sections 5.1 and 5.2). The
 * table of process and thread ids has the same form.
 */

import { PAGE_SIZE, plus, small, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed, hex, Failure } from '../../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../../parsers/bytes/fields.js';
import {
  decodeLeaf,
  entriesOfLeaf,
  type HandleBatch,
  type HandleEncoding,
} from '../../../../parsers/kernel/objects/handle-entries.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import type { ObjectLayouts } from '../layouts.js';
import { inKernel } from '../roots.js';

/** A `_HANDLE_TABLE`. */
export interface HandleTable {
  readonly address: VirtualAddress;
  /** Levels of pages above the leaves: 0 to 2. */
  readonly level: 0 | 1 | 2;
  /** The topmost page. */
  readonly base: VirtualAddress;
  /** The first handle that has no entry yet; null where it cannot be that. */
  readonly next: number | null;
  /** What the table itself counts; null where the count cannot be read. */
  readonly handleCount: number | null;
  /** False where there may be further counts: Windows 8 and later keep one in each free list, and not how many there are. */
  readonly countIsWhole: boolean;
  readonly processId: number | null;
}

/** What a walk along a table's leaves met. */
export interface LeafWalk {
  readonly leaves: number;
  /** Leaves that the dump does not hold. What they held is unknown. */
  readonly leavesMissing: number;
  /** Pages above the leaves that the dump does not hold. How many leaves they led to is unknown. */
  readonly tablesMissing: number;
  /** True when the walk ended at a bound and not at the end of the table. */
  readonly bounded: boolean;
  /** The first thing that failed. */
  readonly failure: Failure | null;
}

/** Leaves that are read at once: 2 MB. */
const LEAVES_AT_ONCE = 512;
/** Handles of a process are at most 2^24. */
const MOST_ENTRIES = 1 << 24;

/** Reads a table's own record. */
export function readHandleTable(
  memory: VirtualMemory,
  layouts: ObjectLayouts,
  address: VirtualAddress,
): HandleTable | Failure {
  const layout = layouts.layout('_HANDLE_TABLE')?.value;
  const codeAt = layout?.fields['TableCode']?.offset;
  const nextAt = layout?.fields['NextHandleNeedingPool']?.offset;
  if (layout === undefined || codeAt === undefined || nextAt === undefined) {
    return new Failure('corrupt', 'the layout of _HANDLE_TABLE is not known');
  }
  const bytes = memory.read(address, layout.size);
  if (failed(bytes)) return bytes;
  const code = memory.pointerSize === 8 ? u64(bytes, codeAt) : BigInt(u32(bytes, codeAt));
  const level = Number(code & 3n);
  const base = virtual(code - (code & 7n));
  if (level === 3 || (base & 0xfffn) !== 0n || !inKernel({ memory }, base)) {
    return new Failure('corrupt', `the table code ${hex(code)} at ${hex(address)} leads to no handle table`, {
      address,
    });
  }
  const next = u32(bytes, nextAt);
  const countAt = layout.fields['HandleCount']?.offset;
  const idAt = layout.fields['UniqueProcessId']?.offset;
  return {
    address,
    level: level as 0 | 1 | 2,
    base,
    next: next === 0 || next % 4 !== 0 || next / 4 > MOST_ENTRIES ? null : next,
    countIsWhole: countAt !== undefined,
    handleCount: countAt === undefined ? countOfLists(memory, layouts, address, layout.size) : u32(bytes, countAt),
    processId: idAt === undefined ? null : u32(bytes, idAt),
  };
}

/** The count of the first free list: the only one that is always there. */
function countOfLists(
  memory: VirtualMemory,
  layouts: ObjectLayouts,
  table: VirtualAddress,
  tableSize: number,
): number | null {
  const lists = layouts.offset('_HANDLE_TABLE', 'FreeLists');
  const list = layouts.layout('_HANDLE_TABLE_FREE_LIST')?.value;
  const count = list?.fields['HandleCount']?.offset;
  if (lists === null || list === undefined || count === undefined || lists + list.size > tableSize) return null;
  const value = memory.readU32(plus(table, lists + count));
  return failed(value) || value > MOST_ENTRIES ? null : value;
}

/**
 * Adds the handles of a table to `into`. Leaves are read in order, those that follow each other in memory at once.
 * @param most handles that may be added: a bound, reached only by tables that are not what they seem.
 */
export function walkHandleTable(
  memory: VirtualMemory,
  table: HandleTable,
  encoding: HandleEncoding,
  into: HandleBatch,
  most: number,
): LeafWalk {
  return new TableWalk(memory, table, encoding, into, most).run();
}

/** Entries that a table has made, used and free ones: at most what its levels can hold. */
export function entriesOf(table: HandleTable, pointerSize: 4 | 8): number {
  const perLeaf = PAGE_SIZE / (pointerSize * 2);
  const capacity = Math.min(MOST_ENTRIES, perLeaf * (PAGE_SIZE / pointerSize) ** table.level);
  return table.next === null ? capacity : Math.min(table.next / 4, capacity);
}

class TableWalk {
  private leaves = 0;
  private leavesMissing = 0;
  private tablesMissing = 0;
  private bounded = false;
  private failure: Failure | null = null;
  private readonly perLeaf: number;
  private readonly perTable: number;
  /** Entries that are in use or free; those after them were never made. */
  private readonly entries: number;
  private readonly start: number;
  /** Pages below the top: none stands twice in a table. */
  private readonly seen = new Set<bigint>();

  constructor(
    private readonly memory: VirtualMemory,
    private readonly table: HandleTable,
    private readonly encoding: HandleEncoding,
    private readonly into: HandleBatch,
    private readonly most: number,
  ) {
    this.perLeaf = entriesOfLeaf(encoding);
    this.perTable = PAGE_SIZE / memory.pointerSize;
    this.entries = entriesOf(table, memory.pointerSize);
    this.start = into.count;
  }

  run(): LeafWalk {
    const { level, base } = this.table;
    if (level === 0) this.readLeaves([base], 0);
    else if (level === 1) this.readTable(base, 0);
    else this.readTop(base);
    const { leaves, leavesMissing, tablesMissing, bounded, failure } = this;
    return { leaves, leavesMissing, tablesMissing, bounded, failure };
  }

  private readTop(base: VirtualAddress): void {
    const span = this.perLeaf * this.perTable;
    for (const [i, table] of this.pointers(base, Math.ceil(this.entries / span)).entries()) {
      if (this.bounded) return;
      if (table === null) this.tablesMissing++;
      else this.readTable(table, i * span);
    }
  }

  private readTable(table: VirtualAddress, firstEntry: number): void {
    this.readLeaves(this.pointers(table, Math.ceil((this.entries - firstEntry) / this.perLeaf)), firstEntry);
  }

  /**
   * The pages that a page above them leads to, null for one that stands wrong in it: of a table whose end is known none
   * may be missing before it. Nothing for a page that is not in the dump.
   */
  private pointers(page: VirtualAddress, count: number): (VirtualAddress | null)[] {
    const { memory } = this;
    const size = memory.pointerSize;
    const bytes = memory.read(page, Math.max(0, Math.min(count, this.perTable)) * size);
    if (failed(bytes)) {
      this.tablesMissing++;
      this.fail(bytes);
      return [];
    }
    const found: (VirtualAddress | null)[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const value = size === 8 ? u64(bytes, at) : BigInt(u32(bytes, at));
      if (value === 0n && this.table.next === null) break;
      const isPage = (value & 0xfffn) === 0n && inKernel({ memory }, value) && !this.seen.has(value);
      if (isPage) this.seen.add(value);
      else
        this.fail(
          new Failure('corrupt', `${hex(value)} in a handle table at ${hex(page)} leads to no page of its own`),
        );
      found.push(isPage ? virtual(value) : null);
    }
    return found;
  }

  private fail(failure: Failure): void {
    this.failure ??= failure;
  }

  private readLeaves(leaves: readonly (VirtualAddress | null)[], firstEntry: number): void {
    this.leaves += leaves.length;
    for (let from = 0; from < leaves.length && !this.bounded; from += LEAVES_AT_ONCE) {
      this.readPart(leaves.slice(from, from + LEAVES_AT_ONCE), firstEntry + from * this.perLeaf);
    }
  }

  /** Pages come in the order of the file; handles are taken in the order of their values. */
  private readPart(leaves: readonly (VirtualAddress | null)[], firstEntry: number): void {
    const real = leaves.flatMap((leaf, i) => (leaf === null ? [] : [{ leaf, i }]));
    const words = new Uint32Array((leaves.length * PAGE_SIZE) / 4);
    const bytes = new Uint8Array(words.buffer);
    const present = new Uint8Array(leaves.length);
    this.memory.eachPage(
      Float64Array.from(real, ({ leaf }) => small(leaf)),
      (place, page) => {
        const one = real[place];
        if (one === undefined || page === null) return;
        present[one.i] = 1;
        bytes.set(page, one.i * PAGE_SIZE);
      },
    );
    for (const [i, leaf] of leaves.entries()) {
      const entry = firstEntry + i * this.perLeaf;
      if (present[i] === 0) {
        this.leavesMissing++;
        const why = leaf === null ? null : this.memory.read(leaf, PAGE_SIZE);
        if (failed(why)) this.fail(why);
      } else if (this.into.count - this.start + this.perLeaf > this.most) {
        this.bounded = true;
        return;
      } else {
        const page = words.subarray((i * PAGE_SIZE) / 4, ((i + 1) * PAGE_SIZE) / 4);
        decodeLeaf(page, this.encoding, entry * 4, Math.min(this.perLeaf, this.entries - entry), this.into);
      }
    }
  }
}
