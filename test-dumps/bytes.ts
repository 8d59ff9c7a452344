/** Little-endian stores into byte arrays, and the text encodings that kernel structures use. */

/** A 48-bit virtual address as a number: the low 48 bits of a canonical x64 address. Fast where bigint is not. */
export type Va = number;

const TWO_32 = 0x1_0000_0000;
const CANONICAL_TOP = 0xffff0000;

/** The canonical 64-bit form: bits 63..48 repeat bit 47. */
export function canonical(va: Va): bigint {
  return va >= 0x8000_0000_0000 ? 0xffff_0000_0000_0000n + BigInt(va) : BigInt(va);
}

/** The low 48 bits of a canonical address. */
export function va48(address: bigint): Va {
  return Number(address & 0xffff_ffff_ffffn);
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = (value >>> 24) & 0xff;
}

/** A whole number of up to 53 bits (negative ones in two's complement), or any bigint modulo 2^64. */
export function putU64(bytes: Uint8Array, at: number, value: number | bigint): void {
  if (typeof value === 'bigint') {
    putU32(bytes, at, Number(BigInt.asUintN(32, value)));
    putU32(bytes, at + 4, Number(BigInt.asUintN(32, value >> 32n)));
    return;
  }
  const high = Math.floor(value / TWO_32);
  putU32(bytes, at, value - high * TWO_32);
  putU32(bytes, at + 4, high);
}

/** A kernel or user pointer. Zero stays null. */
export function putVa(bytes: Uint8Array, at: number, va: Va): void {
  putU32(bytes, at, va % TWO_32);
  const high = Math.floor(va / TWO_32);
  putU32(bytes, at + 4, va >= 0x8000_0000_0000 ? high + CANONICAL_TOP : high);
}

export function getU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  );
}

export function getU64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(getU32(bytes, at + 4)) << 32n) | BigInt(getU32(bytes, at));
}

/** One byte a character; characters past 0xFF are cut to their low byte. */
export function latin1(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i) & 0xff;
  return out;
}

export function utf16(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) putU16(out, i * 2, text.charCodeAt(i));
  return out;
}

/** Lays byte pieces end to end. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function fromHex(hex: string): Uint8Array {
  const clean = hex.replace(/\s/g, '');
  const out = new Uint8Array(clean.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(clean.slice(i * 2, i * 2 + 2), 16);
  return out;
}

/** A GUID of 32 hex digits (as symbol stores spell it) in its 16-byte memory form: the first three fields swapped. */
export function guidBytes(hex: string): Uint8Array {
  const raw = fromHex(hex);
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (i) => raw[i] ?? 0);
}

/** A pool tag's four characters as the little-endian key that the kernel keeps. */
export function tagKey(tag: string): number {
  if (tag.length !== 4) throw new Error(`a pool tag has four characters, not ${tag.length}: "${tag}"`);
  return getU32(latin1(tag), 0);
}

export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
