/**
 * Machine code for driver images: pages of plausible instructions that hold no text, and the sequences in which drivers
 * hand a pool tag to the allocator.
 */

import { alignUp, concat, fromHex, latin1, putU16, putU32, utf16 } from '../bytes.js';
import type { TagUse } from '../scenario.js';
import { Prng } from '../prng.js';
import { PAGE } from '../physical-memory.js';

const KINDS = 4;

/** Instructions that are common in drivers; no three printable bytes stand together within or across them. */
const INSTRUCTIONS = [
  '48 8b c4', '48 83 ec 28', '48 83 c4 28 c3', '33 c0', '48 8b d9', '48 8b f2', '89 44 24 08', '48 85 c0', '0f 84 9a 01 00 00',
  '0f 85 f0 00 00 00', 'e8 10 02 00 00', 'ff 15 c0 1e 00 00', 'eb 0c', '8b c8', '8b d0', '48 8b 0d 91 80 01 00', 'b8 0d 00 00 c0',
  '83 c8 ff', '48 8b cb', '8b 4b 08', '48 89 01', 'f6 c1 01', '0f b7 c2', '48 8d 0d 81 00 00 00', 'cc cc cc cc', '90 90',
  '0f 1f 40 00', '4c 8b c1', '4c 8b da', '45 8b c8', '85 db', '03 c1', '2b c8', 'c1 e8 02', '0f af c1', '0f b6 01',
].map(fromHex); // prettier-ignore

/** A routine of random instructions, padded to 16 bytes as compilers do. */
function routine(random: Prng): Uint8Array {
  const body = Array.from({ length: random.int(20, 90) }, () => random.pick(INSTRUCTIONS));
  const bytes = concat(body);
  const padded = new Uint8Array(alignUp(bytes.length + 2, 16)).fill(0xcc);
  padded.set(bytes);
  return padded;
}

/** Few different routines make the page, so that dumps compress well. */
function codePage(random: Prng, routines: readonly Uint8Array[]): Uint8Array {
  const page = new Uint8Array(PAGE).fill(0xcc);
  for (let at = 16; ;) {
    const bytes = random.pick(routines);
    if (at + bytes.length > PAGE - 4) return page;
    page.set(bytes, at);
    at += bytes.length;
  }
}

const pages: Uint8Array[] = [];

/** One of a few pages of code, always the same for the same number. Shared: never written to. */
export function codeFill(pageNumber: number): Uint8Array {
  if (pages.length === 0) {
    const random = new Prng(0xc0de);
    const routines = Array.from({ length: 10 }, () => routine(random));
    for (let i = 0; i < KINDS; i++) pages.push(codePage(random, routines));
  }
  const page = pages[pageNumber % KINDS];
  if (!page) throw new Error('no code page');
  return page;
}

/** Bytes to place, and where in them the tag stands. */
export interface Snippet {
  bytes: Uint8Array;
  tagAt: number;
  genuine: boolean;
  /** Calls to fix: offset of the 32-bit displacement, and what it goes to. */
  calls: { at: number; target: 'allocate' | 'free' | 'wrapper'; indirect: boolean }[];
  /** Pointers to fix: offsets of those that lead to a routine of the image. */
  pointers?: readonly number[];
  /** ARM64: the tag is built by two instructions, at `tagAt` and at `secondAt`. */
  pair?: { secondAt: number; register: number };
  /** Bytes to which the snippet's start is aligned. Default 1. */
  alignment?: number;
  /** What comes to lie on a page border when the use straddles one; else the tag's own bytes do. */
  borderAt?: number;
}

/** The tag bytes of a use, with the protected bit where wanted. */
export function tagBytes(use: TagUse): Uint8Array {
  const bytes = latin1(use.tag);
  if (bytes.length !== 4) throw new Error(`a pool tag has four characters: "${use.tag}"`);
  if (use.protectedBit === true) bytes[3] = (bytes[3] ?? 0) | 0x80;
  return bytes;
}

/** The bytes of one tag use. `random` chooses sizes and variants. */
export function snippet(use: TagUse, random: Prng): Snippet {
  const tag = tagBytes(use);
  const size = new Uint8Array(4);
  putU32(size, 0, random.int(4, 200) * 8);
  switch (use.style) {
    case 'alloc': {
      const kind = use.pool === 'paged' ? 'b9 01 00 00 00' : random.chance(0.5) ? '33 c9' : 'b9 00 02 00 00';
      const before = concat([fromHex('ba'), size, fromHex(kind), fromHex('41 b8')]);
      const after = fromHex('ff 15 00 00 00 00 48 8b d8 48 85 c0 0f 84 80 00 00 00');
      const at = before.length + 4 + 2;
      return {
        bytes: concat([before, tag, after]),
        tagAt: before.length,
        genuine: true,
        calls: [{ at, target: 'allocate', indirect: true }],
      };
    }
    case 'free':
      return {
        bytes: concat([fromHex('ba'), tag, fromHex('48 8b cb ff 15 00 00 00 00 48 83 c4 28 c3')]),
        tagAt: 1,
        genuine: true,
        calls: [{ at: 10, target: 'free', indirect: true }],
      };
    case 'local-call':
      return {
        bytes: concat([fromHex('33 c9 ba'), size, fromHex('41 b8'), tag, fromHex('e8 00 00 00 00 48 8b f8 48 85 c0')]),
        tagAt: 9,
        genuine: true,
        calls: [{ at: 14, target: 'wrapper', indirect: false }],
      };
    case 'notmyfault': {
      const kind = use.pool === 'paged' ? fromHex('41 8d 49 fd') : fromHex('33 c9');
      const head = concat([
        fromHex('b8 00 a0 0f 00 41 b8'),
        tag,
        fromHex('3b c1 0f 42 c1'),
        kind,
        fromHex('8b d0 ff 15'),
      ]);
      return {
        bytes: concat([head, fromHex('00 00 00 00 48 85 c0')]),
        tagAt: 7,
        genuine: true,
        calls: [{ at: head.length, target: 'allocate', indirect: true }],
      };
    }
    case 'literal':
      throw new Error('x64 code has its constants in the instructions: no literals');
    default:
      return dataSnippet(use);
  }
}

/** The bytes of a use in data or text, on any processor. */
export function dataSnippet(use: TagUse): Snippet {
  const tag = tagBytes(use);
  switch (use.style) {
    case 'data':
      return {
        bytes: concat([fromHex('40 00 00 00 01 00 00 00 00 10 00 00'), tag, fromHex('00 02 00 00 00 00 00 00')]),
        tagAt: 12,
        genuine: true,
        calls: [],
      };
    case 'filter-context':
      return contextSnippet(use, 8);
    case 'text': {
      const text = use.text ?? `Memory${use.tag}Detected`;
      const at = text.indexOf(use.tag);
      if (at < 0) throw new Error(`"${text}" does not contain "${use.tag}"`);
      const bytes = concat([new Uint8Array(4), latin1(text), new Uint8Array(4)]);
      if (use.protectedBit === true) bytes.set(tag, at + 4);
      return { bytes, tagAt: at + 4, genuine: false, calls: [] };
    }
    case 'utf16': {
      const bytes = concat([new Uint8Array(2), utf16(use.text ?? `\\Device\\${use.tag}`), new Uint8Array(2)]);
      return { bytes, tagAt: 2, genuine: false, calls: [] };
    }
    case 'tag-table': {
      const others = ['Irp ', 'File', 'Thre', 'Proc', 'Even', 'Sema'].filter((other) => other !== use.tag).map(latin1);
      return {
        bytes: concat([...others.slice(0, 3), tag, ...others.slice(3)]),
        tagAt: 12,
        genuine: false,
        calls: [],
      };
    }
    default:
      throw new Error(`${use.style} is no use in data`);
  }
}

/** FLT_CONTEXT_REGISTRATION and the row that ends its array; the cleanup routine is the image's own. */
export function contextSnippet(use: TagUse, width: 4 | 8): Snippet {
  const row = width === 8 ? { size: 0x38, bytes: 0x10, tag: 0x18 } : { size: 0x1c, bytes: 8, tag: 0xc };
  const bytes = new Uint8Array(row.size * 2);
  putU16(bytes, 0, use.contextType ?? 8);
  putU32(bytes, row.bytes, 0x90);
  bytes.set(tagBytes(use), row.tag);
  putU16(bytes, row.size, 0xffff);
  return { bytes, tagAt: row.tag, genuine: true, calls: [], pointers: [width], alignment: 8 };
}

/** Where a use goes when it names no section. */
export function defaultSection(use: TagUse): string {
  if (use.style === 'data' || use.style === 'filter-context') return '.data';
  if (use.style === 'text' || use.style === 'utf16' || use.style === 'tag-table') return '.rdata';
  return '.text';
}
