/**
 * Pool use by pool: descriptors (`_POOL_DESCRIPTOR`, to 18363) or segment heaps (`ExPoolState`, from 17763). Both are
 * second opinions beside the memory manager's totals: rows are shown only where their sum agrees with the total.
 */

import { failed } from '../../../parsers/bytes/failure.js';
import { weakest, type FigureSource } from '../../../symbols/kernel-symbols.js';
import { kernelDoes } from '../../../symbols/generations.js';
import { toNumber, type MemoryField, type MemoryInfo, type Pages, type Warning } from '../../result/result.js';
import type { KernelObject } from '../open/kernel-object.js';
import type { Kernel } from '../open/open-kernel.js';

/** POOL_TYPE of the non-executable nonpaged pool. */
const NONPAGED_NX = 0x200n;
const MOST_NODES = 64;
/** ExpPagedPoolDescriptor has room for 16 pools and the one at index 0. */
const MOST_PAGED = 17;
/** Share by which the sum of the pools may differ from the total. */
const TOLERANCE = 0.1;

export interface Pools {
  readonly nonPagedPools: MemoryInfo['nonPagedPools'];
  readonly pagedPools: MemoryInfo['pagedPools'];
  /** Totals that follow from the pools, for figures that have no variable of their own. */
  readonly figures: Partial<Record<MemoryField, Pages>>;
  readonly warnings: readonly Warning[];
}

type NodePools = NonNullable<MemoryInfo['nonPagedPools']>;
type IndexPools = NonNullable<MemoryInfo['pagedPools']>;

/** Reads the pools; `nonPaged` and `paged` are the memory manager's totals. */
export function readPools(kernel: Kernel, nonPaged: Pages | null, paged: Pages | null): Pools {
  const warnings: Warning[] = [];
  const figures: Partial<Record<MemoryField, Pages>> = {};
  const sumNodes = (pools: NodePools): number =>
    pools.reduce((sum, p) => sum + toNumber(p.pages ?? 0) + toNumber(p.nxPages ?? 0), 0);
  const sumIndexes = (pools: IndexPools): number => pools.reduce((sum, p) => sum + toNumber(p.pages), 0);
  const nodes = choose([nodeHeaps(kernel), nodeDescriptors(kernel)], sumNodes, nonPaged, 'nonpaged', warnings);
  const indexes = choose([pagedDescriptors(kernel), pagedHeaps(kernel)], sumIndexes, paged, 'paged', warnings);
  if (nodes !== null && nodes.length > 0) {
    const source = nodes[0]?.source ?? 'derived';
    if (nodes.every((n) => n.nxPages !== null)) {
      figures.nonPagedPoolNxUsage = { pages: nodes.reduce((sum, n) => sum + toNumber(n.nxPages ?? 0), 0), source };
    }
    if (nonPaged === null) figures.nonPagedPoolUsage = { pages: sumNodes(nodes), source };
  }
  if (paged === null && indexes !== null && indexes.length > 0) {
    figures.pagedPoolUsage = { pages: sumIndexes(indexes), source: indexes[0]?.source ?? 'derived' };
  }
  return { nonPagedPools: nodes, pagedPools: indexes, figures, warnings };
}

/** The first candidate that agrees with the total; where there is no total, the first that exists. */
function choose<T>(
  candidates: readonly (T | null)[],
  sumOf: (pools: T) => number,
  total: Pages | null,
  what: string,
  warnings: Warning[],
): T | null {
  const present = candidates.filter((c): c is T => c !== null);
  if (total === null) return present[0] ?? null;
  const expected = toNumber(total.pages);
  const good = present.find((c) => Math.abs(sumOf(c) - expected) <= Math.max(16, expected * TOLERANCE));
  if (good === undefined && present[0] !== undefined) {
    warnings.push({
      code: 'pools-disagree',
      where: 'memory',
      message: `the single ${what} pools add up to ${sumOf(present[0])} pages, the total says ${expected}: only the total is used`,
    });
  }
  return good ?? null;
}

interface Descriptor {
  readonly type: bigint;
  readonly pages: number;
  readonly source: FigureSource;
}

/** A `_POOL_DESCRIPTOR` in either of its forms: pages in use, or pages allocated less pages freed. */
function readDescriptor(descriptor: KernelObject, pointerSize: 4 | 8): Descriptor | null {
  // An enumeration: `_POOL_TYPE`.
  const kind = descriptor.at('PoolType', 'unsigned long');
  const type = failed(kind) ? 0n : kind.value & 0xffffn;
  const total = descriptor.at('TotalPages');
  if (!failed(total)) {
    const big = descriptor.at('TotalBigPages');
    if (failed(big) && big.code !== 'unknown') return null;
    return { type, pages: Number(total.value + (failed(big) ? 0n : big.value)), source: total.source };
  }
  const counters = ['PagesAllocated', 'PagesDeallocated', 'BigPagesAllocated', 'BigPagesDeallocated'].map((name) =>
    descriptor.at(name),
  );
  const [allocated, freed, bigAllocated, bigFreed] = counters.map((counter) =>
    failed(counter) ? null : counter.value,
  ) as [bigint | null, bigint | null, bigint | null, bigint | null];
  const [first] = counters;
  if (allocated === null || freed === null || bigAllocated === null || bigFreed === null) return null;
  return {
    type,
    pages: Number(BigInt.asIntN(pointerSize * 8, allocated - freed + bigAllocated - bigFreed)),
    source: first === undefined || failed(first) ? 'derived' : first.source,
  };
}

/** Descriptors of an array of pointers, or the one that stands by itself; null for one that cannot be read. */
function descriptors(
  kernel: Kernel,
  array: string,
  counter: string,
  single: string | null,
  extra: number,
): (Descriptor | null)[] {
  const width = kernel.memory?.pointerSize ?? 8;
  const count = kernel.variable(counter, 'unsigned long');
  const number = failed(count) ? null : Number(count.value);
  const start = kernel.addressOf(array);
  const alone = single === null || failed(kernel.addressOf(single)) ? null : kernel.object(single, DESCRIPTOR);
  if (number === null || failed(start) || number + extra > MOST_NODES || (number <= 1 && alone !== null)) {
    return alone === null ? [] : [readDescriptor(alone, width)];
  }
  return Array.from({ length: number + extra }, (_, i) => kernel.pointerAt(array, i)).flatMap((pointer) =>
    failed(pointer) || pointer.value === 0n ? [] : [readDescriptor(kernel.objectAt(pointer, DESCRIPTOR), width)],
  );
}

const DESCRIPTOR = '_POOL_DESCRIPTOR';

function nodeDescriptors(kernel: Kernel): NodePools | null {
  // From Windows 8 on most of nonpaged pool is in descriptors that only this array leads to.
  if (
    kernelDoes('hasNonExecutablePool', kernel.identity.buildNumber) &&
    failed(kernel.addressOf('ExpNonPagedPoolDescriptor'))
  )
    return null;
  const all = descriptors(
    kernel,
    'ExpNonPagedPoolDescriptor',
    'ExpNumberOfNonPagedPools',
    'NonPagedPoolDescriptor',
    0,
  ).filter((d) => d !== null);
  if (all.length === 0) return null;
  const nx = all.filter((d) => (d.type & NONPAGED_NX) !== 0n);
  return all
    .filter((d) => (d.type & NONPAGED_NX) === 0n)
    .map(({ pages, source }, node) => ({
      node,
      pages,
      nxPages: nx.length === 0 ? null : (nx[node]?.pages ?? null),
      source,
    }));
}

function pagedDescriptors(kernel: Kernel): IndexPools | null {
  const pools = descriptors(kernel, 'ExpPagedPoolDescriptor', 'ExpNumberOfPagedPools', null, 1).slice(0, MOST_PAGED);
  const known = pools.filter((p) => p !== null);
  if (pools.length === 0 || known.length < pools.length) return null;
  return known.map(({ pages, source }, index) => ({ index, pages, source }));
}

/** Committed pages of the heaps of each node: nonpaged, nonpaged NX, paged, second paged. */
function heapPages(kernel: Kernel): { pages: number[][]; source: FigureSource } | null {
  const state = kernel.object('ExPoolState', '_EX_POOL_HEAP_MANAGER_STATE');
  const number = state.at('NumberOfPools', 'unsigned long');
  if (failed(number) || number.value === 0n || number.value > BigInt(MOST_NODES)) return null;
  const first = state.inner('PoolNode', '_EX_HEAP_POOL_NODE');
  let source = number.source;
  const pages: number[][] = [];
  for (let n = 0; n < Number(number.value); n++) {
    const row: number[] = [];
    for (let h = 0; h < 4; h++) {
      const node = first.element(n);
      const heap = node.pointer('Heaps', h);
      if (failed(heap)) return null;
      const committed =
        heap.value === 0n
          ? { value: 0n, source: heap.source }
          : kernel.objectAt(heap, '_SEGMENT_HEAP').at('MemStats.TotalCommittedPages');
      if (failed(committed)) return null;
      source = weakest(source, committed.source);
      row.push(Number(committed.value));
    }
    pages.push(row);
  }
  return { pages, source };
}

function nodeHeaps(kernel: Kernel): NodePools | null {
  const heaps = heapPages(kernel);
  return heaps?.pages.map(([a, b], node) => ({ node, pages: a ?? 0, nxPages: b ?? 0, source: heaps.source })) ?? null;
}

function pagedHeaps(kernel: Kernel): IndexPools | null {
  const heaps = heapPages(kernel);
  return heaps?.pages.map(([, , c, d], index) => ({ index, pages: (c ?? 0) + (d ?? 0), source: heaps.source })) ?? null;
}
