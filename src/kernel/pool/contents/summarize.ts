/** What stands in a sample of blocks, counted: what they are, pointers into modules, texts, links. */

import { failed } from '../../../../parsers/bytes/failure.js';
import { hex } from '../../../../parsers/bytes/failure.js';
import { u32 } from '../../../../parsers/bytes/fields.js';
import { joinWords, toVirtual, type HeapAddress } from '../../../../parsers/heap/memory.js';
import type { BlockContents } from '../../../result/result.js';
import type { TagSample } from '../blocks/sample.js';
import { decodeBlocks, type Follows } from './decode.js';
import type { Decoder } from './recognized.js';
import type { ContentWorld } from './world.js';

/** Rows that are shown of each kind. */
const MOST_SIZES = 8;
const MOST_POINTERS = 12;
const MOST_STRINGS = 8;
/** Different values that are counted while a sample is looked at. */
const MOST_VALUES = 50_000;
const SHORTEST_TEXT = 6;
const LONGEST_TEXT = 120;
/** Blocks of which links and pointers to other blocks are followed. */
const FOLLOWED = 96;
/** Of the sample: what stands in fewer blocks is no trait of it. */
const SHARE = 0.05;
const KIND_SHARE = 0.25;

/** Counts what stands in the blocks that were kept, and the drivers that follow from what they are. */
export function summarize(
  sample: TagSample,
  world: ContentWorld,
  decoders: readonly Decoder[],
): { contents: BlockContents; follows: readonly Follows[] } {
  const { kept } = sample;
  const sizes = [...sample.sizes]
    .map(([bytes, count]) => ({ bytes, count }))
    .sort((a, b) => b.count - a.count || a.bytes - b.bytes);
  const decoded = decodeBlocks(kept, decoders);
  const contents = {
    sampled: kept.length,
    sizes: sizes.slice(0, MOST_SIZES),
    pointers: pointersOf(sample, world),
    strings: stringsOf(sample),
    kinds: [...decoded.kinds, ...linksOf(sample, world)],
  };
  return { contents, follows: decoded.follows };
}

function pointersOf({ kept }: TagSample, { names, pointerSize: width }: ContentWorld): BlockContents['pointers'] {
  const counts = new Map<string, { offset: number; address: HeapAddress; count: number }>();
  for (const { data } of kept) {
    for (let at = 0; at + width <= data.length; at += width) {
      const address = pointerIn(data, at, width);
      if (address === null || names.moduleAt(address) === null) continue;
      const key = `${at}:${address}`;
      const known = counts.get(key);
      if (known !== undefined) known.count++;
      else if (counts.size < MOST_VALUES) counts.set(key, { offset: at, address, count: 1 });
    }
  }
  const least = Math.max(2, kept.length * SHARE);
  return [...counts.values()]
    .filter(({ count }) => count >= least)
    .sort((a, b) => b.count - a.count || a.offset - b.offset || a.address - b.address)
    .slice(0, MOST_POINTERS)
    .flatMap(({ offset, address, count }) => {
      const module = names.moduleAt(address);
      if (module === null) return [];
      const symbol = names.exportAt(toVirtual(address));
      return [{ offset, module: module.name, moduleOffset: hex(address - module.base), symbol, count }];
    });
}

/** A kernel pointer; null for what cannot be one. */
function pointerIn(data: Uint8Array, at: number, width: 4 | 8): HeapAddress | null {
  const low = u32(data, at);
  if (width === 4) return low >= 0x80000000 ? low : null;
  const high = u32(data, at + 4);
  return high >= 0xffff8000 ? joinWords(low, high) : null;
}

function stringsOf({ kept }: TagSample): BlockContents['strings'] {
  const counts = new Map<string, number>();
  for (const { data } of kept) {
    for (const text of new Set(textsIn(data))) {
      const known = counts.get(text);
      if (known !== undefined || counts.size < MOST_VALUES) counts.set(text, (known ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count >= Math.max(2, kept.length * SHARE))
    .sort((a, b) => b[1] - a[1] || b[0].length - a[0].length || (a[0] < b[0] ? -1 : 1))
    .slice(0, MOST_STRINGS)
    .map(([text, count]) => ({ text, count }));
}

/** Texts of six characters and more, in UTF-16 and in ASCII. */
function* textsIn(data: Uint8Array): Iterable<string> {
  for (const step of [2, 1]) {
    for (let at = 0; at + step <= data.length;) {
      let end = at;
      let text = '';
      while (end + step <= data.length && isTyped(data[end] ?? 0) && (step === 1 || data[end + 1] === 0)) {
        text += String.fromCharCode(data[end] ?? 0);
        end += step;
      }
      if (text.length >= SHORTEST_TEXT && isText(text)) yield text.slice(0, LONGEST_TEXT);
      at = Math.max(end, at + step);
    }
  }
}

const isTyped = (byte: number): boolean => byte >= 0x20 && byte <= 0x7e;
/** Most of it letters, figures and what stands in names: not bytes that happen to be typed. */
function isText(text: string): boolean {
  return text.replace(/[^A-Za-z0-9\\/._ :{}-]/g, '').length >= text.length * 0.9 && /[A-Za-z]{3}/.test(text);
}

/** Lists that link the blocks, and pointers to the data of blocks with a pool header. */
function linksOf({ kept }: TagSample, world: ContentWorld): BlockContents['kinds'] {
  const { memory, pointerSize: width } = world;
  const links = new Map<number, number>();
  const tags = new Map<string, { offset: number; tag: number; count: number }>();
  const blocks = kept.slice(0, FOLLOWED);
  for (const { address, data } of blocks) {
    for (let at = 0; at + 2 * width <= data.length; at += width) {
      const target = pointerIn(data, at, width);
      if (target === null || target % width !== 0) continue;
      const back = memory.readPointer(toVirtual(target + width));
      if (!failed(back) && back === toVirtual(address + at)) links.set(at, (links.get(at) ?? 0) + 1);
      const tag = world.tagAt(toVirtual(target));
      if (tag === null) continue;
      const key = `${at}:${tag}`;
      const known = tags.get(key);
      if (known === undefined) tags.set(key, { offset: at, tag, count: 1 });
      else known.count++;
    }
  }
  const least = Math.max(2, blocks.length * KIND_SHARE);
  const looked = blocks.length;
  return [
    ...[...links]
      .filter(([, count]) => count >= least)
      .map(([offset, count]) => ({ kind: 'list entry', count, looked, detail: `at offset ${hex(offset)}` })),
    ...[...tags.values()]
      .filter(({ count }) => count >= least)
      .sort((a, b) => b.count - a.count)
      .slice(0, 4)
      .map(({ offset, tag, count }) => ({
        kind: 'pointer to a block',
        count,
        looked,
        detail: `of tag ${textOf(tag)} at offset ${hex(offset)}`,
      })),
  ];
}

const textOf = (tag: number): string =>
  [0, 8, 16, 24].map((shift) => String.fromCharCode((tag >>> shift) & 0x7f)).join('');
