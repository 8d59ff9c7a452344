/**
 * Searches the modules' pages in memory for the four bytes of pool tags, in one pass for all tags: across page borders,
 * also where two neighbouring pages are far apart in physical memory. Pages that are missing are counted, never passed
 * over in silence.
 */

import { plainTag } from '../../../parsers/kernel/tag.js';
import { PAGE_SIZE, plus } from '../../../parsers/addresses.js';
import { failed } from '../../../parsers/bytes/failure.js';
import { u32 } from '../../../parsers/bytes/fields.js';
import { sectionAt } from '../../../parsers/pe/image.js';
import type { Searched } from '../../result/result.js';
import type { BuiltConstant } from '../../../parsers/code/arm64.js';
import { isArm64, markLiterals, pairHit, PairSearch } from './arm64-search.js';
import type { LoadedModule } from './modules.js';
import { available, piecesOf, presentAround } from './module-pieces.js';
import { sweepModules } from './module-sweep.js';
import { TagFinder, WORD } from './tag-finder.js';
import type { TagHit, TagSearch } from '../state.js';

/** Bytes shown from a hit on, and looked at before it. */
const AROUND = 16;
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
  const finder = new TagFinder(keys, options.exact !== true);
  const swept = sweepModules(modules, finder, (share) => {
    options.progress?.(Math.floor(share * modules.length), modules.length);
  });
  modules.forEach((module, index) => {
    const already = swept.get(index);
    if (already === undefined) options.progress?.(index, modules.length);
    if (module.memory === null || module.pagesTotal === 0) {
      searched.notTranslatable++;
      return;
    }
    const pairs =
      already === undefined ? (isArm64(module) ? new PairSearch(module, finder.values) : null) : already.pairs;
    const present = already?.pagesPresent ?? searchModule(module, index, finder, hits, pairs);
    for (const offset of already?.offsets ?? []) reportAt(module, index, offset, hits);
    if (present > 0 && pairs !== null) addArm64(module, index, pairs.inOrder(), hits);
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
function addArm64(
  module: LoadedModule,
  index: number,
  built: readonly BuiltConstant[],
  hits: Map<number, TagHit[]>,
): void {
  const own = (list: TagHit[]): TagHit[] => list.slice(list.findLastIndex((hit) => hit.module !== index) + 1);
  markLiterals(module, [...hits.values()].flatMap(own));
  for (const constant of built) {
    const plain = hits.get(constant.value);
    const list = plain ?? hits.get(plainTag(constant.value));
    if (list === undefined || list.length >= MOST_HITS) continue;
    const hit = pairHit(module, index, constant);
    hit.protectedBit = plain === undefined;
    const after = list.findLastIndex((other) => other.module !== index || other.offset <= hit.offset);
    list.splice(after + 1, 0, hit);
  }
}

/** Walks one module; `pairs` gets the same pieces. Returns the pages that could be read. */
function searchModule(
  module: LoadedModule,
  index: number,
  finder: TagFinder,
  hits: Map<number, TagHit[]>,
  pairs: PairSearch | null,
): number {
  let presentBytes = 0;
  /** The last bytes before a piece and its first ones: tags on the border. */
  let border = Buffer.alloc(0);
  for (const { offset, bytes, follows } of piecesOf(module)) {
    presentBytes += bytes.length;
    if (follows) {
      const before = border.length;
      border = Buffer.concat([border, bytes.subarray(0, WORD - 1)]);
      for (const at of finder.find(border, before)) report(module, index, border, at, offset - before + at, hits);
    }
    for (const at of finder.find(bytes, bytes.length)) report(module, index, bytes, at, offset + at, hits);
    pairs?.feed(bytes, offset);
    const end = bytes.length >= WORD ? bytes : follows ? border : bytes;
    border = Buffer.from(end.subarray(Math.max(0, end.length - WORD + 1)));
  }
  return Math.ceil(presentBytes / PAGE_SIZE);
}

/** Adds the tag at an offset of a module, whose bytes are read again: most tags stand in a few places. */
function reportAt(module: LoadedModule, index: number, offset: number, hits: Map<number, TagHit[]>): void {
  const { bytes, at } = presentAround(module, offset, AROUND, AROUND);
  if (at + WORD <= bytes.length) report(module, index, bytes, at, offset, hits);
}

function report(
  module: LoadedModule,
  index: number,
  bytes: Buffer,
  at: number,
  offset: number,
  hits: Map<number, TagHit[]>,
): void {
  const value = u32(bytes, at);
  const list = hits.get(value) ?? hits.get(plainTag(value));
  if (list === undefined || list.length >= MOST_HITS) return;
  const section = module.headers === null ? null : sectionAt(module.headers, offset);
  const isInside = at >= AROUND && at + AROUND <= bytes.length;
  const around = isInside ? { bytes, at } : presentAround(module, offset, AROUND, AROUND);
  list.push({
    module: index,
    address: plus(module.base, offset),
    offset,
    bytes: Uint8Array.prototype.slice.call(around.bytes, around.at, around.at + AROUND),
    before: Uint8Array.prototype.slice.call(around.bytes, Math.max(0, around.at - AROUND), around.at),
    section: section?.name ?? null,
    executable: section?.executable ?? null,
    protectedBit: !hits.has(value),
  });
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
    bytes: available(module, offset, AROUND),
    before: new Uint8Array(0),
    section: section?.name ?? null,
    executable: section?.executable ?? null,
    protectedBit: false,
  };
}
