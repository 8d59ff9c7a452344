/**
 * The few ARM64 instructions that make a 32-bit constant, told by their fixed bits: MOVZ and MOVK, which build it in
 * halves, and LDR (literal), which loads it from among the code. Encodings are those of the A64 instruction set.
 */

import { u32 } from '../bytes/fields.js';

/** Instructions from a MOVZ to its MOVK, at most: compilers put others between them. */
export const FURTHEST = 8;
const INSTRUCTION = 4;

/** Move wide: opc in bits 30:29 (0 MOVN, 2 MOVZ, 3 MOVK), hw in 22:21, imm16 in 20:5, Rd in 4:0. */
const MOVE_WIDE_MASK = 0x1f800000;
const MOVE_WIDE = 0x12800000;
const MOVZ = 2;
const MOVK = 3;
/** The zero register: what is written to it is lost. */
const ZERO_REGISTER = 31;

/** LDR Wt, label and LDRSW Xt, label: opc in bits 31:30, a signed word offset in 23:5. */
const LITERAL_MASK = 0xff000000;
const LDR_W_LITERAL = 0x18000000;
const LDRSW_LITERAL = 0x98000000;

/** A constant that two instructions build in a register. */
export interface BuiltConstant {
  readonly value: number;
  /** Offsets of MOVZ and MOVK. */
  readonly first: number;
  readonly second: number;
  /** Number of the register. */
  readonly register: number;
}

/**
 * Finds constants built by MOVZ and MOVK: MOVZ Rd with one half, and at most eight instructions on MOVK Rd with the
 * other, with no other move-wide to Rd between. Fed with code piece by piece; a pair may lie across two pieces.
 */
export class ConstantFinder {
  /** By register: the half that MOVZ set, which half it is, and where it stands (-1 = none). */
  private readonly halves = new Uint32Array(32);
  private readonly places = new Float64Array(32).fill(-1);

  /**
   * Looks through the whole instructions in `bytes`, the first of which stands at `offset` (a multiple of 4). Pieces
   * come in ascending order; `found` is called for each constant.
   */
  feed(bytes: Uint8Array, offset: number, found: (constant: BuiltConstant) => void): void {
    const aligned = bytes.byteOffset % INSTRUCTION === 0 ? bytes : bytes.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? 0;
      if ((word & MOVE_WIDE_MASK) === MOVE_WIDE) this.moveWide(word, offset + i * INSTRUCTION, found);
    }
  }

  private moveWide(word: number, at: number, found: (constant: BuiltConstant) => void): void {
    const operation = (word >>> 29) & 3;
    const half = (word >>> 21) & 3;
    const value = (word >>> 5) & 0xffff;
    const register = word & 31;
    const start = this.places[register] ?? -1;
    this.places[register] = -1;
    if (register === ZERO_REGISTER || half > 1) return;
    if (operation === MOVZ) {
      this.halves[register] = half === 0 ? value : value * 0x10000;
      this.places[register] = at;
      return;
    }
    const other = this.halves[register] ?? 0;
    if (operation !== MOVK || start < 0 || at - start > FURTHEST * INSTRUCTION) return;
    // The halves must differ: MOVK over what MOVZ set leaves one of them zero.
    if ((half === 0 ? other & 0xffff : other >>> 16) !== 0) return;
    found({ value: (other | (half === 0 ? value : value << 16)) >>> 0, first: start, second: at, register });
  }
}

/** Bytes that code is full of: a search for them stops everywhere. */
const COMMON: readonly number[] = [0x00, 0xff];

/**
 * Finds the instructions that put the low half of one of a few values in place. Each constant that MOVZ and MOVK build
 * has exactly one: MOVZ or MOVK without a shift. Two of its bytes depend on the half alone, and are searched for.
 */
export class LowHalves {
  private constructor(
    private readonly patterns: readonly Buffer[],
    private readonly halves: ReadonlySet<number>,
  ) {}

  /** Null where there are more than `most` halves, or one that would be found everywhere. */
  static of(values: ReadonlySet<number>, most: number): LowHalves | null {
    const halves = new Set<number>();
    for (const value of values) {
      halves.add(value & 0xffff);
      if (halves.size > most) return null;
    }
    const patterns = new Map<number, Buffer>();
    for (const half of halves) {
      const pattern = Buffer.from([(half >>> 3) & 0xff, 0x80 | (half >>> 11)]);
      if (half === 0 || COMMON.includes(pattern[0] ?? 0)) return null;
      patterns.set(half >>> 3, pattern);
    }
    return new LowHalves([...patterns.values()], halves);
  }

  /** Offsets of the instructions in `bytes`, which begin with one. */
  find(bytes: Buffer): number[] {
    const found: number[] = [];
    for (const pattern of this.patterns) {
      for (let at = bytes.indexOf(pattern, 1); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
        if (at % INSTRUCTION !== 1 || at + INSTRUCTION - 1 > bytes.length) continue;
        const word = u32(bytes, at - 1);
        if ((word & UNSHIFTED_MASK) === UNSHIFTED && this.halves.has((word >>> 5) & 0xffff)) found.push(at - 1);
      }
    }
    return found;
  }
}

/** MOVZ or MOVK of the half in bits 15:0: opc 2 or 3, hw 0. */
const UNSHIFTED_MASK = 0x5fe00000;
const UNSHIFTED = 0x52800000;

/** Calls `found` for every instruction in `bytes` that loads a 32-bit literal: its offset and the literal's. */
export function findLiteralLoads(
  bytes: Uint8Array,
  offset: number,
  found: (instruction: number, literal: number) => void,
): void {
  for (let at = 0; at + INSTRUCTION <= bytes.length; at += INSTRUCTION) {
    const word = u32(bytes, at);
    const kind = (word & LITERAL_MASK) >>> 0;
    if (kind !== LDR_W_LITERAL && kind !== LDRSW_LITERAL) continue;
    // Bits 23:5 as a signed number of words.
    found(offset + at, offset + at + ((word << 8) >> 13) * INSTRUCTION);
  }
}

/** The low 32 bits of the constant of a logic instruction, from its fields N, immr and imms; null where the encoding is none. */
export function bitMask(n: number, rotate: number, ones: number): number | null {
  const length = 31 - Math.clz32((n << 6) | (~ones & 63));
  if (length < 1) return null;
  const size = 1 << length;
  const count = (ones & (size - 1)) + 1;
  const turn = rotate & (size - 1);
  if (count === size) return null;
  let value = 0;
  for (let bit = 0; bit < 32; bit++) {
    const inElement = ((bit % size) + turn) % size;
    if (inElement < count) value |= 1 << bit;
  }
  return value;
}
