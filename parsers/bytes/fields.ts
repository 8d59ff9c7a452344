/** Little-endian fields of a byte array, without allocating a view per read. Offsets must be in range. */

export const u16 = (b: Uint8Array, o: number): number => (b[o] ?? 0) | ((b[o + 1] ?? 0) << 8);

export const u32 = (b: Uint8Array, o: number): number =>
  ((b[o] ?? 0) | ((b[o + 1] ?? 0) << 8) | ((b[o + 2] ?? 0) << 16) | ((b[o + 3] ?? 0) << 24)) >>> 0;

export const u64 = (b: Uint8Array, o: number): bigint => (BigInt(u32(b, o + 4)) << 32n) | BigInt(u32(b, o));

/** A 64-bit value as a number; exact up to 2^53, else null. */
export function safe64(b: Uint8Array, o: number): number | null {
  const high = u32(b, o + 4);
  return high < 0x200000 ? high * 0x100000000 + u32(b, o) : null;
}

/** Bytes as ASCII up to the first NUL. */
export function asciiz(b: Uint8Array, start: number, length: number): string {
  let text = '';
  const end = Math.min(b.length, start + length);
  for (let i = start; i < end; i++) {
    const byte = b[i] ?? 0;
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** UTF-16LE text; anything may stand in it, also lone surrogates. */
export function utf16(b: Uint8Array, start: number, bytes: number): string {
  return Buffer.from(b.buffer, b.byteOffset + start, Math.max(0, Math.min(bytes, b.length - start))).toString(
    'utf16le',
  );
}
