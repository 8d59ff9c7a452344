/**
 * Pool use by pool: descriptors (`_POOL_DESCRIPTOR`, to 18363) or segment heaps (`ExPoolState`, from 17763). Both are
 * second opinions beside the memory manager's totals: rows are shown only where their sum agrees with the total.
 */

import { plus, virtual, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { field, readScalar } from '../../../parsers/kernel/structures.js';
import type { FigureSource } from '../../../symbols/kernel-symbols.js';
import { resolvePath } from '../../../symbols/paths.js';
import { toNumber, type MemoryField, type MemoryInfo, type Pages, type Warning } from '../../result/result.js';
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
}

/** A `_POOL_DESCRIPTOR` in either of its forms: pages in use, or pages allocated less pages freed. */
function readDescriptor(kernel: Kernel, address: VirtualAddress): Descriptor | null {
  const layout = kernel.symbols?.layout('_POOL_DESCRIPTOR')?.value;
  if (layout === undefined || kernel.memory === null) return null;
  const last = Object.entries(layout.fields).reduce(
    (end, [name, f]) => (/Pages|PoolType|PoolIndex/.test(name) ? Math.max(end, f.offset + 8) : end),
    0,
  );
  const bytes = kernel.memory.read(address, last);
  if (failed(bytes)) return null;
  const get = (name: string): bigint | null => field(bytes, layout, name, kernel.memory?.pointerSize);
  const type = get('PoolType') ?? low32(bytes, layout.fields['PoolType']?.offset);
  const total = get('TotalPages');
  if (total !== null) return { type, pages: Number(total + (get('TotalBigPages') ?? 0n)) };
  const [allocated, freed] = [get('PagesAllocated'), get('PagesDeallocated')];
  const [bigAllocated, bigFreed] = [get('BigPagesAllocated'), get('BigPagesDeallocated')];
  if (allocated === null || freed === null || bigAllocated === null || bigFreed === null) return null;
  return {
    type,
    pages: Number(BigInt.asIntN(kernel.memory.pointerSize * 8, allocated - freed + bigAllocated - bigFreed)),
  };
}

/** PoolType is an enumeration (`_POOL_TYPE`): 32 bits. */
function low32(bytes: Uint8Array, offset: number | undefined): bigint {
  return offset === undefined ? 0n : BigInt((bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8));
}

/** Pointers of a descriptor array, or the one descriptor that stands by itself. */
function descriptors(
  kernel: Kernel,
  array: string,
  counter: string,
  single: string | null,
  extra: number,
): VirtualAddress[] {
  const { symbols, memory } = kernel;
  if (symbols === null || memory === null) return [];
  const numberAt = symbols.address(counter);
  const number = numberAt === null ? null : memory.readU32(numberAt.value);
  const start = symbols.address(array);
  const alone = single === null ? null : symbols.address(single);
  if (
    number === null ||
    failed(number) ||
    start === null ||
    number + extra > MOST_NODES ||
    (number <= 1 && alone !== null)
  ) {
    return alone === null ? [] : [alone.value];
  }
  const found: VirtualAddress[] = [];
  for (let i = 0; i < number + extra; i++) {
    const pointer = memory.readPointer(plus(start.value, i * memory.pointerSize));
    if (!failed(pointer) && pointer !== 0n) found.push(pointer);
  }
  return found;
}

function nodeDescriptors(kernel: Kernel): NodePools | null {
  // From Windows 8 on most of nonpaged pool is in descriptors that only this array leads to.
  const { symbols, identity } = kernel;
  if (identity.buildNumber >= 9200 && symbols?.address('ExpNonPagedPoolDescriptor') === null) return null;
  const addresses = descriptors(
    kernel,
    'ExpNonPagedPoolDescriptor',
    'ExpNumberOfNonPagedPools',
    'NonPagedPoolDescriptor',
    0,
  );
  const all = addresses.map((a) => readDescriptor(kernel, a)).filter((d): d is Descriptor => d !== null);
  const source = sourceOf(kernel, 'NonPagedPoolDescriptor');
  if (all.length === 0 || source === null) return null;
  const nx = all.filter((d) => (d.type & NONPAGED_NX) !== 0n);
  return all
    .filter((d) => (d.type & NONPAGED_NX) === 0n)
    .map((d, node) => ({ node, pages: d.pages, nxPages: nx.length === 0 ? null : (nx[node]?.pages ?? null), source }));
}

function pagedDescriptors(kernel: Kernel): IndexPools | null {
  const addresses = descriptors(kernel, 'ExpPagedPoolDescriptor', 'ExpNumberOfPagedPools', null, 1).slice(
    0,
    MOST_PAGED,
  );
  const source = sourceOf(kernel, 'ExpPagedPoolDescriptor');
  if (addresses.length === 0 || source === null) return null;
  const pools = addresses.map((a) => readDescriptor(kernel, a));
  if (pools.some((p) => p === null)) return null;
  return pools.map((p, index) => ({ index, pages: p?.pages ?? 0, source }));
}

/** Committed pages of the heaps of each node: nonpaged, nonpaged NX, paged, second paged. */
function heapPages(kernel: Kernel): { pages: number[][]; source: FigureSource } | null {
  const { symbols, memory } = kernel;
  const state = symbols?.address('ExPoolState');
  if (symbols === null || memory === null || state === null || state === undefined) return null;
  const number = resolvePath(symbols, '_EX_POOL_HEAP_MANAGER_STATE', 'NumberOfPools');
  const first = resolvePath(symbols, '_EX_POOL_HEAP_MANAGER_STATE', 'PoolNode');
  const node = symbols.layout('_EX_HEAP_POOL_NODE');
  const heaps = node?.value.fields['Heaps'];
  const committed = resolvePath(symbols, '_SEGMENT_HEAP', 'MemStats.TotalCommittedPages');
  if (number === null || first === null || node === null || heaps === undefined || committed === null) return null;
  const nodes = memory.readU32(plus(state.value, number.offset));
  if (failed(nodes) || nodes === 0 || nodes > MOST_NODES) return null;
  const pages: number[][] = [];
  for (let n = 0; n < nodes; n++) {
    const row: number[] = [];
    for (let h = 0; h < 4; h++) {
      const at = plus(state.value, first.offset + n * node.value.size + heaps.offset + h * memory.pointerSize);
      const heap = memory.readPointer(at);
      if (failed(heap)) return null;
      const value = heap === 0n ? 0n : readScalar(memory, plus(virtual(heap), committed.offset), committed.type);
      if (failed(value)) return null;
      row.push(Number(value));
    }
    pages.push(row);
  }
  return { pages, source: state.source };
}

function nodeHeaps(kernel: Kernel): NodePools | null {
  const heaps = heapPages(kernel);
  return heaps?.pages.map(([a, b], node) => ({ node, pages: a ?? 0, nxPages: b ?? 0, source: heaps.source })) ?? null;
}

function pagedHeaps(kernel: Kernel): IndexPools | null {
  const heaps = heapPages(kernel);
  return heaps?.pages.map(([, , c, d], index) => ({ index, pages: (c ?? 0) + (d ?? 0), source: heaps.source })) ?? null;
}

function sourceOf(kernel: Kernel, symbol: string): FigureSource | null {
  return kernel.symbols?.address(symbol)?.source ?? null;
}
