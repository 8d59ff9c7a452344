/**
 * The processes: those of PsActiveProcessHead, walked both ways, and those of the table of process and thread ids, which
 * keeps a process until its object is gone (reference: objects-and-pool-blocks, section 4).
 */

import { large, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import { HandleBatch } from '../../../parsers/kernel/objects/handle-entries.js';
import { walkList } from '../../../parsers/kernel/structures.js';
import { weakest, type FigureSource } from '../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../result/result.js';
import { encodingsToTry } from './handles/handle-encoding.js';
import { readHandleTable, walkHandleTable } from './handles/handle-table.js';
import type { ObjectLayouts } from './layouts.js';
import { NOWHERE, readMany } from './many.js';
import { DISPATCHER_PROCESS, type ProcessFields } from './process-fields.js';
import { pointerAt, type ObjectRoots } from './roots.js';

/** One process and where it was found. */
export type Process = Readonly<ProcessFields>;

/** A thread of the table of ids. */
export interface ThreadPlace {
  readonly address: VirtualAddress;
  readonly tid: number;
}

/** All processes that could be found. */
export interface ProcessList {
  /** In order of the list, then those that only the table of ids has. */
  readonly processes: readonly Process[];
  /** Threads that the table of ids has, running and ended ones; null where it could not be read whole. */
  readonly threads: readonly ThreadPlace[] | null;
  readonly source: FigureSource;
  /** False where the list or the table ended badly and the other does not make up for it. */
  readonly complete: boolean;
  /** How the list of processes ended badly, or null. */
  readonly broken: Failure | null;
  readonly warnings: readonly Warning[];
}

const MOST_PROCESSES = 1_000_000;
/** Ids of processes and threads. */
const MOST_IDS = 4_000_000;
/** Type of a thread in `_DISPATCHER_HEADER`. */
const DISPATCHER_THREAD = 6;
/** Entries of the id table that are looked at to learn how it is written. */
const PROBES = 64;

/** The processes as their layouts have them. */
export function readProcessList(roots: ObjectRoots, layouts: ObjectLayouts): ProcessList {
  const { memory } = roots;
  const reader = layouts.processes;
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'processes', message });
  };
  const head = roots.processListHead;
  const forward = head === null ? null : walkList(memory, head.value, MOST_PROCESSES);
  const broken = forward?.broken ?? null;
  const links = new Set<VirtualAddress>(forward?.entries ?? []);
  if (head !== null && broken !== null) {
    const backward = walkList(memory, head.value, MOST_PROCESSES, memory.pointerSize);
    for (const entry of backward.entries.toReversed()) links.add(entry);
    warn('process-list-broken', `the list of processes is broken (${broken.message}): it was walked from both ends`);
  }
  const listed = new Set<VirtualAddress>([...links].map((entry) => reader.ofLink(entry)));
  const table = readIdTable(roots, layouts);
  const processes: Process[] = [];
  let unreadable = 0;
  let doubtful = 0;
  /** Of those, how many the table of ids has: they are processes. */
  let lost = 0;
  const addresses = [...listed];
  for (const address of table?.processes.keys() ?? []) if (!listed.has(address)) addresses.push(address);
  readMany(memory, addresses, reader.length, (i, bytes) => {
    const address = addresses[i] ?? NOWHERE;
    if (bytes === null) {
      unreadable++;
      if (table?.processes.has(address) === true) lost++;
      return;
    }
    const process = reader.parse(address, bytes);
    // A wild link leads to what is no process; the table of ids vouches for the others.
    const vouched = table?.processes.get(address) === process.pid;
    if (!vouched && process.doubts.length > 1) {
      doubtful++;
      return;
    }
    process.listed = i < listed.size;
    process.inIdTable = table === null ? null : vouched;
    processes.push(process);
  });
  const unlisted = processes.filter((process) => !process.listed).length;
  if (unlisted > 0) {
    warn('processes-unlisted', `${unlisted} processes stand in the table of ids and not in the list of processes`);
  }
  if (unreadable > 0) warn('processes-unreadable', `${unreadable} processes are not in the dump`);
  if (doubtful > 0) warn('processes-doubtful', `${doubtful} entries of the list of processes are no processes`);
  const tableWhole = table?.complete ?? false;
  return {
    processes,
    threads: tableWhole ? (table?.threads ?? null) : null,
    source: head === null ? layouts.source : weakest(head.source, layouts.source),
    complete: tableWhole ? lost === 0 : unreadable === 0 && doubtful === 0 && broken === null && forward !== null,
    broken,
    warnings,
  };
}

interface IdTable {
  /** Addresses of processes, with their ids. */
  readonly processes: ReadonlyMap<VirtualAddress, number>;
  readonly threads: readonly ThreadPlace[];
  readonly complete: boolean;
}

/** The table of ids leads to the objects themselves, not to their headers; null where it cannot be read. */
function readIdTable(roots: ObjectRoots, layouts: ObjectLayouts): IdTable | null {
  const { memory } = roots;
  const root = pointerAt(roots, 'PspCidTable');
  if (root === null) return null;
  const table = readHandleTable(memory, layouts, root.value);
  if (failed(table)) return null;
  for (const encoding of encodingsToTry(roots)) {
    const probe = new HandleBatch();
    walkHandleTable(
      memory,
      { ...table, level: 0, base: firstLeaf(roots, table.level, table.base), next: null },
      encoding,
      probe,
      PROBES * 8,
    );
    const kinds = kindsOf(roots, probe.header.subarray(0, Math.min(probe.count, PROBES)));
    const known = kinds.filter((kind) => kind !== null).length;
    const good = kinds.filter((kind) => kind === 'process' || kind === 'thread').length;
    if (good === 0 || good < known * 0.8) continue;
    const batch = new HandleBatch();
    const walk = walkHandleTable(memory, table, encoding, batch, MOST_IDS);
    const processes = new Map<VirtualAddress, number>();
    const threads: ThreadPlace[] = [];
    let unknown = 0;
    const all = kindsOf(roots, batch.header.subarray(0, batch.count));
    all.forEach((kind, i) => {
      const address = large(batch.header[i] ?? 0);
      const id = batch.handle[i] ?? 0;
      if (kind === 'process') processes.set(address, id);
      else if (kind === 'thread') threads.push({ address, tid: id });
      else unknown++;
    });
    return {
      processes,
      threads,
      complete: unknown === 0 && walk.leavesMissing === 0 && walk.tablesMissing === 0 && !walk.bounded,
    };
  }
  return null;
}

/** The leaf that a table begins with. */
function firstLeaf(roots: ObjectRoots, level: number, base: VirtualAddress): VirtualAddress {
  let at = base;
  for (let i = 0; i < level; i++) {
    const below = roots.memory.readPointer(at);
    if (failed(below)) return base;
    at = below;
  }
  return at;
}

type Kind = 'process' | 'thread' | 'other' | null;

/** What stands at each address, by the type of its dispatcher header; null where that is not in the dump. */
function kindsOf(roots: ObjectRoots, addresses: Float64Array): Kind[] {
  const kinds: Kind[] = [];
  readMany(roots.memory, Array.from(addresses, large), 1, (_, bytes) => {
    // Bits above the low seven are flags on some builds.
    const kind = bytes === null ? null : (bytes[0] ?? 0) & 0x7f;
    kinds.push(
      kind === null ? null : kind === DISPATCHER_PROCESS ? 'process' : kind === DISPATCHER_THREAD ? 'thread' : 'other',
    );
  });
  return kinds;
}
