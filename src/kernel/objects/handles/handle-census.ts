/**
 * Every handle of every process, and the objects that they lead to: counted into typed arrays, no value a handle
 * (reference: objects-and-pool-blocks, section 5).
 */

import { failed, type Failure } from '../../../../parsers/bytes/failure.js';
import { HandleBatch, type HandleEncoding } from '../../../../parsers/kernel/objects/handle-entries.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../../result/result.js';
import { findEncoding } from './handle-encoding.js';
import { entriesOf, readHandleTable, walkHandleTable, type HandleTable, type LeafWalk } from './handle-table.js';
import { scanHeaders, type HeaderFacts } from '../header-scan.js';
import type { ObjectLayouts } from '../layouts.js';
import { ObjectIndex } from '../object-index.js';
import type { Process } from '../process-list.js';
import type { ObjectRoots } from '../roots.js';
import type { TypeDecoder } from '../type-decoder.js';

/** What was found in the table of one process. */
export interface ProcessHandles {
  readonly process: Process;
  /** Its handles are those from `first` to before `end` in the census. */
  readonly first: number;
  readonly end: number;
  /** The table counts otherwise, although all of it was read. */
  readonly contradicted: boolean;
  /** Leaves of 256 entries (512 on 32-bit systems) that the dump does not hold. */
  readonly leavesMissing: number;
  /** Every leaf was read: `end - first` is the number of its handles. */
  readonly complete: boolean;
  readonly failure: Failure | null;
}

/** All handles. Handles of one process stand together. */
export interface HandleCensus {
  readonly encoding: HandleEncoding;
  readonly tables: readonly ProcessHandles[];
  readonly handles: number;
  /** By handle: the number of its object. */
  readonly object: Uint32Array;
  /** By handle: its value. */
  readonly value: Uint32Array;
  /** By handle: the access that it grants. */
  readonly access: Uint32Array;
  readonly objects: ObjectIndex;
  /** By object: what its header says. */
  readonly facts: HeaderFacts;
  /** By object: handles that were found. */
  readonly handlesFound: Uint32Array;
  /** By object: what its handles have in stock of its pointer count. */
  readonly stock: Float64Array;
  readonly source: FigureSource;
  /** False where a table, a leaf or the budget left handles out. */
  readonly complete: boolean;
  readonly warnings: readonly Warning[];
}

/** Room for so many handles at most is made beforehand: 40 MB. */
const MOST_EXPECTED = 2_000_000;

/** Called with how many of the tables are done. */
export type Progress = (done: number, total: number) => void;

/** Reads all tables. Null, with a warning, where nothing tells how their entries are written. */
export function readHandleCensus(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  decoder: TypeDecoder,
  processes: readonly Process[],
  most: number,
  progress?: Progress,
): { census: HandleCensus | null; warnings: Warning[] } {
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'handles', message });
  };
  const withTable = processes.filter((process) => process.objectTable !== null);
  const encoding = findEncoding(
    roots,
    layouts,
    decoder,
    withTable.flatMap(({ objectTable }) => objectTable ?? []),
  );
  if (encoding === null) {
    if (withTable.length > 0) {
      warn('handles-unreadable', 'no handle table could be read in a form by which its entries lead to objects');
    }
    return { census: null, warnings };
  }
  const batch = new HandleBatch();
  batch.reserve(expectedHandles(roots, layouts, withTable, most));
  const objects = new ObjectIndex();
  let object = new Uint32Array(0);
  const tables: ProcessHandles[] = [];
  const seen = new Set<bigint>();
  let outOfBudget = 0;
  for (const [i, process] of withTable.entries()) {
    const address = process.objectTable ?? 0n;
    // Two processes never share a table: the second has a wild pointer, or is the same one once more.
    const isNew = !seen.has(address);
    seen.add(address);
    const first = batch.count;
    const table = readHandleTable(roots.memory, layouts, address as NonNullable<Process['objectTable']>);
    const left = most - first;
    if (!isNew || failed(table) || left <= 0) {
      if (isNew && left <= 0) outOfBudget++;
      const failure = failed(table) ? table : null;
      tables.push({ process, first, end: first, contradicted: false, leavesMissing: 0, complete: false, failure });
      continue;
    }
    const walk = walkHandleTable(roots.memory, table, encoding, batch, left);
    if (walk.bounded) outOfBudget++;
    if (object.length < batch.header.length) {
      const grown = new Uint32Array(batch.header.length);
      grown.set(object);
      object = grown;
    }
    const { header } = batch;
    for (let k = first; k < batch.count; k++) object[k] = objects.numberOf(header[k] ?? 0);
    tables.push(found(process, table, walk, first, batch.count));
    progress?.(i + 1, withTable.length);
  }
  const { count } = batch;
  const handlesFound = new Uint32Array(objects.count);
  const stock = new Float64Array(objects.count);
  for (let k = 0; k < count; k++) {
    const o = object[k] ?? 0;
    handlesFound[o] = (handlesFound[o] ?? 0) + 1;
    stock[o] = (stock[o] ?? 0) + (batch.stock[k] ?? 0);
  }
  const missing = tables.reduce((sum, table) => sum + table.leavesMissing, 0);
  const unread = tables.filter((table) => table.failure !== null && table.first === table.end).length;
  if (outOfBudget > 0) {
    warn(
      'handles-bounded',
      `reading stopped at ${count} handles: those of ${outOfBudget} processes are not all counted`,
    );
  }
  if (missing > 0) {
    warn(
      'handle-pages-missing',
      `${missing} pages of handle tables are not in the dump: what handles they hold is unknown`,
    );
  }
  const contradicted = tables.filter((table) => table.contradicted).length;
  if (contradicted > 0) {
    warn(
      'handle-counts-differ',
      `the handle tables of ${contradicted} processes hold another number of handles than they count`,
    );
  }
  if (unread > 0) warn('handle-tables-unreadable', `the handle tables of ${unread} processes could not be read`);
  const census: HandleCensus = {
    encoding,
    tables,
    handles: count,
    object,
    value: batch.handle,
    access: batch.access,
    objects,
    facts: scanHeaders(roots.memory, objects, decoder),
    handlesFound,
    stock,
    source: layouts.layout('_HANDLE_TABLE')?.source ?? layouts.source,
    complete: tables.every((table) => table.complete),
    warnings,
  };
  return { census, warnings };
}

/** As many as the tables have entries for, where that can be: what is made room for at once need not be moved. */
function expectedHandles(
  roots: ObjectRoots,
  layouts: ObjectLayouts,
  processes: readonly Process[],
  most: number,
): number {
  let entries = 0;
  for (const { objectTable } of processes) {
    const table = objectTable === null ? null : readHandleTable(roots.memory, layouts, objectTable);
    if (table !== null && !failed(table)) entries += Math.min(entriesOf(table, roots.memory.pointerSize), most);
  }
  return Math.min(entries, most, MOST_EXPECTED);
}

function found(process: Process, table: HandleTable, walk: LeafWalk, first: number, end: number): ProcessHandles {
  const complete = walk.leavesMissing === 0 && walk.tablesMissing === 0 && !walk.bounded && walk.failure === null;
  const counted = table.handleCount ?? end - first;
  const isLess = end - first < counted;
  return {
    process,
    first,
    end,
    contradicted: complete && (table.countIsWhole ? counted !== end - first : isLess),
    leavesMissing: walk.leavesMissing,
    complete,
    failure: walk.failure,
  };
}
