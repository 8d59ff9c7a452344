/**
 * Searches the pages of many modules in the order in which they stand in the file, many at once: the pages of a driver lie
 * all over RAM, and going by modules jumps through the file. Places come out by module, in ascending order, as if the
 * modules had been searched one by one.
 */

import { PAGE_SIZE, small } from '../../../parsers/addresses.js';
import type { Stretch } from '../../../parsers/paging/virtual-memory.js';
import { isArm64, PairSearch } from './arm64-search.js';
import type { LoadedModule } from './modules.js';
import { WORD, type TagFinder } from './tag-finder.js';

/** Bytes on both sides of a page border that a tag across it may have. */
const EDGE = WORD - 1;
const WINDOW = 2 * EDGE;
/** Places that are kept: bytes that stand in more are searched for module by module. */
const MOST_PLACES = 20_000;

/** Pages of modules that are searched so, at most: a damaged list of modules may claim any size. */
const MOST_PAGES = 1 << 20;

/** What one module holds. */
export interface SweptModule {
  /** Offsets from the module's base, ascending. */
  readonly offsets: readonly number[];
  readonly pagesPresent: number;
  /** What code of ARM64 builds in halves; null for modules of other processors. */
  readonly pairs: PairSearch | null;
}

/**
 * What modules hold, by their place among `modules`: those whose memory is read from the file page by page. Others, and all
 * where there are too many places, are left out. `progress` is told how many of all pages are done.
 */
export function sweepModules(
  modules: readonly LoadedModule[],
  finder: TagFinder,
  progress?: (share: number) => void,
): ReadonlyMap<number, SweptModule> {
  const indexes = modules.flatMap((module, index) => {
    const { memory, base } = module;
    if (memory?.fileOffsets === undefined || Number(base & 0xfffn) !== 0) return [];
    // Constants are built across pages: only a few can be looked for around each place.
    return isArm64(module) && !PairSearch.isAnyOrder(finder.values) ? [] : [index];
  });
  const pages = indexes.reduce((sum, index) => sum + Math.ceil((modules[index]?.sizeOfImage ?? 0) / PAGE_SIZE), 0);
  if (indexes.length === 0 || pages > MOST_PAGES) return new Map();
  return new Sweep(modules, indexes, finder).run(progress) ?? new Map<number, SweptModule>();
}

/** The pages of all these modules, whatever their address spaces. */
class Sweep {
  /** By place of a page: its module among `indexes`. */
  private readonly owners: Uint32Array;
  /** By place of a page: where it stands in the file. */
  private readonly offsets: Float64Array;
  /** The first page of each module. */
  private readonly firsts: number[] = [];
  private readonly isPresent: Uint8Array;
  /** By place of a page: its last bytes, and the first ones of the page behind it. */
  private readonly edges: Buffer;
  /** Place of a page times its size, and the byte in it. */
  private readonly found: number[] = [];
  private readonly pairs: (PairSearch | null)[];

  constructor(
    private readonly modules: readonly LoadedModule[],
    private readonly indexes: readonly number[],
    private readonly finder: TagFinder,
  ) {
    const pages = indexes.map((index) => Math.ceil((modules[index]?.sizeOfImage ?? 0) / PAGE_SIZE));
    const count = pages.reduce((sum, more) => sum + more, 0);
    this.owners = new Uint32Array(count);
    this.offsets = new Float64Array(count);
    this.isPresent = new Uint8Array(count);
    this.edges = Buffer.alloc(count * WINDOW);
    let place = 0;
    indexes.forEach((index, owner) => {
      this.firsts.push(place);
      const module = modules[index];
      const base = module?.base;
      const size = pages[owner] ?? 0;
      this.owners.fill(owner, place, place + size);
      if (base !== undefined) {
        const first = small(base);
        const addresses = new Float64Array(size);
        for (let page = 0; page < size; page++) addresses[page] = first + page * PAGE_SIZE;
        this.offsets.set(module?.memory?.fileOffsets?.(addresses) ?? [], place);
      }
      place += size;
    });
    this.pairs = indexes.map((index) => {
      const module = modules[index];
      return module !== undefined && isArm64(module) ? new PairSearch(module, finder.values) : null;
    });
  }

  /** Null where there are too many places. */
  run(progress?: (share: number) => void): ReadonlyMap<number, SweptModule> | null {
    let done = 0;
    const memory = this.modules[this.indexes[0] ?? -1]?.memory;
    memory?.eachStretch?.(this.offsets, (stretch) => {
      progress?.(done / this.offsets.length);
      done += stretch.places.length;
      if (this.found.length <= MOST_PLACES) this.search(stretch);
    });
    this.borders();
    return this.found.length > MOST_PLACES ? null : this.byModule();
  }

  private search({ bytes, places, starts }: Stretch): void {
    const { finder, found, edges, isPresent, pairs, owners } = this;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let k = 0;
    for (const at of finder.find(buffer, buffer.length)) {
      while (k + 1 < starts.length && (starts[k + 1] ?? 0) <= at) k++;
      const inPage = at - (starts[k] ?? 0);
      if (inPage >= 0 && inPage <= PAGE_SIZE - WORD) found.push((places[k] ?? 0) * PAGE_SIZE + inPage);
    }
    for (let i = 0; i < places.length; i++) {
      const [place, start] = [places[i] ?? 0, starts[i] ?? 0];
      isPresent[place] = 1;
      const [behind, last] = [place * WINDOW - EDGE, start + PAGE_SIZE - EDGE];
      for (let byte = 0; byte < EDGE; byte++) {
        if (place > 0) edges[behind + byte] = bytes[start + byte] ?? 0;
        edges[behind + EDGE + byte] = bytes[last + byte] ?? 0;
      }
      const pair = pairs[owners[place] ?? 0];
      if (pair)
        pair.feed(
          buffer.subarray(start, start + PAGE_SIZE),
          (place - (this.firsts[owners[place] ?? 0] ?? 0)) * PAGE_SIZE,
        );
    }
  }

  /** Tags that begin on one page and end on the next. */
  private borders(): void {
    const { edges, isPresent, owners, found, finder } = this;
    for (const at of finder.find(edges, edges.length)) {
      const place = Math.floor(at / WINDOW);
      const isBoth = isPresent[place] === 1 && isPresent[place + 1] === 1 && owners[place] === owners[place + 1];
      if (at % WINDOW < EDGE && isBoth) found.push((place + 1) * PAGE_SIZE - EDGE + (at % WINDOW));
    }
  }

  private byModule(): ReadonlyMap<number, SweptModule> {
    const sorted = Float64Array.from(this.found).sort();
    const made = new Map<number, SweptModule>();
    let next = 0;
    this.indexes.forEach((index, owner) => {
      const first = this.firsts[owner] ?? 0;
      const end = this.firsts[owner + 1] ?? this.offsets.length;
      const size = this.modules[index]?.sizeOfImage ?? 0;
      const offsets: number[] = [];
      for (; next < sorted.length && (sorted[next] ?? 0) < end * PAGE_SIZE; next++) {
        const offset = (sorted[next] ?? 0) - first * PAGE_SIZE;
        if (offset + WORD <= size) offsets.push(offset);
      }
      let pagesPresent = 0;
      for (let place = first; place < end; place++) pagesPresent += this.isPresent[place] ?? 0;
      made.set(index, { offsets, pagesPresent, pairs: this.pairs[owner] ?? null });
    });
    return made;
  }
}
