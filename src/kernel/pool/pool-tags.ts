/**
 * The pool tag table of a dump: PoolTrackTable, every processor's table and the expansion table, summed one table at a
 * time. What `!poolused` shows.
 */

import { PAGE_SIZE, plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex, type ReadFailure } from '../../../parsers/bytes/failure.js';
import { COUNTERS, TrackerSums, type TrackerRecord } from '../../../parsers/kernel/pool-tracker.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { weakest, type FigureSource, type KernelSymbols } from '../../../symbols/kernel-symbols.js';
import type { Warning } from '../../result/result.js';
import { findTagTables, type KnownTable } from '../find/find-tag-tables.js';
import { hasOnlyTable } from '../find/only-table.js';
import type { Kernel } from '../open/open-kernel.js';
import { inferTableSize } from '../find/pool-table-size.js';
import { recordLayout, type RecordLayout } from '../find/record-layout.js';

/** Slots that a table can have: Windows starts at 64 and doubles with memory. */
const SMALLEST = 64;
const LARGEST = (1 << 22) + 1;
const LARGEST_EXPANSION = 1 << 22;
/** Windows Server 2003: from then on tags are counted on every system. */
const TAGGING_ALWAYS_ON = 3790;
const TAGGING_OFF =
  'pool tagging was off, as it is by default on Windows 2000 and XP: nothing counted the tags. Turn it on with ' +
  '"gflags /r +ptg" (or the check box "Enable pool tagging" in gflags), restart, and collect a dump when pool has grown again';
/** Bytes of the longest piece that `chunks` gives. */
const LARGEST_CHUNK = 64 * 1024;

/** The summed tables. */
export interface TagTable {
  readonly sums: TrackerSums;
  /** Tables that were read, at least in part. */
  readonly tables: number;
  /** Slots in one hashed table. */
  readonly entries: number;
  readonly source: FigureSource;
  /** Every table was found and read whole. */
  readonly complete: boolean;
}

/** Reads and sums the tables. Null where there is no table to read, with a warning that says why. */
export function readPoolTags(kernel: Kernel): { table: TagTable | null; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): null => {
    warnings.push({ code, where: 'poolTags', message });
    return null;
  };
  const table = readTables(kernel, warn);
  return { table, warnings };
}

type Warn = (code: string, message: string) => null;

function readTables(kernel: Kernel, warn: Warn): TagTable | null {
  const { memory, symbols } = kernel;
  if (memory === null || symbols === null || kernel.dump.triage !== null) return null;
  const variable = symbols.address('PoolTrackTable');
  if (variable === null) return warn('no-pool-table', 'nothing tells where PoolTrackTable is');
  const main = memory.readPointer(variable.value);
  if (failed(main)) return warn('no-pool-table', `PoolTrackTable cannot be read: ${main.message}`);
  if (main === 0n) {
    const build = kernel.identity.buildNumber;
    return build > 0 && build < TAGGING_ALWAYS_ON
      ? warn('pool-tagging-off', TAGGING_OFF)
      : warn('no-pool-table', 'PoolTrackTable is null: pool tagging was off or the pointer was not in the dump');
  }
  const layout = recordLayout(memory, symbols, main);
  if (layout === null) {
    return warn('no-pool-layout', 'the layout of _POOL_TRACKER_TABLE is not known for this kernel');
  }
  if (layout.note !== null) warn('record-layout-inferred', layout.note);
  const { record } = layout;
  const entries = tableSize(memory, symbols, main, layout, warn);
  if (entries === null) return null;
  const known = { address: main, variable: variable.value, record, entries };
  const processors = processorTables(kernel, memory, symbols, known, warn);
  const addresses = [...new Set([main, ...(processors ?? [])])];
  const expected = hasOnlyTable(kernel) ? 1 : (kernel.dump.header.numberProcessors ?? 1);
  let complete = processors !== null;
  if (processors !== null && addresses.length < expected) {
    complete = false;
    warn('tables-missing', `${addresses.length} pool tag tables were found for ${expected} processors`);
  }
  const sums = new TrackerSums(record, entries);
  let tables = 0;
  for (const address of addresses) {
    const missing = addTable(memory, sums, record, address, entries, true);
    if (missing.pages < missing.total) tables++;
    if (missing.first !== null) {
      complete = false;
      warn(
        'table-unreadable',
        `${missing.pages} of ${missing.total} pages of the pool tag table at ${hex(address)} cannot be read: ${missing.first.message}`,
      );
    }
  }
  if (tables === 0) return null;
  if (complete && symbols.address('ExPoolTagTables') === null && !agree(sums, warn)) complete = false;
  if (symbols.address('PoolTrackTableExpansion') === null && sums.rows >= entries - 1) {
    complete = false;
    warn(
      'no-expansion-table',
      'every slot of the pool tag table is taken, and no symbols tell where the table for further tags is',
    );
  }
  const expansion = expansionTable(memory, symbols, warn);
  if (expansion === 'unreadable') complete = false;
  else if (expansion !== null) {
    const missing = addTable(memory, sums, record, expansion.address, expansion.entries, false);
    if (missing.pages < missing.total) tables++;
    if (missing.first !== null) {
      complete = false;
      warn(
        'table-unreadable',
        `the expansion table at ${hex(expansion.address)} cannot be read: ${missing.first.message}`,
      );
    }
  }
  return { sums, tables, entries, source: weakest(variable.source, layout.source), complete };
}

/** PoolTrackTableSize, checked against PoolTrackTableMask; where no symbol knows it, inferred from the table's hashing. */
function tableSize(
  memory: VirtualMemory,
  symbols: KernelSymbols,
  table: VirtualAddress,
  layout: RecordLayout,
  warn: Warn,
): number | null {
  const variable = symbols.address('PoolTrackTableSize');
  const stored = variable === null ? null : memory.readPointer(variable.value);
  if (stored === null) {
    const inferred = layout.size ?? inferTableSize(memory, table, layout.record);
    if (inferred === null) return warn('no-pool-size', 'the size of the pool tag table is not known for this kernel');
    const from = inferred.by === 'hash' ? 'where its tags stand' : 'how far its records go';
    warn('pool-size-inferred', `the size of the pool tag table (${inferred.slots} slots) was inferred from ${from}`);
    return inferred.slots;
  }
  if (failed(stored)) return warn('no-pool-size', `PoolTrackTableSize cannot be read: ${stored.message}`);
  if (stored < BigInt(SMALLEST) || stored > BigInt(LARGEST)) {
    return warn('no-pool-size', `PoolTrackTableSize is ${stored}, which cannot be true`);
  }
  const maskAt = symbols.address('PoolTrackTableMask');
  const mask = maskAt === null ? null : memory.readPointer(maskAt.value);
  if (mask !== null && !failed(mask) && mask + 2n !== stored && mask + 1n !== stored) {
    warn(
      'pool-size-odd',
      `PoolTrackTableSize (${stored}) and PoolTrackTableMask (${hex(mask)}) do not belong together`,
    );
  }
  return Number(stored);
}

/** The tables of ExPoolTagTables, where no symbol knows it found by their content; null where it could not be read. */
function processorTables(
  kernel: Kernel,
  memory: VirtualMemory,
  symbols: KernelSymbols,
  main: KnownTable,
  warn: Warn,
): VirtualAddress[] | null {
  const array = symbols.address('ExPoolTagTables');
  const capacity = symbols.poolTagTablesCapacity;
  if (array === null || capacity === null) {
    if (hasOnlyTable(kernel)) return [];
    const found = kernel.image === null ? null : findTagTables(memory, kernel.image, main);
    if (found === null) {
      return warn(
        'no-processor-tables',
        'the tables of the single processors (ExPoolTagTables) could not be found: only the first table was read, and the figures are partial',
      );
    }
    warn(
      'processor-tables-searched',
      `no symbols tell where the tables of the single processors are; ${found.length} were found in the kernel's data by their content`,
    );
    return found;
  }
  const tables: VirtualAddress[] = [];
  const pointerSize = memory.pointerSize;
  for (let i = 0; i < capacity; i++) {
    const table = memory.readPointer(plus(array.value, i * pointerSize));
    if (failed(table)) {
      return warn('no-processor-tables', `ExPoolTagTables cannot be read: ${table.message}`);
    }
    if (table !== 0n) tables.push(table);
  }
  return tables;
}

/** Tags that may have more frees than allocations where all tables are there: counters move while a live dump is written. */
const ODD_SHARE = 0.01;
const ODD_ROWS = 2;

/** Whether the sums can be those of all tables: memory is freed on other processors than allocated it, so those of a part cannot. */
function agree(sums: TrackerSums, warn: Warn): boolean {
  let odd = 0;
  for (let row = 0; row < sums.rows; row++) {
    if (isBelowZero(sums, row, 'NonPaged') || isBelowZero(sums, row, 'Paged')) odd++;
  }
  if (odd <= Math.max(ODD_ROWS, sums.rows * ODD_SHARE)) return true;
  warn(
    'tables-inconsistent',
    `${odd} of ${sums.rows} tags have more frees than allocations in the tables that were found: some table is missing`,
  );
  return false;
}

function isBelowZero(sums: TrackerSums, row: number, pool: 'NonPaged' | 'Paged'): boolean {
  const counter = (name: 'Allocs' | 'Frees' | 'Bytes'): number => COUNTER_INDEX[`${pool}${name}`];
  const [allocs, frees, bytes] = [counter('Allocs'), counter('Frees'), counter('Bytes')];
  const outstanding = BigInt.asIntN(sums.width(allocs), sums.sum(row, allocs) - sums.sum(row, frees));
  return outstanding < 0n || BigInt.asIntN(sums.width(bytes), sums.sum(row, bytes)) < 0n;
}

function expansionTable(
  memory: VirtualMemory,
  symbols: KernelSymbols,
  warn: Warn,
): { address: VirtualAddress; entries: number } | 'unreadable' | null {
  const tableAt = symbols.address('PoolTrackTableExpansion');
  const sizeAt = symbols.address('PoolTrackTableExpansionSize');
  if (tableAt === null || sizeAt === null) return null;
  const address = memory.readPointer(tableAt.value);
  const size = memory.readPointer(sizeAt.value);
  if (failed(address) || failed(size)) {
    warn('table-unreadable', 'the pointer to the expansion table of the pool tags cannot be read');
    return 'unreadable';
  }
  if (address === 0n || size === 0n) return null;
  if (size > BigInt(LARGEST_EXPANSION)) {
    warn('table-unreadable', `PoolTrackTableExpansionSize is ${size}, which cannot be true`);
    return 'unreadable';
  }
  return { address: virtual(address), entries: Number(size) };
}

interface Missing {
  pages: number;
  total: number;
  first: ReadFailure | null;
}

/** Adds one table page by page; a record of which a part is missing is left out. */
function addTable(
  memory: VirtualMemory,
  sums: TrackerSums,
  record: TrackerRecord,
  address: VirtualAddress,
  entries: number,
  hashed: boolean,
): Missing {
  const missing: Missing = { pages: 0, total: 0, first: null };
  const size = record.size;
  const work = new Uint8Array(LARGEST_CHUNK + size);
  /** Bytes of an unfinished record at the start of `work`. */
  let carried = 0;
  /** The table offset of the first byte in `work`. */
  let start = 0;
  let offset = 0;
  for (const chunk of memory.chunks(address, entries * size)) {
    missing.total += Math.ceil(chunk.length / PAGE_SIZE);
    offset += chunk.length;
    if (failed(chunk.bytes)) {
      missing.pages++;
      missing.first ??= chunk.bytes;
      carried = 0;
      start = Math.ceil(offset / size) * size;
      // Nothing can be true about a table that is missing from its start on.
      if (missing.pages >= 64 && missing.pages === missing.total) break;
      continue;
    }
    const skip = carried === 0 ? Math.min(chunk.length, Math.max(0, start - chunk.offset)) : 0;
    work.set(chunk.bytes.subarray(skip), carried);
    const filled = carried + chunk.length - skip;
    const whole = filled - (filled % size);
    sums.add(work.subarray(0, whole), start / size, hashed);
    work.copyWithin(0, whole, filled);
    carried = filled - whole;
    start += whole;
  }
  return missing;
}

/** Positions of the counters in a TrackerSums row. */
export const COUNTER_INDEX = Object.fromEntries(COUNTERS.map((name, i) => [name, i])) as Record<
  (typeof COUNTERS)[number],
  number
>;
