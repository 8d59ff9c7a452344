/**
 * The pool tag table of a dump: PoolTrackTable, every processor's table and the expansion table, summed one table at a
 * time. What `!poolused` shows.
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, hex } from '../../../parsers/bytes/failure.js';
import { isOfRunningSystem } from '../../../parsers/dump/running-system.js';
import {
  COUNTER_INDEX,
  OVERFLOW_KEY,
  type TrackerRecord,
  type TrackerSums,
} from '../../../parsers/kernel/pool-tracker.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { weakest, type FigureSource, type KernelSymbols, type Sourced } from '../../../symbols/kernel-symbols.js';
import { kernelDoes } from '../../../symbols/generations.js';
import { POOLS, poolUsage } from '../../result/pool.js';
import { toNumber, type PoolKind, type Warning, type WarningCode } from '../../result/result.js';
import { findExpansionTable } from '../find/find-expansion-table.js';
import { findTagTables, type KnownTable } from '../find/find-tag-tables.js';
import { hasOnlyTable } from '../find/only-table.js';
import { inferTableSize } from '../find/pool-table-size.js';
import { recordLayout, type RecordLayout } from '../find/record-layout.js';
import { readMemory } from '../memory/memory.js';
import type { Kernel } from '../open/open-kernel.js';
import { contradictionsOf, excessOf } from './prove-tables.js';
import { TableReader } from './read-tables.js';

/** Slots that a table can have: Windows starts at 64 and doubles with memory. */
const SMALLEST = 64;
const LARGEST = (1 << 22) + 1;
const LARGEST_EXPANSION = 1 << 22;
/** The share of slots from which on some tag may have found none. */
const NEARLY_FULL = 15 / 16;
/** Slots are never freed: the overflow slot of a table that has plenty of them says nothing of an expansion table. */
const HALF_FULL = 1 / 2;
const TAGGING_OFF =
  'pool tagging was off, as it is by default on Windows 2000 and XP: nothing counted the tags. Turn it on with ' +
  '"gflags /r +ptg" (or the check box "Enable pool tagging" in gflags), restart, and collect a dump when pool has grown again';
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
  const warn = (code: WarningCode, message: string): null => {
    warnings.push({ code, where: 'poolTags', message });
    return null;
  };
  const table = readTables(kernel, warn);
  return { table, warnings };
}

type Warn = (code: WarningCode, message: string) => null;

function readTables(kernel: Kernel, warn: Warn): TagTable | null {
  const { memory, symbols } = kernel;
  if (memory === null || symbols === null || kernel.dump.triage !== null) return null;
  const variable = kernel.addressOf('PoolTrackTable');
  if (failed(variable)) return warn('no-pool-table', variable.message);
  const main = mainTable(kernel, warn);
  if (main === null) return null;
  const layout = recordLayout(memory, symbols, main.value);
  if (layout === null) {
    return warn('no-pool-layout', 'the layout of _POOL_TRACKER_TABLE is not known for this kernel');
  }
  if (layout.note !== null) warn('record-layout-inferred', layout.note);
  const { record } = layout;
  const entries = tableSize(memory, symbols, main.value, layout, warn);
  if (entries === null) return null;
  const known = { address: main.value, variable: variable.value, record, entries };
  const processors = processorTables(kernel, memory, symbols, known, warn);
  const addresses = [...new Set([main.value, ...(processors ?? [])])];
  let complete = processors !== null;
  const incomplete = (code: WarningCode, message: string): void => {
    complete = false;
    warn(code, message);
  };
  const expected = hasOnlyTable(kernel) ? 1 : (kernel.dump.header.numberProcessors ?? 1);
  if (processors !== null && addresses.length < expected) {
    incomplete('tables-missing', `${addresses.length} pool tag tables were found for ${expected} processors`);
  }
  const reader = new TableReader(memory, record, entries);
  let near = 0;
  for (const [i, address] of addresses.entries()) {
    if (i === near) near += reader.fetch(addresses.slice(i));
    const { pages, total, first } = reader.addHashed(address);
    if (first === null) continue;
    incomplete(
      'table-unreadable',
      `${pages} of ${total} pages of the pool tag table at ${hex(address)} cannot be read: ${first.message}`,
    );
  }
  if (reader.tables === 0) return null;
  const { sums, census } = reader;
  const isWhole = complete;
  const isHashed = new Set(census.keys);
  const hashed = sums.rows;
  const expansion = expansionTable(kernel, record, (key) => isHashed.has(key), warn);
  if (expansion === 'unreadable') complete = false;
  else if (expansion !== null) {
    const { first } = reader.addExpansion(expansion.address, expansion.entries);
    if (first !== null) {
      incomplete(
        'table-unreadable',
        `the expansion table at ${hex(expansion.address)} cannot be read: ${first.message}`,
      );
    }
  } else if (isWhole && hashed > 0) {
    const full = fullness(reader);
    if (full !== null) incomplete('no-expansion-table', `${full}, and no table for further tags was found`);
  }
  // Of what is missing anyway, sums prove nothing more.
  if (isWhole) {
    const { memory: totals } = readMemory(kernel);
    const used = (pool: PoolKind): number | null => {
      const pages = poolUsage(totals, pool);
      return pages === null ? null : toNumber(pages);
    };
    const against = [
      ...contradictionsOf(census, sums, !isOfRunningSystem(kernel.dump.header)),
      ...POOLS.flatMap((pool) => excessOf(sums, pool, used(pool)) ?? []),
    ];
    for (const { code, message } of against) incomplete(code, message);
  }
  return { sums, tables: reader.tables, entries, source: weakest(main.source, layout.source), complete };
}

/** The table at PoolTrackTable. */
function mainTable(kernel: Kernel, warn: Warn): Sourced<VirtualAddress> | null {
  const main = kernel.pointerAt('PoolTrackTable');
  if (failed(main)) return warn('no-pool-table', `PoolTrackTable cannot be read: ${main.message}`);
  if (main.value !== 0n) return main;
  const build = kernel.identity.buildNumber;
  return build > 0 && !kernelDoes('countsTagsAlways', build)
    ? warn('pool-tagging-off', TAGGING_OFF)
    : warn('no-pool-table', 'PoolTrackTable is null: pool tagging was off or the pointer was not in the dump');
}

/** Why there may be tags that found no slot; null where the tables have room. */
function fullness({ census, sums }: TableReader): string | null {
  const slots = census.slots - 1;
  const used = census.keys.reduce((n, key, slot) => n + (key !== 0 && slot < slots ? 1 : 0), 0);
  if (used >= slots * NEARLY_FULL) return `${used} of ${slots} slots of the pool tag table are taken`;
  const row = sums.rowOf(OVERFLOW_KEY);
  const overflowed =
    row !== null && (sums.sum(row, COUNTER_INDEX.NonPagedAllocs) | sums.sum(row, COUNTER_INDEX.PagedAllocs)) !== 0n;
  return overflowed && used >= slots * HALF_FULL
    ? 'the last slot of the pool tag table counts tags that found no other'
    : null;
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

/** Where the table of tags that found no slot is: by symbols, else by its content. Null where there is none. */
function expansionTable(
  kernel: Kernel,
  record: TrackerRecord,
  isHashed: (key: number) => boolean,
  warn: Warn,
): { address: VirtualAddress; entries: number } | 'unreadable' | null {
  const unreadable = (message: string): 'unreadable' => {
    warn('table-unreadable', message);
    return 'unreadable';
  };
  const address = kernel.pointerAt('PoolTrackTableExpansion');
  const size = kernel.variable('PoolTrackTableExpansionSize');
  const isUnknown = [address, size].some((found) => failed(found) && found.code === 'unknown');
  if (isUnknown) return searchExpansion(kernel, record, isHashed, unreadable, warn);
  if (failed(address) || failed(size)) {
    return unreadable('the pointer to the expansion table of the pool tags cannot be read');
  }
  if (address.value === 0n || size.value === 0n) return null;
  if (size.value > BigInt(LARGEST_EXPANSION)) {
    return unreadable(`PoolTrackTableExpansionSize is ${size.value}, which cannot be true`);
  }
  return { address: address.value, entries: Number(size.value) };
}

function searchExpansion(
  { memory, image, identity }: Kernel,
  record: TrackerRecord,
  isHashed: (key: number) => boolean,
  unreadable: (message: string) => 'unreadable',
  warn: Warn,
): { address: VirtualAddress; entries: number } | 'unreadable' | null {
  if (memory === null || image === null || !kernelDoes('countsTagsAlways', identity.buildNumber)) return null;
  const found = findExpansionTable(memory, image, record, isHashed);
  if (found === null) return null;
  if ('candidates' in found) {
    return unreadable(
      `the expansion table of the pool tags could not be told from other data: ${found.candidates} places fit`,
    );
  }
  warn(
    'expansion-table-searched',
    `no symbols tell where the table of tags that found no slot is; one of ${found.entries} tags was found by its content`,
  );
  return found;
}
