/** The kinds of type records, built-in types, and the variable-length numbers in them. */

import { safe64, u16, u32 } from '../bytes/fields.js';

export const LF_MODIFIER = 0x1001;
export const LF_POINTER = 0x1002;
export const LF_PROCEDURE = 0x1008;
export const LF_MFUNCTION = 0x1009;
export const LF_FIELDLIST = 0x1203;
export const LF_BITFIELD = 0x1205;
export const LF_BCLASS = 0x1400;
export const LF_VBCLASS = 0x1401;
export const LF_IVBCLASS = 0x1402;
export const LF_INDEX = 0x1404;
export const LF_VFUNCTAB = 0x1409;
export const LF_ENUMERATE = 0x1502;
export const LF_ARRAY = 0x1503;
export const LF_CLASS = 0x1504;
export const LF_STRUCTURE = 0x1505;
export const LF_UNION = 0x1506;
export const LF_ENUM = 0x1507;
export const LF_MEMBER = 0x150d;
export const LF_STMEMBER = 0x150e;
export const LF_METHOD = 0x150f;
export const LF_NESTTYPE = 0x1510;
export const LF_ONEMETHOD = 0x1511;
export const LF_INTERFACE = 0x1519;
export const LF_BINTERFACE = 0x151a;

/** Property bits of structures, unions and enumerations. */
export const IS_FORWARD_REFERENCE = 0x80;
export const HAS_UNIQUE_NAME = 0x200;

/** Type numbers below this stand for built-in types. */
export const FIRST_RECORD = 0x1000;

/** Name as the published symbol tables spell it, and bytes; by the low byte of the type number. */
const BUILT_IN: ReadonlyMap<number, readonly [string, number]> = new Map([
  [0x03, ['void', 0]],
  [0x08, ['long', 4]],
  [0x10, ['char', 1]],
  [0x11, ['short', 2]],
  [0x12, ['long', 4]],
  [0x13, ['long long', 8]],
  [0x20, ['unsigned char', 1]],
  [0x21, ['unsigned short', 2]],
  [0x22, ['unsigned long', 4]],
  [0x23, ['unsigned long long', 8]],
  [0x30, ['unsigned char', 1]],
  [0x31, ['short', 2]],
  [0x32, ['long', 4]],
  [0x33, ['long long', 8]],
  [0x40, ['float', 4]],
  [0x41, ['double', 8]],
  [0x68, ['char', 1]],
  [0x69, ['unsigned char', 1]],
  [0x70, ['char', 1]],
  [0x71, ['wchar', 2]],
  [0x72, ['short', 2]],
  [0x73, ['unsigned short', 2]],
  [0x74, ['int', 4]],
  [0x75, ['unsigned int', 4]],
  [0x76, ['long long', 8]],
  [0x77, ['unsigned long long', 8]],
  [0x7a, ['wchar', 2]],
  [0x7b, ['unsigned long', 4]],
  [0x7c, ['unsigned char', 1]],
]);

/** Bytes of a pointer, by bits 8..11 of a built-in type's number; 0 for none. */
const POINTER_SIZES: readonly number[] = [0, 2, 4, 4, 4, 6, 8, 16];

/** A built-in type: its name, its bytes, and the bytes of the pointer when it is a pointer to it. */
export function builtIn(type: number): { readonly name: string; readonly size: number; readonly pointer: number } {
  const [name, size] = BUILT_IN.get(type & 0xff) ?? ['?', 0];
  const pointer = POINTER_SIZES[(type >>> 8) & 0xf] ?? 0;
  return { name, size: pointer === 0 ? size : pointer, pointer };
}

/** A number from a record, and where the bytes after it begin. */
export interface Leaf {
  readonly value: number;
  readonly next: number;
}

/** The number at `at`: a u16 below 0x8000, else a code and the number. `null` where it is cut off, no whole number, or past 2^53. */
export function numericLeaf(b: Uint8Array, at: number): Leaf | null {
  if (at + 2 > b.length) return null;
  const code = u16(b, at);
  const at2 = at + 2;
  const fits = (bytes: number): boolean => at2 + bytes <= b.length;
  if (code < 0x8000) return { value: code, next: at2 };
  if (code === 0x8000 && fits(1)) return { value: ((b[at2] ?? 0) << 24) >> 24, next: at2 + 1 };
  if (code === 0x8001 && fits(2)) return { value: (u16(b, at2) << 16) >> 16, next: at2 + 2 };
  if (code === 0x8002 && fits(2)) return { value: u16(b, at2), next: at2 + 2 };
  if (code === 0x8003 && fits(4)) return { value: u32(b, at2) | 0, next: at2 + 4 };
  if (code === 0x8004 && fits(4)) return { value: u32(b, at2), next: at2 + 4 };
  if (code === 0x8009 && fits(8)) {
    const value = BigInt.asIntN(64, (BigInt(u32(b, at2 + 4)) << 32n) | BigInt(u32(b, at2)));
    return Number.isSafeInteger(Number(value)) ? { value: Number(value), next: at2 + 8 } : null;
  }
  if (code === 0x800a && fits(8)) {
    const value = safe64(b, at2);
    return value === null ? null : { value, next: at2 + 8 };
  }
  return null;
}

/** Where the bytes after the number at `at` begin, whatever its value; `null` where it is cut off or of an unknown code. */
export function afterNumericLeaf(b: Uint8Array, at: number): number | null {
  if (at + 2 > b.length) return null;
  const code = u16(b, at);
  const bytes =
    code < 0x8000
      ? 0
      : ([1, 2, 2, 4, 4, 4, 8, 10, 16, 8, 8, 6, 8, 16, 20, 32][code - 0x8000] ??
        (code === 0x8017 || code === 0x8018 ? 16 : -1));
  return bytes < 0 || at + 2 + bytes > b.length ? null : at + 2 + bytes;
}
