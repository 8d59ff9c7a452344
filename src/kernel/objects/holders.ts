/** Who holds the objects of a type: by the handles of processes, and by references that no handle explains. */

import { bodyOf, NO_OBJECT, UNREADABLE } from './header-scan.js';
import type { ObjectDescriber } from './names/describe.js';
import type { HandleCensus, ProcessHandles } from './handles/handle-census.js';
import type { ObjectType } from './object-types.js';
import type { Process } from './process-list.js';
import { beyondHandles, type ReferenceRule } from './references.js';
import type { TypeDecoder } from './type-decoder.js';

/** Handles and objects of each type, by its place in the types. */
export interface TypeCounts {
  readonly handles: Uint32Array;
  /** Objects that handles lead to. */
  readonly objects: Uint32Array;
  /** Handles to objects whose header is not in the dump. */
  readonly unreadable: number;
  /** Handles to what is no object. */
  readonly wild: number;
}

/** What a name stands for how often among the objects that were looked at. */
export interface TargetCount {
  readonly name: string;
  readonly count: number;
}

/** What one process holds of a type. */
export interface TypeHolder {
  readonly process: Process;
  readonly handles: number;
  /** Different objects. */
  readonly objects: number;
  /** Of the handles of this type that were found, 0 to 1. */
  readonly share: number;
  /** The commonest first. */
  readonly targets: readonly TargetCount[];
  /** How many of its handles' objects were looked at for the targets. */
  readonly looked: number;
  /** Of those, how many have no name or none that could be read. */
  readonly unnamed: number;
  /** All of its handle table was read. */
  readonly complete: boolean;
}

/** Who holds the objects of one type. */
export interface Holders {
  readonly type: ObjectType;
  /** What the type itself counts; null where it does not. */
  readonly objects: number | null;
  readonly handles: number | null;
  /** What was found in handle tables. */
  readonly handlesFound: number;
  readonly objectsFound: number;
  /** Objects to which no handle leads; null where that cannot be said, for not all handles were read. */
  readonly withoutHandle: number | null;
  /** Handles to objects of an unknown type, for their headers are not in the dump: some may be of this type. */
  readonly unreadable: number;
  /** The process with the most handles first. */
  readonly processes: readonly TypeHolder[];
  /** Objects that have references beyond their handles, and how many; null where pointer counts cannot be read. */
  readonly references: { readonly objects: number; readonly beyondHandles: number } | null;
  /** Every handle of every process was read. */
  readonly complete: boolean;
}

const MOST_TARGETS = 10;
/** Processes for which targets are named; those after them hold too little. */
const NAMED_PROCESSES = 20;

/** Counts handles and objects by type: of all processes, or of one. */
export function countTypes(census: HandleCensus, types: number, table?: ProcessHandles): TypeCounts {
  const handles = new Uint32Array(types);
  const objects = new Uint32Array(types);
  let unreadable = 0;
  let wild = 0;
  const { type } = census.facts;
  const seen = new Uint8Array(census.objects.count);
  for (let k = table?.first ?? 0, end = table?.end ?? census.handles; k < end; k++) {
    const object = census.object[k] ?? 0;
    const of = type[object] ?? UNREADABLE;
    if (of === UNREADABLE) unreadable++;
    else if (of === NO_OBJECT) wild++;
    else {
      handles[of] = (handles[of] ?? 0) + 1;
      if (seen[object] === 0) {
        seen[object] = 1;
        objects[of] = (objects[of] ?? 0) + 1;
      }
    }
  }
  return { handles, objects, unreadable, wild };
}

/**
 * The holders of the type at place `place` of the decoder's types.
 * @param names objects that are looked at for their names, over all processes.
 */
export function holdersOf(
  census: HandleCensus,
  decoder: TypeDecoder,
  rule: ReferenceRule | null,
  describer: ObjectDescriber,
  place: number,
  names: number,
): Holders | null {
  const type = decoder.types[place];
  if (type === undefined) return null;
  const { facts } = census;
  const stamp = new Int32Array(census.objects.count).fill(-1);
  const rows: { table: ProcessHandles; handles: number; objects: number }[] = [];
  let total = 0;
  let unreadable = 0;
  census.tables.forEach((table, t) => {
    let handles = 0;
    let objects = 0;
    for (let k = table.first; k < table.end; k++) {
      const object = census.object[k] ?? 0;
      const of = facts.type[object];
      if (of === UNREADABLE) unreadable++;
      if (of !== place) continue;
      handles++;
      if (stamp[object] !== t) {
        stamp[object] = t;
        objects++;
      }
    }
    total += handles;
    if (handles > 0) rows.push({ table, handles, objects });
  });
  rows.sort((a, b) => b.handles - a.handles || a.table.process.pid - b.table.process.pid);
  let objectsFound = 0;
  let withReferences = 0;
  let beyond = 0;
  for (let object = 0; object < census.objects.count; object++) {
    if (facts.type[object] !== place) continue;
    objectsFound++;
    const rest = rule === null ? null : beyondHandles(census, rule, object);
    if (rest !== null && rest > 0) {
      withReferences++;
      beyond += rest;
    }
  }
  const perProcess = Math.floor(names / Math.max(1, Math.min(rows.length, NAMED_PROCESSES)));
  const known = census.complete && unreadable === 0 && type.objects !== null;
  return {
    type,
    objects: type.objects,
    handles: type.handles,
    handlesFound: total,
    objectsFound,
    withoutHandle: known ? Math.max(0, type.objects - objectsFound) : null,
    unreadable,
    processes: rows.map(({ table, handles, objects }, i) => ({
      process: table.process,
      handles,
      objects,
      share: handles / total,
      ...(i < NAMED_PROCESSES
        ? targetsOf(census, decoder, describer, table, place, handles, perProcess)
        : { targets: [], looked: 0, unnamed: 0 }),
      complete: table.complete,
    })),
    references: rule === null ? null : { objects: withReferences, beyondHandles: beyond },
    complete: census.complete,
  };
}

function targetsOf(
  census: HandleCensus,
  decoder: TypeDecoder,
  describer: ObjectDescriber,
  table: ProcessHandles,
  place: number,
  handles: number,
  most: number,
): { targets: TargetCount[]; looked: number; unnamed: number } {
  const type = decoder.types[place]?.name ?? '';
  const step = Math.max(1, Math.ceil(handles / Math.max(1, most)));
  const counts = new Map<string, number>();
  let met = 0;
  let looked = 0;
  let unnamed = 0;
  for (let k = table.first; k < table.end; k++) {
    const object = census.object[k] ?? 0;
    if (census.facts.type[object] !== place || met++ % step !== 0) continue;
    looked++;
    const { name } = describer.describe(type, bodyOf(census.objects.header[object] ?? 0, decoder));
    if (name === null) unnamed++;
    else counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const targets = [...counts].map(([name, count]) => ({ name, count }));
  targets.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return { targets: targets.slice(0, MOST_TARGETS), looked, unnamed };
}
