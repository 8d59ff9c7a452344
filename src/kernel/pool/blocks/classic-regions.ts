/**
 * Where classic pool pages can be: the mapped regions of the kernel's half, without images and the PFN database. Those in
 * ranges that the debugger block calls pool come first.
 */

import { failed } from '../../../../parsers/bytes/failure.js';
import { heapAddress, type HeapAddress, type HeapMemory } from '../../../../parsers/heap/memory.js';
import { proveClassicPages } from '../../../../parsers/heap/classic-pages.js';
import { POOL_HEADERS, type PoolHeaderLayout } from '../../../../parsers/heap/pool-header.js';
import type { MappedRegion } from '../../../../parsers/paging/mapped-regions.js';
import { kernelDoes } from '../../../../symbols/generations.js';
import type { Kernel } from '../../open/open-kernel.js';

/** Bytes of a frame in the PFN database: at least; and of the pieces that a walk takes at once. */
const PFN_BYTES = { 8: 0x30, 4: 0x18 };
const PIECE = 0x200000;
const PAGE = 0x1000;
/** Regions that are looked at for a proof, bytes of each and of all together, and pages of the pool that prove. */
const MOST_PROBES = 1024;
const MOST_PROBE = 0x20000;
const LEAST_PROBE = 0x4000;
const PROBED = 0x1000000;
const PROOF_PAGES = 24;
const MOST_REGIONS = 1 << 20;

/** Where to look. */
export interface ClassicRegions {
  /** Pieces of at most 2 MB. Those of known pool ranges first, each group in order of address. */
  readonly regions: readonly MappedRegion[];
  /** How many of them are in known ranges. */
  readonly known: number;
  /** What the debugger block says of the pools (to Windows 8.1); null where it does not. */
  readonly nonPaged: Range | null;
  readonly paged: Range | null;
}

/** A range of addresses, `end` not included. */
interface Range {
  readonly start: HeapAddress;
  readonly end: HeapAddress;
}

/** The paged pool's range by the debugger block (to Windows 8.1); null where it does not say. */
export function pagedRange(kernel: Kernel, pointerSize: 4 | 8): Range | null {
  return rangeOf(kernel, 'MmPagedPoolStart', 'MmPagedPoolEnd', pointerSize);
}

/** All regions that may hold pool pages; none where there are no page tables. */
export function classicRegions(kernel: Kernel, images: readonly Range[]): ClassicRegions {
  const { memory } = kernel;
  const all = memory?.mappedRegions?.() ?? [];
  const width = memory?.pointerSize ?? 8;
  const nonPaged = rangeOf(kernel, 'MmNonPagedPoolStart', 'MmNonPagedPoolEnd', width);
  const paged = pagedRange(kernel, width);
  const ranges = [nonPaged, paged].filter((range) => range !== null);
  const skipped = merged([...images, ...pfnDatabase(kernel, width)]);
  const inside = (at: HeapAddress, of: readonly Range[]): boolean =>
    of.some(({ start, end }) => at >= start && at < end);
  const known: MappedRegion[] = [];
  const others: MappedRegion[] = [];
  for (const { address, length } of all) {
    if (known.length + others.length >= MOST_REGIONS) break;
    for (let done = 0; done < length; done += PIECE) {
      const piece = { address: address + done, length: Math.min(PIECE, length - done) };
      if (covers(skipped, piece.address, piece.address + piece.length)) continue;
      (inside(piece.address, ranges) ? known : others).push(piece);
    }
  }
  return { regions: [...known, ...others], known: known.length, nonPaged, paged };
}

/** Ranges in order, those that touch as one. */
function merged(ranges: readonly Range[]): Range[] {
  const out: { start: HeapAddress; end: HeapAddress }[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = out.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else out.push({ start, end });
  }
  return out;
}

/** Whether one of some merged ranges covers a range. */
function covers(ranges: readonly Range[], start: HeapAddress, end: HeapAddress): boolean {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.start ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  const before = ranges[low - 1];
  return before !== undefined && end <= before.end;
}

/** The header layout that the pages prove; where none of them does, none is there. */
export function proveHeaders(memory: HeapMemory, { regions }: ClassicRegions, build: number): PoolHeaderLayout | null {
  const votes = new Map<PoolHeaderLayout, number>();
  let proven = 0;
  const step = Math.max(1, Math.floor(regions.length / MOST_PROBES));
  const share = Math.floor((PROBED * step) / Math.max(1, regions.length) / PAGE) * PAGE;
  const probe = Math.min(MOST_PROBE, Math.max(LEAST_PROBE, share));
  for (let i = 0; i < regions.length && proven < PROOF_PAGES; i += step) {
    const region = regions[i];
    if (region === undefined) break;
    const proof = proveClassicPages(memory, region.address, Math.min(probe, region.length));
    if (proof === null) continue;
    proven += proof.poolPages;
    votes.set(proof.layout, (votes.get(proof.layout) ?? 0) + proof.poolPages);
  }
  const best = [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  if (best === null) return null;
  // Chains alone do not tell types before Vista from those after: the build does, where it is known.
  const types = kernelDoes('hasPoolTypeBits', build) ? 'in-use' : 'plus-one';
  return (
    POOL_HEADERS.find(
      (l) => l.size === best.size && l.unit === best.unit && l.form === best.form && l.types === types,
    ) ?? best
  );
}

function rangeOf(kernel: Kernel, first: string, last: string, width: 4 | 8): Range | null {
  const [start, end] = [kernel.pointerAt(first), kernel.pointerAt(last)];
  if (failed(start) || failed(end) || start.value === 0n || start.value >= end.value) return null;
  return { start: heapAddress(start.value, width), end: heapAddress(end.value, width) };
}

function pfnDatabase(kernel: Kernel, width: 4 | 8): Range[] {
  const start = kernel.pointerAt('MmPfnDatabase');
  const highest = kernel.variable('MmHighestPhysicalPage');
  if (failed(start) || start.value === 0n || failed(highest) || highest.value <= 0n || highest.value > 1n << 40n)
    return [];
  const at = heapAddress(start.value, width);
  return [{ start: at, end: at + Number(highest.value) * PFN_BYTES[width] }];
}
