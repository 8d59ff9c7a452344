/**
 * What decoders of blocks share: memory, layouts with where they come from, names of addresses. A layout may be that of
 * another build: decoders try the likeliest first, and only what the data proves is said.
 */

import { plus, virtual, type VirtualAddress } from '../../../../parsers/addresses.js';
import { failed } from '../../../../parsers/bytes/failure.js';
import { u16, u32, u64 } from '../../../../parsers/bytes/fields.js';
import { heapAddress } from '../../../../parsers/heap/memory.js';
import { usedTag, type PoolHeaderLayout } from '../../../../parsers/heap/pool-header.js';
import type { StructLayout } from '../../../../parsers/kernel/layout.js';
import type { VirtualMemory } from '../../../../parsers/paging/virtual-memory.js';
import type { FigureSource, Sourced } from '../../../../symbols/kernel-symbols.js';
import { objectReleases } from '../../../../symbols/objects/object-layouts.js';
import { objectsOf } from '../../objects/objects.js';
import type { Process } from '../../objects/process-list.js';
import { inKernel } from '../../objects/roots.js';
import type { Kernel } from '../../open/open-kernel.js';
import type { AddressNames, NamedModule } from './address-names.js';

/** Different layouts of a type that are tried, and releases that are asked for one. */
const MOST_LAYOUTS = 6;
const MOST_RELEASES = 40;
const MOST_KEPT = 20_000;

/** A structure in bytes that were read. Null where the layout lacks a field, or the bytes end before it. */
export class Fields {
  constructor(
    readonly layout: StructLayout,
    readonly bytes: Uint8Array,
    readonly start: number,
    private readonly pointerSize: 4 | 8,
  ) {}

  u8(field: string): number | null {
    const at = this.place(field, 1);
    return at === null ? null : (this.bytes[at] ?? null);
  }

  u16(field: string): number | null {
    const at = this.place(field, 2);
    return at === null ? null : u16(this.bytes, at);
  }

  u32(field: string): number | null {
    const at = this.place(field, 4);
    return at === null ? null : u32(this.bytes, at);
  }

  /** As stored; 0 too. */
  pointer(field: string): VirtualAddress | null {
    const at = this.place(field, this.pointerSize);
    return at === null ? null : pointerAt(this.bytes, at, this.pointerSize);
  }

  /** Where a field stands in the bytes; null where `length` bytes of it are not there. */
  place(field: string, length: number): number | null {
    const offset = this.layout.fields[field]?.offset;
    if (offset === undefined || this.start + offset + length > this.bytes.length) return null;
    return this.start + offset;
  }
}

/** The pointer that stands at `at` of some bytes. */
export function pointerAt(bytes: Uint8Array, at: number, pointerSize: 4 | 8): VirtualAddress {
  return virtual(pointerSize === 8 ? u64(bytes, at) : BigInt(u32(bytes, at)));
}

/** Whether what stands at `at` can be an address of the kernel's half: what most places fail by, at little cost. */
export function mayBeKernelPointer(bytes: Uint8Array, at: number, pointerSize: 4 | 8): boolean {
  return pointerSize === 8 ? u16(bytes, at + 6) >= 0xff00 : u32(bytes, at) >= 0x80000000;
}

/** One kernel, as decoders see it. */
export class ContentWorld {
  private readonly layouts = new Map<string, readonly Sourced<StructLayout>[]>();
  private readonly tags = new Map<VirtualAddress, number | null>();
  private processes: ReadonlyMap<VirtualAddress, Process> | null = null;

  constructor(
    readonly kernel: Kernel,
    readonly memory: VirtualMemory,
    readonly names: AddressNames,
    /** In front of small blocks; null where the pool has none that can be told. */
    readonly header: PoolHeaderLayout | null,
  ) {}

  get pointerSize(): 4 | 8 {
    return this.memory.pointerSize;
  }

  /** Layouts that a type may have here, each once: the kernel's own first, then those of releases, the nearest first. */
  layoutsOf(type: string): readonly Sourced<StructLayout>[] {
    let known = this.layouts.get(type);
    if (known === undefined) this.layouts.set(type, (known = this.lookUp(type)));
    return known;
  }

  private lookUp(type: string): Sourced<StructLayout>[] {
    const { identity, symbols } = this.kernel;
    const found = new Map<string, Sourced<StructLayout>>();
    const take = (layout: StructLayout | null, source: FigureSource): void => {
      if (layout === null || found.size >= MOST_LAYOUTS) return;
      const places = Object.entries(layout.fields).map(([name, { offset }]) => `${name}${offset}`);
      const key = `${layout.size} ${places.sort().join(' ')}`;
      if (!found.has(key)) found.set(key, { value: layout, source });
    };
    const own = symbols?.layout(type) ?? null;
    if (own?.source === 'pdb' || own?.source === 'profile') take(own.value, own.source);
    const releases = objectReleases(identity.architecture ?? 'x64', identity.buildNumber);
    for (const release of releases.slice(0, MOST_RELEASES)) take(release.layout(type), 'nearest');
    return [...found.values()];
  }

  /** A structure elsewhere in memory; null where it is not all in the dump. */
  at(address: VirtualAddress, layout: StructLayout, length = layout.size): Fields | null {
    const bytes = this.memory.read(address, length);
    return failed(bytes) ? null : new Fields(layout, bytes, 0, this.pointerSize);
  }

  /** True for an aligned address of the kernel's half. */
  isKernelPointer(value: VirtualAddress | null): value is VirtualAddress {
    return value !== null && inKernel(this, value) && value % BigInt(this.pointerSize) === 0n;
  }

  /** True for null and for what `isKernelPointer` is true for: what a link that may end can be. */
  isLink(value: VirtualAddress | null): boolean {
    return value === 0n || this.isKernelPointer(value);
  }

  moduleAt(address: VirtualAddress): NamedModule | null {
    return this.names.moduleAt(heapAddress(address, this.pointerSize));
  }

  /** The tag of the small block in use whose data begins at an address; null where none does. */
  tagAt(data: VirtualAddress): number | null {
    const { header } = this;
    if (header === null || data % BigInt(2 * this.pointerSize) !== 0n || !this.isKernelPointer(data)) return null;
    let tag = this.tags.get(data);
    if (tag === undefined) {
      const bytes = this.memory.read(plus(data, -header.size), header.size);
      tag = failed(bytes) ? null : usedTag(bytes, header);
      if (this.tags.size < MOST_KEPT) this.tags.set(data, tag);
    }
    return tag;
  }

  /** `watchman.exe (4321)` of a process that is known; null for anything else. */
  processAt(address: VirtualAddress | null): string | null {
    if (address === null || !this.isKernelPointer(address)) return null;
    this.processes ??= new Map(
      (objectsOf(this.kernel).processes()?.processes ?? []).map((process) => [process.address, process]),
    );
    const process = this.processes.get(address);
    return process === undefined ? null : `${process.image} (${process.pid})`;
  }
}
