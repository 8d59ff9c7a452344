/** Pool pages filled with blocks: `_POOL_HEADER`, data, and a free block where a page has room left. Counts what it gives out. */

import { alignUp, latin1, getU32, putU16, putU32, type Va } from '../bytes.js';
import type { KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { PAGE } from '../physical-memory.js';

export type Pool = 'nonPagedPool' | 'pagedPool';

/** A block's data: the page that holds it whole, and its address. */
export interface Block {
  bytes: Uint8Array;
  va: Va;
}

interface OpenPage {
  va: Va;
  bytes: Uint8Array;
  used: number;
  previous: number;
}

/** Pages with room that are looked at for the next block. */
const OPEN = 6;
const PROTECTED = 0x80;

export class PoolPages {
  /** Blocks and bytes by pool and tag. */
  readonly usage = new Map<string, { pool: Pool; tag: string; blocks: number; bytes: number }>();
  private readonly open: Record<Pool, OpenPage[]> = { nonPagedPool: [], pagedPool: [] };
  private readonly tags = new Map<string, number>();
  private readonly unit: number;

  constructor(
    private readonly space: KernelSpace,
    private readonly kernel: KernelFacts,
  ) {
    this.unit = kernel.pointerSize === 4 ? 8 : 16;
  }

  /** The bits of a pointer to a block that a fast reference counts in. */
  get fastMask(): number {
    return this.unit - 1;
  }

  /** Bytes that a block with so much data takes. */
  blockSize(size: number): number {
    return alignUp(this.unit + size, this.unit);
  }

  /** `object`: its tag carries the PROTECTED_POOL bit where systems give it to objects. Throws on more than a page holds. */
  allocate(pool: Pool, tag: string, size: number, object = false): Block {
    const whole = this.blockSize(size);
    if (whole > PAGE) throw new Error(`a block of ${size} bytes needs more than a page`);
    this.count(pool, tag, whole);
    const pages = this.open[pool];
    let page = pages.find((one) => one.used + whole <= PAGE);
    if (page === undefined) {
      if (pages.length >= OPEN) this.close(this.takeFullest(pages));
      const va = this.space.allocate(pool, PAGE, PAGE);
      page = { va, bytes: this.space.page(va), used: 0, previous: 0 };
      pages.push(page);
    }
    const start = page.used;
    this.header(page, whole, tag, this.inUse(pool), object && this.kernel.build < 9200);
    return { bytes: page.bytes, va: page.va + start + this.unit };
  }

  /** A page of its own, which the tag's row counts. */
  wholePage(pool: Pool, tag: string): Va {
    this.count(pool, tag, PAGE);
    return this.space.allocate(pool, PAGE, PAGE);
  }

  /** Closes the pages that have room left. */
  finish(): void {
    for (const pages of Object.values(this.open)) for (const page of pages.splice(0)) this.close(page);
  }

  private count(pool: Pool, tag: string, bytes: number): void {
    const key = `${pool} ${tag}`;
    const known = this.usage.get(key);
    if (known) {
      known.blocks++;
      known.bytes += bytes;
    } else this.usage.set(key, { pool, tag, blocks: 1, bytes });
  }

  private takeFullest(pages: OpenPage[]): OpenPage {
    let at = 0;
    pages.forEach((page, i) => {
      if (page.used > (pages[at]?.used ?? 0)) at = i;
    });
    const [page] = pages.splice(at, 1);
    if (page === undefined) throw new Error('no page');
    return page;
  }

  private close(page: OpenPage): void {
    if (page.used + this.unit <= PAGE) this.header(page, PAGE - page.used, 'Free', 0, false);
  }

  /** `PoolType`: Windows XP and 2003 count from 1 and know no other mark of use. */
  private inUse(pool: Pool): number {
    const paged = pool === 'pagedPool' ? 1 : 0;
    return this.kernel.build < 6000 ? 1 + paged : 2 + paged;
  }

  private header(page: OpenPage, whole: number, tag: string, type: number, isProtected: boolean): void {
    const { bytes, used, previous } = page;
    const [size, before] = [whole / this.unit, previous / this.unit];
    if (this.unit === 8) {
      putU16(bytes, used, before);
      putU16(bytes, used + 2, size | (type << 9));
    } else {
      bytes[used] = before & 0xff;
      bytes[used + 2] = size & 0xff;
      bytes[used + 3] = type;
    }
    let key = this.tags.get(tag);
    if (key === undefined) this.tags.set(tag, (key = getU32(latin1(tag), 0)));
    putU32(bytes, used + 4, key);
    if (isProtected) bytes[used + 7] = (bytes[used + 7] ?? 0) | PROTECTED;
    page.used += whole;
    page.previous = whole;
  }
}
