/**
 * What Driver Verifier knows of the drivers it watches: totals, and with pool tracking every outstanding allocation with
 * its caller (reference: objects-and-pool-blocks, section 11). From the AVL trees of nt!ViTargetDriversAvl (Vista and later).
 */

import { plus, type VirtualAddress } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32, u64 } from '../../../parsers/bytes/fields.js';
import type { VirtualMemory } from '../../../parsers/paging/virtual-memory.js';
import { kernelDoes } from '../../../symbols/generations.js';
import type { KernelObject } from '../open/kernel-object.js';
import { oncePerKernel } from '../open/once.js';
import type { VerifierOutstanding } from '../state.js';

const PAGE = 0x1000;
const MOST_DRIVERS = 4096;
const MOST_TABLES = 64;
const DEEPEST = 64;
/** Pages of entries of one driver: half a million allocations on x64. */
const MOST_PAGES = 4096;
/** Callers that are told of one driver and tag. */
const MOST_CALLERS = 8;

/** An allocation that was not freed. */
export interface VerifierAllocation {
  readonly address: VirtualAddress;
  readonly caller: VirtualAddress;
  readonly bytes: number;
  /** Without the protected bit. */
  readonly tag: number;
}

/** A pair of figures of one driver; null where it could not be read. */
export interface PoolPair {
  readonly nonPaged: number | null;
  readonly paged: number | null;
}

/** A driver under verification. */
export interface VerifierDriver {
  /** Of its `_VF_TARGET_DRIVER`. */
  readonly address: VirtualAddress;
  readonly name: string | null;
  readonly loads: number | null;
  readonly unloads: number | null;
  readonly allocations: PoolPair;
  readonly bytes: PoolPair;
  readonly peakAllocations: PoolPair;
  readonly peakBytes: PoolPair;
  readonly contiguousBytes: number | null;
  readonly peakContiguousBytes: number | null;
  /** Null where the list cannot be read, or is not kept in this build. */
  readonly outstanding: readonly VerifierAllocation[] | null;
  /** As many as the driver's own counters say. */
  readonly complete: boolean;
  /** The kernel may keep others in trees that cannot be read. */
  readonly inTrees: boolean;
}

/** All drivers under verification; empty where there are none or the trees cannot be read. */
export const readVerifierDrivers = oncePerKernel((kernel): readonly VerifierDriver[] => {
  const { memory } = kernel;
  const root = kernel.object('ViTargetDriversAvl', '_VF_AVL_TREE');
  const tables = root.pointer('Tables');
  const count = root.at('TablesNo', 'unsigned long');
  if (memory === null || failed(tables) || failed(count)) return [];
  if (count.value === 0n || count.value > BigInt(MOST_TABLES)) return [];
  return collectNodes(memory, tables.value).flatMap((node) => {
    const target = kernel.objectAt({ value: node, source: tables.source }, '_VF_TARGET_DRIVER');
    const data = target.follow('VerifiedData', '_VF_TARGET_VERIFIED_DRIVER_DATA');
    const inTrees = kernelDoes('mayTrackPoolInTrees', kernel.identity.buildNumber);
    return failed(data.place) ? [] : [{ ...readDriver(memory, node, data), inTrees }];
  });
});

function readDriver(
  memory: VirtualMemory,
  address: VirtualAddress,
  data: KernelObject,
): Omit<VerifierDriver, 'inTrees'> {
  const number = (of: KernelObject, path: string): number | null => {
    const found = of.at(path);
    return failed(found) ? null : Number(found.value);
  };
  const pair = (paged: string, nonPaged: string): PoolPair => ({
    nonPaged: number(data, nonPaged),
    paged: number(data, paged),
  });
  const suspect = data.follow('SuspectDriverEntry', '_VF_SUSPECT_DRIVER_ENTRY');
  const name = suspect.text('BaseName');
  const allocations = pair('CurrentPagedPoolAllocations', 'CurrentNonPagedPoolAllocations');
  const pages = data.inner('PoolPageHeaders');
  const outstanding = failed(pages.place) ? null : readEntries(memory, pages.place.value);
  const expected =
    allocations.paged === null || allocations.nonPaged === null ? null : allocations.paged + allocations.nonPaged;
  return {
    address,
    name: failed(name) || name.value === '' ? null : name.value.toWellFormed(),
    loads: number(suspect, 'Loads'),
    unloads: number(suspect, 'Unloads'),
    allocations,
    bytes: pair('PagedBytes', 'NonPagedBytes'),
    peakAllocations: pair('PeakPagedPoolAllocations', 'PeakNonPagedPoolAllocations'),
    peakBytes: pair('PeakPagedBytes', 'PeakNonPagedBytes'),
    contiguousBytes: number(data, 'ContiguousMemoryBytes'),
    peakContiguousBytes: number(data, 'PeakContiguousMemoryBytes'),
    outstanding,
    complete: outstanding !== null && outstanding.length === expected,
  };
}

/**
 * The entries in use on the pages of the _SLIST_HEADER at `list`. Each page begins with a _VI_POOL_PAGE_HEADER in the place
 * of an entry; entries of 32 bytes (x86 16): address, caller, bytes, tag. A free entry is a link to another one, so what
 * counts as in use has an address, a caller, a size and a tag that can be. Null where the list cannot be read.
 */
function readEntries(memory: VirtualMemory, list: VirtualAddress): VerifierAllocation[] | null {
  const wide = memory.pointerSize === 8;
  const size = wide ? 0x20 : 0x10;
  const first = memory.readPointer(plus(list, wide ? 8 : 0));
  if (failed(first)) return null;
  const found: VerifierAllocation[] = [];
  const seen = new Set<bigint>();
  const aligned = (address: bigint): bigint => address & ~0xfn;
  for (let at = aligned(first); at !== 0n && !seen.has(at) && seen.size < MOST_PAGES;) {
    seen.add(at);
    const page = memory.read(plus(at as VirtualAddress, 0), PAGE - Number(at & 0xfffn));
    if (failed(page)) return null;
    for (let entry = size; entry + size <= page.length; entry += size) {
      const [address, caller, bytes, tag] = [0, 1, 2, 3].map((i) =>
        wide ? u64(page, entry + i * 8) : BigInt(u32(page, entry + i * 4)),
      );
      if (address === undefined || caller === undefined || bytes === undefined || tag === undefined) continue;
      const isKernel = (value: bigint): boolean => (wide ? value >> 47n === 0x1ffffn : value >= 0x80000000n);
      if (!isKernel(address) || (address & 1n) !== 0n || !isKernel(caller) || bytes === 0n || bytes >= 1n << 40n)
        continue;
      if (tag === 0n || tag >> 32n !== 0n) continue;
      found.push({
        address: address as VirtualAddress,
        caller: caller as VirtualAddress,
        bytes: Number(bytes),
        tag: Number(tag & 0x7fffffffn),
      });
    }
    at = wide ? aligned(u64(page, 0)) : BigInt(u32(page, 0));
  }
  return found;
}

/** Outstanding allocations by driver and tag, most bytes first, with the callers of most. */
export function outstandingOf(drivers: readonly VerifierDriver[]): VerifierOutstanding[] {
  const all: VerifierOutstanding[] = [];
  for (const { name, outstanding } of drivers) {
    if (name === null || outstanding === null) continue;
    const tags = new Map<number, { allocations: number; bytes: number; callers: Map<VirtualAddress, number> }>();
    for (const { tag, bytes, caller } of outstanding) {
      const sum = tags.get(tag) ?? { allocations: 0, bytes: 0, callers: new Map<VirtualAddress, number>() };
      sum.allocations++;
      sum.bytes += bytes;
      sum.callers.set(caller, (sum.callers.get(caller) ?? 0) + 1);
      tags.set(tag, sum);
    }
    for (const [tag, { allocations, bytes, callers }] of tags) {
      const most = [...callers].sort((a, b) => b[1] - a[1]).slice(0, MOST_CALLERS);
      all.push({
        driver: name,
        tag,
        allocations,
        bytes,
        callers: most.map(([address, count]) => ({ address, count })),
      });
    }
  }
  return all.sort((a, b) => b.bytes - a.bytes);
}

/**
 * Nodes of the first table's tree. The balanced links (Parent, LeftChild, RightChild, Balance) head each node; the user
 * data follows these four pointers' worth, and _VF_TARGET_DRIVER is that data.
 */
function collectNodes(memory: VirtualMemory, table: VirtualAddress): VirtualAddress[] {
  const width = memory.pointerSize;
  const found: VirtualAddress[] = [];
  const seen = new Set<bigint>();
  const visit = (node: VirtualAddress, depth: number): void => {
    if (node === 0n || depth > DEEPEST || found.length >= MOST_DRIVERS || seen.has(node)) return;
    seen.add(node);
    const left = memory.readPointer(plus(node, width));
    const right = memory.readPointer(plus(node, 2 * width));
    if (failed(left) || failed(right)) return;
    visit(left, depth + 1);
    found.push(plus(node, 4 * width));
    visit(right, depth + 1);
  };
  const top = memory.readPointer(plus(table, 2 * width));
  if (!failed(top)) visit(top, 0);
  return found;
}
