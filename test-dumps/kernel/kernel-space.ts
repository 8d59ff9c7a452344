/** The dumped system's kernel address space: where things live in each generation, and writing at virtual addresses. */

import { alignUp, canonical, latin1, putU16, putU32, putU64, putVa, utf16, type Va } from '../bytes.js';
import type { AddressTables } from './page-tables.js';
import { PAGE, ZERO_PAGE, type PhysicalMemory } from '../physical-memory.js';

/** First addresses of the regions of one generation, as 48-bit numbers. */
export interface AddressPlan {
  kernel: Va;
  drivers: Va;
  nonPagedPool: Va;
  pagedPool: Va;
  systemPtes: Va;
  session: Va;
  pteBase: Va;
  pfnDatabase: Va;
  sharedUserData: Va;
  /** The start of a stretch where nothing is mapped. */
  nowhere: Va;
}

const COMMON = { sharedUserData: 0xf780_0000_0000, nowhere: 0xfe70_0000_0000 };

/** 32-bit systems: the regions of NT 5 stand where they always stood, those of later ones anywhere. */
export function addressPlanX86(build: number): AddressPlan {
  const common = { pteBase: 0xc000_0000, sharedUserData: 0xffdf_0000, nowhere: 0xfd00_0000 };
  if (build <= 3790) {
    return {
      ...common,
      kernel: build <= 2600 ? 0x804d_7000 : 0x8080_0000,
      drivers: 0xf700_0000,
      nonPagedPool: 0x8180_0000,
      pagedPool: 0xe100_0000,
      systemPtes: 0xf900_0000,
      session: 0xbe00_0000,
      pfnDatabase: 0x8100_0000,
    };
  }
  return {
    ...common,
    kernel: 0x8280_0000,
    drivers: 0x8b00_0000,
    nonPagedPool: 0x8580_0000,
    pagedPool: 0x9a00_0000,
    systemPtes: 0xa600_0000,
    session: 0x9600_0000,
    pfnDatabase: 0x8340_0000,
  };
}

/** Windows 7 and 8.1 use fixed regions; from 14393 on they are random, so any sane set will do. */
export function addressPlan(build: number): AddressPlan {
  if (build <= 7601) {
    return {
      ...COMMON,
      kernel: 0xf800_0284_9000,
      drivers: 0xf880_00c0_0000,
      nonPagedPool: 0xfa80_0180_0000,
      pagedPool: 0xf8a0_0000_0000,
      systemPtes: 0xf880_0600_0000,
      session: 0xf960_0000_0000,
      pteBase: 0xf680_0000_0000,
      pfnDatabase: 0xfa80_0000_0000,
    };
  }
  if (build <= 9600) {
    return {
      ...COMMON,
      kernel: 0xf803_1a08_4000,
      drivers: 0xf800_0120_0000,
      nonPagedPool: 0xe000_0120_0000,
      pagedPool: 0xc000_0000_0000,
      systemPtes: 0xd000_2000_0000,
      session: 0xf960_0000_0000,
      pteBase: 0xf680_0000_0000,
      pfnDatabase: 0xfa80_0000_0000,
    };
  }
  return {
    ...COMMON,
    kernel: 0xf801_5a20_0000,
    drivers: 0xf801_5e00_0000,
    nonPagedPool: 0x926c_0000_0000,
    pagedPool: 0xb10f_2a00_0000,
    systemPtes: 0xfe0d_2c00_0000,
    session: 0xbd80_0000_0000,
    pteBase: 0xb280_0000_0000,
    pfnDatabase: 0xd300_0000_0000,
  };
}

export class KernelSpace {
  private readonly frames = new Map<number, number>();
  private readonly next = new Map<string, Va>();

  constructor(
    readonly memory: PhysicalMemory,
    readonly tables: AddressTables,
    readonly plan: AddressPlan,
    poolPages: '4k' | '2m' | '1g' = '4k',
    /** Bytes of a pointer. */
    readonly width: 4 | 8 = 8,
  ) {
    this.next.set('nonPagedPool', plan.nonPagedPool);
    this.next.set('pagedPool', plan.pagedPool);
    this.next.set('systemPtes', plan.systemPtes);
    if (poolPages !== '4k') this.mapPoolLarge(poolPages === '2m' ? 2 : 3);
  }

  /** Remembers that `va` is backed by `frame` and puts it into the page tables. */
  mapPage(va: Va, frame: number, executable = false): void {
    this.frames.set(Math.floor(va / PAGE), frame);
    this.tables.map(va, frame, { writable: true, executable });
  }

  /** Lets `write` reach a page that the page tables say something else about. */
  aliasPage(va: Va, frame: number): void {
    this.frames.set(Math.floor(va / PAGE), frame);
  }

  /** Frame behind an address that this space mapped itself. */
  frameOf(va: Va): number | undefined {
    return this.frames.get(Math.floor(va / PAGE));
  }

  /** Zeroed memory in a region; it may span pages that are scattered in RAM. */
  allocate(region: 'nonPagedPool' | 'pagedPool' | 'systemPtes', bytes: number, alignment = 16): Va {
    const start = alignUp(this.next.get(region) ?? 0, alignment);
    this.next.set(region, start + bytes);
    for (let va = start - (start % PAGE); va < start + bytes; va += PAGE) {
      let frame = this.frames.get(Math.floor(va / PAGE));
      if (frame === undefined) {
        frame = this.memory.allocate();
        this.mapPage(va, frame);
      }
      if (!this.memory.pages.has(frame)) this.memory.setShared(frame, ZERO_PAGE);
    }
    return start;
  }

  /** The page's bytes for writing, and the offset of `va` in them. Throws where nothing is mapped. */
  page(va: Va): Uint8Array {
    const frame = this.frames.get(Math.floor(va / PAGE));
    if (frame === undefined) throw new Error(`nothing mapped at ${canonical(va).toString(16)}`);
    return this.memory.writable(frame);
  }

  write(va: Va, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      const at = (va + done) % PAGE;
      const length = Math.min(PAGE - at, bytes.length - done);
      this.page(va + done).set(bytes.subarray(done, done + length), at);
      done += length;
    }
  }

  /** Fields are naturally aligned, so none of these crosses a page. */
  u16(va: Va, value: number): void {
    putU16(this.page(va), va % PAGE, value);
  }

  u32(va: Va, value: number): void {
    putU32(this.page(va), va % PAGE, value);
  }

  u64(va: Va, value: number | bigint): void {
    putU64(this.page(va), va % PAGE, value);
  }

  pointer(va: Va, target: Va): void {
    if (this.width === 4) this.u32(va, target);
    else putVa(this.page(va), va % PAGE, target);
  }

  /** A number as wide as a pointer (SIZE_T); modulo 2^32 on 32-bit systems. */
  word(va: Va, value: number | bigint): void {
    if (this.width === 8) this.u64(va, value);
    else this.u32(va, typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value);
  }

  ascii(va: Va, text: string): void {
    this.write(va, latin1(`${text}\0`));
  }

  /** A `_UNICODE_STRING` at `va` whose characters go to nonpaged or paged pool. */
  unicode(va: Va, text: string, region: 'nonPagedPool' | 'pagedPool' = 'nonPagedPool'): void {
    const bytes = utf16(text);
    const buffer = this.allocate(region, bytes.length + 2);
    this.write(buffer, bytes);
    this.u16(va, bytes.length);
    this.u16(va + 2, bytes.length + 2);
    this.pointer(va + this.width, buffer);
  }

  /** Links `entries` (addresses of their `_LIST_ENTRY`) behind `head` in a ring. */
  link(head: Va, entries: readonly Va[]): void {
    const ring = [head, ...entries];
    for (let i = 0; i < ring.length; i++) {
      const here = ring[i] ?? head;
      const after = ring[(i + 1) % ring.length] ?? head;
      this.pointer(here, after);
      this.pointer(after + this.width, here);
    }
  }

  private mapPoolLarge(level: 2 | 3): void {
    const pages = level === 2 ? this.tables.largePages : 0x40000;
    const span = pages * PAGE;
    const start = alignUp(this.plan.nonPagedPool, span);
    const count = level === 2 ? 8 : 1;
    const first = this.memory.allocateBlock(pages * count, pages);
    for (let i = 0; i < count; i++) {
      this.tables.mapLarge(start + i * span, first + i * pages, level, { writable: true });
    }
    for (let i = 0; i < (level === 2 ? 0x1000 : 0x10000); i++) this.frames.set(Math.floor(start / PAGE) + i, first + i);
    this.next.set('nonPagedPool', start);
  }
}
