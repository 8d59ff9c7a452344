/** Handles of each process by type, and objects of each type, as series of a dump or a result. */

import { printable } from '../../../parsers/text-safety.js';
import { objectsOf } from '../../kernel/objects/objects.js';
import type { Kernel } from '../../kernel/open/open-kernel.js';
import type { Collector } from './collector.js';

/** Handles of one type that a process must have to be followed by that type. */
const FEWEST_OF_TYPE = 200;
/** The label of a series of a type's objects begins so. */
export const OBJECTS = 'Objects\\';

/** What is counted of one process: of all types together, and of each. */
interface ProcessCounts {
  image: string;
  pid: number | string;
  handles: number;
  types: Iterable<readonly [type: string, handles: number]>;
}

/** Takes handles and objects of a dump; nothing where they cannot be read, and no process of which not all is known. */
export function addObjects(kernel: Kernel, sample: number, to: Collector): void {
  const objects = objectsOf(kernel);
  const types = objects.types()?.types ?? [];
  if (types.length === 0) return;
  for (const { name, objects: count } of types) if (count !== null) addType(sample, name, count, to);
  const list = objects.processes();
  if (list?.complete === true)
    addType(sample, 'ended processes', list.processes.filter(({ ended }) => ended).length, to);
  const decoded = objects.decoder()?.types ?? [];
  for (const table of objects.census()?.tables ?? []) {
    const { process } = table;
    if (!table.complete || process.ended) continue;
    const counts = objects.counts(table)?.handles ?? new Uint32Array(0);
    const named = [...counts].map((handles, place) => [decoded[place]?.name ?? '', handles] as const);
    addProcess(sample, { image: process.image, pid: process.pid, handles: table.end - table.first, types: named }, to);
  }
}

/** Objects of one type. */
export function addType(sample: number, type: string, count: number, to: Collector): void {
  const label = `${OBJECTS}${printable(type)}`;
  const series = to.store.named(`objects ${type}`, () => {
    return { kind: 'counter', tag: null, pool: null, label, unit: 'count', process: null };
  });
  to.store.add(series, sample, count, NaN, NaN);
}

/** Handles of one process. */
export function addProcess(sample: number, { image, pid, handles, types }: ProcessCounts, to: Collector): void {
  const process = `${printable(image)} (${printable(String(pid))})`;
  const add = (what: string, count: number): void => {
    const series = to.store.named(`handles ${process}\0${what}`, () => {
      return { kind: 'process', tag: null, pool: null, label: `${process} ${what}`, unit: 'count', process };
    });
    to.store.add(series, sample, count, NaN, NaN);
  };
  add('handles', handles);
  for (const [type, count] of types) if (count >= FEWEST_OF_TYPE) add(`${printable(type)} handles`, count);
}
