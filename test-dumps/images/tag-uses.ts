/** Plants tag uses in an image: finds room in a section, fixes the calls, notes what was placed. */

import { aimArmCall, armSnippet, ARM_WRAPPER, words } from './arm64-code.js';
import { concat, fromHex, putU32, putVa } from '../bytes.js';
import { defaultSection, snippet, tagBytes, type Snippet } from './code.js';
import type { PeImage, Section } from './pe-image.js';
import { PAGE } from '../physical-memory.js';
import type { Prng } from '../prng.js';
import type { TagUse } from '../scenario.js';
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
/** `sub rsp, 28h; call [slot]; add rsp, 28h; ret`: arguments stay where they are. */
const X64_WRAPPER = '48 83 ec 28 ff 15 00 00 00 00 48 83 c4 28 c3';
/** `push [esp+4]; push [esp+0ch]; push 0; call [slot]; ret 8`: tag and size, both on the stack. */
const X86_WRAPPER = 'ff 74 24 04 ff 74 24 0c 6a 00 ff 15 00 00 00 00 c2 08 00';
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
  ) {
    if (image.iat.size > 0) this.writeWrapper(calls.wrapper);
  }

  /** The driver's own function around the allocator, which `local-call` uses: it passes the tag on. */
  private writeWrapper(rva: number): void {
    const { image, calls } = this;
    const slot = image.iat.get(IMPORTS.allocate) ?? 0;
    const body = image.isArm64 ? words(ARM_WRAPPER) : fromHex(image.isX86 ? X86_WRAPPER : X64_WRAPPER);
    if (image.isArm64) aimArmCall(body, 4, rva, slot, true);
    else if (image.isX86) putU32(body, 12, calls.base + slot);
    else putU32(body, 6, slot - (rva + 10));
    image.write(rva - 16, new Uint8Array(64).fill(image.isArm64 ? 0 : 0xcc));
    image.write(rva, body);
    this.used.push({ start: rva - 16, end: rva + 48 });
  }

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
      if (this.image.isArm64) {
        aimArmCall(piece.bytes, call.at, start, target, call.indirect && this.image.iat.size > 0);
        continue;
      }
      const isAddress = isX86 && call.indirect && this.image.iat.size > 0;
      putU32(piece.bytes, call.at, isAddress ? this.calls.base + target : target - (start + call.at + 4));
    }
    for (const at of piece.pointers ?? []) {
      if (isX86) putU32(piece.bytes, at, this.calls.base + this.calls.wrapper);
      else putVa(piece.bytes, at, this.calls.base + this.calls.wrapper);
    }
    // A direct call where the image has no import table to go through: E8 with a nop in front.
    const bytes = concat([piece.bytes]);
    for (const call of piece.calls) {
      if (call.indirect && this.image.iat.size === 0 && !this.image.isArm64) {
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
    const reserved = section.name === '.rdata' ? [...RESERVED, ...this.image.rdataTables()] : [];
    if (reserved.some(([s, e]) => clash({ start: section.rva + s, end: section.rva + e }))) return false;
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
