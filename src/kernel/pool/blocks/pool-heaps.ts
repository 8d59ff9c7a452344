/**
 * The segment heaps of a kernel's pools: those of ExPoolState where symbols know it, else rows of four heap pointers in
 * the kernel's data whose targets are heaps. Private pools (26100) hang on lists of ExPoolState.
 */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u32 } from '../../../../parsers/bytes/fields.js';
import { AddressSet } from '../../../../parsers/heap/address-set.js';
import { heapAddress, PointerReader, type HeapAddress, type HeapMemory } from '../../../../parsers/heap/memory.js';
import { LOOKASIDE, LOOKASIDE_ARM64, readLookaside } from '../../../../parsers/heap/segment/cached-blocks.js';
import { openSegmentHeap, type SegmentHeap } from '../../../../parsers/heap/segment/open.js';
import { proveHeaps, type HeapProof } from '../../../../parsers/heap/segment/prove.js';
import { walkList } from '../../../../parsers/kernel/structures.js';
import { kernelDoes } from '../../../../symbols/generations.js';
import type { FigureSource } from '../../../../symbols/kernel-symbols.js';
import type { Warning, WarningCode } from '../../../result/result.js';
import { dataSections } from '../../find/data-sections.js';
import type { Kernel } from '../../open/open-kernel.js';

const MOST_NODES = 64;
/** Heaps of a node: nonpaged, nonpaged that cannot be executed, paged, second paged. */
const HEAPS = 4;
const SPECIAL_HEAPS = 4;
const HEAP_SIGNATURE = 0xddeeddee;
/** Lookaside lists in a node, behind its heaps. */
const LOOKASIDES = 2;
const MOST_PRIVATE = 4096;

/** Which pool a heap is: `special` is Driver Verifier's, `private` one that a driver made for itself. */
export type HeapRole = 'nonpaged' | 'nonpaged-nx' | 'paged' | 'special' | 'private';

export interface PoolHeap {
  readonly heap: SegmentHeap;
  readonly role: HeapRole;
}

/** The pool's heaps, of which one proof tells keys and generation. */
export interface PoolHeaps {
  readonly heaps: readonly PoolHeap[];
  readonly proof: HeapProof;
  readonly lookaside: AddressSet;
  /** Entries that lookaside lists name beyond those that could be followed. */
  readonly lookasideUnresolved: number;
  readonly source: FigureSource;
}

/** Null where the pool has no segment heaps, or none that decodes; a warning says the latter. */
export function openPoolHeaps(kernel: Kernel, memory: HeapMemory): { pool: PoolHeaps | null; warnings: Warning[] } {
  const { buildNumber } = kernel.identity;
  if (buildNumber !== 0 && !kernelDoes('mayHavePoolHeaps', buildNumber)) return { pool: null, warnings: [] };
  const found = bySymbols(kernel, memory) ?? (hasNone(kernel) ? null : byContent(kernel, memory));
  if (found === null) return { pool: null, warnings: [] };
  const warnings: Warning[] = [];
  const warn = (code: WarningCode, message: string): void => {
    warnings.push({ code, where: 'suspects', message });
  };
  const { heaps, nodes, source, unreadable } = found;
  if (unreadable > 0)
    warn('pool-heap-unreadable', `${unreadable} heaps of the pool cannot be read: their blocks are missing`);
  if (heaps.length === 0) return { pool: null, warnings };
  if (source === 'scan')
    warn(
      'pool-heaps-searched',
      `no symbols tell where the heaps of the pool are; ${heaps.length} were found by their content`,
    );
  const key = (at: number): bigint | undefined => {
    const place = kernel.addressOf('RtlpHpHeapGlobals');
    const value = failed(place) ? place : kernel.pointerAt(place, at);
    return failed(value) ? undefined : value.value;
  };
  const [heapKey, lfhKey] = [key(0), key(1)];
  const proof = proveHeaps(
    memory,
    heaps.map(({ heap }) => heap),
    {
      ...(heapKey === undefined ? {} : { heapKey }),
      ...(lfhKey === undefined ? {} : { lfhKey }),
      find: (low, high) => placesOf(kernel, memory, low, high),
    },
  );
  if (failed(proof)) {
    warn('pool-heaps-undecoded', `the heaps of the pool cannot be read: ${proof.message}`);
    return { pool: null, warnings };
  }
  const lookaside = new AddressSet();
  const reader = new PointerReader(memory);
  const layout = kernel.identity.architecture === 'arm64' ? LOOKASIDE_ARM64 : LOOKASIDE;
  const first = kernel.identity.architecture === 'arm64' ? 0x80 : 0x40;
  let unresolved = 0;
  for (const node of nodes) {
    for (let i = 0; i < LOOKASIDES; i++)
      unresolved += readLookaside(reader, node + first + i * layout.size, layout, lookaside);
  }
  return { pool: { heaps, proof, lookaside, lookasideUnresolved: unresolved, source }, warnings };
}

interface FoundHeaps {
  readonly heaps: PoolHeap[];
  /** Where nodes stand. */
  readonly nodes: HeapAddress[];
  readonly unreadable: number;
  readonly source: FigureSource;
}

/** Heaps by address, each once. */
class Collection {
  readonly heaps: PoolHeap[] = [];
  unreadable = 0;
  private readonly seen = new AddressSet();

  constructor(private readonly reader: PointerReader) {}

  add(address: HeapAddress, role: HeapRole): boolean {
    if (address === 0 || !this.seen.add(address)) return false;
    const heap = openSegmentHeap(this.reader, address);
    if (heap === null) this.unreadable++;
    else this.heaps.push({ heap, role });
    return heap !== null;
  }
}

const ROLES: readonly HeapRole[] = ['nonpaged', 'nonpaged-nx', 'paged', 'paged'];

/** The kernel's own symbols tell where the number of its nodes stands, and it is none. */
function hasNone(kernel: Kernel): boolean {
  const number = kernel.object('ExPoolState', '_EX_POOL_HEAP_MANAGER_STATE').at('NumberOfPools', 'unsigned long');
  return !failed(number) && number.value === 0n && (number.source === 'pdb' || number.source === 'profile');
}

function bySymbols(kernel: Kernel, memory: HeapMemory): FoundHeaps | null {
  const state = kernel.object('ExPoolState', '_EX_POOL_HEAP_MANAGER_STATE');
  const number = state.at('NumberOfPools', 'unsigned long');
  if (failed(number) || number.value === 0n || number.value > BigInt(MOST_NODES)) return null;
  const collection = new Collection(new PointerReader(memory));
  const nodes: HeapAddress[] = [];
  const address = (value: bigint): HeapAddress => heapAddress(value, memory.pointerSize);
  const first = state.inner('PoolNode', '_EX_HEAP_POOL_NODE');
  for (let n = 0; n < Number(number.value); n++) {
    const node = first.element(n);
    if (!failed(node.place)) nodes.push(address(node.place.value));
    for (let h = 0; h < HEAPS; h++) {
      const heap = node.pointer('Heaps', h);
      if (!failed(heap)) collection.add(address(heap.value), ROLES[h] ?? 'paged');
    }
  }
  if (collection.heaps.length === 0) return null;
  for (let h = 0; h < SPECIAL_HEAPS; h++) {
    const heap = state.pointer('SpecialHeaps', h);
    if (!failed(heap) && isHeap(memory, address(heap.value))) collection.add(address(heap.value), 'special');
  }
  for (const heap of privateHeaps(kernel, memory)) collection.add(heap, 'private');
  return { heaps: collection.heaps, nodes, unreadable: collection.unreadable, source: number.source };
}

/**
 * _EXP_POOL_CONTEXT by PoolLink (+0x20) on the two lists of ExPoolState; NodeCount +0x48, heaps from +0x50 on. Not seen on
 * genuine memory: only what is a heap is taken.
 */
function privateHeaps(kernel: Kernel, memory: HeapMemory): HeapAddress[] {
  const lists = kernel.object('ExPoolState', '_EX_POOL_HEAP_MANAGER_STATE').inner('PrivatePools');
  if (failed(lists.place) || kernel.memory === null || memory.pointerSize !== 8) return [];
  const found: HeapAddress[] = [];
  for (let i = 0; i < 2; i++) {
    for (const link of walkList(kernel.memory, plus(lists.place.value, i * 16), MOST_PRIVATE).entries) {
      const context = plus(link, -0x20);
      const count = kernel.memory.readU32(plus(context, 0x48));
      if (failed(count) || count > MOST_NODES) continue;
      for (let n = 0; n < count; n++) {
        const heap = kernel.memory.readPointer(plus(context, 0x50 + n * 8));
        if (!failed(heap) && isHeap(memory, heapAddress(heap, 8))) found.push(heapAddress(heap, 8));
      }
    }
  }
  return found;
}

function isHeap(memory: HeapMemory, address: HeapAddress): boolean {
  return address !== 0 && openSegmentHeap(new PointerReader(memory), address) !== null;
}

/** Four pointers in a row in the kernel's data, of which two or more lead to heaps. */
function byContent(kernel: Kernel, memory: HeapMemory): FoundHeaps | null {
  if (kernel.image === null || kernel.memory === null) return null;
  const width = memory.pointerSize;
  const reader = new PointerReader(memory);
  const signature = width === 8 ? 0x10 : 8;
  const known = new Map<HeapAddress, boolean>();
  const leads = (bytes: Uint8Array, at: number): boolean => {
    if (!isHeapPlace(bytes, at, width)) return false;
    const high = width === 8 ? u32(bytes, at + 4) : 0;
    const address = heapAddress((BigInt(high) << 32n) | BigInt(u32(bytes, at)), width);
    let is = known.get(address);
    if (is === undefined) {
      is = reader.u32(address + signature) === HEAP_SIGNATURE;
      known.set(address, is);
    }
    return is;
  };
  const collection = new Collection(reader);
  const nodes: HeapAddress[] = [];
  for (const { rva, size } of dataSections(kernel.image)) {
    const start = plus(kernel.image.base, rva);
    for (const { bytes, offset } of kernel.memory.chunks(start, size)) {
      if (failed(bytes)) continue;
      for (let at = 0; at + HEAPS * width <= bytes.length; at += width) {
        const lead = [0, 1, 2, 3].filter((h) => leads(bytes, at + h * width));
        // One heap's page may be missing, and there may be no second paged heap.
        if (lead.length < 2 || (lead[0] !== 0 && !isHeapPlace(bytes, at, width))) continue;
        const node = plus(start, offset + at);
        let heaps = 0;
        for (let h = 0; h < HEAPS; h++) {
          const pointer = kernel.memory.readPointer(plus(node, h * width));
          if (
            !failed(pointer) &&
            leads(bytes, at + h * width) &&
            collection.add(heapAddress(pointer, width), ROLES[h] ?? 'paged')
          )
            heaps++;
        }
        // A row met before, or its tail, adds nothing.
        if (heaps >= 2) nodes.push(heapAddress(node, width));
      }
    }
  }
  if (collection.heaps.length === 0) return null;
  return { heaps: collection.heaps, nodes, unreadable: collection.unreadable, source: 'scan' };
}

/** Whether a pointer can be that of a heap, which begins a page. */
function isHeapPlace(bytes: Uint8Array, at: number, width: 4 | 8): boolean {
  const low = u32(bytes, at);
  const high = width === 8 ? u32(bytes, at + 4) : 0;
  return (low & 0xfff) === 0 && (width === 8 ? high >= 0xffff8000 : low >= 0x80000000);
}

/** Aligned places of a value in the kernel's data. */
function* placesOf(kernel: Kernel, memory: HeapMemory, low: number, high: number): Iterable<HeapAddress> {
  if (kernel.image === null || kernel.memory === null) return;
  const wide = memory.pointerSize === 8;
  for (const { rva, size } of dataSections(kernel.image)) {
    const start: VirtualAddress = plus(kernel.image.base, rva);
    for (const { bytes, offset } of kernel.memory.chunks(start, size)) {
      if (failed(bytes)) continue;
      for (let at = 0; at + memory.pointerSize <= bytes.length; at += memory.pointerSize) {
        if (u32(bytes, at) !== low || (wide && u32(bytes, at + 4) !== high)) continue;
        yield heapAddress(virtual(start + BigInt(offset + at)), memory.pointerSize);
      }
    }
  }
}
