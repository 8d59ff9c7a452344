/**
 * ARM64 instructions, as far as they carry constants and addresses to a call. Told by the fixed bits of the A64
 * instruction set; all others make the registers unknown that they could write.
 */

import { u32 } from '../bytes/fields.js';
import { bitMask } from './arm64.js';
import { arm64Text } from './arm64-text.js';
import { FIRST_VECTOR, OP, UNKNOWN_REGISTER, type CodeDecoder, type Operations } from './operations.js';

/** The stack pointer's number; where an encoding means the zero register, the value 0 is used instead. */
const SP = 31;

/** Registers that a call may change: x0 to x18 and the link register. */
export const VOLATILE_ARM64 = 0x4007ffff;

export const ARM64_DECODER: CodeDecoder = {
  decode(bytes, rva, _base, out, most) {
    for (let at = 0; at + 4 <= bytes.length && out.count < most; at += 4) one(u32(bytes, at), rva + at, out);
  },
  text: (bytes, address) => (bytes.length < 4 ? null : arm64Text(u32(bytes, 0), address)),
};

function one(word: number, at: number, out: Operations): void {
  const i = out.add(at, 4, OP.none);
  switch ((word >>> 25) & 15) {
    case 8:
    case 9:
      immediateForms(word, at, out, i);
      return;
    case 10:
    case 11:
      control(word, at, out, i);
      return;
    case 4:
    case 6:
    case 12:
    case 14:
      memory(word, at, out, i);
      return;
    case 5:
    case 13:
      registerForms(word, out, i);
      return;
    case 0:
      out.kind[i] = OP.stop;
      return;
    default:
      // Vectors; moves from them to a general register are seen by their low bits.
      if ((word & 0x0e000000) !== 0x0e000000) return;
      if ((word & 31) !== SP) out.killed[i] = 1 << (word & 31);
      forgetVector(out, i, word & 31);
  }
}

/** A vector register holds nothing that is known. */
function forgetVector(out: Operations, i: number, vector: number): void {
  out.kind[i] = OP.copy;
  out.target[i] = FIRST_VECTOR + vector;
  out.source[i] = UNKNOWN_REGISTER;
}

function kill(out: Operations, i: number, register: number): void {
  if (register !== 31) out.killed[i] = (out.killed[i] ?? 0) | (1 << register);
}

/** ADR, ADRP, ADD and SUB with a constant, logic with a constant, move wide, and the rest of that group. */
function immediateForms(word: number, at: number, out: Operations, i: number): void {
  const target = word & 31;
  const source = (word >>> 5) & 31;
  const group = (word >>> 23) & 7;
  if (group <= 1) {
    const value = ((((word >> 5) << 13) >> 11) & ~3) | ((word >>> 29) & 3);
    if (target === 31) return;
    out.target[i] = target;
    kill(out, i, target);
    out.kind[i] = OP.address;
    out.immediate[i] = word >>> 31 === 1 ? ((at & ~0xfff) + value * 4096) | 0 : at + value;
    return;
  }
  if (group === 2) {
    const amount = ((word >>> 10) & 0xfff) << ((word & 0x400000) !== 0 ? 12 : 0);
    const subtracts = (word & 0x40000000) !== 0;
    if ((word & 0x20000000) !== 0 && target === 31) {
      out.kind[i] = OP.compare;
      out.target[i] = source;
      out.value[i] = amount;
      return;
    }
    out.kind[i] = OP.add;
    out.target[i] = target;
    out.source[i] = source;
    out.immediate[i] = subtracts ? -amount : amount;
    out.killed[i] = 1 << target;
    return;
  }
  if (group === 5) {
    moveWide(word, target, out, i);
    return;
  }
  if (group === 4) {
    logicImmediate(word, target, source, out, i);
    return;
  }
  kill(out, i, target);
}

function moveWide(word: number, target: number, out: Operations, i: number): void {
  const operation = (word >>> 29) & 3;
  const half = (word >>> 21) & 3;
  const value = (word >>> 5) & 0xffff;
  if (target === 31) return;
  out.target[i] = target;
  kill(out, i, target);
  if (operation === 3) {
    out.source[i] = target;
    if (half > 1) {
      // The upper half of 64 bits: the lower one stays.
      out.kind[i] = OP.copy;
      return;
    }
    out.kind[i] = OP.insert;
    out.value[i] = value;
    out.immediate[i] = half * 16;
    return;
  }
  if (operation === 1) return;
  out.kind[i] = OP.constant;
  const shifted = half > 1 ? 0 : value << (half * 16);
  out.immediate[i] = operation === 0 ? ~shifted : shifted;
}

function logicImmediate(word: number, target: number, source: number, out: Operations, i: number): void {
  const operation = (word >>> 29) & 3;
  if (operation === 3) {
    if (target === 31) {
      out.kind[i] = OP.compare;
      out.target[i] = source;
    } else kill(out, i, target);
    return;
  }
  kill(out, i, target);
  if (operation !== 1) return;
  const value = bitMask((word >>> 22) & 1, (word >>> 16) & 63, (word >>> 10) & 63);
  if (value === null) return;
  out.target[i] = target;
  out.immediate[i] = value;
  if (source === 31) out.kind[i] = OP.constant;
  else {
    out.kind[i] = OP.or;
    out.source[i] = source;
  }
}

/** Branches, calls, returns, exceptions. */
function control(word: number, at: number, out: Operations, i: number): void {
  const far = at + ((word << 6) >> 4);
  const top = word >>> 26;
  if (top === 0b000101 || top === 0b100101) {
    out.kind[i] = top === 0b000101 ? OP.jump : OP.call;
    out.immediate[i] = far;
    return;
  }
  const six = (word >>> 25) & 63;
  if (word >>> 25 === 0b0101010 || six === 0b011010) {
    out.kind[i] = OP.branch;
    out.immediate[i] = at + ((word << 8) >> 13) * 4;
    return;
  }
  if (six === 0b011011) {
    out.kind[i] = OP.branch;
    out.immediate[i] = at + ((word << 13) >> 18) * 4;
    return;
  }
  if (word >>> 25 === 0b1101011) {
    const operation = (word >>> 21) & 15;
    const kinds: Readonly<Record<number, number>> = {
      0: OP.jumpRegister,
      1: OP.callRegister,
      8: OP.jumpRegister,
      9: OP.callRegister,
    };
    out.kind[i] = kinds[operation] ?? OP.return;
    out.source[i] = (word >>> 5) & 31;
    return;
  }
  if (word >>> 24 === 0b11010100) {
    // BRK and HLT end a path (__fastfail); SVC and the like go on.
    if (((word >>> 21) & 7) !== 0) out.kind[i] = OP.stop;
    return;
  }
  // MRS writes its register.
  if ((word & 0x00200000) !== 0) kill(out, i, word & 31);
}

function memory(word: number, at: number, out: Operations, i: number): void {
  const target = word & 31;
  const vector = (word & 0x04000000) !== 0;
  const form = (word >>> 27) & 7;
  if (form === 3) {
    literal(word, at, target, vector, out, i);
    return;
  }
  if (form === 5) {
    pair(word, vector, out, i);
    return;
  }
  if (form !== 7) {
    // Exclusive and ordered accesses; vectors of several registers.
    if (!vector) for (const r of [target, (word >>> 10) & 31, (word >>> 16) & 31]) kill(out, i, r);
    else if ((word & 0x400000) !== 0) severalVectors(target, out, i);
    return;
  }
  single(word, target, vector, out, i);
}

/** LD1 to LD4: at most four vectors, one after the other. */
function severalVectors(first: number, out: Operations, i: number): void {
  forgetVector(out, i, first);
  for (let n = 1; n < 4; n++) forgetVector(out, out.add(out.at[i] ?? 0, 4, OP.none), (first + n) & 31);
}

function literal(word: number, at: number, target: number, vector: boolean, out: Operations, i: number): void {
  const kind = word >>> 30;
  if (kind === 3) return;
  if (!vector) {
    kill(out, i, target);
    if (target === 31) return;
  }
  out.kind[i] = OP.load;
  out.target[i] = vector ? FIRST_VECTOR + target : target;
  out.size[i] = vector ? 4 << kind : kind === 1 ? 8 : 4;
  out.immediate[i] = at + ((word << 8) >> 13) * 4;
}

/** LDR and STR with a constant, with writing back, and with a register. */
function single(word: number, target: number, vector: boolean, out: Operations, i: number): void {
  const base = (word >>> 5) & 31;
  const operation = (word >>> 22) & 3;
  // Vectors of 16 bytes have the fifth size.
  const scale = vector && (operation & 2) !== 0 ? 4 : word >>> 30;
  const isScaled = (word & 0x01000000) !== 0;
  const mode = (word >>> 10) & 3;
  const byRegister = !isScaled && (word & 0x200000) !== 0;
  const isStore = operation === 0 || (vector && operation === 2);
  if (!isScaled && !byRegister && (mode === 1 || mode === 3)) kill(out, i, base);
  if (!isStore && !vector && !(scale === 3 && operation === 2)) kill(out, i, target);
  if (byRegister && mode !== 2) {
    // Atomic operations give the old value in their target.
    if (!vector) kill(out, i, target);
    return;
  }
  const place = isScaled ? ((word >>> 10) & 0xfff) << scale : (word << 11) >> 23;
  const after = !isScaled && !byRegister && mode === 1 ? 0 : place;
  if (isStore) {
    if (byRegister) return;
    out.kind[i] = OP.store;
    out.target[i] = base;
    out.immediate[i] = after;
    stored(out, i, vector ? FIRST_VECTOR + target : target, scale < 2, 1 << scale);
  } else if (vector) {
    forgetVector(out, i, target);
    if (scale >= 2) {
      out.kind[i] = OP.load;
      out.source[i] = base;
      out.size[i] = 1 << scale;
      if (byRegister) out.index[i] = (word >>> 16) & 31;
      else out.immediate[i] = after;
    }
  } else if (scale >= 2 && (operation === 1 || (operation === 2 && scale === 2)) && target !== 31) {
    out.kind[i] = OP.load;
    out.target[i] = target;
    out.source[i] = base;
    out.size[i] = 1 << scale;
    if (byRegister) out.index[i] = (word >>> 16) & 31;
    else out.immediate[i] = after;
  }
  if (!isScaled && !byRegister && (mode === 1 || mode === 3)) writeBack(base, place, out);
}

function stored(out: Operations, i: number, register: number, unknown: boolean, size: number): void {
  out.size[i] = size;
  out.source[i] = unknown ? UNKNOWN_REGISTER : register === 31 ? -1 : register;
}

/** The base register takes the new address. Added behind the access, at the same place. */
function writeBack(base: number, place: number, out: Operations): void {
  const first = out.count - 1;
  out.killed[first] = (out.killed[first] ?? 0) & ~(1 << base);
  const i = out.add(out.at[first] ?? 0, 4, OP.add);
  out.target[i] = base;
  out.source[i] = base;
  out.immediate[i] = place;
  out.killed[i] = 1 << base;
}

/** LDP and STP. */
function pair(word: number, vector: boolean, out: Operations, i: number): void {
  const [first, second, base] = [word & 31, (word >>> 10) & 31, (word >>> 5) & 31];
  const kind = word >>> 30;
  const number = (register: number): number => (vector ? FIRST_VECTOR + register : register);
  const mode = (word >>> 23) & 3;
  const scale = vector ? kind + 2 : kind === 2 ? 3 : 2;
  const place = ((word << 10) >> 25) << scale;
  const at = mode === 1 ? 0 : place;
  const isLoad = (word & 0x400000) !== 0;
  const side = (n: number, register: number): void => {
    if (isLoad) {
      if (!vector) {
        if (register === 31) return;
        out.killed[n] = 1 << register;
      }
      out.kind[n] = OP.load;
      out.target[n] = number(register);
      out.source[n] = base;
    } else {
      out.kind[n] = OP.store;
      out.target[n] = base;
      stored(out, n, number(register), false, 1 << scale);
    }
    out.size[n] = 1 << scale;
  };
  // A base that the first load overwrites is read before: the second one comes first then.
  const swapped = isLoad && !vector && first === base;
  side(i, swapped ? second : first);
  out.immediate[i] = at + (swapped ? 1 << scale : 0);
  const next = out.add(out.at[i] ?? 0, 4, OP.none);
  side(next, swapped ? first : second);
  out.immediate[next] = at + (swapped ? 0 : 1 << scale);
  if (mode === 1 || mode === 3) writeBack(base, place, out);
}

/** Logic, arithmetic and choices between registers. */
function registerForms(word: number, out: Operations, i: number): void {
  const [target, first, second] = [word & 31, (word >>> 5) & 31, (word >>> 16) & 31];
  // Compares: SUBS and ADDS to the zero register.
  if ((word & 0x3f000000) === 0x2b000000 && target === 31) {
    out.kind[i] = OP.compare;
    out.target[i] = first === 31 ? UNKNOWN_REGISTER : first;
    out.source[i] = second === 31 ? UNKNOWN_REGISTER : second;
    return;
  }
  // CCMP, CCMN with a register or a constant.
  if ((word & 0x3fe00000) === 0x3a400000) {
    out.kind[i] = OP.compare;
    out.target[i] = first === 31 ? UNKNOWN_REGISTER : first;
    if ((word & 0x800) !== 0) out.value[i] = second;
    else out.source[i] = second === 31 ? UNKNOWN_REGISTER : second;
    return;
  }
  if (target === 31) return;
  out.target[i] = target;
  kill(out, i, target);
  // MOV: ORR from the zero register without a shift.
  if ((word & 0x7fe0ffe0) === 0x2a0003e0) {
    if (second === 31) out.kind[i] = OP.constant;
    else {
      out.kind[i] = OP.copy;
      out.source[i] = second;
    }
    return;
  }
  // ADD without a shift.
  if ((word & 0xffe0fc00) >>> 0 === 0x8b000000 && first !== 31 && second !== 31) {
    out.kind[i] = OP.sum;
    out.source[i] = first;
    out.index[i] = second;
    return;
  }
  // CSEL.
  if ((word & 0x7fe00c00) === 0x1a800000) {
    out.kind[i] = OP.either;
    out.source[i] = first === 31 ? UNKNOWN_REGISTER : first;
    out.index[i] = second === 31 ? UNKNOWN_REGISTER : second;
  }
}
