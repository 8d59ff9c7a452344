/** The `!vm` figures of a dump: each with its source, each null where nothing tells it. */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed, type ReadFailure } from '../../../parsers/bytes/failure.js';
import { readScalar } from '../../../parsers/kernel/structures.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import type { FigureSource, KernelSymbols } from '../../../symbols/kernel-symbols.js';
import { resolvePath } from '../../../symbols/paths.js';
import {
  count,
  MEMORY_FIELDS,
  toNumber,
  type MemoryField,
  type MemoryInfo,
  type Pages,
  type Warning,
} from '../../result/result.js';
import { MEMORY_PLACES, type Place } from './memory-figures.js';
import type { Kernel } from '../open/open-kernel.js';
import { readPageFiles } from './page-files.js';
import { readPools } from './pools.js';
import { sessionCommit } from '../processes/sessions.js';

/** A figure that was found, or why its place could not be read; null when the symbols know no place. */
type Found = { value: bigint; source: FigureSource } | ReadFailure | null;

/** Reads every memory figure. `flags` is left empty: judging is not this layer's work. */
export function readMemory(kernel: Kernel): { memory: MemoryInfo | null; warnings: Warning[] } {
  const { memory: space, symbols } = kernel;
  if (space === null || symbols === null || kernel.dump.triage !== null) return { memory: null, warnings: [] };
  const warnings: Warning[] = [];
  const figures = new Map<MemoryField, Pages | null>(
    MEMORY_FIELDS.map((name) => [name, readFigure(name, space, symbols, warnings)]),
  );
  const figure = (name: MemoryField): Pages | null => figures.get(name) ?? null;
  dropImpossible(figures, warnings);
  const header = kernel.dump.header.physicalMemory;
  if (figure('physicalMemory') === null && header !== null) {
    figures.set('physicalMemory', { pages: header.numberOfPages, source: 'header' });
  }
  figures.set('sessionCommit', sessionCommit(kernel));
  const pools = readPools(kernel, figure('nonPagedPoolUsage'), figure('pagedPoolUsage'));
  warnings.push(...pools.warnings);
  for (const [name, value] of Object.entries(pools.figures)) {
    if (figure(name as MemoryField) === null) figures.set(name as MemoryField, value);
  }
  const failures = symbols.address('ExPoolFailures');
  const failureCount = failures === null ? null : space.readU32(failures.value);
  return {
    memory: {
      ...(Object.fromEntries(figures) as Record<MemoryField, Pages | null>),
      nonPagedPools: pools.nonPagedPools,
      pagedPools: pools.pagedPools,
      pageFiles: readPageFiles(kernel, warnings),
      poolAllocationFailures:
        failures === null || failureCount === null || failed(failureCount)
          ? null
          : { count: failureCount, source: failures.source },
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

function readFigure(
  name: MemoryField,
  space: VirtualMemory,
  symbols: KernelSymbols,
  warnings: Warning[],
): Pages | null {
  let failure: ReadFailure | null = null;
  for (const place of MEMORY_PLACES[name]) {
    const found = readPlace(place, space, symbols);
    if (found === null) continue;
    if (!failed(found)) return { pages: count(found.value), source: found.source };
    failure ??= found;
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

function readPlace(place: Place, space: VirtualMemory, symbols: KernelSymbols): Found {
  const base = symbols.address(place.symbol);
  if (base === null) return null;
  if (place.kind === 'global') {
    const value = readScalar(
      space,
      base.value,
      (place.width ?? space.pointerSize) === 4 ? 'unsigned long' : 'unsigned long long',
    );
    if (failed(value)) return value;
    return { value: place.bytes === true ? value / BigInt(PAGE_SIZE) : value, source: base.source };
  }
  if (place.kind === 'lists') return sumLists(place, base.value, base.source, space, symbols);
  const path = resolvePath(symbols, place.type, place.path);
  if (path === null) return null;
  const value = readScalar(space, plus(base.value, path.offset), path.type);
  return failed(value) ? value : { value, source: weaker(base.source, path.source) };
}

function sumLists(
  place: Extract<Place, { kind: 'lists' }>,
  base: VirtualAddress,
  source: FigureSource,
  space: VirtualMemory,
  symbols: KernelSymbols,
): Found {
  const list = symbols.layout('_MMPFNLIST');
  const path = place.type === null ? { offset: 0, source } : resolvePath(symbols, place.type, place.path);
  const total = list?.value.fields['Total'];
  if (list === null || path === null || total === undefined) return null;
  let sum = 0n;
  for (let i = 0; i < place.count; i++) {
    const value = readScalar(space, plus(base, path.offset + i * list.value.size + total.offset), total.type);
    if (failed(value)) return value;
    sum += value;
  }
  return { value: sum, source: weaker(source, path.source) };
}

/** An address from one source with a layout from another is only as good as the weaker of them. */
export function weaker(a: FigureSource, b: FigureSource): FigureSource {
  for (const weak of ['scan', 'nearest'] as const) if (a === weak || b === weak) return weak;
  return a;
}
