/**
 * ARM64 machine code for driver images: pages of plausible instructions, and the ways in which drivers make a pool tag:
 * two halves by MOVZ and MOVK, or a literal that LDR fetches.
 */

import { concat, putU32 } from '../bytes.js';
import { dataSnippet, tagBytes, type Snippet } from './code.js';
import { PAGE } from '../physical-memory.js';
import { Prng } from '../prng.js';
import type { TagUse } from '../scenario.js';

const KINDS = 4;

/** Common instructions; none moves a constant into the registers 1 and 2. */
const INSTRUCTIONS = [
  0xa9bf7bfd, 0x910003fd, 0xf9400408, 0xaa0003f3, 0xb4000040, 0x94000010, 0x2a1f03e0, 0xf9000be8, 0xd503201f, 0xeb01001f,
  0x54000041, 0x91002108, 0xb9400909, 0xd2800013, 0x90000008, 0x52800020, 0xa8c17bfd, 0xd65f03c0, 0xf94002a0, 0x36000088,
]; // prettier-ignore

/** What compilers put between the halves of a constant: nothing of it touches the constant's register. */
const BETWEEN = [0xaa1403e3, 0x52800108, 0xd503201f, 0x90000068, 0x910012a4, 0xf9400aa5, 0x2a1603e6];

const MOVZ = 0x52800000;
const MOVK = 0x72800000;
const LDR_LITERAL = 0x18000000;
const BRANCH = 0x14000000;
const MOVE_TO_W0 = 0x52804000;
const MOVE_TO_X1 = 0xd2800801;
const ADRP_X8 = 0x90000008;
const LOAD_X8 = 0xf9400908;
const CALL_X8 = 0xd63f0100;
const BRANCH_LINK = 0x94000000;

/** A wrapper that passes all arguments on: the call in it is fixed like that of a use. */
export const ARM_WRAPPER = [0xa9bf7bfd, ADRP_X8, LOAD_X8, CALL_X8, 0xa8c17bfd, 0xd65f03c0];

/** Makes the call at `at` of code for `rva` go to `target`: through a pointer there, or to it. */
export function aimArmCall(bytes: Uint8Array, at: number, rva: number, target: number, indirect: boolean): void {
  const place = rva + at;
  if (!indirect) {
    putU32(bytes, at, (BRANCH_LINK | (((target - place) >> 2) & 0x3ffffff)) >>> 0);
    return;
  }
  const pages = (target >> 12) - (place >> 12);
  putU32(bytes, at, (ADRP_X8 | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5)) >>> 0);
  putU32(bytes, at + 4, (0xf9400108 | (((target & 0xfff) >> 3) << 10)) >>> 0);
}

export const words = (list: readonly number[]): Uint8Array => {
  const out = new Uint8Array(list.length * 4);
  list.forEach((word, i) => {
    putU32(out, i * 4, word >>> 0);
  });
  return out;
};

const pages: Uint8Array[] = [];

/** One of a few pages of code, always the same for the same number. Shared: never written to. */
export function armCodeFill(pageNumber: number): Uint8Array {
  if (pages.length === 0) {
    const random = new Prng(0xa64);
    for (let i = 0; i < KINDS; i++) {
      pages.push(words(Array.from({ length: PAGE / 4 }, () => random.pick(INSTRUCTIONS))));
    }
  }
  const page = pages[pageNumber % KINDS];
  if (!page) throw new Error('no code page');
  return page;
}

/** The two instructions of a constant, low half first unless asked otherwise. */
function halves(value: number, register: number, order: TagUse['order']): [number, number] {
  const low = (instruction: number): number => instruction | ((value & 0xffff) << 5) | register;
  const high = (instruction: number): number => instruction | (1 << 21) | ((value >>> 16) << 5) | register;
  return order === 'high-first' ? [high(MOVZ), low(MOVK)] : [low(MOVZ), high(MOVK)];
}

/** The bytes of one tag use in ARM64 code or data. */
export function armSnippet(use: TagUse, random: Prng): Snippet {
  const tag = tagBytes(use);
  const value = Buffer.from(tag).readUInt32LE();
  switch (use.style) {
    case 'alloc':
    case 'local-call':
    case 'notmyfault':
    case 'free': {
      const register = use.style === 'free' ? 1 : 2;
      const [first, second] = halves(value, register, use.order);
      const count = use.straddle === undefined ? (use.between ?? random.int(0, 3)) : 0;
      const between = Array.from({ length: count }, () => random.pick(BETWEEN));
      const local = use.style === 'local-call';
      const arguments_ = [MOVE_TO_W0, ...(register === 2 ? [MOVE_TO_X1] : [])];
      const call = [...arguments_, ...(local ? [BRANCH_LINK] : [ADRP_X8, LOAD_X8, CALL_X8])];
      const callAt = 8 + (count + arguments_.length) * 4;
      const secondAt = 4 + count * 4;
      return {
        bytes: words([first, ...between, second, ...call]),
        tagAt: 0,
        genuine: true,
        calls: [
          { at: callAt, target: local ? 'wrapper' : use.style === 'free' ? 'free' : 'allocate', indirect: !local },
        ],
        pair: { secondAt, register },
        alignment: 4,
        borderAt: secondAt,
      };
    }
    case 'literal': {
      // Over the literal goes a branch: it stands among the code.
      const bytes = concat([words([LDR_LITERAL | (3 << 5) | 2, MOVE_TO_W0, BRANCH | 2]), tag, words([CALL_X8])]);
      return { bytes, tagAt: 12, genuine: true, calls: [], alignment: 4 };
    }
    default:
      return dataSnippet(use);
  }
}
