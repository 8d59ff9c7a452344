/**
 * Searches the modules' pages in memory for the four bytes of pool tags, in one pass for all tags: across page borders,
 * also where two neighbouring pages are far apart in physical memory. Pages that are missing are counted, never passed
 * over in silence.
 */

import { PAGE_SIZE, plus, type VirtualAddress } from '../../parsers/addresses.js';
import { failed } from '../../parsers/bytes/failure.js';
import { u32 } from '../../parsers/bytes/fields.js';
import { sectionAt } from '../../parsers/pe/image.js';
import type { Searched } from '../result.js';
import { isArm64, searchArm64 } from './arm64-search.js';
import type { LoadedModule } from './modules.js';
import type { TagHit, TagSearch } from './state.js';

/** Bytes shown from a hit on, and looked at before it. */
const AROUND = 16;
/** PROTECTED_POOL in the fourth byte. */
const PROTECTED = 0x80000000;
/** Bytes of the longest piece that `chunks` gives. */
const LARGEST_CHUNK = 64 * 1024;
/** Hits kept a tag: more say nothing new. */
const MOST_HITS = 4096;

export interface SearchOptions {
  /** Find only exactly these values, not also those with the protected bit. */
  readonly exact?: boolean;
  /** Called before each module with how many are done. */
  readonly progress?: (done: number, total: number) => void;
}

/** Finds every place where one of `keys` (little-endian tags without the protected bit) stands in a module. */
export function searchTags(
  modules: readonly LoadedModule[],
  keys: readonly number[],
  options: SearchOptions = {},
): TagSearch {
  const hits = new Map<number, TagHit[]>(keys.map((key) => [key, []]));
  const searched: Searched = { modules: 0, notTranslatable: 0, pagesPresent: 0, pagesMissing: 0 };
  const finder = new Finder(keys, options.exact !== true);
  const window = Buffer.allocUnsafe(4 * AROUND + LARGEST_CHUNK);
  modules.forEach((module, index) => {
    options.progress?.(index, modules.length);
    if (module.memory === null || module.pagesTotal === 0) {
      searched.notTranslatable++;
      return;
    }
    const present = searchModule(module, index, finder, hits, window);
    if (present > 0 && isArm64(module)) addArm64(module, index, finder, hits);
    if (present === 0) searched.notTranslatable++;
    else searched.modules++;
    searched.pagesPresent += present;
    searched.pagesMissing += module.pagesTotal - present;
  });
  markDisk(modules, hits, searched);
  return { hits, searched };
}

/** Tells which hits stand in pages from images on disk, and how many such pages were searched. */
function markDisk(modules: readonly LoadedModule[], hits: Map<number, TagHit[]>, searched: Searched): void {
  if (modules.every(({ disk }) => disk === undefined)) return;
  searched.pagesFromDisk = modules.reduce((sum, { disk }) => sum + (disk?.pages.size ?? 0), 0);
  for (const hit of [...hits.values()].flat()) {
    if (modules[hit.module]?.disk?.pages.has(Math.floor(hit.offset / PAGE_SIZE)) === true) hit.fromDisk = true;
  }
}

/** Adds what ARM64 code builds in halves to the hits of a module, in order of address. */
function addArm64(module: LoadedModule, index: number, finder: Finder, hits: Map<number, TagHit[]>): void {
  const own = (list: TagHit[]): TagHit[] => list.slice(list.findLastIndex((hit) => hit.module !== index) + 1);
  const found = searchArm64(module, index, [...hits.values()].flatMap(own), (value) => finder.has(value));
  for (const { value, hit } of found) {
    const plain = hits.get(value);
    const list = plain ?? hits.get((value & ~PROTECTED) >>> 0);
    if (list === undefined || list.length >= MOST_HITS) continue;
    hit.protectedBit = plain === undefined;
    const after = list.findLastIndex((other) => other.module !== index || other.offset <= hit.offset);
    list.splice(after + 1, 0, hit);
  }
}

/**
 * Walks one module. Each run of present pages is gathered into a window that begins with the last bytes of the window
 * before, so that nothing on a border is lost. Returns the pages that could be read.
 */
function searchModule(
  module: LoadedModule,
  index: number,
  finder: Finder,
  hits: Map<number, TagHit[]>,
  window: Buffer,
): number {
  const { memory } = module;
  if (memory === null) return 0;
  /** Valid bytes in the window, and the module offset of its first one. */
  let length = 0;
  let start = 0;
  let presentBytes = 0;
  /** Everything before this offset was reported. */
  let reported = 0;
  const flush = (isEnd: boolean): void => {
    // A hit needs its four bytes; unless the run ends here, those near the end wait for the bytes that follow.
    const limit = isEnd ? length : length - AROUND - 3;
    for (const at of finder.find(window, length)) {
      const offset = start + at;
      if (offset < reported || at >= limit) continue;
      report(module, index, window, length, at, offset, hits);
    }
    reported = Math.max(reported, start + Math.max(0, limit));
    const keep = isEnd ? 0 : Math.min(length, 2 * AROUND + 3);
    window.copyWithin(0, length - keep, length);
    start += length - keep;
    length = keep;
  };
  for (const chunk of memory.chunks(module.base, module.sizeOfImage)) {
    if (failed(chunk.bytes)) {
      flush(true);
      start = chunk.offset + chunk.length;
      reported = start;
      continue;
    }
    presentBytes += chunk.length;
    if (length + chunk.length > window.length) flush(false);
    window.set(chunk.bytes, length);
    length += chunk.length;
  }
  flush(true);
  return Math.ceil(presentBytes / PAGE_SIZE);
}

function report(
  module: LoadedModule,
  index: number,
  window: Buffer,
  length: number,
  at: number,
  offset: number,
  hits: Map<number, TagHit[]>,
): void {
  const value = u32(window, at);
  const list = hits.get(value) ?? hits.get((value & ~PROTECTED) >>> 0);
  if (list === undefined || list.length >= MOST_HITS) return;
  const section = module.headers === null ? null : sectionAt(module.headers, offset);
  list.push({
    module: index,
    address: plus(module.base, offset),
    offset,
    bytes: Uint8Array.prototype.slice.call(window, at, Math.min(length, at + AROUND)),
    before: Uint8Array.prototype.slice.call(window, Math.max(0, at - AROUND), at),
    section: section?.name ?? null,
    executable: section?.executable ?? null,
    protectedBit: !hits.has(value),
  });
}

/** Below this many patterns one native search a pattern is faster than one pass over every byte. */
const FEW = 48;

/** Finds the positions of any of several four-byte values. */
class Finder {
  /** The first three bytes of each value. */
  private readonly patterns: Buffer[] = [];
  private readonly values = new Set<number>();
  /** One bit for every possible low half of a value: most positions are ruled out by one look. */
  private readonly low = new Uint8Array(8192);

  constructor(keys: readonly number[], withProtected: boolean) {
    for (const key of keys) {
      for (const value of withProtected ? [key, (key | PROTECTED) >>> 0] : [key]) {
        if (this.values.has(value)) continue;
        this.values.add(value);
        // A tag and its protected form differ in the fourth byte alone: one search finds both.
        const pattern = Buffer.alloc(4);
        pattern.writeUInt32LE(value);
        const start = pattern.subarray(0, 3);
        if (!this.patterns.some((other) => other.equals(start))) this.patterns.push(start);
        this.low[(value & 0xffff) >>> 3] = (this.low[(value & 0xffff) >>> 3] ?? 0) | (1 << (value & 7));
      }
    }
  }

  has(value: number): boolean {
    return this.values.has(value);
  }

  /** Positions in ascending order. */
  find(buffer: Buffer, length: number): number[] {
    const found: number[] = [];
    const haystack = buffer.subarray(0, length);
    if (this.patterns.length <= FEW) {
      for (const pattern of this.patterns) {
        for (let at = haystack.indexOf(pattern); at >= 0; at = haystack.indexOf(pattern, at + 1)) {
          if (at + 4 <= length && this.values.has(u32(haystack, at))) found.push(at);
        }
      }
      return found.sort((a, b) => a - b);
    }
    for (let at = 0; at + 4 <= length; at++) {
      const low = (haystack[at] ?? 0) | ((haystack[at + 1] ?? 0) << 8);
      if (((this.low[low >>> 3] ?? 0) & (1 << (low & 7))) !== 0 && this.values.has(u32(haystack, at))) found.push(at);
    }
    return found;
  }
}

/** Finds any byte string in the modules: for `dumpleak search --hex`. Matches may cross pages. */
export function searchBytes(
  modules: readonly LoadedModule[],
  pattern: Uint8Array,
  options: SearchOptions = {},
): { hits: TagHit[]; searched: Searched } {
  const hits: TagHit[] = [];
  const searched: Searched = { modules: 0, notTranslatable: 0, pagesPresent: 0, pagesMissing: 0 };
  modules.forEach((module, index) => {
    options.progress?.(index, modules.length);
    const { memory } = module;
    let presentBytes = 0;
    if (memory !== null) {
      let tail = Buffer.alloc(0);
      for (const chunk of memory.chunks(module.base, module.sizeOfImage)) {
        if (failed(chunk.bytes)) {
          tail = Buffer.alloc(0);
          continue;
        }
        presentBytes += chunk.length;
        const text = Buffer.concat([tail, chunk.bytes]);
        const start = chunk.offset - tail.length;
        for (let at = text.indexOf(pattern); at >= 0 && hits.length < MOST_HITS; at = text.indexOf(pattern, at + 1)) {
          hits.push(bytesHit(module, index, start + at));
        }
        tail = text.subarray(Math.max(0, text.length - pattern.length + 1));
      }
    }
    const present = Math.ceil(presentBytes / PAGE_SIZE);
    if (present === 0) searched.notTranslatable++;
    else searched.modules++;
    searched.pagesPresent += present;
    searched.pagesMissing += module.pagesTotal - present;
  });
  return { hits, searched };
}

function bytesHit(module: LoadedModule, index: number, offset: number): TagHit {
  const section = module.headers === null ? null : sectionAt(module.headers, offset);
  return {
    module: index,
    address: plus(module.base, offset),
    offset,
    bytes: readAvailable(module, plus(module.base, offset), AROUND),
    before: new Uint8Array(0),
    section: section?.name ?? null,
    executable: section?.executable ?? null,
    protectedBit: false,
  };
}

/** Up to `length` bytes, ending at the first missing page. */
function readAvailable(module: LoadedModule, address: VirtualAddress, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const chunk of module.memory?.chunks(address, length) ?? []) {
    if (failed(chunk.bytes)) break;
    parts.push(chunk.bytes.slice());
  }
  return Buffer.concat(parts);
}
