/** The `!vm` figures of a dump: each with its source, each null where nothing tells it. */

import { PAGE_SIZE } from '../../../parsers/addresses.js';
import { failed, type Failure } from '../../../parsers/bytes/failure.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import {
  count,
  MEMORY_FIELDS,
  toNumber,
  type MemoryField,
  type MemoryInfo,
  type Pages,
  type Warning,
} from '../../result/result.js';
import { crossCheck } from './cross-check.js';
import { MEMORY_PLACES, type Place } from './memory-figures.js';
import type { Found } from '../open/kernel-object.js';
import { oncePerKernel } from '../open/once.js';
import type { Kernel } from '../open/open-kernel.js';
import { readPageFiles } from './page-files.js';
import { readPools } from './pools.js';
import { sessionCommit } from '../processes/sessions.js';

/** Every memory figure, read once. `flags` is left empty: judging is not this layer's work. */
export const readMemory = oncePerKernel(readFigures);

function readFigures(kernel: Kernel): { memory: MemoryInfo | null; warnings: Warning[] } {
  if (kernel.memory === null || kernel.symbols === null || kernel.dump.triage !== null) {
    return { memory: null, warnings: [] };
  }
  const warnings: Warning[] = [];
  const figures = new Map<MemoryField, Pages | null>(
    MEMORY_FIELDS.map((name) => [name, readFigure(name, kernel, warnings)]),
  );
  const figure = (name: MemoryField): Pages | null => figures.get(name) ?? null;
  crossCheck(figures, kernel.dump, warnings);
  dropImpossible(figures, warnings);
  figures.set('sessionCommit', sessionCommit(kernel));
  const pools = readPools(kernel, figure('nonPagedPoolUsage'), figure('pagedPoolUsage'));
  warnings.push(...pools.warnings);
  for (const [name, value] of Object.entries(pools.figures)) {
    if (figure(name as MemoryField) === null) figures.set(name as MemoryField, value);
  }
  const failures = kernel.variable('ExPoolFailures', 'unsigned long');
  return {
    memory: {
      ...(Object.fromEntries(figures) as Record<MemoryField, Pages | null>),
      nonPagedPools: pools.nonPagedPools,
      pagedPools: pools.pagedPools,
      pageFiles: readPageFiles(kernel, warnings),
      poolAllocationFailures: failed(failures) ? null : { count: Number(failures.value), source: failures.source },
      flags: [],
    },
    warnings,
  };
}

/** More pages than this (4 PB) no system has: such a figure is not read from the right place. */
const MOST_PAGES = 2 ** 40;

/** Lists of physical pages: none can hold more pages than the machine has. */
const PAGE_LISTS: readonly MemoryField[] = [
  'availablePages',
  'modifiedPages',
  'modifiedPageFilePages',
  'modifiedNoWritePages',
  'zeroedPages',
  'freePages',
  'standbyPages',
];

/** Makes figures unknown that no memory manager can hold, each with a warning that says what stood there. */
function dropImpossible(figures: Map<MemoryField, Pages | null>, warnings: Warning[]): void {
  const physical = toNumber(figures.get('physicalMemory')?.pages ?? MOST_PAGES);
  for (const [name, value] of figures) {
    if (value === null) continue;
    const limit = PAGE_LISTS.includes(name) ? Math.min(physical, MOST_PAGES) : MOST_PAGES;
    if (toNumber(value.pages) <= limit) continue;
    figures.set(name, null);
    warnings.push({
      code: 'figure-impossible',
      where: 'memory',
      message: `${name} reads ${value.pages} pages, which cannot be true: it is left out`,
    });
  }
}

function readFigure(name: MemoryField, kernel: Kernel, warnings: Warning[]): Pages | null {
  let failure: Failure | null = null;
  for (const place of MEMORY_PLACES[name]) {
    const found = readPlace(place, kernel);
    if (!failed(found)) return { pages: count(found.value), source: found.source };
    if (found.code !== 'unknown') failure ??= found;
  }
  if (failure !== null) {
    warnings.push({
      code: 'figure-unreadable',
      where: 'memory',
      message: `${name} cannot be read: ${failure.message}`,
    });
  }
  return null;
}

/** The value at a place, or why there is none. */
export function readPlace(place: Place, kernel: Kernel): Found<bigint> {
  if (place.kind === 'path') return kernel.object(place.symbol, place.type).at(place.path);
  if (place.kind === 'lists') return sumLists(place, kernel);
  const found = kernel.variable(place.symbol, place.width === 4 ? 'unsigned long' : undefined);
  return failed(found) || place.bytes !== true ? found : { ...found, value: found.value / BigInt(PAGE_SIZE) };
}

function sumLists(place: Extract<Place, { kind: 'lists' }>, kernel: Kernel): Found<bigint> {
  const first =
    place.type === null
      ? kernel.object(place.symbol, '_MMPFNLIST')
      : kernel.object(place.symbol, place.type).inner(place.path, '_MMPFNLIST');
  let sum = 0n;
  let source: FigureSource = 'derived';
  for (let i = 0; i < place.count; i++) {
    const total = first.element(i).at('Total');
    if (failed(total)) return total;
    sum += total.value;
    source = total.source;
  }
  return { value: sum, source };
}
