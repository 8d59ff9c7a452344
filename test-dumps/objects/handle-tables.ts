/** Handle tables: levels, entries in the encoding of each generation, free entries, and the table of process and thread ids. */

import { putU32, putU64, putVa, type Va } from '../bytes.js';
import type { KernelFacts } from '../kernel-facts.js';
import type { KernelSpace } from '../kernel/kernel-space.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import { Piece } from './piece.js';
import type { PoolPages } from './pool-pages.js';

/** Where the parts of an entry's low qword begin; of 32-bit kernels and those before Windows 8, none: they hold a pointer. */
interface Packing {
  object: number;
  attributes: number;
  /** The largest reference count. */
  count: number;
}

/** How entries of a kernel look. */
export class EntryStyle {
  readonly entrySize: 8 | 16;
  readonly perLeaf: number;
  private readonly packing: Packing | null;
  private readonly narrow: boolean;

  constructor(
    private readonly kernel: KernelFacts,
    levels: number,
  ) {
    this.narrow = kernel.pointerSize === 4;
    this.entrySize = this.narrow ? 8 : 16;
    this.perLeaf = PAGE / this.entrySize;
    if (this.narrow || kernel.build < 9200) this.packing = null;
    else if (kernel.build < 9600) this.packing = { object: 23, attributes: 20, count: 0x7_ffff };
    else if (levels === 5) this.packing = { object: 11, attributes: 8, count: 0x7f };
    else this.packing = { object: 20, attributes: 17, count: 0x7fff };
  }

  /** References that a fresh entry holds in stock: from Windows 8.1 on. */
  get stock(): number {
    if (this.kernel.build < 9600) return 0;
    return this.narrow ? 0x1f : (this.packing?.count ?? 0);
  }

  /** Writes an entry. `attributes` are 1 inherit, 2 audit and, where there is room, 4 protect from close. */
  put(bytes: Uint8Array, at: number, target: Va, access: number, attributes: number, count: number): void {
    const { packing } = this;
    if (packing) {
      const pointer = BigInt.asUintN(
        64 - packing.object,
        BigInt(target >= 0x8000_0000_0000 ? target - 2 ** 48 : target) >> 4n,
      );
      const low =
        (pointer << BigInt(packing.object)) |
        (BigInt(attributes & 7) << BigInt(packing.attributes)) |
        (BigInt(count) << 1n) |
        1n;
      putU64(bytes, at, low);
      putU32(bytes, at + 8, access & 0x1ff_ffff);
      return;
    }
    if (!this.narrow) {
      putVa(bytes, at, target);
      bytes[at] = (bytes[at] ?? 0) | ((attributes & 3) << 1) | 1;
      putU32(bytes, at + 8, access & 0x1ff_ffff);
      return;
    }
    putU32(bytes, at, target | ((attributes & 3) << 1) | 1);
    const shift = this.kernel.build < 9600 ? 26 : 27;
    const high = this.kernel.build < 9200 ? 0 : ((attributes & 4) << 23) | (count << shift);
    putU32(bytes, at + 4, ((access & 0x1ff_ffff) | high) >>> 0);
  }

  /** A free entry leads to the next one: by address from Windows 8 on, before by handle value. */
  putFree(bytes: Uint8Array, at: number, next: Va): void {
    if (this.narrow) putU32(bytes, at + 4, next);
    else if (this.kernel.build < 9200) putU32(bytes, at + 8, next);
    else putVa(bytes, at + 8, next);
  }
}

/** What stands in a table: entry numbers in rising order. */
export interface TableContents {
  numbers: readonly number[];
  put(position: number, bytes: Uint8Array, at: number): void;
}

export interface BuiltTable {
  /** Of the `_HANDLE_TABLE`. */
  address: Va;
  leaves: Va[];
  level: 0 | 1 | 2;
}

export class HandleTables {
  readonly style: EntryStyle;
  /** `_HANDLE_TABLE.HandleTableList` of all tables of processes. */
  readonly links: Va[] = [];

  constructor(
    private readonly space: KernelSpace,
    private readonly kernel: KernelFacts,
    private readonly pool: PoolPages,
    levels: number,
  ) {
    this.style = new EntryStyle(kernel, levels);
  }

  /** Entry numbers for so many handles: the first of every leaf is never used, and some others are free. */
  numbersFor(count: number, random: Prng): number[] {
    const { perLeaf } = this.style;
    const numbers: number[] = [];
    for (let number = 1; numbers.length < count; number++) {
      if (number % perLeaf === 0 || random.chance(0.03)) continue;
      numbers.push(number);
    }
    return numbers;
  }

  /** Writes a table. `process` and `pid` are null for the table of ids. */
  write(contents: TableContents, owner: { process: Va; pid: number } | null, spare: number): BuiltTable {
    const { perLeaf, entrySize } = this.style;
    const { numbers } = contents;
    const last = Math.max(0, numbers.at(-1) ?? 0) + spare;
    const leaves: Va[] = [];
    for (let i = 0; i * perLeaf <= last; i++) leaves.push(this.pool.wholePage('pagedPool', 'Obtb'));
    const pages = leaves.map((leaf) => this.space.page(leaf));
    let position = 0;
    const free: number[] = [];
    for (let number = 0; number < leaves.length * perLeaf; number++) {
      if (numbers[position] === number) {
        const page = pages[Math.floor(number / perLeaf)];
        if (page) contents.put(position, page, (number % perLeaf) * entrySize);
        position++;
      } else if (number % perLeaf !== 0) free.push(number);
    }
    this.linkFree(free, leaves, pages);
    const piece = this.tablePiece();
    const top = this.topOf(leaves);
    this.fill(piece, { ...top, free, leaves, count: numbers.length }, owner);
    if (owner) this.links.push(piece.address('HandleTableList'));
    return { address: piece.va, leaves, level: top.level };
  }

  private tablePiece(): Piece {
    const { size } = this.kernel.structs['_HANDLE_TABLE'] ?? { size: 0x80 };
    const block = this.pool.allocate('pagedPool', 'Obtb', size);
    return new Piece(this.kernel, '_HANDLE_TABLE', block.bytes, block.va);
  }

  private entryAddress(number: number, leaves: readonly Va[]): Va {
    const { perLeaf, entrySize } = this.style;
    return (leaves[Math.floor(number / perLeaf)] ?? 0) + (number % perLeaf) * entrySize;
  }

  private linkFree(free: readonly number[], leaves: readonly Va[], pages: readonly Uint8Array[]): void {
    const { perLeaf, entrySize } = this.style;
    const byAddress = this.kernel.build >= 9200;
    free.forEach((number, i) => {
      const page = pages[Math.floor(number / perLeaf)];
      const next = free[i + 1];
      const target = next === undefined ? 0 : byAddress ? this.entryAddress(next, leaves) : next * 4;
      if (page) this.style.putFree(page, (number % perLeaf) * entrySize, target);
    });
    // The first entry of a leaf: the handle value of the leaf, before Windows 8 a mark.
    pages.forEach((page, i) => {
      this.style.putFree(page, 0, byAddress ? i * perLeaf * 4 : 0xffff_fffe);
    });
  }

  /** The page of pointers above the leaves, and one more above those where one page is not enough. */
  private topOf(leaves: readonly Va[]): { top: Va; level: 0 | 1 | 2 } {
    const [first = 0] = leaves;
    if (leaves.length === 1) return { top: first, level: 0 };
    const perPage = PAGE / this.space.width;
    const middles: Va[] = [];
    for (let from = 0; from < leaves.length; from += perPage)
      middles.push(this.pointers(leaves.slice(from, from + perPage)));
    if (middles.length === 1) return { top: middles[0] ?? 0, level: 1 };
    return { top: this.pointers(middles), level: 2 };
  }

  private pointers(targets: readonly Va[]): Va {
    const page = this.pool.wholePage('pagedPool', 'Obtb');
    targets.forEach((target, i) => {
      this.space.pointer(page + i * this.space.width, target);
    });
    return page;
  }

  private fill(
    piece: Piece,
    table: { top: Va; level: number; free: readonly number[]; leaves: readonly Va[]; count: number },
    owner: { process: Va; pid: number } | null,
  ): void {
    const { perLeaf } = this.style;
    piece.pointer('TableCode', table.top + table.level);
    piece.u32('NextHandleNeedingPool', table.leaves.length * perLeaf * 4);
    piece.pointer('QuotaProcess', owner?.process ?? 0);
    if (this.kernel.build >= 9200) piece.u32('UniqueProcessId', owner?.pid ?? 0);
    else piece.word('UniqueProcessId', owner?.pid ?? 0);
    piece.emptyList('HandleTableList');
    const [first] = table.free;
    const last = table.free.at(-1);
    if (piece.has('FreeLists')) {
      const list = piece.inner('FreeLists', '_HANDLE_TABLE_FREE_LIST');
      list.u32('HandleCount', table.count);
      list.u32('HighWaterMark', table.count + 7);
      list.pointer('FirstFreeHandleEntry', first === undefined ? 0 : this.entryAddress(first, table.leaves));
      list.pointer('LastFreeHandleEntry', last === undefined ? 0 : this.entryAddress(last, table.leaves));
      return;
    }
    piece.u32('HandleCount', table.count);
    piece.u32('HandleCountHighWatermark', table.count + 7);
    piece.u32('FirstFree', (first ?? 0) * 4);
    piece.u32('FirstFreeHandle', (first ?? 0) * 4);
  }
}
