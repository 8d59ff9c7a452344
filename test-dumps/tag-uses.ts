/** Plants tag uses in an image: finds room in a section, fixes the calls, notes what was placed. */

import { armSnippet } from './arm64-code.js';
import { concat, putU32 } from './bytes.js';
import { defaultSection, snippet, tagBytes, type Snippet } from './code.js';
import type { PeImage, Section } from './pe-image.js';
import { PAGE } from './physical-memory.js';
import type { Prng } from './prng.js';
import type { TagUse } from './scenario.js';
import { x86Snippet } from './x86-code.js';

export interface Planted {
  use: TagUse;
  /** Of the first tag byte, or of the first of two instructions. */
  rva: number;
  genuine: boolean;
  /** ARM64: the second instruction and the register. */
  pair: { secondRva: number; register: number } | null;
}

/** Where direct and indirect calls in the image can go. */
export interface CallTargets {
  /** RVA of a routine in the image itself. */
  wrapper: number;
  /** RVA of the routine, in ntoskrnl.exe itself; drivers go through the import address table. */
  allocate?: number;
  free?: number;
  /** Where the image is loaded: 32-bit calls through the import table name an address. */
  base: number;
}

/** Import names of the allocator calls in drivers. */
const IMPORTS = { allocate: 'ExAllocatePoolWithTag', free: 'ExFreePoolWithTag' } as const;
/** Import table, debug directory and RSDS record stand in the first page of `.rdata`. */
const RESERVED: readonly (readonly [number, number])[] = [
  [0, 0x200],
  [0x800, 0x920],
];

export class TagPlanter {
  readonly planted: Planted[] = [];
  private readonly used: { start: number; end: number }[] = [];

  constructor(
    private readonly image: PeImage,
    private readonly random: Prng,
    private readonly calls: CallTargets,
  ) {}

  plant(use: TagUse): Planted {
    const { isArm64, isX86 } = this.image;
    const piece = (isArm64 ? armSnippet : isX86 ? x86Snippet : snippet)(use, this.random);
    const section = this.image.section(use.section ?? defaultSection(use)) ?? this.image.sections[0];
    if (!section) throw new Error(`${this.image.plan.name} has no section for tag ${use.tag}`);
    const tagRva = use.rva ?? this.place(use, section, piece);
    const start = tagRva - piece.tagAt;
    if (start < 0 || start + piece.bytes.length > this.image.size)
      throw new Error(`tag use outside ${this.image.plan.name}`);
    this.used.push({ start, end: start + piece.bytes.length });
    for (const call of piece.calls) {
      const target = this.target(call.target, call.indirect);
      const isAddress = isX86 && call.indirect && this.image.iat.size > 0;
      putU32(piece.bytes, call.at, isAddress ? this.calls.base + target : target - (start + call.at + 4));
    }
    // A direct call where the image has no import table to go through: E8 with a nop in front.
    const bytes = concat([piece.bytes]);
    for (const call of piece.calls) {
      if (call.indirect && this.image.iat.size === 0) {
        bytes[call.at - 2] = 0x90;
        bytes[call.at - 1] = 0xe8;
      }
    }
    this.image.write(start, bytes);
    const pair = piece.pair ? { secondRva: start + piece.pair.secondAt, register: piece.pair.register } : null;
    const planted = { use, rva: tagRva, genuine: piece.genuine, pair };
    this.planted.push(planted);
    return planted;
  }

  private target(kind: 'allocate' | 'free' | 'wrapper', indirect: boolean): number {
    if (kind === 'wrapper') return this.calls.wrapper;
    const imported = this.image.iat.get(IMPORTS[kind]);
    if (indirect && imported !== undefined) return imported;
    return this.calls[kind] ?? this.calls.wrapper;
  }

  private place(use: TagUse, section: Section, piece: Snippet): number {
    const { tagAt, borderAt } = piece;
    const { length } = piece.bytes;
    for (let attempt = 0; attempt < 200; attempt++) {
      let start: number;
      if (use.straddle !== undefined) {
        const borders = section.size / PAGE - 1;
        if (borders < 1) throw new Error(`${section.name} of ${this.image.plan.name} has no page border inside`);
        start = section.rva + this.random.int(1, borders) * PAGE - (borderAt ?? use.straddle + tagAt);
      } else {
        const page = this.random.int(0, section.size / PAGE - 1);
        start = section.rva + page * PAGE + this.random.int(16, PAGE - length - 16);
        start -= start % (piece.alignment ?? 1);
      }
      if (this.isFree(section, start, start + length)) return start + tagAt;
    }
    throw new Error(`no room for tag ${use.tag} in ${section.name} of ${this.image.plan.name}`);
  }

  private isFree(section: Section, start: number, end: number): boolean {
    const clash = ({ start: s, end: e }: { start: number; end: number }): boolean => start < e + 16 && s < end + 16;
    if (section.name === '.rdata' && RESERVED.some(([s, e]) => clash({ start: section.rva + s, end: section.rva + e })))
      return false;
    return !this.used.some(clash);
  }
}

/** Every place in the image's own pages where a tag's bytes stand, with and without the protected bit. */
export function findTag(image: PeImage, tag: string): { rva: number; protectedBit: boolean }[] {
  const found: { rva: number; protectedBit: boolean }[] = [];
  const numbers = [...image.pages.keys()].sort((a, b) => a - b);
  for (let i = 0; i < numbers.length;) {
    let end = i + 1;
    while (end < numbers.length && numbers[end] === (numbers[end - 1] ?? 0) + 1) end++;
    const first = numbers[i] ?? 0;
    const bytes = Buffer.from(concat(numbers.slice(i, end).map((n) => image.page(n))));
    for (const protectedBit of [false, true]) {
      const needle = tagBytes({ tag, style: 'data', protectedBit });
      for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
        found.push({ rva: first * PAGE + at, protectedBit });
      }
    }
    i = end;
  }
  return found.sort((a, b) => a.rva - b.rva);
}
